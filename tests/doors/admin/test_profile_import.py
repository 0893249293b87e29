"""A profile out of somebody's `.env`."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recovery.models import LivyProfile, RecoveryEvent, SubjectType
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import messages, text
from tests.factories import make_gateway, make_profile

PROFILES = "/admin/recovery/livyprofile/"
IMPORT = f"{PROFILES}import/"
GUIDE = """\
# the guide's
KNOX_HOST=knox.example.org
AD_USER=svc_portal
AD_PASSWORD=hush-hush-1
export MY_TOKEN=hush-hush-2
PROXY_USER=sddesigner
LIVY_JARS=hdfs:///libs/a.jar, hdfs:///libs/b.jar
LIVY_FILES=hdfs:///config/app.properties
LIVY_CONF={"spark.sql.shuffle.partitions": 200, "spark.dynamicAllocation.enabled": "yes"}
LIVY_QUEUE=root.night
SOMETHING=else
"""


def sent(client: Client, button: str = "_preview", **values: Any) -> Any:
    return client.post(IMPORT, {"name": "night", "text": GUIDE, button: "1"} | values, follow=True)


def test_it_is_shown_first_and_then_stored_disabled(operator: Client) -> None:
    gateway = make_gateway(base_url="https://knox.example.org:8443/gateway/default")
    assert IMPORT in text(operator.get(PROFILES))
    assert operator.get(IMPORT).context["form"].initial["gateway"] == gateway, "the only one is chosen already"
    shown = sent(operator, gateway=gateway.pk)
    assert not LivyProfile.objects.filter(name="night").exists()
    page = text(shown)
    values = {value.name: value.text for value in shown.context["values"]}
    assert '<dt class="rp-asis">executorMemory</dt>' in page, "as Livy spells it"
    assert values["jars"] == "hdfs:///libs/a.jar\nhdfs:///libs/b.jar"
    assert values["queue"] == "root.night"
    assert values["driverMemory"] == "4g"
    assert "LIVY_DRIVER_MEMORY" in shown.context["found"].unset
    assert shown.context["found"].left_out == ("AD_USER", "SOMETHING")
    assert "“spark.dynamicAllocation.enabled” is true or false, not “yes”." in page
    assert "The text names another gateway" not in page
    stored = sent(operator, "_save", gateway=gateway.pk, text=shown.context["form"]["text"].value())
    assert messages(stored) == ["Imported. The profile is disabled: look at it, then enable it."]
    profile = LivyProfile.objects.get(name="night")
    assert (profile.enabled, profile.managed_by_env, profile.gateway) == (False, False, gateway)
    assert profile.conf == {"spark.sql.shuffle.partitions": "200", "spark.dynamicAllocation.enabled": "yes"}
    event = RecoveryEvent.objects.of(SubjectType.PROFILE, profile.pk).get()
    assert (event.kind, event.cause) == ("created", "import")
    assert profile.history.get().history_user == operator.person  # type: ignore[attr-defined]


def test_nothing_secret_comes_back(operator: Client) -> None:
    gateway = make_gateway()
    for answer in (sent(operator, gateway=gateway.pk), sent(operator, gateway=gateway.pk, name="")):
        assert "hush-hush" not in text(answer)
        assert "root.night" in text(answer)


def test_a_file_is_read_and_may_be_sent_again_as_text(operator: Client) -> None:
    gateway = make_gateway()
    file = SimpleUploadedFile("env", b"\xef\xbb\xbf" + GUIDE.replace("\n", "\r\n").encode())
    shown = sent(operator, gateway=gateway.pk, text="", file=file)
    assert "LIVY_QUEUE=root.night" in shown.context["form"]["text"].value()
    sent(operator, "_save", gateway=gateway.pk, text=shown.context["form"]["text"].value())
    assert LivyProfile.objects.get(name="night").queue == "root.night"


def test_another_gateway_is_pointed_out(operator: Client) -> None:
    gateway = make_gateway(name="other", base_url="https://other.example.org:8443/gateway/default")
    page = text(sent(operator, gateway=gateway.pk))
    assert "The text names another gateway, https://knox.example.org:8443/gateway/default." in page


def test_what_cannot_be_read_is_said_and_not_stored(operator: Client) -> None:
    gateway = make_gateway()
    for bad, told in (
        ("LIVY_CONF={\n", "LIVY_CONF cannot be used: it is '{'. Expected: a JSON object all on one line"),
        ("LIVY_DRIVER_CORES=many", "LIVY_DRIVER_CORES cannot be used: it is 'many'. Expected: a whole number from 1"),
        ("KNOX_HOST=http://[", "KNOX_HOST cannot be used"),
    ):
        for button in ("_preview", "_save"):
            assert told in text(sent(operator, button, gateway=gateway.pk, text=bad))
    page = text(sent(operator, gateway=gateway.pk, text="LIVY_JARS=a.jar\nLIVY_DRIVER_MEMORY=4"))
    assert "“a.jar” is not absolute. Expected: hdfs:///… or /…" in page
    assert "path_relative" not in page
    assert page.count(">unreadable</strong>") == 2, "neither empty nor the default"
    strict = make_gateway(allowed_schemes=["hdfs"])
    page = sent(operator, "_save", gateway=strict.pk, text="LIVY_JARS=s3a://bucket/a.jar")
    assert "“s3a:” is not allowed on this gateway." in text(page)
    assert not LivyProfile.objects.filter(name="night").exists()


def test_what_is_missing_or_no_text_is_said(operator: Client) -> None:
    gateway = make_gateway()
    make_profile(name="taken")
    for values, told in (
        ({"text": " "}, "Choose a file, or paste its text."),
        ({"text": "AD_PASSWORD=only"}, "Choose a file, or paste its text."),
        ({"name": "Taken"}, "There is a profile of this name already."),
        ({"file": SimpleUploadedFile("env", b"\xff\xfe")}, "The file is no text in UTF-8."),
        ({"file": SimpleUploadedFile("env", b"x" * 65537)}, "The file is larger than 64 KiB."),
        ({"gateway": ""}, "This field is required."),
    ):
        assert told in text(sent(operator, **{"gateway": gateway.pk} | values)), values


def test_it_is_for_those_who_may_add_profiles(door: Door) -> None:
    viewer = door("view_livyprofile")
    assert viewer.get(IMPORT).status_code == 403
    assert viewer.post(IMPORT, {}).status_code == 403
    assert IMPORT not in text(viewer.get(PROFILES))
