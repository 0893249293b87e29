"""YARN's ResourceManager: the applications behind the batches, and its REST as Knox passes it on.

Applications are the jobs that reached YARN; they outlive any Livy. Measured in real-behaviour.md §n.
"""

import json
import threading
from collections.abc import Callable, Mapping

from sandbox import jobs
from sandbox.answers import JSON_TYPE, Answer, http_date, to_json
from sandbox.clock import Clock
from sandbox.running import Job, Jobs

_STATES = frozenset({"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED"})
_PACKAGE = "org.apache.hadoop.yarn.webapp"


class Yarn:
    def __init__(self, clock: Clock, running: Jobs, age: float = 0.0) -> None:
        self._clock = clock
        self._jobs = running
        self._lock = threading.Lock()
        self._apps: dict[str, Job] = {}
        self.reachable = True
        self.started_on = self._now_ms() - int(age * 1000)
        self._next = 0

    def next_id(self) -> str:
        with self._lock:
            self._next += 1
            return f"application_{self.started_on}_{self._next:04d}"

    def add(self, job: Job) -> None:
        with self._lock:
            if job.fate.reaches_yarn:
                self._apps[job.app_id] = job

    def restart(self) -> None:
        """Without a state store it forgets all: the same answer as "never existed", save for `startedOn` (§n)."""
        with self._lock:
            self._apps.clear()
            self._next = 0
            self.started_on = max(self._now_ms(), self.started_on + 1)

    def _now_ms(self) -> int:
        return int(self._clock.wall(self._clock.now()) * 1000)

    def apps(self) -> list[Job]:
        now = self._clock.now()
        with self._lock:
            return [job for job in self._apps.values() if job.app_exists(now)]

    def handle(
        self,
        method: str,
        segments: list[str],
        query: Mapping[str, str],
        body: bytes,
        headers: Mapping[str, str],
        user: str,
    ) -> Answer:
        if segments[:2] != ["v1", "cluster"]:
            return Answer(status=404, headers=(("Date", http_date()),))
        match segments[2:]:
            case [] | ["info"] if method in ("GET", "HEAD"):
                return _json({"clusterInfo": self._info()})
            case ["apps"] if method in ("GET", "HEAD"):
                return self._list(query)
            case ["apps", app_id]:
                return self._with_app(app_id, lambda job: _json({"app": self._describe(job)}))
            case ["apps", app_id, "state"] if method == "PUT":
                return self._with_app(app_id, lambda job: self._put_state(job, body, headers, user))
            case ["apps", app_id, "state"]:
                return self._with_app(app_id, lambda job: _json({"state": self._state(job)[0]}))
        return _remote(404, "NotFoundException", "java.lang.Exception: null for uri")

    def _info(self) -> dict[str, object]:
        return {
            "id": self.started_on,
            "startedOn": self.started_on,
            "state": "STARTED",
            "haState": "ACTIVE",
            "rmStateStoreName": "org.apache.hadoop.yarn.server.resourcemanager.recovery.NullRMStateStore",
            "resourceManagerVersion": "3.3.4",
            "hadoopVersion": "3.3.4",
            "haZooKeeperConnectionState": "Could not find leader elector. Verify both HA and automatic failover"
            " are enabled.",
        }

    def _list(self, query: Mapping[str, str]) -> Answer:
        found = self.apps()
        try:
            limit = int(query.get("limit", "1000000"))
            begin = int(query.get("startedTimeBegin", "0"))
        except ValueError:
            return _remote(400, "BadRequestException", "java.lang.Exception: limit value must be a number!")
        if limit <= 0:
            return _remote(400, "BadRequestException", "java.lang.Exception: limit value must be greater then 0")
        tags = _words(query.get("applicationTags"))
        types = _words(query.get("applicationTypes"))
        states = {word.upper() for word in _words(query.get("states"))}
        if states - _STATES:
            words = f"Invalid application-state {sorted(states - _STATES)[0].lower()} specified."
            return _remote(400, "BadRequestException", f"java.lang.Exception: {words}")
        apps = [
            self._describe(job)
            for job in found
            if (not tags or tags & set(job.tags))
            and (not types or "spark" in types)
            and (not states or self._state(job)[0] in states)
            and self._started_ms(job) >= begin
        ]
        # None found is an empty object, not an empty list.
        return _json({"apps": {"app": apps[:limit]} if apps else {}})

    def _with_app(self, app_id: str, then: Callable[[Job], Answer]) -> Answer:
        prefix, _, rest = app_id.partition("_")
        stamp, _, number = rest.partition("_")
        if prefix != "application":
            return _remote(
                400,
                "BadRequestException",
                f"java.lang.IllegalArgumentException: Invalid ApplicationId prefix: {app_id}."
                " The valid ApplicationId should start with prefix application",
            )
        if not (stamp.isdigit() and number.isdigit()):
            return _remote(
                400,
                "BadRequestException",
                f"java.lang.IllegalArgumentException: Invalid ApplicationId: {app_id}",
            )
        with self._lock:
            job = self._apps.get(app_id)
        if job is None or not job.app_exists(self._clock.now()):
            return _remote(404, "NotFoundException", f"java.lang.Exception: app with id: {app_id} not found")
        return then(job)

    def _state(self, job: Job) -> tuple[str, str]:
        now = self._clock.now()
        if not job.over(now):
            running = now >= job.began + jobs.APP_RUNS
            return ("RUNNING" if running else "ACCEPTED"), "UNDEFINED"
        if job.end_state == "killed":
            return "KILLED", "KILLED"
        if job.end_state == "success":
            return "FINISHED", "SUCCEEDED"
        return job.fate.final_status if job.fate.state == "dead" else ("FINISHED", "FAILED")

    def _started_ms(self, job: Job) -> int:
        return int(self._clock.wall(job.began + jobs.APP_EXISTS) * 1000)

    def _describe(self, job: Job) -> dict[str, object]:
        now = self._clock.now()
        state, final = self._state(job)
        over, began = job.over(now), self._started_ms(job)
        finished = int(self._clock.wall(job.ends_at) * 1000) if over else 0
        described: dict[str, object] = {
            "id": job.app_id,
            "user": job.fate.work.user,
            "name": job.started.name or "RecoveryJob",
            "queue": job.fate.work.queue or "default",
            "state": state,
            "finalStatus": final,
            "progress": 100.0 if over else (10.0 if state == "RUNNING" else 0.0),
            "diagnostics": job.diagnostics(now),
            "clusterId": self.started_on,
            "applicationType": "SPARK",
            "applicationTags": ",".join(sorted(job.tags)),
            "startedTime": began,
            "finishedTime": finished,
            "elapsedTime": max(0, (finished or int(self._clock.wall(now) * 1000)) - began),
        }
        if state != "ACCEPTED":
            # Absent while ACCEPTED; emptied by Knox or by the end afterwards.
            described |= {"trackingUrl": "", "amContainerLogs": "", "amHostHttpAddress": ""}
        return described

    def _put_state(self, job: Job, body: bytes, headers: Mapping[str, str], user: str) -> Answer:
        if not headers.get("content-type", "").startswith("application/json"):
            return _remote(500, "WebApplicationException", "javax.ws.rs.WebApplicationException")
        try:
            wanted = json.loads(body)["state"]
        except (ValueError, KeyError, TypeError):
            return _remote(500, "NullPointerException", "java.lang.NullPointerException")
        if wanted != "KILLED":
            return _remote(
                400, "BadRequestException", "java.lang.Exception: Only 'KILLED' is allowed as a target state."
            )
        if not self._jobs.kill(job, user):
            return _json({"state": self._state(job)[0]})
        inner = f"http://127.0.0.1:18038/ws/v1/cluster/apps/{job.app_id}/state"
        return _json({"state": "KILLING"}, 202, ("Location", inner))


def _words(text: str | None) -> set[str]:
    return {word.strip().lower() for word in (text or "").split(",") if word.strip()}


def _json(value: object, status: int = 200, *headers: tuple[str, str]) -> Answer:
    return Answer(
        status=status,
        body=to_json(value),
        content_type=JSON_TYPE,
        headers=(("Cache-Control", "no-cache"), ("Date", http_date()), ("Pragma", "no-cache"), *headers),
        compressible=True,
    )


def _remote(status: int, exception: str, message: str) -> Answer:
    name = f"{_PACKAGE}.{exception}"
    return _json({"RemoteException": {"exception": exception, "message": message, "javaClassName": name}}, status)
