"""The OpenAPI description: a snapshot, a page without the network, and answers that are as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings

SNAPSHOT = Path(__file__).parents[2] / "snapshots" / "openapi.yaml"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_api_is_the_one_of_the_snapshot_in_every_language(tmp_path, language):
    """`make schema` writes it again."""
    now = tmp_path / "openapi.yaml"
    call_command("spectacular", lang=language, validate=True, fail_on_warn=True, file=str(now))
    assert now.read_text(encoding="utf-8") == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/api/v1/recovery/execute-jar", "/api/v1/recoveries/"])
def test_the_description_tells_of_keys_locations_and_problems(path):
    operation = yaml.safe_load(SNAPSHOT.read_text(encoding="utf-8"))["paths"][path]["post"]
    assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    assert set(operation["responses"]["202"]["headers"]) == {"Location", "Idempotent-Replay"}
    for status in ("400", "401", "403", "413", "415", "422", "503"):
        assert "application/problem+json" in operation["responses"][status]["content"]
    assert {"token": []} in operation["security"]


@pytest.mark.django_db
def test_the_description_and_its_page_need_no_network(api):
    assert api.get("/api/v1/schema/").status_code == 200
    page = api.get("/api/v1/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    text = page.content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert sources
    script = "/api/v1/docs/?script="
    assert {source for source in sources if not source.startswith("/static/")} == {script}
    assert "<script>" not in text, "the policy of the pages lets none run"
    assert "/api/v1/schema/" in api.get(script, headers={"Accept": "text/html"}).content.decode()
    assert "script-src 'self' 'unsafe-eval'" in page.headers["Content-Security-Policy"]


@pytest.fixture
def _connection_kept_open() -> Iterator[None]:
    """A whole WSGI request would close the connection of the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.usefixtures("_connection_kept_open")
@pytest.mark.django_db
def test_answers_are_as_the_description_says(operator, profile):
    """A short fuzz: whatever is sent, no 5xx, and every answer is of a kind that the description has."""
    import schemathesis

    from recovery_portal.wsgi import application
    from tests.doors.api.conftest import token_header

    headers = {"Authorization": token_header(operator)}
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application, headers=headers)
    for result in schema.get_all_operations():
        _fuzz(result.ok(), headers)


def _fuzz(operation, headers):
    from schemathesis.specs.openapi import checks

    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def run(case):
        response = case.call(headers=headers)
        assert response.status_code < 500, case.as_curl_command()
        case.validate_response(
            response,
            checks=[
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_headers_conformance,
                checks.response_schema_conformance,
            ],
        )

    run()
