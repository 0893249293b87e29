"""Where a gateway is, and where its secret comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.gateway.endpoint import Endpoint, SecretUnavailable, resolve_secret


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (Endpoint(base_url="https://k:8443/gateway/t"), "https://k:8443/gateway/t/livy/v1/batches/a"),
        (Endpoint(base_url="https://k/gateway/t/", livy_path="/livy/"), "https://k/gateway/t/livy/batches/a"),
        (Endpoint(base_url="http://livy:8998", livy_path=""), "http://livy:8998/batches/a"),
    ],
)
def test_a_url_below_livy(endpoint: Endpoint, url: str) -> None:
    assert endpoint.livy("batches", "a") == url


def test_each_segment_is_encoded_and_a_query_is_put_behind() -> None:
    endpoint = Endpoint(base_url="https://k", livy_path="livy/v1")
    assert endpoint.livy("batches", "é a/b?c%", 0, query="from=0") == (
        "https://k/livy/v1/batches/%C3%A9%20a%2Fb%3Fc%25/0?from=0"
    )


def test_a_secret_is_not_in_what_is_printed() -> None:
    assert "hunter22" not in repr(Endpoint(base_url="https://k", user="svc", secret="hunter22"))


@pytest.mark.parametrize(
    ("verify_tls", "ca_bundle", "verify"),
    [(True, "", True), (True, "/ca.pem", "/ca.pem"), (False, "", False), (False, "/ca.pem", False)],
)
def test_verification(verify_tls: bool, ca_bundle: str, verify: bool | str) -> None:
    assert Endpoint(base_url="https://k", verify_tls=verify_tls, ca_bundle=ca_bundle).verify == verify


def test_a_secret_by_reference(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_bytes(b"first\r\nsecond\n")
    assert resolve_secret("", {}) == ""
    assert resolve_secret("env:PASSWORD", {"PASSWORD": "x y"}) == "x y"
    assert resolve_secret(f"file:{place}", {}) == "first"
    place.write_text("anew")
    assert resolve_secret(f"file:{place}", {}) == "anew"


@pytest.mark.parametrize("reference", ["env:PASSWORD", "env:EMPTY", "file:/no/such/file", "file:.", "vault:x", "plain"])
def test_a_reference_that_leads_nowhere_is_named(reference: str) -> None:
    with pytest.raises(SecretUnavailable, match=reference.partition(":")[2] or reference):
        resolve_secret(reference, {"EMPTY": ""})


def test_a_secret_that_is_no_text(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_bytes(b"\xff\xfehunter22")
    with pytest.raises(SecretUnavailable, match="UnicodeDecodeError") as caught:
        resolve_secret(f"file:{place}", {})
    assert "hunter22" not in str(caught.value)
