"""The admin: one file per model. Importing the package registers all of them."""

from recovery.admin import event, gateway, people, profile, recovery, signature, token

__all__ = ["event", "gateway", "people", "profile", "recovery", "signature", "token"]
