"""What is said of Spark's settings fits what is known of them."""

from __future__ import annotations

import pytest
from django.utils import translation

from recovery import wording
from recovery.domain.spark_conf import KNOWN, conf_remarks


def test_each_kind_of_value_has_its_words() -> None:
    assert set(wording.KINDS) == set(KNOWN.values())


def test_what_is_offered_is_known_and_its_example_is_right() -> None:
    offered = {one.key: one.example for one in wording.SETTINGS}
    assert len(offered) == len(wording.SETTINGS)
    assert set(offered) <= set(KNOWN)
    assert list(conf_remarks(offered)) == []


def test_the_guides_settings_are_among_them() -> None:
    offered = {one.key for one in wording.SETTINGS}
    assert {
        "spark.sql.shuffle.partitions", "spark.dynamicAllocation.enabled", "spark.shuffle.compress",
        "spark.executor.heartbeatInterval", "spark.sql.adaptive.enabled", "spark.broadcast.blockSize",
        "spark.dynamicAllocation.maxExecutors", "spark.executor.memoryOverhead",
    } <= offered  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_known_key_has_a_hint(language: str) -> None:
    with translation.override(language):
        assert all(wording.hint(key) for key in KNOWN)
