"""A batch as Livy holds it: a name, an id, and a view of a job which may be wrong, late or missing.

The view is worked out from time stamps at each look. A batch without a job is a phantom: registered, never started
(real-behaviour.md, fact 1).
"""

from dataclasses import dataclass

from sandbox import jobs
from sandbox.running import Job

TERMINAL = frozenset({"success", "dead", "killed", "error"})
#: How long a batch says `recovering` after a restart with recovery (§g: 0.3–2 s).
RECOVERING_SECONDS = 1.0
STDOUT, STDERR, DIAGNOSTICS = "stdout: ", "\nstderr: ", "\nYARN Diagnostics: "


@dataclass(slots=True, kw_only=True)
class Batch:
    id: int
    name: str | None
    proxy_user: str | None
    #: Livy's own YARN tag; in no answer of the API.
    tag: str
    mode: str
    log_lines: int
    app_lookup: float
    #: Where the links of appInfo point to: the gateway's own address.
    front: str = ""
    job: Job | None = None
    recovered_at: float | None = None
    #: Livy lost sight of the job: says `dead` since then, for that reason, while the job goes on.
    lost_at: float | None = None
    lost_reason: str = ""
    lost_keeps_app_id: bool = False
    #: Says `success` once, then `dead` (0.7 applies spark-submit's exit code late).
    flips: bool = False
    _flipped: bool = False
    #: The description once nothing can change it any more, so that long lists are cheap.
    _settled: dict[str, object] | None = None

    def state(self, now: float) -> str:
        if self.lost_at is not None:
            return "dead"
        job = self.job
        if job is None:
            if self.recovered_at is None:
                return "starting"
            return "recovering" if now < self.recovered_at + self.app_lookup else "dead"
        state = job.state(now)
        if self.recovered_at is not None and (now < self.recovered_at + RECOVERING_SECONDS or state == "starting"):
            return "recovering"
        return "dead" if self._flipped and state == "success" else state

    def read_state(self, now: float) -> str:
        """The state as one GET sees it: the read is what turns a flipping batch."""
        state = self.state(now)
        if self.flips and state == "success":
            self._flipped = True
        return state

    def ended_at(self, now: float) -> float | None:
        """When Livy took it for ended: what the garbage collector counts from. None while it lives."""
        if self.state(now) not in TERMINAL:
            return None
        if self.lost_at is not None:
            return self.lost_at
        if self.recovered_at is None:
            return self.job.ends_at if self.job is not None else None
        if self.job is None:
            return self.recovered_at + self.app_lookup
        return max(self.job.ends_at, self.recovered_at + RECOVERING_SECONDS)

    def lose_sight(self, now: float, reason: str, *, keep_app_id: bool) -> None:
        if self.lost_at is None:
            self.lost_at, self.lost_reason, self.lost_keeps_app_id = now, reason, keep_app_id

    def app_id(self, now: float) -> str | None:
        job = self.job
        if job is None or not job.app_id_known(now) or (self.lost_at is not None and not self.lost_keeps_app_id):
            return None
        return job.app_id

    def log(self, now: float) -> list[str]:
        job = self.job
        if job is None and self.recovered_at is None:
            return []
        kept = [] if job is None or self.recovered_at is not None else job.output(now, self.log_lines)
        lines = [STDOUT, *kept, STDERR]
        if self.mode == "yarn":
            lines += [DIAGNOSTICS, *(line for line in self._diagnostics(now).split("\n") if line)]
        return lines

    def describe(self, now: float) -> dict[str, object]:
        if self._settled is not None:
            return self._settled
        app_id = self.app_id(now)
        state = self.read_state(now)
        described: dict[str, object] = {
            "id": self.id,
            "name": self.name,
            "owner": None,
            "proxyUser": self.proxy_user,
            "state": state,
            "appId": app_id,
            "appInfo": self._links(now, app_id),
            "log": self.log(now)[-10:],
        }
        if state in TERMINAL and not self.flips and self.lost_at is None:
            self._settled = described
        return described

    def forget_settled(self) -> None:
        self._settled = None

    def _links(self, now: float, app_id: str | None) -> dict[str, str | None]:
        job = self.job
        if job is None or app_id is None or now < min(job.began + jobs.APP_LINKS_KNOWN, job.ends_at):
            return {"driverLogUrl": None, "sparkUiUrl": None}
        ui = f"{self.front}/yarnuiv2"
        if job.over(now):
            return {"driverLogUrl": None, "sparkUiUrl": f"{ui}/proxy/{app_id}"}
        container = app_id.replace("application", "container") + "_01_000001"
        return {
            "driverLogUrl": f"{ui}/node/containerlogs/{container}/livy?scheme=http&host=localhost&port=18036",
            "sparkUiUrl": f"{ui}/proxy/{app_id}",
        }

    def _diagnostics(self, now: float) -> str:
        if self.lost_at is not None:
            return self.lost_reason
        if self.job is not None:
            return self.job.diagnostics(now)
        return no_application(self.tag, self.app_lookup) if self.state(now) == "dead" else ""


def no_application(tag: str, seconds: float) -> str:
    return (
        f"No YARN application is found with tag {tag} in {seconds:.0f} seconds. "
        "This may be because 1) spark-submit fail to submit application to YARN; "
        "or 2) YARN cluster doesn't have enough resources to start the application in time. "
        "Please check Livy log and YARN log to know the details."
    )
