"""The services' portal, for the points at which its workers die."""

from tests.services.conftest import clock, portal, sandbox

__all__ = ["clock", "portal", "sandbox"]
