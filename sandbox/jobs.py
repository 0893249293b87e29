"""The fate of a job, decided at its start from what was posted: how long, how it ends, what it prints and when.

Durations are those measured, in virtual seconds: a tiny local job 2 s, on YARN 17 s, a submission that YARN never
sees 3 s (real-behaviour.md §a, §m).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.options import Options, parse_options, printed

LOCAL_SECONDS = 2.0
YARN_SECONDS = 17.0
REFUSED_JVM_SECONDS = 0.3
HEAP = "java.lang.OutOfMemoryError: Java heap space"
NEVER_SUBMITTED_SECONDS = 3.0
CONTAINER_REFUSED_SECONDS = 5.0
#: On YARN: when the application exists, when Livy knows its id, its links, and when it runs.
APP_EXISTS, APP_ID_KNOWN, APP_LINKS_KNOWN, APP_RUNS = 3.0, 3.5, 4.5, 7.0
_MEMORY = re.compile(r"[0-9]+[kmgt]b?", re.IGNORECASE)

Line = tuple[float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What spark-submit was given, after Livy's own checks."""

    file: str
    args: tuple[str, ...]
    conf: Mapping[str, str]
    memories: tuple[str, ...] = ()
    cores: tuple[int, ...] = ()
    queue: str | None = None
    #: None: readable; else why not: missing, parent, unreadable, directory.
    file_trouble: str | None = None
    user: str = "livy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    state: str
    seconds: float
    #: exit, throw, no_context, jvm, never_submitted, container; "" for a success.
    cause: str = ""
    detail: str = ""
    options: Options
    work: Work
    mode: str

    @property
    def reaches_yarn(self) -> bool:
        return self.mode == "yarn" and self.cause not in ("jvm", "never_submitted")

    @property
    def final_status(self) -> tuple[str, str]:
        """YARN's state and finalStatus at the end: a job that threw is FINISHED + FAILED (§n)."""
        if self.state == "success":
            return "FINISHED", "SUCCEEDED"
        return ("FAILED", "FAILED") if self.cause in ("container", "no_context") else ("FINISHED", "FAILED")

    def diagnostics(self, app_id: str) -> str:
        """What YARN, or Livy in its place, says about the end."""
        if self.cause in ("jvm", "never_submitted"):
            return "spark-submit start failed"
        if self.cause == "throw":
            return f"User class threw exception: {self.detail}\n\tat RecoveryJob.main(RecoveryJob.java:83)"
        if self.cause == "exit":
            return "Shutdown hook called before final status was reported."
        if self.cause == "no_context":
            return (
                f"Application {app_id} failed 2 times due to AM Container for appattempt exited with "
                " exitCode: 13\nFailing this attempt.Diagnostics: Exception from container-launch."
            )
        return f"Application {app_id} failed 2 times: {self.detail}" if self.cause == "container" else ""


def decide(work: Work, mode: str, queues: Sequence[str]) -> Fate:
    options = parse_options(work.args)

    def fate(state: str, seconds: float, cause: str = "", detail: str = "") -> Fate:
        return Fate(state=state, seconds=seconds, cause=cause, detail=detail, options=options, work=work, mode=mode)

    if any(not _MEMORY.fullmatch(text) for text in work.memories) or any(n <= 0 for n in work.cores):
        seconds = NEVER_SUBMITTED_SECONDS if mode == "yarn" else REFUSED_JVM_SECONDS
        return fate("dead", seconds, "jvm", "Error: Could not create the Java Virtual Machine.")
    if mode == "yarn" and work.queue is not None and work.queue not in queues:
        text = f"application submitted by user {work.user} to unknown queue: {work.queue}"
        return fate("dead", NEVER_SUBMITTED_SECONDS, "never_submitted", text)
    if work.file_trouble is not None:
        return fate("dead", *_unreadable(work, mode))
    if options.crash or options.oom or options.throw:
        detail = options.crash or (HEAP if options.oom else "java.lang.IllegalStateException: RECOVERY asked to throw")
        sleep = 0 if options.crash else options.sleep
        return fate("dead", _seconds(mode) + sleep, "throw", detail)
    if mode == "yarn" and not options.spark:
        return fate("dead", YARN_SECONDS + options.sleep, "no_context")
    if options.strict and options.unknown:
        return fate("dead", _seconds(mode), "exit")
    if options.fail:
        return fate("dead", _seconds(mode) + options.sleep, "exit")
    return fate("success", _seconds(mode) + options.sleep)


def _seconds(mode: str) -> float:
    return YARN_SECONDS if mode == "yarn" else LOCAL_SECONDS


def _unreadable(work: Work, mode: str) -> tuple[float, str, str]:
    """Seconds, cause and words for a file that cannot be had (real-behaviour.md §f, and the last table of §m)."""
    path, who = work.file, f"Permission denied: user={work.user}"
    if work.file_trouble == "unreadable" and mode == "yarn":
        denied = f'exitCode: -1000 Failing this attempt. {who}, access=READ, inode="{path}"'
        return CONTAINER_REFUSED_SECONDS, "container", denied
    if work.file_trouble == "directory" and mode == "yarn":
        return CONTAINER_REFUSED_SECONDS, "container", f"exitCode: -1000 Failed to download resource {path}"
    if work.file_trouble in ("parent", "unreadable"):
        words = f'AccessControlException: {who}, access=EXECUTE, inode="{path}"'
    elif path.startswith("file:"):
        words = f"Warning: Local jar {path} does not exist, skipping.\nError: Failed to load class."
    else:
        words = f"java.io.FileNotFoundException: File does not exist: {path}"
    return NEVER_SUBMITTED_SECONDS, "never_submitted", words


def timeline(fate: Fate, app_id: str) -> list[Line]:
    """Each line of spark-submit's output with the second at which it comes."""
    return list(_client_lines(fate, app_id) if fate.mode == "yarn" else _driver_lines(fate))


def _driver_lines(fate: Fate) -> Iterator[Line]:
    options, work = fate.options, fate.work
    if fate.cause in ("jvm", "never_submitted"):
        yield from ((0.2, line) for line in fate.detail.split("\n"))
        return
    yield 0.4, "WARN NativeCodeLoader: Unable to load native-hadoop library for your platform..."
    yield from ((0.8, line) for line in printed(work.args))
    yield 0.8, f"RECOVERY user.name={work.user} HADOOP_USER_NAME={work.user} pid=4242"
    if options.crash:
        yield from ((1.0, line) for line in _trace(options.crash))
        return
    yield from ((0.9, f"RECOVERY unknown option <{word}>") for word in options.unknown)
    if options.strict and options.unknown:
        return
    yield from ((1.0, f"RECOVERY line {index}") for index in range(options.lines))
    if options.spark:
        yield (
            1.5,
            (
                "RECOVERY spark=3.5.9 appId=local-1700000000000 master=local[1]"
                f" sparkUser={work.user} app.name=recovery {_java(options.table)} {_java(options.date)}"
            ),
        )
        yield 1.6, "RECOVERY rows=1000"
    for second in range(options.sleep):
        yield 1.7 + second + 1, f"RECOVERY slept {second + 1}/{options.sleep}"
    end = 1.8 + options.sleep
    if options.write and options.spark and not options.no_write:
        yield end, f"RECOVERY wrote {options.rows} rows to {options.write}"
    if options.oom or options.throw:
        yield from ((end, line) for line in _trace(fate.detail))
        return
    done = f"RECOVERY done date={_java(options.date)} table={_java(options.table)} exit={options.fail}"
    yield end, done


def _client_lines(fate: Fate, app_id: str) -> Iterator[Line]:
    """In cluster mode only the client's output is here; the job's own stays with its container (§a, fact 11)."""
    yield 1.0, "WARN NativeCodeLoader: Unable to load native-hadoop library for your platform..."
    yield 1.6, "INFO DefaultNoHARMFailoverProxyProvider: Connecting to ResourceManager at /127.0.0.1:18032"
    if not fate.reaches_yarn:
        yield from ((2.5, line) for line in fate.detail.split("\n"))
        return
    yield 1.9, "INFO Client: Requesting a new application from cluster with 1 NodeManagers"
    yield 2.2, "INFO Client: Setting up container launch context for our AM"
    yield 2.9, f"INFO Client: Submitting application {app_id} to ResourceManager"
    yield 3.0, f"INFO YarnClientImpl: Submitted application {app_id}"
    yield 3.2, f"INFO Client: Application report for {app_id} (state: ACCEPTED)"
    yield 3.4, "INFO ShutdownHookManager: Shutdown hook called"


def _trace(exception: str) -> list[str]:
    return [f'Exception in thread "main" {exception}', "\tat RecoveryJob.main(RecoveryJob.java:83)"]


def _java(text: str | None) -> str:
    return "null" if text is None else text
