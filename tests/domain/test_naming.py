"""N1: the one name of a recovery."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.naming import BATCH_NAME, PORTAL_ID, SLUG_LENGTH, batch_name, slug

TOKEN = "0123456789ab"


@pytest.mark.parametrize(
    ("jar_path", "expected"),
    [
        ("hdfs:///user/sddesigner/recovery.jar", "recovery"),
        ("hdfs:///libs/Recovery_Job-1.2.3.jar", "recovery-job-1-2-3"),
        ("/a/été 日本.jar", "ete"),
        ("hdfs:///a/日本.jar", "jar"),
        ("hdfs:///", "hdfs"),
        ("", "jar"),
        ("https://repo/x.jar?token=secret/y", "x"),
        ("/a/" + "x" * 100 + ".jar", "x" * SLUG_LENGTH),
        ("/a/" + "x" * 23 + "--y.jar", "x" * 23),
        ("/a/---.jar", "jar"),
    ],
)
def test_n1_the_slug_of_a_jar(jar_path: str, expected: str) -> None:
    assert slug(jar_path) == expected


def test_n1_portal_slug_and_token() -> None:
    name = batch_name(portal_id="prod-2", jar_path="hdfs:///user/sddesigner/recovery.jar", token=TOKEN)
    assert name == f"prod-2-recovery-{TOKEN}"


@given(st.from_regex(PORTAL_ID, fullmatch=True), st.text(), st.from_regex(r"[0-9a-f]{12}", fullmatch=True))
def test_n1_every_name_can_be_found_again_in_livy(portal_id: str, jar_path: str, token: str) -> None:
    """Lower case (YARN's tags), no slash, not all digits, at most 80 characters (contract §2)."""
    name = batch_name(portal_id=portal_id, jar_path=jar_path, token=token)
    assert BATCH_NAME.fullmatch(name)
    assert len(name) <= 80
    assert name == name.lower()
    assert name.startswith(f"{portal_id}-")
    assert name.endswith(f"-{token}")
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", slug(jar_path))


@pytest.mark.parametrize("portal_id", ["", "Prod", "1st", "p" * 21, "a_b", "-a", "a\n"])
def test_n1_a_portal_id_of_another_form_makes_no_name(portal_id: str) -> None:
    with pytest.raises(ValueError, match="portal id"):
        batch_name(portal_id=portal_id, jar_path="x.jar", token=TOKEN)


@pytest.mark.parametrize("token", ["", "0123", TOKEN.upper(), TOKEN + "0", "g" * 12, TOKEN + "\n"])
def test_n1_a_token_of_another_form_makes_no_name(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        batch_name(portal_id="portal", jar_path="x.jar", token=token)
