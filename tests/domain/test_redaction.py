"""Secrets taken out of what is stored and shown, and text made storable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.redaction import MASK, NUL_SHOWN, redact, storable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter22", "password=***"),
        ("--db.PASSWORD: hunter22, next", "--db.PASSWORD: ***, next"),
        ("fs.s3a.secret.key='a b c' rest", "fs.s3a.secret.key=*** rest"),
        ('api_key = "a b c"', "api_key = ***"),
        ("x-api-key:abc access-key=def", "x-api-key:*** access-key=***"),
        ('{"ad.password":"hunter22","n":1}', '{"ad.password":***,"n":1}'),
        ('{"msg":"got {\\"token\\":\\"hunter22\\"}"}', '{"msg":"got {\\"token\\":***}"}'),
        ("{'credential': 'hunter22'}", "{'credential': ***}"),
        ("Authorization: Basic c3ZjOmh1bnRlcjIy", "Authorization: Basic ***"),
        ("bearer eyJhbGciOi.J9-_x~+/==", "bearer ***"),
        ("postgres://portal:hunter22@db:5432/n", "postgres://portal:***@db:5432/n"),
        ("redis://:hunter22@mq/0", "redis://:***@mq/0"),
        ("hdfs:///user/sddesigner/recovery.jar", "hdfs:///user/sddesigner/recovery.jar"),
        ("https://knox:8443/gateway/default", "https://knox:8443/gateway/default"),
        ("the token was refused", "the token was refused"),
        ("RECOVERY argv[0]=<--password hunter22 --date 1>", "RECOVERY argv[0]=<--password *** --date 1>"),
        ("run --db.token  'a b' -p x", "run --db.token  *** -p x"),
        ("argv=<--secret hunter22>", "argv=<--secret ***"),
        ("--password --date 1", "--password --date 1"),
        ("--date 20240101 --table splio.active", "--date 20240101 --table splio.active"),
    ],
)
def test_what_sounds_like_a_secret_is_masked_and_nothing_else(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_known_secret_is_masked_wherever_it_stands() -> None:
    assert redact("user svc, svc-password!", "svc-password", "") == f"user svc, {MASK}!"


def test_a_secret_of_three_letters_would_mask_half_the_text() -> None:
    assert redact("one abc two", "abc") == "one abc two"


@given(
    st.text(st.characters(exclude_characters=" "), min_size=4, max_size=30), st.text(max_size=40), st.text(max_size=40)
)
def test_a_known_secret_never_comes_through(secret: str, before: str, after: str) -> None:
    if secret not in before + MASK + after and secret not in MASK:
        assert secret not in redact(f"{before} {secret} {after}", secret).replace(MASK, " ")


@pytest.mark.parametrize(
    "line",
    [
        "a-" * 100_000,
        "token" * 50_000,
        "token " * 50_000,
        "a" * 300_000 + "://",
        "basic " * 50_000,
        "--token" * 50_000,
        "-" * 100_000,
    ],
)
def test_a_long_line_does_not_hold_a_worker_up(line: str) -> None:
    """An unbounded repetition took minutes for a line like these; the test run's time-out would end it."""
    assert len(redact(line)) >= len(line) / 2


def test_nul_and_lone_surrogates_are_replaced() -> None:
    assert storable("a\0b\ud800c\U0001f600é") == f"a{NUL_SHOWN}b?c\U0001f600é"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_what_a_database_takes_is_left_as_it_is(text: str) -> None:
    assert storable(text) == text


@given(st.text(st.characters()))
def test_what_is_storable_can_be_stored(text: str) -> None:
    assert "\0" not in storable(text)
    storable(text).encode()
