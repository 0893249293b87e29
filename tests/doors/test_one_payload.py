"""What was shown is what was stored is what was sent (invariant 4), through every door that files."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from rest_framework.test import APIClient

from recovery.domain.states import State
from recovery.models import LivyProfile, Recovery
from recovery.services import submission
from sandbox import Sandbox
from tests.doors.admin.pages import FILE, previewed, text, typed
from tests.factories import make_gateway, make_profile, make_user

pytestmark = pytest.mark.django_db
NAME_TO_BE = "…"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(post_cost=0.0, speed=50.0) as box:
        yield box


@pytest.fixture
def profile(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> LivyProfile:
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    gateway = make_gateway(base_url=sandbox.url, user="svc_portal", secret_ref="env:SANDBOX_PASSWORD")
    return make_profile(gateway=gateway, conf={"spark.yarn.tags": "équipe"}, jars=["hdfs:///libs/é.jar"])


def _sent(sandbox: Sandbox, row: Recovery) -> str:
    """The bytes of the POST that carried this recovery."""
    submission.submit_due(gateway_id=row.gateway_id)
    bodies = [r.body.decode() for r in sandbox.requests if r.method == "POST" and r.path.endswith("/batches")]
    return next(body for body in bodies if json.loads(body)["name"] == row.batch_name)


def test_through_the_admin(sandbox: Sandbox, profile: LivyProfile) -> None:
    steward = Client(headers={"accept-language": "fr"})
    steward.force_login(make_user(groups=["Stewards"], is_staff=True))
    preview, send = previewed(steward, FILE, typed(profile, jarArgs='--table "a b" --é'))
    shown = preview.context["sheet"]
    assert shown.sent in text(preview)
    steward.post(FILE, send)
    row = Recovery.objects.get()
    sent = _sent(sandbox, row)
    assert row.sent_payload == sent
    assert json.loads(shown.sent.replace(NAME_TO_BE, row.batch_name)) == json.loads(sent)


def test_through_the_api_and_a_resubmission(sandbox: Sandbox, profile: LivyProfile) -> None:
    client = APIClient()
    client.force_authenticate(make_user(groups=["Stewards"]))
    body = {"jarPath": "hdfs:///user/é/recovery.jar", "jarArgs": "--date 20240101", "profile": profile.name}
    preview = client.post("/api/v1/recoveries/preview/", body, format="json").json()
    answer = client.post("/api/v1/recovery/execute-jar", body, format="json")
    assert answer.status_code == 202
    row = Recovery.objects.get()
    assert row.payload_sha256 == preview["payloadSha256"] == answer.json()["payloadSha256"]
    assert preview["sentPayload"].replace(NAME_TO_BE, row.batch_name) == row.sent_payload == _sent(sandbox, row)

    LivyProfile.objects.filter(pk=profile.pk).update(driver_memory="64g")  # changes nothing of what was filed
    Recovery.objects.filter(pk=row.pk).update(state=State.FAILED, finished_at=row.created_at)
    again = client.post(f"/api/v1/recoveries/{row.pk}/resubmit/", {}, format="json")
    assert again.status_code == 202
    child = Recovery.objects.get(resubmission_of=row)
    assert child.payload == row.payload
    assert child.payload_sha256 == preview["payloadSha256"]
    assert child.sent_payload == row.sent_payload.replace(row.batch_name, child.batch_name) == _sent(sandbox, child)
