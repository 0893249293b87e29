"""The history of what is edited, for auditors: who made what of it, what it was, and no way back by a button."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from recovery.admin.history import PER_PAGE
from recovery.models import FailureSignature, Gateway, LivyProfile
from recovery.services import gateways
from recovery.services.explaining import save_signature
from recovery.services.profiles import save_profile
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import page, text
from tests.factories import make_gateway, make_profile, make_recovery, make_user


def address(row: Any, rest: str = "") -> str:
    return f"/admin/recovery/{row._meta.model_name}/{row.pk}/history/{rest}"


def told(response: Any) -> list[list[tuple[str, str, str]]]:
    """Entry by entry, newest first: (value, before, after)."""
    return [[(one.name, one.before, one.after) for one in entry.changes] for entry in response.context["entries"]]


def edited(profile: LivyProfile, by: Any = None, groups: list[str] | None = None, **values: Any) -> None:
    for name, value in values.items():
        setattr(profile, name, value)
    chosen = None if groups is None else list(Group.objects.filter(name__in=groups))
    save_profile(profile=profile, by=by, groups=chosen)


def test_each_change_of_a_profile_is_told_value_by_value(auditor: Client) -> None:
    by = make_user("olga")
    profile = LivyProfile(
        name="night", gateway=make_gateway(name="knox"), jars=["hdfs:///a.jar", "hdfs:///b.jar"], queue="root.a",
        conf={"spark.a": "1", "spark.b": "<b>", "spark.c": "x", "spark.same": "0"},
    )  # fmt: skip
    edited(profile, by, ["Stewards"])
    edited(
        profile,
        by,
        jars=["hdfs:///b.jar", "hdfs:///c.jar"],
        conf={"spark.b": "<i>", "spark.c": "", "spark.d": "4", "spark.same": "0"},
    )
    edited(profile, by, enabled=False, never_restart_in_yarn=True, args_mode="split", queue="", executor_cores=4)
    edited(profile, by, groups=[], gateway=make_gateway(name="knox2"))
    edited(profile, by, jars=["hdfs:///c.jar", "hdfs:///b.jar"])
    response = auditor.get(address(profile))
    assert told(response) == [
        [("jars", "hdfs:///b.jar\nhdfs:///c.jar", "hdfs:///c.jar\nhdfs:///b.jar")],
        [("Gateway", "knox", "knox2"), ("Who may use it", "Stewards", "everybody")],
        [
            ("Enabled", "yes", "no"), ("Arguments", "one argument, as typed", "cut as a shell would"),
            ("Never restart inside YARN", "no", "yes"), ("queue", "root.a", "–"), ("executorCores", "–", "4"),
        ],
        [
            ("jars", "− hdfs:///a.jar", "+ hdfs:///c.jar"), ("conf · spark.a", "1", "–"),
            ("conf · spark.b", "<b>", "<i>"), ("conf · spark.c", "x", "empty"), ("conf · spark.d", "–", "4"),
        ],
        [],
    ]  # fmt: skip
    entries = response.context["entries"]
    assert [entry.what for entry in entries] == ["changed"] * 4 + ["created"]
    assert [entry.version for entry in entries] == [5, 4, 3, 2, 1]
    assert "History of “night”" in text(response)
    assert b"&lt;i&gt;" in response.content
    assert "None" not in text(response).split('id="content-main"')[1].split("</ol>")[0]


def test_a_line_has_a_page_with_all_values_then_and_today(auditor: Client, operator: Client) -> None:
    by = make_user("olga")
    profile = make_profile(name="night", queue="root.a", groups=["Stewards"])
    edited(profile, by, ["Operators", "Stewards"], name="nights", description="of the night", queue="root.b")
    newest, older = list(profile.history.all()[:2])
    url = address(profile, f"{older.pk}/")
    assert url in text(auditor.get(address(profile)))
    shown = auditor.get(url)
    assert "“night” as it was then" in text(shown)
    changed = {value.name: (value.then, value.today) for value in shown.context["values"] if value.changed}
    assert changed == {
        "Name": ("night", "nights"), "What it is for": ("–", "of the night"), "queue": ("root.a", "root.b"),
        "Who may use it": ("Stewards", "Operators, Stewards"),
    }  # fmt: skip
    assert "It is the same today." in text(auditor.get(address(profile, f"{newest.pk}/")))
    for client in (auditor, operator):
        assert client.post(url, {"name": "x"}).status_code == 403, "nothing is put back by a button"
        assert "<input" not in text(client.get(url)).split('id="content-main"')[1].split("rp-buttons")[0]
    other = make_profile().history.first()
    assert other is not None
    assert auditor.get(address(profile, f"{other.pk}/")).status_code == 404, "of another one"
    assert auditor.get(f"/admin/recovery/livyprofile/{profile.pk + 99}/history/").status_code == 404
    assert auditor.get("/admin/recovery/livyprofile/x/history/").status_code == 404


def test_a_version_is_told_from_its_first_line_on(auditor: Client) -> None:
    first, second = make_user("olga"), make_user("petra")
    profile = LivyProfile(name="night", gateway=make_gateway(), queue="root.a")
    edited(profile, first)
    edited(profile, second, description="other words")
    version = auditor.get(f"/admin/recovery/livyprofile/{profile.pk}/version/1/")
    assert version.context["by"] == "olga"
    assert "It is the version of today." in text(version)


def test_groups_that_were_not_kept_are_not_made_up(auditor: Client) -> None:
    profile = make_profile()
    profile.history.update(history_change_reason="groups not kept")
    edited(profile, groups=["Stewards"], description="x")
    response = auditor.get(address(profile))
    assert told(response)[0] == [("What it is for", "–", "x")]
    oldest = profile.history.last()
    assert oldest is not None
    values = {value.name: value.then for value in auditor.get(address(profile, f"{oldest.pk}/")).context["values"]}
    assert values["Who may use it"] == "not kept then"


def test_a_group_that_is_gone_is_told_by_its_number(auditor: Client) -> None:
    profile = make_profile(groups=["Passing"])
    gone = Group.objects.get(name="Passing")
    number = gone.pk
    gone.delete()
    edited(profile, groups=["Stewards"])
    assert told(auditor.get(address(profile)))[0] == [("Who may use it", f"no. {number}", "Stewards")]


def test_the_history_of_a_gateway_tells_its_pauses_too(auditor: Client) -> None:
    by, gateway = make_user("olga"), make_gateway(max_running=None, allowed_schemes=["hdfs"])
    gateways.pause(gateway_id=gateway.pk, by=by, reason="maintenance")
    gateway.max_running, gateway.allowed_schemes, gateway.verify_tls = 3, ["hdfs", "s3a"], False
    gateways.save_gateway(gateway=gateway, changed=["max_running", "allowed_schemes", "verify_tls"], by=by)
    gateways.resume(gateway_id=gateway.pk, by=by)
    response = auditor.get(address(gateway))
    entries = response.context["entries"]
    assert [(entry.what, entry.by) for entry in entries] == [
        ("submissions resumed", "olga"), ("changed", "olga"), ("submissions paused", "olga"), ("created", "the portal"),
    ]  # fmt: skip
    assert entries[2].facts == ["reason: maintenance"]
    assert told(response)[1] == [
        ("Verify TLS", "yes", "no"), ("Allowed URI schemes", "–", "+ s3a"), ("Most at once", "–", "3"),
    ]  # fmt: skip
    first = gateway.history.last()
    assert first is not None
    values = auditor.get(address(gateway, f"{first.pk}/")).context["values"]
    assert [value.name for value in values if value.changed] == ["Verify TLS", "Allowed URI schemes", "Most at once"]


def test_a_signature_has_its_history_too(auditor: Client) -> None:
    row = FailureSignature.objects.get(code="exception")
    row.order, row.enabled = row.order + 1, False
    save_signature(signature=row, by=make_user("olga"))
    response = auditor.get(address(row))
    assert told(response)[0] == [("Order", str(row.order - 1), str(row.order)), ("Enabled", "yes", "no")]
    assert [entry.by for entry in response.context["entries"]] == ["olga", "the portal"]
    newest = row.history.first()
    assert newest is not None
    assert "It is the same today." in text(auditor.get(address(row, f"{newest.pk}/")))
    row.history.exclude(pk=newest.pk).delete()
    assert "What it was before was not kept." in text(auditor.get(address(row)))


def test_who_it_was_is_a_link_for_those_who_may_see_users(door: Door, auditor: Client) -> None:
    by = make_user("olga")
    profile = make_profile()
    edited(profile, by, queue="root.other")
    env = make_profile(name="env", managed_by_env=True)
    link = f'<a class="rp-link" href="/admin/auth/user/{by.pk}/change/">olga</a>'
    assert link in text(door(is_superuser=True).get(address(profile)))
    shown = text(auditor.get(address(profile)))
    assert "olga" in shown
    assert link not in shown
    assert [entry.by for entry in auditor.get(address(env)).context["entries"]] == [".env"]
    assert "Since" in text(auditor.get(f"/admin/recovery/livyprofile/{env.pk}/version/1/"))


def test_a_long_history_has_pages(auditor: Client) -> None:
    profile = make_profile()
    for number in range(PER_PAGE):
        edited(profile, queue=f"root.q{number}")
    first, second = auditor.get(address(profile)), auditor.get(address(profile), {"p": 2})
    assert len(told(first)) == PER_PAGE
    assert told(first)[-1] == [("queue", "root.datalake", "root.q0")], "compared with the line of the next page"
    assert told(second) == [[]]
    assert "?p=2" in text(first)
    assert "?p=1" in text(second)


@pytest.mark.parametrize("name", ["livyprofile", "gateway", "failuresignature", "recovery"])
def test_history_is_for_those_who_may_see_the_row(door: Door, name: str) -> None:
    recovery = make_recovery()
    signature = FailureSignature.objects.latest("id")
    save_signature(signature=FailureSignature(
        code="mine", pattern="my trouble", cause_fr="C", cause_en="C", remedy_fr="R", remedy_en="R"
    ), by=make_user())  # fmt: skip
    row: Any = {
        "livyprofile": recovery.profile, "gateway": recovery.gateway, "recovery": recovery,
        "failuresignature": FailureSignature.objects.exclude(pk=signature.pk).latest("id"),
    }[name]  # fmt: skip
    stranger = door()
    assert stranger.get(address(row)).status_code == 403
    if name != "recovery":
        line = row.history.first()
        assert stranger.get(address(row, f"{line.pk}/")).status_code == 403


def test_the_history_of_a_recovery_is_its_events(auditor: Client) -> None:
    recovery = make_recovery()
    answer = auditor.get(address(recovery))
    assert answer["Location"] == f"{page(recovery)}#rp-events"
    assert 'id="rp-events"' in text(auditor.get(page(recovery)))


def test_a_profile_that_is_only_looked_at_shows_the_words_of_livy(auditor: Client, operator: Client) -> None:
    profile = make_profile(class_name="com.example.Main", jars=["hdfs:///a.jar"], conf={"spark.a": "<1>"})
    env = make_profile(name="env", managed_by_env=True, executor_memory="8g")
    for client, row in ((auditor, profile), (operator, env)):
        shown = text(client.get(f"/admin/recovery/livyprofile/{row.pk}/change/"))
        assert '<dt class="rp-asis">executorMemory</dt>' in shown
        assert "ClassName" not in shown
        assert ">-</div>" not in shown
        assert "everybody" in shown
        assert row.executor_memory in shown
    shown = text(auditor.get(f"/admin/recovery/livyprofile/{profile.pk}/change/"))
    assert '<dt class="rp-asis">className</dt><dd class="rp-break"><pre class="rp-inline">com.example.Main<' in shown
    assert '<dt class="rp-asis">files</dt><dd class="rp-break"><pre class="rp-inline">–<' in shown
    assert b"spark.a = &lt;1&gt;" in auditor.get(f"/admin/recovery/livyprofile/{profile.pk}/change/").content


def test_an_unused_gateway_says_so_in_its_history(auditor: Client) -> None:
    gateway = make_gateway()
    Gateway.history.filter(id=gateway.pk).delete()
    assert "Nothing was changed so far." in text(auditor.get(address(gateway)))
