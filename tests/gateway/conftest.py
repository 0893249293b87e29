"""Servers for the gateway's tests: the sandbox, and one that says whatever a test wants."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from recovery import conf
from recovery.gateway.endpoint import Endpoint
from sandbox import Sandbox
from tests.gateway.raw import RawServer, Script

Serve = Callable[..., RawServer]

settings.register_profile("untimed", deadline=None)  # these machines are shared
settings.load_profile("untimed")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(script)` gives a running server; all end with the test."""
    with ExitStack() as stack:

        def start(script: Script, *, tls: ssl.SSLContext | None = None) -> RawServer:
            return stack.enter_context(RawServer(script, tls=tls))

        yield start


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(post_cost=0.0, speed=50.0) as box:
        yield box


@pytest.fixture
def endpoint(sandbox: Sandbox) -> Endpoint:
    return Endpoint(base_url=sandbox.url, user="svc_portal", secret="svc-password")


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """No variable of the portal's is set, and `Config` reads anew."""
    for name in conf.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORTAL_ENV_FILE", "/dev/null")
    conf.reading.cache_clear()
    yield monkeypatch
    conf.reading.cache_clear()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key in one PEM file."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("needs the openssl command")
    place = tmp_path_factory.mktemp("tls")
    command = (
        f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {place}/key.pem -out {place}/cert.pem"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    both = place / "both.pem"
    both.write_text((place / "key.pem").read_text() + (place / "cert.pem").read_text())
    return both


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
