"""Spark's own configuration keys, as far as people set them here: what kind of value each takes (Spark 3,
https://spark.apache.org/docs/3.5.0/configuration.html, sql-performance-tuning.html, running-on-yarn.html).

Remarks, never refusals: Spark takes keys that are not in its manual, and later versions take other ones.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from recovery.domain.errors import Problem

DURATION: Final = "conf_duration"
SIZE: Final = "conf_size"
BOOLEAN: Final = "conf_boolean"
INTEGER: Final = "conf_integer"
FRACTION: Final = "conf_fraction"
TEXT: Final = "any"
"""Kinds of values; each but the last is the code of the remark about another one."""

_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        DURATION: """
            spark.network.timeout spark.rpc.askTimeout spark.rpc.lookupTimeout spark.executor.heartbeatInterval
            spark.locality.wait spark.speculation.interval spark.shuffle.io.retryWait spark.sql.broadcastTimeout
            spark.dynamicAllocation.executorIdleTimeout spark.dynamicAllocation.cachedExecutorIdleTimeout
            spark.dynamicAllocation.schedulerBacklogTimeout spark.dynamicAllocation.shuffleTracking.timeout
            spark.yarn.am.waitTime spark.yarn.executor.failuresValidityInterval
            spark.yarn.am.attemptFailuresValidityInterval spark.core.connection.ack.wait.timeout
        """,
        SIZE: """
            spark.executor.memory spark.executor.memoryOverhead spark.executor.pyspark.memory spark.driver.memory
            spark.driver.memoryOverhead spark.driver.maxResultSize spark.memory.offHeap.size spark.yarn.am.memory
            spark.yarn.am.memoryOverhead spark.kryoserializer.buffer spark.kryoserializer.buffer.max
            spark.reducer.maxSizeInFlight spark.shuffle.file.buffer spark.broadcast.blockSize
            spark.rpc.message.maxSize spark.sql.autoBroadcastJoinThreshold spark.sql.files.maxPartitionBytes
            spark.sql.files.openCostInBytes spark.sql.adaptive.advisoryPartitionSizeInBytes
            spark.sql.adaptive.autoBroadcastJoinThreshold
            spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes
        """,
        BOOLEAN: """
            spark.dynamicAllocation.enabled spark.dynamicAllocation.shuffleTracking.enabled
            spark.shuffle.service.enabled spark.shuffle.compress spark.shuffle.spill.compress spark.rdd.compress
            spark.broadcast.compress spark.speculation spark.eventLog.enabled spark.eventLog.compress
            spark.memory.offHeap.enabled spark.excludeOnFailure.enabled spark.ui.enabled spark.files.overwrite
            spark.kryo.registrationRequired spark.sql.adaptive.enabled spark.sql.adaptive.coalescePartitions.enabled
            spark.sql.adaptive.skewJoin.enabled spark.sql.ansi.enabled spark.sql.caseSensitive
            spark.sql.crossJoin.enabled spark.sql.cbo.enabled spark.sql.parquet.filterPushdown
            spark.sql.parquet.mergeSchema spark.sql.parquet.writeLegacyFormat spark.sql.parquet.binaryAsString
            spark.sql.orc.filterPushdown spark.sql.hive.convertMetastoreParquet spark.sql.hive.convertMetastoreOrc
            spark.sql.inMemoryColumnarStorage.compressed spark.sql.execution.arrow.pyspark.enabled
            spark.sql.sources.partitionColumnTypeInference.enabled spark.hadoop.hive.exec.dynamic.partition
            spark.yarn.submit.waitAppCompletion spark.yarn.populateHadoopClasspath spark.driver.userClassPathFirst
            spark.executor.userClassPathFirst
        """,
        INTEGER: """
            spark.executor.instances spark.executor.cores spark.driver.cores spark.default.parallelism
            spark.task.cpus spark.task.maxFailures spark.stage.maxConsecutiveAttempts spark.port.maxRetries
            spark.shuffle.io.maxRetries spark.dynamicAllocation.initialExecutors
            spark.dynamicAllocation.minExecutors spark.dynamicAllocation.maxExecutors spark.yarn.maxAppAttempts
            spark.yarn.am.cores spark.yarn.priority spark.yarn.max.executor.failures spark.sql.shuffle.partitions
            spark.sql.files.maxRecordsPerFile spark.sql.adaptive.coalescePartitions.initialPartitionNum
            spark.sql.inMemoryColumnarStorage.batchSize spark.sql.execution.arrow.maxRecordsPerBatch
            spark.hadoop.hive.exec.max.dynamic.partitions
            spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version
        """,
        FRACTION: """
            spark.memory.fraction spark.memory.storageFraction spark.executor.memoryOverheadFactor
            spark.driver.memoryOverheadFactor spark.speculation.quantile
            spark.dynamicAllocation.executorAllocationRatio spark.scheduler.minRegisteredResourcesRatio
        """,
        TEXT: """
            spark.app.name spark.serializer spark.scheduler.mode spark.scheduler.pool spark.io.compression.codec
            spark.sql.parquet.compression.codec spark.sql.orc.compression.codec spark.sql.session.timeZone
            spark.sql.sources.partitionOverwriteMode spark.sql.sources.default spark.sql.catalogImplementation
            spark.sql.warehouse.dir spark.sql.legacy.timeParserPolicy spark.sql.storeAssignmentPolicy
            spark.sql.parquet.datetimeRebaseModeInRead spark.sql.parquet.datetimeRebaseModeInWrite
            spark.sql.parquet.int96RebaseModeInRead spark.sql.parquet.int96RebaseModeInWrite
            spark.sql.parquet.outputTimestampType spark.sql.extensions spark.sql.hive.metastore.version
            spark.sql.hive.metastore.jars spark.driver.extraJavaOptions spark.executor.extraJavaOptions
            spark.driver.extraClassPath spark.executor.extraClassPath spark.driver.extraLibraryPath
            spark.executor.extraLibraryPath spark.eventLog.dir spark.local.dir spark.jars.packages
            spark.jars.repositories spark.yarn.queue spark.yarn.tags spark.yarn.stagingDir
            spark.yarn.am.extraJavaOptions spark.yarn.am.nodeLabelExpression spark.yarn.executor.nodeLabelExpression
            spark.pyspark.python spark.pyspark.driver.python spark.kryo.registrator spark.redaction.regex
            spark.hadoop.hive.exec.dynamic.partition.mode spark.hadoop.fs.s3a.endpoint spark.hadoop.fs.defaultFS
        """,
    }
)
KNOWN: Final[Mapping[str, str]] = MappingProxyType({key: kind for kind, keys in _KEYS.items() for key in keys.split()})
"""Key → kind of its value."""

_SHAPES: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        DURATION: re.compile(r"-?\d+(us|ms|s|m|min|h|d)?", re.IGNORECASE | re.ASCII),
        SIZE: re.compile(r"-1|\d+([kmgtp]b?|b)?", re.IGNORECASE | re.ASCII),
        BOOLEAN: re.compile(r"true|false", re.IGNORECASE),
        INTEGER: re.compile(r"-?\d+", re.ASCII),
        FRACTION: re.compile(r"\d*\.?\d+([eE]-?\d+)?", re.ASCII),
        TEXT: re.compile(r".*", re.DOTALL),
    }
)
"""As Spark reads them (`JavaUtils.timeStringAs`, `byteStringAs`, Scala's toBoolean and toInt)."""
_ALIKE: Final = 0.88


def conf_remarks(conf: Mapping[str, str]) -> Iterator[Problem]:
    """What may be a slip: a value that Spark could not read, a key that is nearly a known one."""
    for key, value in conf.items():
        kind = KNOWN.get(key)
        if kind is not None and not _SHAPES[kind].fullmatch(value.strip()):
            yield Problem(field="conf", code=kind, params={"key": key, "value": value})
        elif kind is None and (near := difflib.get_close_matches(key, KNOWN, n=1, cutoff=_ALIKE)):
            yield Problem(field="conf", code="conf_near", params={"key": key, "near": near[0]})
