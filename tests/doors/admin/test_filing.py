"""« Faire un rattrapage »: what is shown is what is stored, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from recovery.domain.payload import sha256
from recovery.models import Gateway, LivyProfile, Recovery
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import FILE, LIST, filed, messages, page, previewed, text, typed
from tests.factories import ARGS, JAR, make_gateway, make_profile, make_recovery


def test_preview_is_row_is_hash(steward: Client) -> None:
    profile = make_profile(
        conf={"spark.sql.shuffle.partitions": "500"}, files=["hdfs:///config/app.properties"], args_mode="split"
    )
    data = typed(profile)
    preview, send = previewed(steward, FILE, data)
    shown = preview.context["sheet"]
    assert Recovery.objects.count() == 0
    assert shown.payload in text(preview)
    assert shown.sent in text(preview)
    assert "4 arguments" in text(preview)

    steward.post(FILE, send)
    row = Recovery.objects.get()
    assert json.loads(row.payload) == json.loads(shown.payload)
    assert row.payload_sha256 == shown.sha256 == sha256(row.payload)
    assert row.sent_payload == shown.sent.replace(shown.name, row.batch_name)
    assert (row.raw_jar_args, row.jar_path, row.reason) == (ARGS, JAR, "a day is missing")
    assert row.requester == steward.person  # type: ignore[attr-defined]
    assert row.channel == "admin"


def test_single_mode_is_one_argument(steward: Client) -> None:
    preview, send = previewed(steward, FILE, typed(make_profile()))
    assert "1 argument " in text(preview)
    steward.post(FILE, send)
    assert Recovery.objects.get().args == [ARGS]


def test_line_ends_of_the_browser_are_not_arguments(steward: Client) -> None:
    preview, send = previewed(steward, FILE, typed(make_profile(), jarArgs="a\r\nb"))
    assert "An argument holds a line break." in text(preview)
    steward.post(FILE, send)
    assert Recovery.objects.get().args == ["a\nb"]


def test_a_blank_at_the_end_is_remarked_and_kept(steward: Client) -> None:
    preview, send = previewed(steward, FILE, typed(make_profile(), jarArgs="--x 1 "))
    assert "begins or ends with a blank" in text(preview)
    steward.post(FILE, send)
    assert Recovery.objects.get().args == ["--x 1 "]


def test_sent_twice_is_filed_once(steward: Client) -> None:
    """H3."""
    _preview, send = previewed(steward, FILE, typed(make_profile()))
    first = steward.post(FILE, send)
    second = steward.post(FILE, send, follow=True)
    assert Recovery.objects.count() == 1
    assert second.redirect_chain[0][0] == first["Location"]
    assert "sent before" in messages(second)[-1]


def test_the_same_form_with_other_content_files_nothing(steward: Client) -> None:
    """H3."""
    profile = make_profile()
    data = typed(profile)
    filed(steward, FILE, data)
    _preview, send = previewed(steward, FILE, data | {"jarArgs": "--other"})
    response = steward.post(FILE, send, follow=True)
    assert Recovery.objects.count() == 1
    assert "Nothing was filed" in messages(response)[0]


def test_nothing_is_filed_that_was_not_shown(steward: Client) -> None:
    profile = make_profile()
    data = typed(profile)
    unseen = steward.post(FILE, data | {"_file": "1"})
    assert unseen.status_code == 200
    _preview, send = previewed(steward, FILE, data)
    LivyProfile.objects.filter(pk=profile.pk).update(executor_memory="9g")
    changed = steward.post(FILE, send)
    assert "has changed since you looked" in messages(changed)[0]
    assert "9g" in text(changed)
    assert Recovery.objects.count() == 0


def test_correct_leads_back_to_the_filled_form(steward: Client) -> None:
    _preview, send = previewed(steward, FILE, typed(make_profile(), jarArgs="--mine"))
    send.pop("_file")
    response = steward.post(FILE, send | {"_edit": "1"})
    assert "--mine</textarea>" in text(response)
    assert send["filingKey"] in text(response)


def test_the_add_address_leads_to_the_form_and_the_form_takes_values_from_its_address(steward: Client) -> None:
    profile = make_profile()
    assert steward.get(f"{LIST}add/")["Location"] == FILE
    assert steward.post(f"{LIST}add/", {"jar_path": JAR})["Location"] == FILE
    shown = text(steward.get(FILE, {"profile": profile.name, "jarPath": JAR}))
    assert f'value="{JAR}"' in shown
    assert f'value="{profile.name}" selected' in shown


def test_as_whom_it_runs_is_said_once_and_as_the_look_found_it(steward: Client) -> None:
    profile = make_profile(gateway=make_gateway(user="svc"), proxy_user="sddesigner")
    shown = text(previewed(steward, FILE, typed(profile))[0])
    assert "Knox will run this as svc, most likely: it replaces the user asked for, sddesigner." in shown
    assert "Knox usually replaces it" not in shown
    make_recovery(profile=profile, livy_id=1, jar_path="hdfs:///other.jar")
    shown = text(previewed(steward, FILE, typed(profile))[0])
    assert "As whom it runs cannot be told" in shown
    assert "Knox" not in shown[shown.index('id="filing-panel"') :].replace("Knox-", "")


@pytest.mark.parametrize(
    ("user", "columns", "words"),
    [
        ("sddesigner", {}, "asked for sddesigner; Knox usually replaces it by the user of the gateway, svc"),
        ("svc", {}, "svc"),
        ("", {}, "none asked for: it runs as the user that Knox passes on (svc)"),
        ("sddesigner", {"state": "running", "livy_id": 0, "proxy_user": "svc"}, "asked for sddesigner, ran as svc"),
        ("sddesigner", {"state": "running", "livy_id": 0}, "asked for sddesigner; Livy did not say as whom it runs"),
        ("sddesigner", {"state": "refused"}, "sddesigner"),
        ("", {"state": "refused"}, "none asked for"),
    ],
)
def test_its_page_says_as_whom_it_ran(steward: Client, user: str, columns: dict[str, Any], words: str) -> None:
    profile = make_profile(gateway=make_gateway(user="svc"), proxy_user=user)
    shown = steward.get(page(make_recovery(profile=profile, **columns)))
    assert shown.context["sheet"].proxy_user == words


def test_its_page_says_before_it_ran_what_was_seen_when_it_was_filed(steward: Client) -> None:
    profile = make_profile(gateway=make_gateway(user="svc"), proxy_user="sddesigner")
    row = filed(steward, FILE, typed(profile))
    assert steward.get(page(row)).context["sheet"].proxy_user.startswith("Knox will run this as svc, most likely")


def test_a_look_at_an_unfinished_form_is_no_filing_that_was_refused(steward: Client) -> None:
    profile = make_profile()
    looked = text(steward.post(FILE, typed(profile, reason="") | {"_preview": "1"}))
    assert "Not complete yet: what is missing or wrong is marked below." in looked
    assert "Nothing was filed" not in looked
    sent = text(steward.post(FILE, typed(profile, reason="") | {"_file": "1"}))
    assert "Nothing was filed. Please correct what is marked below." in sent
    assert "Not complete yet" not in sent


def test_a_profile_without_a_purpose_says_so(steward: Client) -> None:
    make_profile(name="bare", gateway=make_gateway(name="here"))
    assert "bare – no purpose given (here)" in text(steward.get(FILE))


def test_choices_hold_only_what_the_user_may_use(steward: Client) -> None:
    names = {
        make_profile(name="open").name,
        make_profile(name="theirs", groups=["Stewards"]).name,
    }
    make_profile(name="closed", groups=["Operators"])
    make_profile(name="off", enabled=False)
    make_profile(name="old", gateway=make_gateway(follow_only=True))
    form = steward.get(FILE).context["form"]
    assert {profile.name for profile in form.fields["profile"].queryset} == names
    closed = LivyProfile.objects.get(name="closed")
    response = steward.post(FILE, typed(closed) | {"_preview": "1"})
    assert "profile" in response.context["form"].errors
    assert Recovery.objects.count() == 0


def test_without_a_profile_the_page_says_whom_to_ask(steward: Client) -> None:
    assert "Ask an operator" in text(steward.get(FILE))


BAD = [
    ({"jarPath": ""}, "jarPath", "This field is required.", "Ce champ est obligatoire."),
    ({"jarPath": "recovery.jar"}, "jarPath", "is not absolute", "n'est pas absolu"),
    ({"jarPath": "hdfs:///a b.jar"}, "jarPath", "holds no blanks", "ne contient pas d'espace"),
    ({"jarPath": "file:///a.jar"}, "jarPath", "is not allowed on this gateway", "n'est pas autorisé"),
    ({"jarArgs": "--x 'y"}, "jarArgs", "A quote is opened and not closed.", "Un guillemet est ouvert"),
    ({"jarArgs": "a `b`"}, "jarArgs", "executed as a command", "exécuté comme une commande"),
    ({"jarArgs": "{{date}}"}, "jarArgs", "YARN would replace it silently", "le remplacerait sans rien dire"),
    ({"jarArgs": "a\0b"}, "jarArgs", "Null characters are not allowed.", "Le caractère nul n"),
    ({"jarArgs": "x" * 140_000}, "jarArgs", "has 140000 bytes", "fait 140000 octets"),
    ({"reason": ""}, "reason", "This field is required.", "Ce champ est obligatoire."),
    ({"reason": "x" * 501}, "reason", "at most 500 characters", "au plus 500 caractères"),
    ({"profile": "nobody"}, "profile", "Select a valid choice", "Sélectionnez un choix valide"),
]


@pytest.mark.parametrize(("change", "field", "english", "french"), BAD)
def test_bad_input_is_said_on_its_field_in_the_users_language(
    door: Door, change: dict[str, str], field: str, english: str, french: str
) -> None:
    profile = make_profile(args_mode="split")
    for language, sentence in (("en", english), ("fr", french)):
        response = door("Stewards", language=language).post(FILE, typed(profile, **change) | {"_file": "1"})
        errors = response.context["form"].errors
        assert list(errors) == [field]
        assert sentence in errors[field][0]
        assert sentence in text(response)
    assert Recovery.objects.count() == 0


def test_all_that_is_wrong_is_said_at_once(steward: Client) -> None:
    data = typed(make_profile(args_mode="split"), jarPath="x.jar", jarArgs="'", reason="")
    assert set(steward.post(FILE, data).context["form"].errors) == {"jarPath", "jarArgs", "reason"}


def test_a_problem_of_the_profile_is_said_with_its_name(steward: Client) -> None:
    profile = make_profile(driver_memory="4 gigabytes")
    response = steward.post(FILE, typed(profile) | {"_preview": "1"})
    assert "driverMemory: “4 gigabytes” is no size" in response.context["form"].non_field_errors()[0]


def test_a_body_of_more_than_a_mebibyte_is_refused(steward: Client) -> None:
    assert steward.post(FILE, typed(make_profile(), jarArgs="x" * 1_100_000)).status_code == 400


def test_a_gateway_that_cannot_be_used_does_not_hinder_filing(steward: Client) -> None:
    profile = make_profile(gateway=make_gateway(condition="credentials"))
    recovery = filed(steward, FILE, typed(profile))
    shown = text(steward.get(f"{LIST}{recovery.pk}/change/"))
    assert "Nothing to do: the gateway refuses our credentials." in shown
    Gateway.objects.update(paused=True, paused_reason="maintenance")
    assert "are paused (maintenance)" in text(steward.get(f"{LIST}{recovery.pk}/change/"))


def test_scripts_in_arguments_are_shown_not_run(steward: Client) -> None:
    evil = "<script>alert(1)</script>"
    profile = make_profile()
    preview, _send = previewed(steward, FILE, typed(profile, jarArgs=evil, reason=evil))
    recovery = make_recovery(profile=profile, jar_args=evil, reason=evil, outcome_words=evil, app_id=evil)
    pages = [preview, *(steward.get(url) for url in (LIST, f"{LIST}{recovery.pk}/change/", "/admin/"))]
    for one in pages:
        assert b"<script>alert" not in one.content
        assert b"&lt;script&gt;alert" in one.content or one is pages[-1]


def test_slips_in_the_extra_configuration_are_said_before_it_is_filed(door: Door) -> None:
    operator = door("Operators")
    data = typed(make_profile(conf={"spark.speculation": "yes"}), conf="spark.network.timeout=long")
    told = "“spark.network.timeout” is a duration, and “long” is none."
    preview, send = previewed(operator, FILE, data)
    alone = operator.post(f"{FILE}preview/", data)
    for one in (preview, alone):
        assert told in text(one)
        assert "is true or false" not in text(one), "the profile's own are no matter of who files"
    assert told in preview.context["panel"].summary
    assert operator.post(FILE, send).status_code == 302, "a remark, no refusal"
