"""Profiles, gateways, tokens, users: what may be edited is checked, what was used stays."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from recovery.admin.gateway import GatewayAdmin
from recovery.domain.gateways import Condition, Found, Part
from recovery.domain.payload_rules import DEFAULT_SCHEMES
from recovery.gateway.errors import NotSent
from recovery.models import ApiToken, FailureSignature, Gateway, LivyProfile, RecoveryEvent, SubjectType
from recovery.services import connection, gateways
from recovery.services.connection import ConnectionTest, Row
from recovery.services.profiles import save_profile
from recovery.services.tokens import create_token
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import messages, text
from tests.factories import make_gateway, make_profile, make_recovery, make_user

PROFILES = "/admin/recovery/livyprofile/"
GATEWAYS = "/admin/recovery/gateway/"
TOKENS = "/admin/recovery/apitoken/"


def as_shown(client: Client, url: str, **changes: Any) -> dict[str, Any]:
    """The form of a page as it is shown, with changes."""
    form = client.get(url).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in (shown | changes).items() if value not in (None, False)}


def change(obj: Any) -> str:
    return f"/admin/recovery/{obj._meta.model_name}/{obj.pk}/change/"


def button(obj: Any, name: str) -> str:
    return f"/admin/recovery/{obj._meta.model_name}/{obj.pk}/{name}/"


def kinds(subject: SubjectType, pk: int) -> list[str]:
    return [event.kind for event in RecoveryEvent.objects.of(subject, pk)]


# ── profiles ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_profile_is_saved_through_the_service(operator: Client) -> None:
    profile = make_profile(conf={"spark.a": "1"}, jars=["hdfs:///a.jar"])
    data = as_shown(operator, change(profile))
    shown = text(operator.get(change(profile)))
    assert "spark.a=1</textarea>" in shown
    assert "hdfs:///a.jar</textarea>" in shown
    data |= {
        "jars": "hdfs:///a.jar\r\n\r\n hdfs:///b.jar ",
        "conf": "spark.a=1\nspark.b = x=y\n\n",
        "executor_memory": "8g",
    }
    assert operator.post(change(profile), data).status_code == 302
    profile.refresh_from_db()
    assert profile.jars == ["hdfs:///a.jar", "hdfs:///b.jar"]
    assert profile.conf == {"spark.a": "1", "spark.b": "x=y"}
    assert (profile.executor_memory, profile.version) == ("8g", 2)
    assert kinds(SubjectType.PROFILE, profile.pk) == ["changed"]
    newest = profile.history.first()
    assert newest is not None
    assert newest.history_user == operator.person  # type: ignore[attr-defined]


def test_who_may_use_a_profile_is_changed_with_a_trace(operator: Client) -> None:
    profile = make_profile(groups=["Stewards"])
    lines = profile.history.count()
    groups = list(Group.objects.filter(name__in=["Operators", "Auditors"]).values_list("pk", flat=True))
    data = as_shown(operator, change(profile))
    assert operator.post(change(profile), data).status_code == 302
    assert profile.history.count() == lines, "saved as it was"
    assert operator.post(change(profile), data | {"allowed_groups": groups}).status_code == 302
    profile.refresh_from_db()
    assert (profile.version, profile.history.count()) == (1, lines + 1)
    assert set(profile.allowed_groups.values_list("name", flat=True)) == {"Operators", "Auditors"}
    (event,) = RecoveryEvent.objects.of(SubjectType.PROFILE, profile.pk)
    assert event.facts["groups_now"] == ["Auditors", "Operators"]
    assert "changed; who may use it: Stewards, now: Auditors, Operators" in text(
        operator.get("/admin/recovery/recoveryevent/")
    )


def test_what_somebody_else_has_saved_meanwhile_is_not_undone(operator: Client, door: Door) -> None:
    profile, gateway = make_profile(queue="root.a"), make_gateway(max_running=3)
    signature = FailureSignature.objects.get(code="exception")
    for row, mine, theirs in (
        (profile, {"queue": "root.mine"}, {"description": "theirs"}),
        (gateway, {"max_running": 4}, {"ca_bundle": "/theirs.pem"}),
        (signature, {"order": 7}, {"remedy_en": "Theirs."}),
    ):
        pages = as_shown(operator, change(row), **mine), as_shown(door("Operators"), change(row), **theirs)
        assert door("Operators").post(change(row), pages[1]).status_code == 302
        refused = operator.post(change(row), pages[0])
        assert refused.status_code == 200
        assert "Somebody has changed it meanwhile, and nothing was saved." in text(refused)
        assert operator.post(change(row), pages[0]).status_code == 200, "not at the second try either"
        again = pages[0] | theirs | {"seen": as_shown(operator, change(row))["seen"]}
        assert operator.post(change(row), again).status_code == 302
        row.refresh_from_db()
        for name, value in (mine | theirs).items():
            assert getattr(row, name) == value


@pytest.mark.parametrize(
    "conf",
    [
        {"spark.x.y": "a\nspark.z=1"},
        {"spark.x.y": "a\rspark.z=1", "spark.a": "1"},
        {"spark.x.y": " blanks around "},
        {"spark.x.y": "a\r\nb"},
    ],
)
def test_a_value_that_lines_cannot_hold_is_shown_as_json_and_survives_an_edit(
    operator: Client, conf: dict[str, str]
) -> None:
    profile = make_profile(conf=conf)
    data = as_shown(operator, change(profile), queue="root.night")
    assert json.loads(data["conf"]) == conf
    assert operator.post(change(profile), data).status_code == 302
    profile.refresh_from_db()
    assert (profile.conf, profile.queue) == (conf, "root.night")
    then = text(operator.get(f"{PROFILES}{profile.pk}/version/2/"))
    assert "\nspark.z=1" not in then


def test_a_line_ends_where_a_browser_ends_it(operator: Client) -> None:
    profile = make_profile(conf={"spark.x.y": "a\u2028spark.z=1"})
    data = as_shown(operator, change(profile))
    assert data["conf"] == "spark.x.y=a\u2028spark.z=1"
    assert operator.post(change(profile), data).status_code == 302
    profile.refresh_from_db()
    assert profile.conf == {"spark.x.y": "a\u2028spark.z=1"}


def test_what_may_be_a_slip_is_said_while_it_is_typed(operator: Client, door: Door) -> None:
    url = f"{PROFILES}conf-remarks/"
    assert f'data-remarks="{url}"' in text(operator.get(f"{PROFILES}add/"))

    def told(conf: str) -> list[str]:
        answer: list[str] = operator.post(url, {"conf": conf}).json()["remarks"]
        return answer

    assert told('{"spark.speculation": "yes"}') == ["“spark.speculation” is true or false, not “yes”."]
    assert told("spark.sql.shufle.partitions=200") == [
        "“spark.sql.shufle.partitions” is no key that is known here. Was “spark.sql.shuffle.partitions” meant?"
    ]
    assert told("spark.network.timeout=300s") == []
    assert told("spark.half") == [], "saving says what is no configuration"
    assert door("Stewards").post(url, {"conf": ""}).status_code == 403


def test_each_field_says_what_it_is_for(operator: Client) -> None:
    page = operator.get(f"{PROFILES}add/")
    fields = page.context["adminform"].form.fields
    assert [name for name in LivyProfile.LAUNCH_FIELDS if not fields[name].help_text] == []
    shown = text(page)
    assert "<code>spark.sql.adaptive.enabled=true</code>" in shown, "the known settings, and what for"
    assert 'data-hint="A whole number. Into how many parts' in shown


def test_a_new_profile_takes_json_too(operator: Client) -> None:
    gateway = make_gateway()
    data = {"name": "new", "gateway": gateway.pk, "enabled": "on", "args_mode": "single",
            "conf": '{"spark.a": true, "spark.n": 5, "spark.s": "x"}', "driver_memory": "512m"}  # fmt: skip
    assert operator.post(f"{PROFILES}add/", data).status_code == 302
    profile = LivyProfile.objects.get(name="new")
    assert profile.conf == {"spark.a": "true", "spark.n": "5", "spark.s": "x"}
    assert kinds(SubjectType.PROFILE, profile.pk) == ["created"]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("driver_memory", "4", "is no size"),
        ("class_name", "not a class", "is no class name"),
        ("queue", "a b", "one word"),
        ("proxy_user", "a b", "one word"),
        ("jars", "lib.jar", "is not absolute"),
        ("files", "hdfs:///a,hdfs:///b", "a comma is not possible"),
        ("conf", "spark.master=local", "Livy does not let"),
        ("conf", "spark.a", "is not key=value"),
        ("conf", "spark.a=1\nspark.a=2", "is given twice"),
        ("conf", '{"spark.a": ', "This is no JSON: look at line 1, column 12 (Expecting value)."),
        ("conf", '{"spark.a":' * 20_000, "This JSON cannot be read."),
        ("conf", '{"spark.a": %s}' % ("9" * 5000), "This JSON cannot be read."),
        ("conf", '{"spark.a": [1]}', "is not a scalar"),
        ("driver_cores", "0", "greater than or equal to 1"),
    ],
)
def test_a_bad_profile_is_not_saved_and_says_why_on_its_field(
    operator: Client, field: str, value: str, sentence: str
) -> None:
    profile = make_profile()
    response = operator.post(change(profile), as_shown(operator, change(profile), **{field: value}))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert sentence in text(response)
    assert LivyProfile.objects.get(pk=profile.pk).version == 1


def test_the_profile_of_env_is_looked_at_and_duplicated(operator: Client) -> None:
    """H4."""
    profile = make_profile(name="env", managed_by_env=True, conf={"spark.a": "1"}, groups=["Stewards"])
    assert "Duplicate it to edit." in messages(operator.get(change(profile)))[0]
    assert operator.post(change(profile), {"name": "mine"}).status_code == 403
    asked = operator.get(button(profile, "duplicate"))
    assert "env-2" in text(asked)
    taken = operator.post(button(profile, "duplicate"), {"name": "ENV"})
    assert "There is a profile of this name already." in text(taken)
    response = operator.post(button(profile, "duplicate"), {"name": "mine"}, follow=True)
    assert "The copy is disabled" in messages(response)[0]
    copy = LivyProfile.objects.get(name="mine")
    assert (copy.managed_by_env, copy.enabled, copy.conf) == (False, False, {"spark.a": "1"})
    assert copy.allowed_groups.get().name == "Stewards"


def test_history_is_read_and_never_reverted(operator: Client) -> None:
    profile = make_profile()
    profile.queue = "other"
    profile.save()
    history = operator.get(button(profile, "history"))
    assert "other" in text(history)
    old = profile.history.last()
    assert old is not None
    url = f"{button(profile, 'history')}{old.pk}/"
    assert "Revert" not in text(operator.get(url))
    assert operator.post(url, {"name": "x"}).status_code == 403


def test_what_a_profile_was_when_a_recovery_took_its_values(operator: Client) -> None:
    profile = make_profile(queue="root.datalake", conf={"spark.a": "1"})
    recovery = make_recovery(profile=profile)
    then = f"{PROFILES}{profile.pk}/version/1/"
    assert f'href="{then}"' in text(operator.get(change(recovery)))
    shown = text(operator.get(then))
    assert "It is the version of today." in shown
    assert "rp-then" not in shown
    profile.queue, profile.conf = "root.night", {"spark.a": "1", "spark.b": "<2>"}
    profile._history_user = operator.person  # type: ignore[attr-defined]
    save_profile(profile=profile, by=operator.person)  # type: ignore[attr-defined]
    response = operator.get(then)
    shown = text(response)
    assert "as it was in version 1" in shown
    assert "Today it is version 2" in shown
    changed = {value.name: (value.then, value.today) for value in response.context["values"] if value.changed}
    assert changed == {
        "queue": ("root.datalake", "root.night"),
        "conf": ("spark.a = 1", "spark.a = 1\nspark.b = <2>"),
    }
    now = operator.get(f"{PROFILES}{profile.pk}/version/2/")
    assert f"made by {operator.person}" in text(now)  # type: ignore[attr-defined]
    assert b"&lt;2&gt;" in now.content
    assert operator.get(f"{PROFILES}{profile.pk}/version/3/").status_code == 404
    assert operator.get(f"{PROFILES}{profile.pk + 99}/version/1/").status_code == 404


def test_a_version_is_for_those_who_may_see_profiles(door: Door) -> None:
    profile = make_profile()
    assert door("view_recovery").get(f"{PROFILES}{profile.pk}/version/1/").status_code == 403


def test_usage_is_seen_before_something_is_disabled(operator: Client) -> None:
    profile = make_profile()
    assert "no recovery so far" in text(operator.get(change(profile)))
    done = make_recovery(profile=profile, state="succeeded")
    make_recovery(profile=profile, state="running")
    for obj in (profile, profile.gateway):
        shown = text(operator.get(change(obj)))
        assert "2 recoveries · 1 of them goes on · last success:" in shown
        assert f'href="{change(done)}"' in shown
    response = operator.post(
        change(profile), as_shown(operator, change(profile), enabled=None, jars="", conf=""), follow=True
    )
    assert any(said.startswith("1 recovery of this profile goes on as it was filed") for said in messages(response))
    profile.refresh_from_db()
    assert not profile.enabled
    other = make_profile()
    make_recovery(profile=other, state="failed")
    assert "1 recovery · 0 of them go on · none has succeeded" in text(operator.get(change(other)))


def test_lists_of_configuration(operator: Client) -> None:
    make_profile(name="off", enabled=False)
    make_profile(name="env", managed_by_env=True, gateway=make_gateway(verify_tls=False, livy_version="0.8.0"))
    make_profile(gateway=make_gateway(base_url="http://knox/gateway/x", follow_only=True))
    make_gateway(paused=True)
    make_gateway(condition="dns")
    make_gateway(last_seen_at=timezone.now())
    profiles, gateways = text(operator.get(PROFILES)), text(operator.get(GATEWAYS))
    for words in ("disabled", "kept by .env", "enabled"):
        assert f"</span>{words}</span>" in profiles
    for words in ("NOT VERIFIED", "not encrypted", "follow only", "submissions paused", "usable", "not seen yet",
                  "has a name that is not known (DNS)", "verified"):  # fmt: skip
        assert f"</span>{words}</span>" in gateways


# ── gateways ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_endpoint_stays_once_used(operator: Client) -> None:
    """H4."""
    gateway = make_gateway()
    data = as_shown(operator, change(gateway), base_url="https://other:8443/gateway/x")
    data["allowed_schemes"] = "hdfs\nfile"
    assert operator.post(change(gateway), data).status_code == 302
    gateway.refresh_from_db()
    assert gateway.base_url == "https://other:8443/gateway/x"
    assert gateway.allowed_schemes == ["hdfs", "file"]
    assert RecoveryEvent.objects.of(SubjectType.GATEWAY, gateway.pk).get().facts == {
        "changed": ["allowed_schemes", "base_url"]
    }
    make_recovery(profile=make_profile(gateway=gateway))
    fields = set(operator.get(change(gateway)).context["adminform"].form.fields)
    assert not fields & set(Gateway.ENDPOINT_FIELDS)
    data = as_shown(operator, change(gateway))
    data |= {"base_url": "https://third:8443/gateway/x", "user": "root", "livy_path": "x", "name": "renamed"}
    assert operator.post(change(gateway), data).status_code == 302
    gateway.refresh_from_db()
    assert (gateway.base_url, gateway.user, gateway.name) == ("https://other:8443/gateway/x", "svc", "renamed")


def test_the_endpoint_of_a_gateway_that_is_used_while_its_form_is_open_stays(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4."""
    gateway = make_gateway()
    data = as_shown(operator, change(gateway), base_url="https://other:8443/gateway/x")
    make_recovery(profile=make_profile(gateway=gateway))
    # between the making of the form and its check
    monkeypatch.setattr(GatewayAdmin, "get_readonly_fields", lambda *_args: GatewayAdmin.readonly_fields)
    refused = operator.post(change(gateway), data)
    assert list(refused.context["adminform"].form.errors) == ["base_url"]
    assert "A recovery was filed here" in text(refused)
    assert Gateway.objects.get(pk=gateway.pk).base_url == gateway.base_url


def test_a_pause_outlives_an_edit_that_was_begun_before(operator: Client) -> None:
    gateway = make_gateway()
    data = as_shown(operator, change(gateway), max_running=2)
    assert operator.post(button(gateway, "pause"), {"reason": "maintenance"}).status_code == 302
    assert operator.post(change(gateway), data).status_code == 302
    gateway.refresh_from_db()
    assert (gateway.max_running, gateway.paused, gateway.paused_reason) == (2, True, "maintenance")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("secret_ref", "hunter2", "A password is never written here"),
        ("secret_ref", "env:", "A password is never written here"),
        ("secret_ref", "file:relative", "A password is never written here"),
        ("base_url", "knox.example.org", "Expected: https://"),
        ("base_url", "ftp://knox/gateway", "Expected: https://"),
    ],
)
def test_a_bad_gateway_is_not_saved(operator: Client, field: str, value: str, sentence: str) -> None:
    gateway = make_gateway()
    response = operator.post(change(gateway), as_shown(operator, change(gateway), **{field: value}))
    assert sentence in text(response)
    assert getattr(Gateway.objects.get(pk=gateway.pk), field) == getattr(gateway, field)


def test_a_new_gateway_has_an_event_and_its_secret_is_not_resolved(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AD_PASSWORD", "very-secret-word")
    data = as_shown(operator, f"{GATEWAYS}add/", name="new", base_url="https://knox:8443/gateway/x/", user="svc")
    data |= {"secret_ref": "env:AD_PASSWORD", "allowed_schemes": "hdfs"}
    assert operator.post(f"{GATEWAYS}add/", data).status_code == 302
    gateway = Gateway.objects.get(name="new")
    assert gateway.base_url == "https://knox:8443/gateway/x"
    assert kinds(SubjectType.GATEWAY, gateway.pk) == ["created"]
    shown = text(operator.get(change(gateway)))
    assert "env:AD_PASSWORD" in shown
    assert "very-secret-word" not in shown


def test_a_new_gateway_begins_with_the_schemes_that_are_safe(operator: Client) -> None:
    data = as_shown(operator, f"{GATEWAYS}add/", name="new", base_url="https://knox:8443/gateway/x", user="svc")
    assert data["allowed_schemes"] == "\n".join(DEFAULT_SCHEMES)
    assert operator.post(f"{GATEWAYS}add/", data).status_code == 302
    assert Gateway.objects.get(name="new").allowed_schemes == list(DEFAULT_SCHEMES)


def test_a_secret_that_cannot_be_read_is_said_in_plain_words(operator: Client) -> None:
    gateway = make_gateway(condition="secret", condition_words="env:NIX: the variable is not set")
    shown = text(operator.get(change(gateway)))
    assert "The secret of our user cannot be read: the variable NIX is not set where the portal runs." in shown


def test_pause_with_a_reason_and_resume(operator: Client) -> None:
    gateway = make_gateway()
    assert "Pause submissions" in text(operator.get(change(gateway)))
    assert "Resume submissions" not in text(operator.get(change(gateway)))
    assert operator.post(button(gateway, "pause"), {"reason": ""}).status_code == 200
    said = messages(operator.post(button(gateway, "pause"), {"reason": "maintenance"}, follow=True))
    assert said == ["Submissions are paused. What runs is followed on."]
    gateway.refresh_from_db()
    assert (gateway.paused, gateway.paused_reason) == (True, "maintenance")
    assert messages(operator.post(button(gateway, "pause"), {"reason": "x"}, follow=True)) == ["It was paused already."]
    assert "Resume submissions" in text(operator.get(change(gateway)))
    make_recovery(profile=make_profile(gateway=gateway))
    assert "are sent then: 1." in text(operator.get(button(gateway, "resume")))
    assert messages(operator.post(button(gateway, "resume"), follow=True)) == ["Submissions go on."]
    assert messages(operator.post(button(gateway, "resume"), follow=True)) == ["It was not paused."]
    assert kinds(SubjectType.GATEWAY, gateway.pk) == ["paused", "resumed"]


def test_a_failing_test_of_a_connection_says_why(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*, gateway: Gateway, now: Any, by: Any) -> ConnectionTest:
        gateways.record_condition(
            gateway, NotSent("connection refused", condition=Condition.UNREACHABLE), now=now, jitter=lambda: 0.5
        )
        words = "unreachable: [Errno 111] Connection refused"
        rows = (
            Row(part=Part.LIVY, found=Found.FAILS, code="fails", condition=Condition.UNREACHABLE, words=words),
            Row(part=Part.WHO, found=Found.NOT_ASKED, code="after_away"),
            Row(part=Part.YARN, found=Found.NOT_ASKED, code="yarn_none"),
        )
        return ConnectionTest(ok=False, condition=Condition.UNREACHABLE, words=words, rows=rows)

    monkeypatch.setattr(connection, "try_connection", fails)
    profile = make_profile(gateway=make_gateway(name="knox"))
    assert "Nothing is started." in text(operator.get(button(profile, "test")))
    for obj in (profile, profile.gateway):
        response = operator.post(button(obj, "test"), follow=True)
        assert messages(response) == ["“knox” cannot be reached."]
        shown = text(response)
        assert shown.count("It refused the connection") == 1
        assert '<code class="rp-break">unreachable: [Errno 111] Connection refused</code>' in shown
        assert "<h3>Authentication</h3>" in shown
        assert "Not asked, since the gateway could not be reached." in shown
        assert "No path of YARN is set" in shown
        assert "Once filed" not in shown


@pytest.mark.django_db(transaction=True)
def test_a_dead_port_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the real client, to a port where nothing listens."""
    monkeypatch.setenv("AD_PASSWORD", "x")
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_user(is_staff=True, is_superuser=True))
    gateway = make_gateway(name="knox", base_url="http://127.0.0.1:1/gateway/default")
    response = client.post(button(gateway, "test"), follow=True)
    assert messages(response) == ["“knox” cannot be reached."]
    gateway.refresh_from_db()
    assert gateway.condition == Condition.UNREACHABLE
    for page in (response, client.get(change(gateway))):
        assert "It refused the connection: nothing listens at this address and port." in text(page)
        assert "_Watched" not in text(page)


def test_a_test_that_went_well_and_an_old_livy(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = make_gateway(name="knox")
    answers = iter(
        [
            ConnectionTest(ok=True, version="0.8.0"),
            ConnectionTest(ok=False, condition=Condition.OLD_LIVY, version="0.5.0"),
        ]
    )
    monkeypatch.setattr(connection, "try_connection", lambda **_kwargs: next(answers))
    said = messages(operator.post(button(gateway, "test"), follow=True))
    assert said == ["“knox” answers and lets us in. Livy 0.8.0."]
    said = messages(operator.post(button(gateway, "test"), follow=True))
    assert said == ["“knox” has a Livy that is too old, or of unclear version."]


# ── tokens, users ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_tokens_are_seen_and_revoked(door: Door) -> None:
    admin = door(is_superuser=True)
    owner = make_user()
    token, raw = create_token(user=owner, name="airflow", by=owner)
    create_token(user=owner, name="old", by=owner, expires_at=timezone.now() - timedelta(days=1))
    assert "expired" in text(admin.get(TOKENS))
    assert raw not in text(admin.get(change(token)))
    assert "This cannot be undone." in text(admin.get(button(token, "revoke")))
    assert "is revoked" in messages(admin.post(button(token, "revoke"), follow=True))[0]
    assert "revoked already" in messages(admin.post(button(token, "revoke"), follow=True))[0]
    assert ApiToken.objects.get(pk=token.pk).revoked_at is not None
    assert "</span>revoked</span>" in text(admin.get(TOKENS))


def test_users_and_groups_are_never_deleted(door: Door) -> None:
    admin = door(is_superuser=True)
    user = make_user()
    assert admin.get("/admin/auth/user/").status_code == 200
    assert admin.get(f"/admin/auth/user/{user.pk}/change/").status_code == 200
    assert admin.get("/admin/auth/user/add/").status_code == 200
    assert admin.get("/admin/auth/group/").status_code == 200
    assert admin.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403
