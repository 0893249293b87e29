"""Failures explained: the signatures that the portal brings, on logs that a real stack or the sandbox has written."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.utils import translation

from recovery.domain.errors import InvalidInput
from recovery.domain.patterns import pattern_problems
from recovery.domain.remedies import problems
from recovery.domain.signatures import Certainty, Place
from recovery.domain.states import State
from recovery.models import FailureSignature, Gateway, Recovery, RecoveryLog
from recovery.services import explaining
from recovery.services.explaining import (
    Explanation,
    Remedy,
    explain,
    explain_pasted,
    explain_texts,
    own_texts,
    remedied,
    remedy_for,
    save_signature,
    would_change,
)
from recovery.services.resubmission import resubmission_payload
from sandbox import Sandbox
from tests.factories import make_profile, make_recovery, make_user
from tests.services.conftest import Portal

pytestmark = pytest.mark.django_db

WORDS, DIAGNOSTICS, LOG = Place.WORDS, Place.DIAGNOSTICS, Place.LOG

# Lines that a real Knox, Livy, Spark and YARN have answered (docs/reference/real-behaviour.md f, m, n), or that Spark
# and Hadoop are known to write.
REAL = [
    (WORDS, "Blacklisted configuration values in session config: spark.master", "blacklisted-conf"),
    (WORDS, "Rejected, too many sessions are being created!", "too-many-sessions"),
    (WORDS, "requirement failed: Local path /etc/passwd cannot be added to user sessions.", "local-path"),
    (
        WORDS,
        'java.io.IOException: Cannot run program "/opt/spark/bin/spark-submit": error=7, Argument list too long',
        "arguments-too-long",
    ),
    (
        LOG,
        'Exception in thread "main" org.apache.spark.SparkException: Application application_1_0001 submitted by user '
        "root to unknown queue: nope",
        "queue-unknown",
    ),
    (
        LOG,
        "org.apache.hadoop.security.AccessControlException: Queue root.q already has 10000 applications, cannot accept "
        "submission of application: application_1_0002",
        "queue-full",
    ),
    (
        LOG,
        "org.apache.hadoop.security.AccessControlException: User sddesigner does not have permission to submit "
        "application_1_0002 to queue root.prod",
        "queue-forbidden",
    ),
    (WORDS, "User sddesigner cannot submit applications to queue root.prod", "queue-forbidden"),
    (
        DIAGNOSTICS,
        "Application is added to the scheduler and is not yet activated. Queue's AM resource limit exceeded.",
        "queue-full",
    ),
    (
        LOG,
        "java.lang.IllegalArgumentException: Required executor memory (65536 MB), offHeap memory (0) MB, overhead "
        "(6553 MB), and PySpark memory (0 MB) is above the max threshold (8192 MB) of this cluster!",
        "memory-above-maximum",
    ),
    (
        LOG,
        "java.lang.IllegalArgumentException: Required AM memory (65536+6553 MB) is above the max threshold (8192 MB) "
        "of this cluster!",
        "driver-memory-above-maximum",
    ),
    (
        LOG,
        "org.apache.hadoop.yarn.exceptions.InvalidResourceRequestException: Invalid resource request! Cannot allocate "
        "containers as requested resource is greater than maximum allowed allocation.",
        "container-above-maximum",
    ),
    (LOG, "Error: Could not create the Java Virtual Machine.", "jvm-size"),
    (
        LOG,
        "Caused by: org.apache.hadoop.security.AccessControlException: Client cannot authenticate via:[TOKEN]",
        "credentials",
    ),
    (
        LOG,
        'Permission denied: user=guest, access=WRITE, inode="/user":hdfs:supergroup:drwxr-xr-x',
        "home-missing",
    ),
    (
        LOG,
        'AccessControlException: Permission denied: user=svc_portal, access=EXECUTE, inode="/private":hdfs:supergroup',
        "access-denied",
    ),
    (
        DIAGNOSTICS,
        "exitCode: -1000 Failing this attempt. Permission denied: user=svc_portal, access=READ, "
        'inode="/user/x/private.jar"',
        "access-denied",
    ),
    (DIAGNOSTICS, "Failed to download resource { { hdfs://nn/user/x, 17, FILE, null },pending}", "jar-unreadable"),
    (
        LOG,
        "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException: The DiskSpace quota of /user/x is exceeded: quota = "
        "1000 B = 1000 B but diskspace consumed = 384 MB",
        "quota",
    ),
    (
        LOG,
        "Caused by: org.apache.hadoop.hdfs.protocol.NSQuotaExceededException: The NameSpace quota (directories and "
        "files) of directory /data/x is exceeded: quota=10 file count=11",
        "quota",
    ),
    (LOG, "java.io.FileNotFoundException: /disk1/blockmgr-1/0c/x (No space left on device)", "disk-full"),
    (
        LOG,
        "org.apache.spark.sql.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view `splio`.`activ` cannot be "
        "found.",
        "table-missing",
    ),
    (
        LOG,
        "org.apache.spark.sql.AnalysisException: [PATH_NOT_FOUND] Path does not exist: hdfs://nn/data/day=20240101.",
        "partition-missing",
    ),
    (
        DIAGNOSTICS,
        "User class threw exception: org.apache.spark.sql.catalyst.analysis.NoSuchPartitionException: Partition not "
        "found in table 'active'",
        "partition-missing",
    ),
    (LOG, "java.io.FileNotFoundException: File does not exist: hdfs://nn/user/x/recovery.jar", "file-missing"),
    (LOG, "Warning: Local jar /tmp/x.jar does not exist, skipping.", "jar-missing"),
    (LOG, "java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found", "scheme-unknown"),
    (LOG, "Error: Failed to load class RecoveryJob.", "class-missing"),
    (LOG, "Error: Could not find or load main class com.example.Main", "class-missing"),
    (
        DIAGNOSTICS,
        "User class threw exception: java.lang.ClassNotFoundException: com.example.Main",
        "class-missing",
    ),
    (LOG, "java.lang.UnsupportedClassVersionError: RecoveryJob has been compiled by a more recent", "version-mismatch"),
    (
        DIAGNOSTICS,
        "Application application_1_0001 failed 2 times due to AM Container for appattempt_1_0001_000002 exited with  "
        "exitCode: 143",
        "driver-killed",
    ),
    (DIAGNOSTICS, "User class threw exception: java.lang.OutOfMemoryError: Java heap space", "driver-memory"),
    (LOG, 'Exception in thread "main" java.lang.OutOfMemoryError: GC overhead limit exceeded', "driver-memory"),
    (
        LOG,
        "Job aborted due to stage failure: Task 0 in stage 0.0 failed 1 times, most recent failure: Lost task 0.0 in "
        "stage 0.0 (TID 0) (localhost executor driver): java.lang.OutOfMemoryError: Java heap space",
        "driver-memory",
    ),
    (
        DIAGNOSTICS,
        "Application application_1_0001 failed 2 times due to AM Container for appattempt_1_0001_000002 exited with  "
        "exitCode: -104",
        "driver-memory",
    ),
    (
        DIAGNOSTICS,
        "AM Container for appattempt_1_0001_000002 exited with  exitCode: -103 Failing this attempt.Diagnostics: "
        "Container [pid=1,containerID=container_1] is running beyond virtual memory limits.",
        "driver-memory",
    ),
    (
        DIAGNOSTICS,
        "Failing this attempt.Diagnostics: [2026-11-29 14:29:04.123]Container [pid=1,containerID=container_1] is "
        "running 71553024B beyond the 'PHYSICAL' memory limit. Current usage: 1.6 GB of 1.5 GB physical memory used",
        "driver-memory",
    ),
    (
        DIAGNOSTICS,
        "User class threw exception: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in "
        "stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage 0.0 (TID 3) (worker7 executor 2): "
        "java.lang.OutOfMemoryError: Java heap space",
        "executor-memory",
    ),
    (
        LOG,
        "ERROR YarnScheduler: Lost executor 1 on worker7: Container marked as failed: container_1 on host: worker7. "
        "Exit status: -104. Diagnostics: [2026-11-29 14:29:04.123]Container [pid=1,containerID=container_1] is running "
        "71553024B beyond the 'PHYSICAL' memory limit.",
        "executor-memory",
    ),
    (LOG, "java.lang.OutOfMemoryError: Java heap space", "memory"),
    (LOG, "ERROR X: most recent failure: java.lang.OutOfMemoryError: GC overhead limit exceeded", "memory"),
    (LOG, "Caused by: java.lang.OutOfMemoryError: unable to create native thread", "memory"),
    (
        LOG,
        "Container killed by YARN for exceeding physical memory limits. 4.5 GB of 4.5 GB physical memory used.",
        "executor-memory",
    ),
    (LOG, "Container marked as failed: container_1_0001. Exit status: 137. Diagnostics: [killed]", "executor-killed"),
    (LOG, "[2026-11-29 14:30:19.610]Container killed on request. Exit code is 143", "container-killed"),
    (DIAGNOSTICS, "[2026-11-29 14:30:19.610]Container exited with a non-zero exit code 143. ", "container-killed"),
    (
        LOG,
        "ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Executor heartbeat",
        "executors-lost",
    ),
    (DIAGNOSTICS, "Application application_1_0001 was killed by user dr.who at 127.0.0.1", "killed-outside"),
    (LOG, "java.net.UnknownHostException: nameservice1", "hdfs-away"),
    (
        LOG,
        "java.net.ConnectException: Call From host/127.0.0.1 to host:8020 failed on connection exception: Connection "
        "refused",
        "hdfs-away",
    ),
    (LOG, "RECOVERY unknown option <--date 20240101 --table splio.active>", "arguments-not-split"),
    (LOG, "RECOVERY unknown option <--dat>", "arguments-wrong"),
    (LOG, "Error: Missing option --date", "arguments-wrong"),
    (LOG, "Missing required option: d", "arguments-wrong"),
    (LOG, "job.py: error: argument --date is required", "arguments-wrong"),
    (LOG, "job.py: error: the following arguments are required: --date", "arguments-wrong"),
    (LOG, "com.beust.jcommander.ParameterException: The following option is required: [--date]", "arguments-wrong"),
    (LOG, 'Exception in thread "main" java.lang.ArrayIndexOutOfBoundsException: 1', "arguments-wrong"),
    (LOG, 'java.lang.NumberFormatException: For input string: "2024-01-01"', "arguments-wrong"),
    (LOG, "usage: job.py [-h] --date DATE", "arguments-wrong"),
    (
        LOG,
        'Exception in thread "main" java.lang.IndexOutOfBoundsException: Index 1 out of bounds for length 1',
        "arguments-wrong",
    ),
    (
        DIAGNOSTICS,
        "Application application_1_0001 failed 2 times due to AM Container for appattempt exited with  exitCode: 13",
        "no-spark-context",
    ),
    (
        DIAGNOSTICS,
        "Shutdown hook called before final status was reported.",
        "no-final-status",
    ),
    (
        DIAGNOSTICS,
        "User class threw exception: java.lang.IllegalStateException: RECOVERY asked to throw",
        "exception",
    ),
]


def code_of(found: list[Explanation]) -> str:
    return found[0].signature.code if found else ""


@pytest.mark.parametrize(("place", "text", "code"), REAL)
def test_what_a_real_stack_says_is_explained(place: Place, text: str, code: str) -> None:
    log = f"INFO something else\n{text}\n\tat X.main(X.java:83)\nINFO ShutdownHookManager: Shutdown hook called"
    found = explain_texts({place: log})
    assert code_of(found) == code
    assert found[0].found.line == text.strip()
    assert found[0].found.place is place


def test_each_signature_that_the_portal_brings_is_sound_and_tried_above() -> None:
    rows = list(FailureSignature.objects.in_use())
    assert {row.code for row in rows} == {code for _place, _text, code in REAL}
    for row in rows:
        assert pattern_problems(row.pattern) == []
        assert problems(row.change) == []
        for language in ("en", "fr"):
            with translation.override(language):
                assert row.cause
                assert row.remedy
        assert row.cause_fr != row.cause_en


@pytest.mark.parametrize(
    "line",
    [
        "WARN NativeCodeLoader: Unable to load native-hadoop library", "RECOVERY rows=1000", "RECOVERY wrote 137 rows",
        "Memory usage: 3 GB", "INFO DiskBlockManager: memory usage: 3.0 GB", "exit code 0", "RECOVERY done exit=143",
        'Exception in thread "main" org.apache.spark.SparkException: Application application_1_0001 finished with',
        "argc=2", "-XX:OnOutOfMemoryError='kill %p'", "missing options were filled in",
        "org.apache.hadoop.security.AccessControlException: Queue root.q is full of words",
    ],
)  # fmt: skip
def test_an_ordinary_line_is_not_explained(line: str) -> None:
    assert explain_texts({LOG: line, DIAGNOSTICS: line}) == []


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("User class threw exception: java.lang.OutOfMemoryError: Java heap space", "driverMemory x2"),
        ("due to AM Container for appattempt_1 exited with  exitCode: -104", "driverMemory x2"),
        ("Lost task 0.3 in stage 1.0 (TID 7) (host executor 1): java.lang.OutOfMemoryError: x", "executorMemory x2"),
        ("Lost task 0.3 in stage 1.0 (TID 7, host, executor 1): java.lang.OutOfMemoryError: x", "executorMemory x2"),
        ("ExecutorLostFailure (executor 3 exited caused by one of the running tasks)", "executorMemory x2"),
        ("Required AM memory (65536+6553 MB) is above the max threshold (8192 MB)", "driverMemory x0.5"),
        (
            "Required executor memory (65536 MB), overhead (1) is above the max threshold (8192 MB)",
            "executorMemory x0.5",
        ),
        ("User x does not have permission to submit application_1 to queue root.prod", "queue ?"),
    ],
)
def test_a_remedy_is_for_the_one_who_lacked_it(text: str, change: str) -> None:
    found = explain_texts({DIAGNOSTICS: text})
    assert found[0].signature.change == change
    other = "executorMemory" if change.startswith("driver") else "driverMemory"
    assert not [one for one in found if other in one.signature.change]


@pytest.mark.parametrize("code", ["driver-killed", "executor-killed", "container-killed"])
def test_a_signal_is_no_proof_of_too_little_memory(code: str) -> None:
    row = FailureSignature.objects.get(code=code)
    assert row.certainty == Certainty.POSSIBLE
    assert "peut avoir" in row.cause_fr
    assert "may have" in row.cause_en


# ── whole logs ──────────────────────────────────────────────────────────────────────────────────────────────────

# Written by a real Spark 3.5.9, local[1] or on a YARN 3.3.4 (yarn-*): see tests/services/logs/README.md.
LOGS = Path(__file__).parent / "logs"
WHOLE = {
    "driver-memory": ("driver-memory", Certainty.PROBABLE),
    "glued": ("arguments-not-split", Certainty.POSSIBLE),
    "host": ("hdfs-away", Certainty.PROBABLE),
    "index": ("arguments-wrong", Certainty.POSSIBLE),
    "jvm": ("jvm-size", Certainty.PROBABLE),
    "needed-class": ("class-missing", Certainty.PROBABLE),
    "no-jar": ("jar-missing", Certainty.POSSIBLE),
    "number": ("arguments-wrong", Certainty.POSSIBLE),
    "path": ("partition-missing", Certainty.PROBABLE),
    "scheme": ("scheme-unknown", Certainty.PROBABLE),
    "table": ("table-missing", Certainty.PROBABLE),
    "task-memory": ("memory", Certainty.PROBABLE),
    "usage": ("arguments-wrong", Certainty.POSSIBLE),
    "wrong-class": ("class-missing", Certainty.PROBABLE),
    "yarn-client-task-memory": ("executor-killed", Certainty.POSSIBLE),
    "yarn-cores": ("container-above-maximum", Certainty.PROBABLE),
    "yarn-driver-137": ("driver-killed", Certainty.POSSIBLE),
    "yarn-driver-143": ("no-final-status", Certainty.POSSIBLE),
    "yarn-driver-memory": ("driver-memory", Certainty.PROBABLE),
    "yarn-driver-too-large": ("driver-memory-above-maximum", Certainty.PROBABLE),
    "yarn-executor-too-large": ("memory-above-maximum", Certainty.PROBABLE),
    "yarn-index": ("arguments-wrong", Certainty.POSSIBLE),
    "yarn-queue": ("queue-unknown", Certainty.PROBABLE),
    "yarn-task-memory": ("executors-lost", Certainty.POSSIBLE),
}


def whole(name: str) -> dict[Place, str]:
    """What the portal would have kept of it."""
    diagnostics = LOGS / f"{name}.diagnostics"
    return {
        LOG: (LOGS / f"{name}.log").read_text(),
        DIAGNOSTICS: diagnostics.read_text() if diagnostics.exists() else "",
    }


def test_each_whole_log_is_read() -> None:
    kept = {path.stem for path in LOGS.glob("*.log")}
    assert {name for name in kept if "succeeded" not in name} == {*WHOLE, "got-over", "throws"}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_log_of_a_failure_is_explained(name: str) -> None:
    code, certainty = WHOLE[name]
    found = explain_texts(whole(name))
    assert (code_of(found), found[0].found.certainty) == (code, certainty)


@pytest.mark.parametrize("path", sorted(LOGS.glob("*succeeded*.log")), ids=lambda path: path.stem)
def test_a_whole_log_of_a_success_explains_nothing(path: Path) -> None:
    texts = whole(path.stem)
    row = make_recovery(state="succeeded", jar_args="--date 20240101 --table java.lang.OutOfMemoryError")
    log = RecoveryLog.objects.create(recovery=row, output=texts[LOG], diagnostics=texts[DIAGNOSTICS])
    assert explain(row, log) == []
    assert explain_texts(texts, own=own_texts(row)) == []


def test_a_trouble_that_the_job_got_over_is_only_possible() -> None:
    found = explain_texts(whole("got-over"))
    assert {one.found.certainty for one in found} == {Certainty.POSSIBLE}


# ── the request's own words ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["single", "split"])
def test_an_argument_that_the_job_prints_explains_nothing(mode: str) -> None:
    typed = "--date 20240101 --table java.lang.OutOfMemoryError --throw --no-spark"
    row = make_recovery(profile=make_profile(args_mode=mode), state="failed", jar_args=typed)
    output = whole("throws")[LOG]
    log = RecoveryLog.objects.create(recovery=row, output=output)
    assert code_of(explain_texts({LOG: output})) == "memory", "it would fit"
    assert [one.signature.code for one in explain(row, log)] == ["exception"]
    assert remedy_for(row, log, FailureSignature.objects.get(code="memory").pk) is None
    RecoveryLog.objects.filter(pk=row.pk).update(output="RECOVERY table=java.lang.OutOfMemoryError")
    assert explain(row, RecoveryLog.objects.get(pk=row.pk)) == []


def test_an_argument_that_the_trouble_names_is_explained() -> None:
    row = make_recovery(state="failed", jar_args="--date 20240101 --table splio.active")
    for text, code in (
        ("Path does not exist: hdfs://nn/data/day=20240101.", "partition-missing"),
        ("RECOVERY unknown option <--date 20240101 --table splio.active>", "arguments-not-split"),
    ):
        assert code_of(explain_texts({LOG: text}, own=own_texts(row))) == code


# ── pasted ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_a_pasted_text_nothing_is_said_by_the_server() -> None:
    (found,) = explain_pasted("Blacklisted configuration values in session config: spark.master")
    assert found.signature.code == "blacklisted-conf"
    assert found.found.certainty is Certainty.PROBABLE
    only = FailureSignature.objects.get(code="too-many-sessions")
    assert explain_pasted("nothing", only=only) == []
    diagnostics = explain_pasted("exitCode: 13")
    assert code_of(diagnostics) == "no-spark-context", "it looks in the diagnostics alone"


# ── the newer ones reach a portal that has the older ────────────────────────────────────────────────────────────


def test_a_signature_that_somebody_has_edited_is_not_overwritten() -> None:
    newer = import_module("recovery.migrations.0008_better_signatures")
    rows = FailureSignature.objects
    before = list(rows.order_by("code").values())
    newer.as_before(apps, None)
    assert not rows.filter(code="quota").exists()
    assert rows.get(code="executor-memory").cause_en == "The job ran out of memory."
    rows.filter(code="executor-memory").update(remedy_en="Ask Anne.")
    rows.filter(code="arguments-wrong").update(enabled=False)
    rows.create(**signature_values("quota"))
    newer.better(apps, None)
    assert rows.get(code="executor-memory").remedy_en == "Ask Anne."
    assert "OutOfMemoryError|GC overhead" in rows.get(code="executor-memory").pattern, "nothing of it is changed"
    assert not rows.get(code="arguments-wrong").enabled, "switched off as it was, and better"
    assert "^usage: " in rows.get(code="arguments-wrong").pattern
    assert rows.get(code="quota").pattern == "my trouble"
    edited = ("executor-memory", "arguments-wrong", "quota")
    same = [row for row in rows.order_by("code").values() if row["code"] not in edited]
    assert [without_times(row) for row in same] == [without_times(row) for row in before if row["code"] not in edited]
    newer.as_before(apps, None)
    assert rows.get(code="quota").pattern == "my trouble", "it is not the portal's"


def without_times(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("id", "updated_at")}


# ── on recoveries ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def yarn() -> Iterator[Sandbox]:
    with Sandbox(mode="yarn", post_cost=0.0, speed=50.0, retain=100_000) as box:
        yield box


@pytest.mark.parametrize(
    ("jar_args", "code"),
    [
        ("--throw", "exception"),
        (["--strict", "--date 1 --table t"], "arguments-not-split"),
        ("--date", "arguments-wrong"),
    ],
)
def test_jobs_of_the_sandbox_are_explained(portal: Portal, jar_args: Any, code: str) -> None:
    row = portal.run(portal.file(jar_args), seconds=120)
    assert row.state == State.FAILED
    assert code_of(explain(row, RecoveryLog.objects.get(pk=row.pk))) == code


def test_an_unknown_queue_on_yarn_is_explained(portal: Portal, yarn: Sandbox) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(base_url=yarn.url)
    portal.profile.queue = "nope"
    portal.profile.save()
    row = portal.run(portal.file(), seconds=200)
    assert row.state in (State.FAILED, State.LOST)
    assert code_of(explain(row, RecoveryLog.objects.get(pk=row.pk))) == "queue-unknown"


def test_what_livy_refuses_is_said_and_what_a_log_says_is_a_guess() -> None:
    words = "Blacklisted configuration values in session config: spark.odd.key"
    refused = make_recovery(state="refused", outcome_words=words)
    (said,) = explain(refused, None)
    assert said.found.certainty is Certainty.SAID
    failed = make_recovery(state="failed")
    log = RecoveryLog.objects.create(recovery=failed, output="x\nOutOfMemoryError")
    assert explain(failed, log)[0].found.certainty is Certainty.PROBABLE


def test_a_waiting_one_is_explained_by_its_gateways_words() -> None:
    row = make_recovery()
    assert explain(row, None) == []
    words = "Rejected, too many sessions are being created!"
    Gateway.objects.filter(pk=row.gateway_id).update(submit_condition="too_many_sessions", submit_words=words)
    assert code_of(explain(Recovery.objects.for_list().get(pk=row.pk), None)) == "too-many-sessions"


@pytest.mark.parametrize("state", ["succeeded", "cancelled", "running", "starting", "submitting"])
def test_what_has_not_failed_is_not_explained(state: str) -> None:
    row = make_recovery(state=state)
    assert explain(row, RecoveryLog(recovery=row, output="OutOfMemoryError")) == []


def test_a_page_does_not_wait_for_ever_and_a_bad_pattern_stops_nobody() -> None:
    ticks = count(step=explaining.SECONDS)
    assert explain_texts({LOG: "OutOfMemoryError"}, clock=lambda: float(next(ticks))) == []
    FailureSignature.objects.filter(code="exception").update(pattern="(")
    FailureSignature.objects.filter(code="executors-lost").update(pattern=r"(\w+)+x")
    FailureSignature.objects.filter(code="table-missing").update(pattern=r"(?:\w+){26}")  # taken once, not any more
    assert code_of(explain_texts({LOG: "OutOfMemoryError\n" + "w" * 25})) == "memory"


# ── kept by operators ───────────────────────────────────────────────────────────────────────────────────────────


def signature_values(code: str = "mine") -> dict[str, Any]:
    texts = dict.fromkeys(("cause_fr", "cause_en", "remedy_fr", "remedy_en"), "words")
    return {"code": code, "pattern": "my trouble", "order": 1} | texts


def signature(**values: Any) -> FailureSignature:
    return FailureSignature(**signature_values() | values)


def test_one_of_an_operator_is_stored_with_its_author() -> None:
    by = make_user()
    row = save_signature(signature=signature(change="driverMemory x2"), by=by)
    assert code_of(explain_texts({LOG: 'my trouble: Exception in thread "main" x.OutOfMemoryError'})) == "mine"
    assert row.history.get().history_user == by
    row.enabled = False
    save_signature(signature=row, by=by)
    assert code_of(explain_texts({LOG: 'my trouble: Exception in thread "main" x.OutOfMemoryError'})) == "driver-memory"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"pattern": r"(a+)+b"}, "pattern_slow"),
        ({"pattern": "("}, "pattern"),
        ({"change": "rm -rf"}, "remedy_line"),
        ({"in_log": False, "in_words": False, "in_diagnostics": False}, "looks_nowhere"),
    ],
)
def test_a_bad_one_is_not_stored(values: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        save_signature(signature=signature(**values), by=make_user())
    assert [problem.code for problem in refused.value.problems] == [code]
    assert not FailureSignature.objects.filter(code="mine").exists()


# ── the remedy ──────────────────────────────────────────────────────────────────────────────────────────────────


TASK = "ERROR X: Lost task 0.3 in stage 1.0 (TID 7) (worker7 executor 1):"


def failed(output: str, **fields: Any) -> tuple[Recovery, RecoveryLog]:
    row = make_recovery(profile=make_profile(**fields), state="failed", jar_args="--date 20240101 --table 'a b'")
    return row, RecoveryLog.objects.create(recovery=row, output=output)


def remedy(row: Recovery, log: RecoveryLog, code: str) -> Remedy:
    found = remedy_for(row, log, FailureSignature.objects.get(code=code).pk)
    assert found is not None
    return found


def test_twice_the_memory_of_what_it_had_then() -> None:
    row, log = failed(f"{TASK} java.lang.OutOfMemoryError: Java heap space", executor_memory="3g")
    one = remedy(row, log, "executor-memory")
    changes = remedied(row, {"jar_path": None, "jar_args": None, "profile": None}, one, given={})
    assert changes["overrides"] == {"executor_memory": "6g"}
    payload, _mode, _raw = resubmission_payload(recovery=row, **changes)
    assert payload.executor_memory == "6g"
    assert payload.args == tuple(row.args)
    assert would_change(row, one.explanation) == [("executorMemory", "3g", "6g")]


def test_cut_arguments_become_a_list() -> None:
    row, log = failed("RECOVERY unknown option <--date 20240101 --table 'a b'>")
    one = remedy(row, log, "arguments-not-split")
    assert one.splits
    changes = remedied(row, {}, one, given={})
    assert changes == {"jar_args": ["--date", "20240101", "--table", "a b"], "overrides": None}
    edited = remedied(row, {"jar_args": "--date 20240102"}, one, given={})
    assert edited["jar_args"] == ["--date", "20240102"]
    with pytest.raises(InvalidInput):
        remedied(row, {"jar_args": "--date '1"}, one, given={})
    Recovery.objects.filter(pk=row.pk).update(args_mode="list")
    row.refresh_from_db()
    assert remedied(row, {"jar_args": ["a b", "c"]}, one, given={})["jar_args"] == ["a", "b", "c"]
    assert remedied(row, {}, one, given={})["jar_args"] == ["--date", "20240101", "--table", "a b"]


def test_a_remedy_that_would_change_nothing_says_so() -> None:
    row, log = failed("unknown option <--date 20240101 --table 'a b'>", args_mode="split")
    one = remedy(row, log, "arguments-not-split")
    assert would_change(row, one.explanation) == []
    Recovery.objects.filter(pk=row.pk).update(raw_jar_args="--date '1")
    row.refresh_from_db()
    assert [field for field, _then, _now in would_change(row, one.explanation)] == ["args"]


def test_a_value_that_is_asked_for_is_checked_as_any_other() -> None:
    row, log = failed("Error: Failed to load class X.")
    one = remedy(row, log, "class-missing")
    assert one.asked == ["className"]
    changes = remedied(row, {}, one, given={"className": "com.example.Main"})
    assert resubmission_payload(recovery=row, **changes)[0].class_name == "com.example.Main"
    with pytest.raises(InvalidInput):
        resubmission_payload(recovery=row, **remedied(row, {}, one, given={"className": "no class"}))


def test_a_refused_setting_is_taken_out() -> None:
    profile = make_profile(conf={"spark.odd.key": "1", "spark.kept": "2"})
    words = "Blacklisted configuration values in session config: spark.odd.key"
    row = make_recovery(profile=profile, state="refused", outcome_words=words)
    one = remedy_for(row, None, FailureSignature.objects.get(code="blacklisted-conf").pk)
    assert one is not None
    assert remedied(row, {}, one, given={})["overrides"] == {"conf": {"spark.kept": "2"}}


def test_all_refused_settings_are_taken_out() -> None:
    profile = make_profile(conf={"spark.odd-key": "1", "spark.other": "2", "spark.kept": "3"})
    words = "Blacklisted configuration values in session config: spark.odd-key, spark.other"
    row = make_recovery(profile=profile, state="refused", outcome_words=words)
    one = remedy_for(row, None, FailureSignature.objects.get(code="blacklisted-conf").pk)
    assert one is not None
    assert remedied(row, {}, one, given={})["overrides"] == {"conf": {"spark.kept": "3"}}


def test_a_remedy_is_to_be_had_only_where_its_signature_fits() -> None:
    row, log = failed(f"{TASK} java.lang.OutOfMemoryError")
    assert remedy_for(row, log, FailureSignature.objects.get(code="driver-memory").pk) is None, "it does not fit"
    assert remedy_for(row, log, FailureSignature.objects.get(code="exception").pk) is None, "it changes nothing"
    fits = FailureSignature.objects.get(code="executor-memory")
    assert remedy_for(row, log, fits.pk) is not None
    FailureSignature.objects.filter(pk=fits.pk).update(enabled=False)
    assert remedy_for(row, log, fits.pk) is None
    running = make_recovery(state="running")
    FailureSignature.objects.filter(pk=fits.pk).update(enabled=True)
    assert remedy_for(running, log, fits.pk) is None


def test_a_signature_that_is_saved_unchanged_leaves_no_line(db: None) -> None:
    row, by = FailureSignature.objects.get(code="exception"), make_user()
    lines = row.history.count()
    save_signature(signature=row, by=by)
    assert row.history.count() == lines
    row.order += 1
    save_signature(signature=row, by=by)
    first, second = row.history.order_by("history_id")
    assert (lines, first.order, first.history_user, second.order) == (0, row.order - 1, None, row.order)
    row.order += 1
    save_signature(signature=row, by=by)
    assert row.history.count() == 3
