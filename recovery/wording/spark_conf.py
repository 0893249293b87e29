"""What Spark's settings are for, in a sentence each, and what kind of value a key takes (after the guide)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext_lazy as _

from recovery.domain import spark_conf
from recovery.wording.labels import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A key that people set, an example of its value, and what for."""

    key: str
    example: str
    use: Text


SETTINGS: Final = (
    Setting(
        key="spark.sql.shuffle.partitions", example="200",
        use=_("Into how many parts a join or an aggregation cuts the data: more for much data, fewer for little."),
    ),
    Setting(
        key="spark.dynamicAllocation.enabled", example="true",
        use=_("Spark asks for executors as it needs them and gives them back; numExecutors is only the start."),
    ),
    Setting(
        key="spark.dynamicAllocation.maxExecutors", example="10",
        use=_("The most executors that it may ask for, so that the queue keeps room for others."),
    ),
    Setting(
        key="spark.sql.adaptive.enabled", example="true",
        use=_("AQE: Spark improves the plan of a query while it runs, by the sizes that it sees."),
    ),
    Setting(
        key="spark.sql.autoBroadcastJoinThreshold", example="10m",
        use=_("Up to this size, a table is sent whole to each executor for a join (broadcast). -1: never."),
    ),
    Setting(
        key="spark.sql.broadcastTimeout", example="600s",
        use=_("How long a join waits for the table that is sent to each executor."),
    ),
    Setting(
        key="spark.broadcast.blockSize", example="128m",
        use=_("The size of the pieces in which a broadcast table travels."),
    ),
    Setting(
        key="spark.network.timeout", example="300s",
        use=_("How long a machine of the job may be silent before it is given up: longer on a busy cluster."),
    ),
    Setting(
        key="spark.executor.heartbeatInterval", example="60s",
        use=_("How often an executor says that it is alive. It has to stay well below spark.network.timeout."),
    ),
    Setting(
        key="spark.executor.memoryOverhead", example="1g",
        use=_("Memory of an executor outside Java: more where YARN ends executors that take too much."),
    ),
    Setting(
        key="spark.driver.maxResultSize", example="2g",
        use=_("How much data the driver may collect: more where a job says that its results are too large."),
    ),
    Setting(
        key="spark.shuffle.compress", example="true",
        use=_("Data between two steps travels compressed: less network and disk, more processor."),
    ),
    Setting(
        key="spark.sql.sources.partitionOverwriteMode", example="dynamic",
        use=_("dynamic: overwriting a table replaces the partitions that are written; static: all of them go first."),
    ),
)  # fmt: skip

KINDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        spark_conf.DURATION: _("A duration: 30s, 10min, 2h."),
        spark_conf.SIZE: _("A size: 512m, 4g."),
        spark_conf.BOOLEAN: _("true or false."),
        spark_conf.INTEGER: _("A whole number."),
        spark_conf.FRACTION: _("A number such as 0.6."),
        spark_conf.TEXT: _("A text."),
    }
)
_USES: Final = MappingProxyType({setting.key: setting.use for setting in SETTINGS})


def hint(key: str) -> str:
    """Of a known key: the kind of its value, and what it is for."""
    kind = str(KINDS[spark_conf.KNOWN[key]])
    return f"{kind} {_USES[key]}" if key in _USES else kind
