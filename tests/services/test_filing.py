"""Filing, previewing and resubmitting: N3, H2, H3."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from recovery.domain.errors import InvalidInput
from recovery.domain.gateways import Channel
from recovery.domain.payload import Payload, sha256
from recovery.domain.states import Settlement, State
from recovery.models import Gateway, LivyProfile, Recovery, RecoveryEvent, SubjectType
from recovery.services import filing, resubmission
from recovery.services.filing import FilingKeyReused, Origin, file_recovery, usable_profile
from recovery.services.preview import preview
from recovery.services.resubmission import differences, refusal, resubmission_payload, resubmit
from tests.factories import ARGS, JAR, make_gateway, make_profile, make_recovery, make_user

pytestmark = pytest.mark.django_db


def _origin(key: str = "", **user: object) -> Origin:
    return Origin(by=make_user(**user), channel=Channel.API, filing_key=key)  # type: ignore[arg-type]


def _codes(error: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(p.field, p.code) for p in error.value.problems]


def test_n3_the_preview_is_what_is_stored() -> None:
    profile = make_profile(conf={"spark.yarn.tags": "team-a"}, never_restart_in_yarn=True)
    shown = preview(profile=profile, jar_path=JAR, jar_args=ARGS, name="NAME")
    row = make_recovery(profile=profile)
    assert row.payload == shown.text
    assert row.payload_sha256 == shown.sha256 == sha256(row.payload)
    assert row.sent_payload == shown.sent_text.replace("NAME", row.batch_name)
    assert json.loads(row.sent_payload)["conf"]["spark.yarn.tags"] == f"team-a,{row.batch_name}"  # N2
    assert "name" not in row.payload_json
    assert row.payload_json["conf"]["spark.yarn.maxAppAttempts"] == "1"  # F8


def test_n4_what_is_empty_is_left_out() -> None:
    row = make_recovery(profile=make_profile(queue="", proxy_user="", driver_cores=None), jar_args="  ")
    assert set(row.payload_json) == {"file", "driverMemory", "executorMemory", "executorCores", "numExecutors"}


def test_n1_the_name_is_for_life_and_unlike_any_other() -> None:
    profile = make_profile()
    names = {make_recovery(profile=profile).batch_name for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("portal-recovery-") for name in names)


def test_invariant_4_a_profile_changed_later_changes_no_recovery() -> None:
    row = make_recovery()
    before = row.payload, row.sent_payload
    LivyProfile.objects.filter(pk=row.profile_id).update(driver_memory="64g")
    row.refresh_from_db()
    assert (row.payload, row.sent_payload) == before


def test_bad_input_is_told_all_at_once_and_nothing_is_stored() -> None:
    profile = make_profile()
    with pytest.raises(InvalidInput) as error:
        file_recovery(
            profile=profile, jar_path="recovery.jar", jar_args="`id`", origin=_origin(), reason="x" * 501,
            overrides={"driver_memory": "lots"}, now=timezone.now(),
        )  # fmt: skip
    assert _codes(error) == [
        ("jarArgs", "backtick"),
        ("jarPath", "path_relative"),
        ("driverMemory", "memory"),
        ("reason", "reason_too_long"),
    ]
    assert not Recovery.objects.exists()


def test_a_gateway_that_only_follows_takes_nothing() -> None:
    profile = make_profile(gateway=make_gateway(follow_only=True))
    with pytest.raises(InvalidInput) as error:
        make_recovery(profile=profile)
    assert _codes(error) == [("profile", "gateway_follow_only")]


def test_usable_profiles() -> None:
    steward, other = make_user(groups=["Stewards"]), make_user()
    profile = make_profile(groups=["Stewards"])
    assert usable_profile(name=profile.name, by=steward) == profile
    assert usable_profile(name=profile.name, by=make_user(is_superuser=True)) == profile
    for name, by, code in ((profile.name, other, "profile_forbidden"), ("nope", steward, "unknown_profile")):
        with pytest.raises(InvalidInput) as error:
            usable_profile(name=name, by=by)
        assert _codes(error) == [("profile", code)]
    LivyProfile.objects.update(enabled=False)
    with pytest.raises(InvalidInput):
        usable_profile(name=profile.name, by=steward)


def test_h3_the_same_key_and_content_give_the_same_recovery() -> None:
    origin, profile, now = _origin("key-1"), make_profile(), timezone.now()
    first = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=origin, now=now)
    second = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=origin, now=now)
    assert (first.again, second.again) == (False, True)
    assert first.recovery.pk == second.recovery.pk
    with pytest.raises(FilingKeyReused):
        file_recovery(profile=profile, jar_path=JAR, jar_args="other", origin=origin, now=now)
    other = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=_origin("key-1"), now=now)
    assert other.recovery.pk != first.recovery.pk  # unique per user


def test_h3_a_profile_edited_between_a_request_and_its_repetition_changes_nothing() -> None:
    origin, profile, now = _origin("key-1"), make_profile(), timezone.now()
    first = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=origin, now=now)
    profile.driver_memory, profile.conf = "8g", {"spark.master": "now nothing could be filed"}
    second = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=origin, now=now)
    assert (second.again, second.recovery.pk) == (True, first.recovery.pk)


def test_what_no_database_can_hold_is_refused_on_its_field() -> None:
    profile = make_profile()
    for changes, expected in (
        ({"reason": "a\0b"}, ("reason", "nul")),
        ({"reason": "\ud800"}, ("reason", "not_unicode")),
        ({"jar_path": "hdfs:///" + "x" * 1000}, ("jarPath", "too_long")),
        ({"overrides": {"proxy_user": "x" * 151}}, ("proxyUser", "too_long")),
        ({"overrides": {"conf": {"spark.x": "\ud800"}}}, ("conf", "not_unicode")),
    ):
        with pytest.raises(InvalidInput) as error:
            make_recovery(profile=profile, **changes)
        assert _codes(error) == [expected]


def test_h3_two_requests_at_once_with_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither sees the other's row when it looks; the database lets one in."""
    origin, profile, now = _origin("key-1"), make_profile(), timezone.now()
    first = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=origin, now=now)
    real, answers = filing.replayed, iter([None])
    monkeypatch.setattr(filing, "replayed", lambda *args: (next(answers, False) is False and real(*args)) or None)
    second = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=origin, now=now)
    assert (second.again, second.recovery.pk) == (True, first.recovery.pk)


def test_an_integrity_error_of_another_kind_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    row = make_recovery()
    monkeypatch.setattr(filing, "batch_name", lambda **kwargs: row.batch_name)
    with pytest.raises(IntegrityError):
        make_recovery()


@pytest.mark.django_db(transaction=True)
def test_h3_eight_threads_one_key_one_recovery() -> None:
    origin, profile = _origin("key-1"), make_profile()

    def one(_number: int) -> int:
        try:
            filed = file_recovery(profile=profile, jar_path=JAR, jar_args=ARGS, origin=origin, now=timezone.now())
            return filed.recovery.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(8)))) == 1
    assert Recovery.objects.count() == 1


def test_h2_only_what_has_ended_is_resubmitted_and_one_child_lives() -> None:
    row, origin = make_recovery(), _origin()
    with pytest.raises(InvalidInput) as error:
        resubmit(recovery=row, origin=origin, reason="", now=timezone.now())
    assert _codes(error) == [("state", "not_ended")]
    row = make_recovery(state=State.FAILED)
    child = resubmit(recovery=row, origin=origin, reason="again", now=timezone.now()).recovery
    assert (child.resubmission_of, child.attempt, child.payload) == (row, 2, row.payload)
    assert child.batch_name != row.batch_name
    with pytest.raises(InvalidInput) as error:
        resubmit(recovery=row, origin=origin, reason="", now=timezone.now())
    assert _codes(error) == [("state", "live_child")]


def test_h2_two_people_at_once_make_one_child(monkeypatch: pytest.MonkeyPatch) -> None:
    row, origin = make_recovery(state=State.FAILED), _origin()
    resubmit(recovery=row, origin=origin, reason="", now=timezone.now())
    monkeypatch.setattr(resubmission, "refusal", lambda **kwargs: None)
    with pytest.raises(InvalidInput) as error:
        resubmit(recovery=row, origin=_origin(), reason="", now=timezone.now())
    assert _codes(error) == [("state", "live_child")]


def test_h2_a_lost_one_needs_a_settlement_or_an_operator_with_a_reason() -> None:
    row = make_recovery(state=State.LOST)
    steward, operator = _origin(groups=["Stewards"]), _origin(groups=["Operators"])
    problem = refusal(recovery=row, origin=steward, reason="please")
    assert problem is not None
    assert problem.code == "unsettled"
    assert refusal(recovery=row, origin=operator, reason="") is not None
    assert refusal(recovery=row, origin=operator, reason="checked: it never ran") is None
    row = make_recovery(state=State.LOST, settled_as=Settlement.NEVER_RAN.value)
    assert refusal(recovery=row, origin=steward, reason="") is None


def test_h3_the_same_resubmission_twice_is_one() -> None:
    row, origin = make_recovery(state=State.FAILED), _origin("key-9")
    first = resubmit(recovery=row, origin=origin, reason="", now=timezone.now())
    second = resubmit(recovery=row, origin=origin, reason="", now=timezone.now())
    assert (second.again, second.recovery.pk) == (True, first.recovery.pk)


def test_resubmitted_with_changes_the_rest_stays_as_it_was() -> None:
    row = make_recovery(state=State.FAILED, overrides={"num_executors": 9})
    LivyProfile.objects.filter(pk=row.profile_id).update(driver_memory="64g")
    edited, mode, raw = resubmission_payload(recovery=row, jar_args="--date 20240102", overrides={"queue": "root.x"})
    assert (raw, mode) == ("--date 20240102", "single")
    assert [(d.field, d.then, d.now) for d in differences(row_payload(row), edited)] == [
        ("args", [ARGS], ["--date 20240102"]),
        ("queue", "root.datalake", "root.x"),
    ]


def test_what_stays_as_it_was_is_kept_under_the_version_of_then() -> None:
    """A history that says version 5 of a payload with the values of version 4 is no history."""
    row = make_recovery(state=State.FAILED)
    LivyProfile.objects.filter(pk=row.profile_id).update(driver_memory="64g", version=5)
    edits: tuple[dict[str, Any], ...] = ({}, {"jar_args": "--date 20240102"})
    for changes in edits:
        row = Recovery.objects.for_list().get(pk=row.pk)
        row = resubmit(recovery=row, origin=_origin(), reason="", now=timezone.now(), **changes).recovery
        assert (row.profile_version, row.payload_json["driverMemory"]) == (1, "4g")
        filed = RecoveryEvent.objects.get(subject_type=SubjectType.RECOVERY, subject_id=row.pk, kind="filed")
        assert json.loads(filed.data)["version"] == 1
        Recovery.objects.filter(pk=row.pk).update(
            state=State.FAILED.value, finished_at=timezone.now(), next_action_at=None
        )
    row = Recovery.objects.for_list().get(pk=row.pk)
    today = LivyProfile.objects.select_related("gateway").get(pk=row.profile_id)
    row = resubmit(recovery=row, origin=_origin(), reason="", now=timezone.now(), profile=today).recovery
    assert (row.profile_version, row.payload_json["driverMemory"]) == (5, "64g")


def test_resubmitted_on_another_profile_brings_its_values() -> None:
    row = make_recovery(state=State.FAILED)
    other = make_profile(driver_memory="8g")
    child = resubmit(
        recovery=row, origin=_origin(), reason="", now=timezone.now(), profile=other, jar_path="hdfs:///b.jar"
    ).recovery
    assert (child.profile, child.payload_json["driverMemory"], child.jar_path) == (other, "8g", "hdfs:///b.jar")


def test_a_list_of_arguments_stays_a_list_when_resubmitted() -> None:
    row = make_recovery(state=State.FAILED, jar_args=["--a", "b c"])
    edited, mode, raw = resubmission_payload(recovery=row, jar_path="hdfs:///b.jar")
    assert (edited.args, mode, json.loads(raw)) == (("--a", "b c"), "list", ["--a", "b c"])


def test_resubmission_refuses_a_long_reason_and_a_gateway_that_only_follows() -> None:
    row = make_recovery(state=State.FAILED)
    with pytest.raises(InvalidInput) as error:
        resubmit(recovery=row, origin=_origin(), reason="x" * 501, now=timezone.now())
    assert _codes(error) == [("reason", "reason_too_long")]
    Gateway.objects.update(follow_only=True)
    row = Recovery.objects.for_list().get(pk=row.pk)
    with pytest.raises(InvalidInput) as error:
        resubmit(recovery=Recovery.objects.get(pk=row.pk), origin=_origin(), reason="", now=timezone.now())
    assert _codes(error) == [("profile", "gateway_follow_only")]


def row_payload(row: Recovery) -> Payload:
    return Payload.from_json(row.payload_json)
