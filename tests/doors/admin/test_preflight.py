"""The filing page with its lights: red blocks, amber asks for this very finding, green goes; on the sandbox's HDFS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from recovery.admin import filing
from recovery.domain.preflight import Light, Preflight
from recovery.domain.states import State
from recovery.models import LivyProfile, Recovery
from sandbox import Sandbox
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import FILE, LIST, filed, messages, page, previewed, text, typed
from tests.factories import ARGS, JAR, make_gateway, make_profile, make_recovery

PREVIEW = f"{FILE}preview/"
MISSING = "hdfs:///user/sddesigner/nope.jar"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(post_cost=0.0, speed=50.0) as box:
        yield box


@pytest.fixture
def profile(sandbox: Sandbox, db: None, monkeypatch: pytest.MonkeyPatch) -> LivyProfile:
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    gateway = make_gateway(
        base_url=sandbox.url, webhdfs_path="webhdfs/v1", user="svc_portal", secret_ref="env:SANDBOX_PASSWORD"
    )
    return make_profile(gateway=gateway, name="small", description="For small tables.", conf={"spark.a": "1"})


def run_button(response: Any) -> bool:
    return 'name="_file"' in text(response)


def test_green_goes_in_two_clicks_and_is_shown_on_its_page(steward: Client, profile: LivyProfile) -> None:
    shown, send = previewed(steward, FILE, typed(profile))
    assert shown.context["preflight"].light is Light.GREEN
    assert run_button(shown)
    assert "recovery.jar is there and may be read" in text(shown)
    assert "For small tables." in text(shown)
    assert '<p title="' in text(shown)  # the exact time of what is told as an age
    assert "Looked at just now" in text(shown)
    before_the_folded = text(shown).split('<details id="rp-fine"')[0]
    for always in ("recovery.jar is there and may be read (6.1", "There we are the user svc_portal."):
        assert always in before_the_folded
    steward.post(FILE, send)
    row = Recovery.objects.get()
    kept = Preflight.from_text(row.preflight)
    assert kept is not None
    assert kept.light is Light.GREEN
    own = text(steward.get(page(row)))
    assert "What was looked at before it was filed" in own
    assert "Looked at: <time" in own
    assert "recovery.jar is there and may be read" in own


def test_a_page_without_a_preflight_has_no_such_section(steward: Client, profile: LivyProfile) -> None:
    assert "looked at before it was filed" not in text(steward.get(page(make_recovery(profile=profile))))


def test_red_blocks_on_the_page_and_on_the_server(steward: Client, profile: LivyProfile) -> None:
    shown, send = previewed(steward, FILE, typed(profile, jarPath=MISSING))
    assert "nope.jar does not exist" in text(shown)
    assert not run_button(shown)
    answer = steward.post(FILE, send | {"confirm": [f"file_missing:{MISSING}"]})
    assert answer.status_code == 200
    assert not run_button(answer)
    assert "correct what blocks it" in text(answer)
    assert not Recovery.objects.exists()


def test_amber_asks_for_a_tick_that_names_the_finding(steward: Client, profile: LivyProfile) -> None:
    first = make_recovery(profile=profile, state=State.SUCCEEDED)
    shown, send = previewed(steward, FILE, typed(profile))
    key = f"same_done:{first.pk}"
    assert f'name="confirm" value="{key}"' in text(shown)
    assert f"succeeded in the last 24 hours: no. {first.pk}" in text(shown)
    assert page(first) in text(shown)

    refused = steward.post(FILE, send | {"confirm": []})
    assert text(refused).count("Tick what you confirm, then run it.") == 2  # above the form too
    assert 'role="alert" tabindex="-1" data-refused' in text(refused)
    assert Recovery.objects.count() == 1

    answer = steward.post(FILE, send | {"confirm": [key]})
    assert answer.status_code == 302
    row = Recovery.objects.latest("id")
    kept = Preflight.from_text(row.preflight)
    assert kept is not None
    assert kept.confirmed == (key,)
    assert "Confirmed when it was filed." in text(steward.get(page(row)))


def test_what_turned_amber_since_is_asked_for_too(steward: Client, profile: LivyProfile) -> None:
    _shown, send = previewed(steward, FILE, typed(profile))
    other = make_recovery(profile=profile)  # somebody else files the same meanwhile
    answer = steward.post(FILE, send)
    assert f"is under way: no. {other.pk}" in text(answer)
    assert "Tick what you confirm" in text(answer)
    assert Recovery.objects.count() == 1


def test_a_tick_stays_when_the_page_comes_back(steward: Client, profile: LivyProfile) -> None:
    first = make_recovery(profile=profile)
    key = f"same_live:{first.pk}"
    answer = steward.post(FILE, typed(profile, reason="", confirm=[key], _preview="1"))
    assert f'value="{key}" form="filing-form" checked required' in text(answer)


def test_what_was_seen_a_moment_ago_says_so_and_is_kept_so(
    steward: Client, profile: LivyProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = timezone.now() - timedelta(seconds=40)
    monkeypatch.setattr(filing, "database_now", lambda: then)
    _shown, send = previewed(steward, FILE, typed(profile))
    monkeypatch.setattr(filing, "database_now", lambda: then + timedelta(seconds=40))
    assert "Looked at 40 s ago" in text(steward.post(PREVIEW, typed(profile)))
    assert steward.post(FILE, send).status_code == 302
    kept = Preflight.from_text(Recovery.objects.get().preflight)
    assert kept is not None
    assert kept.at == then.isoformat(timespec="seconds")


def test_as_whom_the_last_batch_ran_is_not_folded_away(steward: Client, profile: LivyProfile) -> None:
    make_recovery(profile=profile, jar_path="hdfs:///other.jar", livy_id=1, proxy_user="svc_portal")
    shown = text(steward.post(PREVIEW, typed(profile)))
    assert "It runs as svc_portal, not as sddesigner" in shown.split('<details id="rp-fine"')[0]


def test_check_looks_again_at_once(steward: Client, sandbox: Sandbox, profile: LivyProfile) -> None:
    data = typed(profile)
    steward.post(FILE, data | {"_preview": "1"})
    before = len(sandbox.requests)
    steward.post(PREVIEW, data)
    assert len(sandbox.requests) == before  # what was seen a moment ago
    steward.post(FILE, data | {"_preview": "1"})
    assert len(sandbox.requests) > before


# ── while it is typed ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_panel_alone_is_what_the_page_shows(steward: Client, profile: LivyProfile) -> None:
    data = typed(profile)
    alone = steward.post(PREVIEW, data)
    whole = steward.post(FILE, data | {"_preview": "1"})
    assert "<html" not in text(alone)
    assert alone.context["sheet"].token == whole.context["sheet"].token
    assert whole.context["sheet"].sent in text(alone)
    assert 'data-summary="in order. 1 argument."' in text(alone)
    assert "portal-recovery-…" in text(alone)
    assert not Recovery.objects.exists()


def test_an_unfinished_form_shows_what_it_can(steward: Client, profile: LivyProfile) -> None:
    split = make_profile(gateway=profile.gateway, args_mode="split")
    shown = text(steward.post(PREVIEW, typed(split, jarPath="", reason="")))
    assert "4 arguments" in shown
    assert "<li><code>--table</code></li>" in shown
    assert "This field is required" not in shown  # she has not come to it yet
    assert "Choose a profile and give the path" in shown
    assert "Choose a profile and give the path" in text(steward.post(PREVIEW, typed(profile, profile="")))
    assert "receives no argument" in text(steward.post(PREVIEW, typed(split, jarPath="", jarArgs="")))


def test_what_is_wrong_is_said_while_it_is_typed(steward: Client, profile: LivyProfile) -> None:
    split = make_profile(gateway=profile.gateway, args_mode="split")
    shown = text(steward.post(PREVIEW, typed(split, jarPath="recovery.jar", jarArgs="--x 'y")))
    assert "Path of the jar (jarPath): “recovery.jar” is not absolute." in shown
    assert "Arguments (jarArgs): A quote is opened and not closed." in shown
    assert not run_button_in(shown)


def test_a_quote_that_is_not_closed_is_said_before_a_jar_is_typed(steward: Client, profile: LivyProfile) -> None:
    split = make_profile(gateway=profile.gateway, args_mode="split")
    shown = text(steward.post(PREVIEW, typed(split, jarPath="", jarArgs="--x 'y")))
    assert "Arguments (jarArgs): A quote is opened and not closed." in shown


def test_the_panel_says_nothing_of_the_reason(steward: Client, profile: LivyProfile, settings: Any) -> None:
    """It is not asked again when the reason is corrected: the reason changes nothing of what is sent."""
    settings.REASON_PATTERN = "DATA-[0-9]+"
    assert "Reason" not in text(steward.post(PREVIEW, typed(profile, reason="foo")))


def test_more_configuration_is_typed_in_rows_with_sparks_keys(steward: Client, profile: LivyProfile) -> None:
    shown = text(steward.get(FILE))
    assert 'data-pairs="conf-known"' in shown
    assert '<option value="spark.sql.shuffle.partitions" data-hint=' in shown


def run_button_in(shown: str) -> bool:
    return 'name="_file"' in shown


def test_the_panel_is_for_those_who_may_file(auditor: Client, profile: LivyProfile) -> None:
    assert auditor.post(PREVIEW, typed(profile)).status_code == 403
    assert auditor.get(PREVIEW).status_code == 403


def test_an_empty_panel_by_its_address(steward: Client, profile: LivyProfile) -> None:
    assert steward.get(PREVIEW).status_code == 200


def test_no_script_and_no_style_in_the_page_itself(steward: Client, profile: LivyProfile) -> None:
    for own in ("filing.html", "_filing_panel.html", "_preflight.html", "_form_errors.html"):
        source = (Path(settings.BASE_DIR) / "templates/recovery/admin" / own).read_text()
        assert " style=" not in source
        assert " on" not in {part[:3] for part in source.split("<button")[1:]}
        assert source.count("<script") == source.count('<script type="module" src=')


# ── over the profile's values ───────────────────────────────────────────────────────────────────────────────────


def test_values_over_the_profiles_are_shown_as_differences(steward: Client, profile: LivyProfile) -> None:
    data = typed(profile, className="com.example.Main", executorMemory="8g", numExecutors="9", conf="spark.b=2")
    shown, send = previewed(steward, FILE, data)
    rows = {field: (then, now) for field, then, now in shown.context["panel"].rows}
    assert rows == {
        "className": ("–", "com.example.Main"),
        "executorMemory": ("4g", "8g"),
        "numExecutors": ("4", "9"),
        "conf": ("spark.a = 1", "spark.a = 1\nspark.b = 2"),
    }
    assert 'class="rp-more" open' in text(shown)
    steward.post(FILE, send)
    payload = Recovery.objects.get().payload_json
    assert (payload["executorMemory"], payload["numExecutors"], payload["className"]) == ("8g", 9, "com.example.Main")
    assert payload["conf"] == {"spark.a": "1", "spark.b": "2"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("executorMemory", "8", "is no size"),
        ("numExecutors", "0", "greater than or equal to 1"),
        ("conf", "nonsense", "is not key=value"),
        ("conf", "spark.master=x", "Livy does not let"),
    ],
)
def test_a_wrong_value_is_said_on_its_field_and_not_folded_away(
    steward: Client, profile: LivyProfile, name: str, value: str, words: str
) -> None:
    answer = steward.post(FILE, typed(profile, **{name: value}) | {"_file": "1"})
    assert words in answer.context["form"].errors[name][0]
    assert 'class="rp-more" open' in text(answer)
    assert words in text(steward.post(PREVIEW, typed(profile, **{name: value})))
    assert not Recovery.objects.exists()


def test_those_not_permitted_do_not_see_them_and_cannot_send_them(door: Door, profile: LivyProfile) -> None:
    Group.objects.get(name="Stewards").permissions.remove(Permission.objects.get(codename="override_profile"))
    steward = door("Stewards")
    assert "executorMemory" not in text(steward.get(FILE))
    row = filed(steward, FILE, typed(profile, executorMemory="8g", conf="spark.b=2"))
    assert row.payload_json["executorMemory"] == "4g"
    assert row.payload_json["conf"] == {"spark.a": "1"}


def test_the_form_takes_every_value_from_its_address(steward: Client, profile: LivyProfile) -> None:
    shown = text(steward.get(FILE, {"profile": "small", "jarArgs": "--x", "executorMemory": "8g", "conf": "spark.b=2"}))
    assert 'value="8g"' in shown
    assert "spark.b=2</textarea>" in shown
    assert 'class="rp-more" open' in shown


# ── reason and suggestions ──────────────────────────────────────────────────────────────────────────────────────


def test_a_reason_names_its_ticket_where_the_portal_wants_one(
    steward: Client, profile: LivyProfile, settings: Any
) -> None:
    settings.REASON_PATTERN, settings.REASON_HELP = "DATA-[0-9]+", "The ticket, such as DATA-12."
    assert "The ticket, such as DATA-12." in text(steward.get(FILE))
    answer = steward.post(FILE, typed(profile, reason="a day is missing") | {"_file": "1"})
    error = "The reason has to name what is expected: The ticket, such as DATA-12."
    assert answer.context["form"].errors["reason"] == [error]
    ended = make_recovery(profile=profile, state=State.FAILED, reason="DATA-1")
    again = steward.post(page(ended, "resubmit"), {"reason": "once more", "filingKey": typed(profile)["filingKey"]})
    assert again.context["form"].errors["reason"] == [error]
    assert Recovery.objects.count() == 1
    settings.REASON_HELP_FR = "Le ticket, par exemple DATA-12."
    assert "Le ticket, par exemple DATA-12." in text(steward.get(FILE, headers={"accept-language": "fr"}))
    assert "The ticket, such as DATA-12." in text(steward.get(FILE))
    settings.REASON_HELP = ""
    answer = steward.post(FILE, typed(profile) | {"_file": "1"})
    assert "DATA-[0-9]+" in answer.context["form"].errors["reason"][0]
    assert filed(steward, FILE, typed(profile, reason="DATA-7: a day is missing")).reason == "DATA-7: a day is missing"


def test_jars_of_the_last_recoveries_are_offered_once_each(door: Door, profile: LivyProfile) -> None:
    for path in (JAR, "hdfs:///other.jar", JAR):
        make_recovery(profile=profile, jar_path=path)
    form = door("Stewards").get(FILE).context["form"]
    assert form.suggested == [JAR, "hdfs:///other.jar"]
    shown = text(door("Stewards").get(FILE))
    assert f'<option value="{JAR}">' in shown
    assert 'list="jar-paths"' in shown


def test_who_may_not_see_recoveries_is_offered_none(door: Door, profile: LivyProfile) -> None:
    make_recovery(profile=profile)
    client = door()
    client.person.user_permissions.add(Permission.objects.get(codename="file_recovery"))  # type: ignore[attr-defined]
    assert client.get(FILE).context["form"].suggested == []


def test_a_gateway_without_hdfs_says_why_nothing_was_checked(steward: Client, profile: LivyProfile) -> None:
    other = make_profile(gateway=make_gateway(base_url=profile.gateway.base_url, user="svc_portal",
                                              secret_ref="env:SANDBOX_PASSWORD"))  # fmt: skip
    shown, _send = previewed(steward, FILE, typed(other, jarArgs=ARGS))
    assert shown.context["preflight"].light is Light.GREY
    assert "this gateway has no WebHDFS" in text(shown)
    assert run_button(shown)
    assert messages(shown) == []


def test_many_at_once_are_looked_at_one_by_one(steward: Client, profile: LivyProfile) -> None:
    """Red is not sent; amber only when the box was ticked, and only what stood there; green goes."""
    good, missing, done = (
        make_recovery(profile=profile, state="failed", reason="r", jar_args=f"--date 2024010{n}", jar_path=path)
        for n, path in ((1, JAR), (2, MISSING), (3, JAR))
    )
    make_recovery(profile=profile, state="succeeded", jar_args="--date 20240103", jar_path=JAR)
    chosen: dict[str, Any] = {"action": "resubmit_selected", ACTION_CHECKBOX_NAME: [good.pk, missing.pk, done.pk]}
    shown = steward.post(LIST, chosen)
    assert shown.context["possible"] == 2
    page_text = text(shown)
    assert "nothing: nope.jar does not exist." in page_text
    assert "has succeeded in the last 24 hours" in page_text
    assert 'name="amber"' in page_text
    seen = {
        f"seen-{row.recovery.pk}": [check.key for check in row.lights.rows if check.asks]
        for row in shown.context["rows"] if not row.why_not
    }  # fmt: skip
    sheets = {f"sheet-{row.recovery.pk}": row.again.sheet.token for row in shown.context["rows"]}
    send = chosen | {"confirmed": "1", "key": shown.context["key"]} | seen | sheets
    said = messages(steward.post(LIST, send, follow=True))[0]
    assert said.startswith("1 of 3 recoveries resubmitted.")
    kept = Preflight.from_text(good.resubmissions.get().preflight)
    assert kept is not None
    assert kept.light is Light.GREEN
    again = chosen | {"confirmed": "1", "key": "b" * 32, "amber": "1"} | sheets
    assert (
        f"No. {done.pk}: Not filed, since it was not confirmed" in messages(steward.post(LIST, again, follow=True))[0]
    )
    said = messages(steward.post(LIST, send | {"amber": "1"}, follow=True))[0]
    assert f"No. {missing.pk}: Not filed: nope.jar does not exist." in said
    assert done.resubmissions.count() == 1
    assert not missing.resubmissions.exists()
