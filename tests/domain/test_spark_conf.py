"""Remarks about Spark's configuration."""

from __future__ import annotations

import pytest

from recovery.domain.spark_conf import KNOWN, TEXT, conf_remarks


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.network.timeout", "800s"), ("spark.network.timeout", "120"), ("spark.locality.wait", "3000ms"),
        ("spark.executor.memoryOverhead", "1024"), ("spark.executor.memoryOverhead", "2g"),
        ("spark.sql.autoBroadcastJoinThreshold", "-1"), ("spark.driver.maxResultSize", "4GB"),
        ("spark.speculation", "TRUE"), ("spark.sql.shuffle.partitions", "200"), ("spark.memory.fraction", "0.6"),
        ("spark.memory.fraction", ".6"), ("spark.serializer", "org.apache.spark.serializer.KryoSerializer"),
        ("spark.something.of.our.own", "whatever"), ("spark.hadoop.some.key", "x"),
    ],
)  # fmt: skip
def test_what_spark_takes_is_passed_over(key: str, value: str) -> None:
    assert list(conf_remarks({key: value})) == []


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("spark.network.timeout", "800 s", "conf_duration"), ("spark.network.timeout", "long", "conf_duration"),
        ("spark.executor.memoryOverhead", "1.5g", "conf_size"), ("spark.driver.maxResultSize", "4 GB", "conf_size"),
        ("spark.speculation", "yes", "conf_boolean"), ("spark.speculation", "1", "conf_boolean"),
        ("spark.sql.shuffle.partitions", "2e2", "conf_integer"), ("spark.sql.shuffle.partitions", "", "conf_integer"),
        ("spark.memory.fraction", "60%", "conf_fraction"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_remarked(key: str, value: str, code: str) -> None:
    (found,) = conf_remarks({key: value})
    assert (found.field, found.code) == ("conf", code)
    assert found.params == {"key": key, "value": value}


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("spark.sql.shufle.partitions", "spark.sql.shuffle.partitions"),
        ("spark.executor.memoryoverhead", "spark.executor.memoryOverhead"),
        ("spark.dynamicAllocation.enable", "spark.dynamicAllocation.enabled"),
    ],
)
def test_a_key_that_is_nearly_a_known_one_is_asked_about(key: str, near: str) -> None:
    (found,) = conf_remarks({key: "1"})
    assert (found.code, found.params["near"]) == ("conf_near", near)


def test_keys_stand_in_one_kind_each() -> None:
    assert len(KNOWN) > 120
    assert all(key.startswith("spark.") for key in KNOWN)
    assert set(KNOWN.values()) == {
        "conf_duration", "conf_size", "conf_boolean", "conf_integer", "conf_fraction", TEXT,
    }  # fmt: skip
