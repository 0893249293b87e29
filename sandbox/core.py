"""The sandbox as a test holds it: start, steer, look."""

import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from sandbox import control
from sandbox.answers import Answer
from sandbox.batches import Batch
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.knox import Knox
from sandbox.ledger import Ledger
from sandbox.livy import Cluster
from sandbox.livy_service import Livy
from sandbox.request import Recorded, Request
from sandbox.running import Jobs
from sandbox.server import Server
from sandbox.settings import Settings
from sandbox.webhdfs import WebHdfs
from sandbox.yarn import Yarn

_TICK_SECONDS = 0.05


class Sandbox:
    """`with Sandbox(speed=20) as sb:` serves on 127.0.0.1 until the block ends. Options: `Settings`."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[Fault] = (),
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        self.settings = Settings(**options)
        self._clock = clock or Clock(self.settings.speed)
        self._ledger = Ledger(self.settings.state_dir)
        self._faults = Faults(faults)
        self._jobs = Jobs(self._clock, self._ledger)
        self._yarn = Yarn(self._clock, self._jobs, self.settings.yarn_age)
        self._hdfs = WebHdfs(self.settings.hdfs_seed, check_files=self.settings.check_hdfs)
        self._livy = Livy(
            Cluster(
                clock=self._clock,
                jobs=self._jobs,
                yarn=self._yarn,
                settings=self.settings,
                file_trouble=self._hdfs.file_trouble,
            )
        )
        self._knox = Knox(
            settings=self.settings,
            clock=self._clock,
            livy=self._livy,
            yarn=self._yarn,
            hdfs=self._hdfs,
            faults=self._faults,
        )
        self._server = Server((host, port), self._clock, self.handle, self._control)
        self.port = int(self._server.server_address[1])
        self.root = f"http://{host}:{self.port}"
        #: Base URL with HTTP basic; `token_url` is the same services with bearer tokens.
        self.url = f"{self.root}/gateway/{self.settings.topology}"
        self.token_url = f"{self.root}/gateway/tokenbased"
        self._livy.process.front = self.url
        self._threads: list[threading.Thread] = []

    def start(self) -> "Sandbox":
        for target in (self._serve, self._keep_house):
            thread = threading.Thread(target=target, name=f"sandbox{target.__name__}")
            thread.start()
            self._threads.append(thread)
        return self

    def close(self) -> None:
        if self._clock.closing.is_set():
            return
        self._clock.closing.set()
        self._livy.process.die()
        if self._threads:
            self._server.stop()
        else:
            self._server.server_close()
        self._knox.close()
        for thread in self._threads:
            thread.join()
        self._ledger.close()

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Looking

    @property
    def ledger(self) -> Ledger:
        """What really ran, up to this moment."""
        self._jobs.tick(self._clock.now())
        return self._ledger

    @property
    def requests(self) -> list[Recorded]:
        """Every request through the gateway, in order of arrival, answered or not."""
        return self._server.recorded

    @property
    def tally(self) -> dict[str, dict[str, int]]:
        """Requests through the gateway and bytes of body sent back, by kind of request, since the start."""
        return self._server.tally.read()

    @property
    def generation(self) -> int:
        return self._livy.process.generation

    def batch(self, name: str) -> dict[str, object] | None:
        """What Livy would say of the batch of that name, or None. Not a request, turns no flip."""
        batch = self._livy.process.find(name)
        if batch is None:
            return None
        now = self._clock.now()
        return {"id": batch.id, "name": batch.name, "state": batch.state(now), "appId": batch.app_id(now)}

    def faults_struck(self) -> list[tuple[Fault, int]]:
        """Each armed fault with how often it struck."""
        return self._faults.struck()

    def held(self) -> list[dict[str, object]]:
        """Every batch that Livy holds, in its own order; `started` is false for a phantom."""
        now = self._clock.now()
        return [
            {"id": b.id, "name": b.name, "state": b.state(now), "appId": b.app_id(now), "started": b.job is not None}
            for b in self._livy.process.all()
        ]

    # Steering Livy

    def restart(self, recovery: bool | None = None, graceful: bool = False, downtime: float = 0.0) -> None:
        """Livy ends and starts anew. Recovery off: all forgotten, ids from 0; jobs are killed if graceful, else live
        on. Recovery on (YARN only): ids, names and jobs kept. `downtime`: real seconds of refused connections.
        """
        self._livy.restart(recovery=recovery, graceful=graceful, downtime=downtime)

    def livy_down(self) -> None:
        """Cut the way to Livy: Knox answers 500 at once. Livy's memory is kept; combine with `restart` to lose it."""
        self._livy.reachable = False

    def livy_up(self) -> None:
        self._livy.reachable = True

    def pause(self) -> None:
        """SIGSTOP: connections are accepted, nothing is answered; Knox gives up after `knox_timeout`."""
        self._livy.process.pause()

    def resume(self) -> None:
        """SIGCONT: everything that waited is handled now, however late."""
        self._livy.process.resume()

    def gc(self) -> int:
        """Collect every ended batch now, whatever its age. How many went."""
        return self._livy.process.collect(self._clock.now(), -1.0)

    def finish(self, name: str, state: str = "success") -> int:
        """End every running job of that name (success, dead or killed), as if by itself. How many ended."""
        if state not in ("success", "dead", "killed"):
            raise ValueError(f"a batch cannot end as {state!r}")
        running = [job for job in list(self._jobs.by_seq.values()) if job.started.name == name]
        words = "" if state == "success" else f"Ended by the sandbox as {state}."
        return sum(self._jobs.stop(job, state, words, kind="ended") for job in running)

    # Steering the rest

    def seed(self, bodies: Iterable[Mapping[str, object]], age: float = 60.0) -> list[dict[str, object]]:
        """Many batches at once, each as if its body had been POSTed `age` virtual seconds ago: thousands in a second.

        Id, name and application of each. ValueError for a body that Livy would refuse, or a name that is taken.
        """
        process, now = self._livy.process, self._clock.now()
        seeded = [process.seed(body, age) for body in bodies]
        return [{"id": batch.id, "name": batch.name, "appId": batch.app_id(now)} for batch in seeded]

    def add_fault(self, fault: Fault) -> None:
        self._faults.add(fault)

    def clear_faults(self) -> None:
        self._faults.clear()

    def yarn_down(self) -> None:
        self._yarn.reachable = False

    def yarn_up(self) -> None:
        self._yarn.reachable = True

    def yarn_restart(self) -> None:
        """The ResourceManager forgets all applications; `startedOn` tells. The jobs go on."""
        self._yarn.restart()

    def yarn_slow(self, seconds: float) -> None:
        """What is submitted from now on reaches YARN so many virtual seconds late, whatever becomes of its Livy."""
        self._jobs.lag = seconds

    def hdfs_down(self) -> None:
        self._hdfs.reachable = False

    def hdfs_up(self) -> None:
        self._hdfs.reachable = True

    def knox_restart(self) -> None:
        """Session cookies die; tokens stay valid."""
        self._knox.identities.forget_sessions()

    @property
    def hdfs(self) -> WebHdfs:
        """The pretend HDFS: `sb.hdfs.add(path, Node(...))`."""
        return self._hdfs

    def livy_batches(self) -> list[Batch]:
        """What Livy holds, phantoms included, in its own order."""
        return self._livy.process.all()

    # Running

    def handle(self, request: Request) -> Answer:
        """One request through the gateway; needs no `start`."""
        self._tick()
        return self._knox.handle(request)

    def _control(self, request: Request) -> Answer:
        return control.handle(self, request)

    def _tick(self) -> None:
        now = self._clock.now()
        self._jobs.tick(now)
        self._livy.tick(now)

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.01)

    def _keep_house(self) -> None:
        """Ends are written to the ledger and garbage is collected also when nobody asks."""
        while not self._clock.closing.wait(_TICK_SECONDS):
            self._tick()
