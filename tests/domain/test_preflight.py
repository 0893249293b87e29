"""Lights, keys, what is kept, and where WebHDFS finds a URI."""

from __future__ import annotations

import pytest

from recovery.domain.preflight import Check, Light, Place, Preflight, Seen, hdfs_place

AT = "2026-11-24T10:00:00+00:00"


def of(*lights: Light, code: str = "x") -> Preflight:
    return Preflight(at=AT, checks=tuple(Check(code=code, light=light) for light in lights))


@pytest.mark.parametrize(
    ("lights", "whole"),
    [
        ([Light.GREEN, Light.AMBER, Light.RED, Light.GREY], Light.RED),
        ([Light.GREY, Light.AMBER, Light.GREEN], Light.AMBER),
        ([Light.GREEN, Light.GREY], Light.GREEN),
        ([], Light.GREEN),
    ],
)
def test_the_worst_light_is_that_of_the_whole(lights: list[Light], whole: Light) -> None:
    assert of(*lights).light is whole


def test_without_a_look_at_the_essentials_it_is_not_green() -> None:
    assert of(Light.GREY, code="hdfs_none").light is Light.GREY


def test_what_was_confirmed_is_a_finding_about_a_subject() -> None:
    one, two = (Check(code="same_done", light=Light.AMBER, subject=number) for number in "12")
    seen = Preflight(at=AT, checks=(one, two, Check(code="y", light=Light.RED)))
    assert seen.unconfirmed([]) == (one, two)
    assert seen.unconfirmed({one.key}) == (two,)
    assert [check.code for check in seen.of(Light.RED)] == ["y"]


def test_what_is_kept_is_what_it_was() -> None:
    checks = (Check(code="file_ok", light=Light.GREEN, subject="hdfs:///é.jar", params={"length": 3, "words": "é"}),)
    seen = Preflight(at=AT, checks=checks, seen=Seen(length=3, modified=5, checksum="a:b"), confirmed=("x:1",))
    assert Preflight.from_text(seen.text()) == seen
    assert '"light":"green"' in seen.text()
    assert Preflight.from_text(of(Light.RED).text()) == of(Light.RED)
    assert Preflight.from_text("") is None


def test_by_checksum_or_else_by_size_and_time() -> None:
    one = Seen(length=1, modified=1, checksum="a")
    assert one.same_as(Seen(length=1, modified=2, checksum="a"))
    assert not one.same_as(Seen(length=1, modified=1, checksum="b"))
    assert one.same_as(Seen(length=1, modified=1))
    assert not one.same_as(Seen(length=1, modified=2))


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("hdfs:///user/x.jar", Place(path="/user/x.jar")),
        ("hdfs://nn:8020/user/x.jar", Place(path="/user/x.jar", authority="nn:8020")),
        ("hdfs:/user/x.jar", Place(path="/user/x.jar")),
        ("HDFS:///user/x.jar", Place(path="/user/x.jar")),
        ("/user/x.jar", Place(path="/user/x.jar")),
        ("/user/x.zip#env", Place(path="/user/x.zip")),
        ("hdfs:///user/x.zip#env", Place(path="/user/x.zip")),
        ("hdfs:///user/a%20b.jar", Place(path="/user/a b.jar")),
        ("hdfs:///user/../lib/./x.jar", Place(path="/lib/x.jar")),
        ("hdfs:////user//x.jar", Place(path="/user/x.jar")),
        ("s3a://bucket/x.jar", None),
        ("viewfs://fs/x.jar", None),
        ("file:///x.jar", None),
        ("https://h/x.jar", None),
        ("hdfs://[x/y.jar", None),
    ],
)
def test_where_webhdfs_finds_it(uri: str, place: Place | None) -> None:
    assert hdfs_place(uri) == place
