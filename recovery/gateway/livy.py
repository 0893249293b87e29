"""Livy's batches through Knox: `KnoxLivyClient`.

Two ways to make one: `KnoxLivyClient.at(endpoint, pacing=…)` for the portal, and the guide's keywords for a plain
Python shell (docs/reference/guide.fr.md):

    KnoxLivyClient(knox_host=Config.KNOX_HOST, ad_user=Config.AD_USER, …).submit_jar(jar_path, jar_args)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from recovery.conf import Config, gateway_url
from recovery.domain.gateways import AuthKind, Condition
from recovery.domain.pacing import Pacing
from recovery.domain.payload import Payload
from recovery.gateway import wire
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, Garbled, NotFound, NotSent
from recovery.gateway.transport import Answer, Call, Sender, Transport
from recovery.gateway.wire import Batch, BatchPage, LogPage, Version


class KnoxLivyClient:
    """One gateway's batches. Not for use by several threads at once; close it, or use it in a `with`."""

    def __init__(
        self,
        *,
        knox_host: str,
        ad_user: str,
        ad_password: str = "",
        jars: Iterable[str] = (),
        files: Iterable[str] = (),
        conf: Mapping[str, str] | None = None,
        archives: Iterable[str] = (),
        py_files: Iterable[str] = (),
        topology: str | None = None,
        verify: bool | str | None = None,
    ) -> None:
        """The guide's constructor. `topology` and `verify` (False, or a CA file) come from the environment when
        unsaid: KNOX_TOPOLOGY, KNOX_VERIFY_TLS, KNOX_CA_BUNDLE."""
        if verify is None:
            verify = (Config.KNOX_CA_BUNDLE or True) if Config.KNOX_VERIFY_TLS else False
        endpoint = Endpoint(
            base_url=gateway_url(knox_host, topology or Config.KNOX_TOPOLOGY),
            auth=AuthKind.BASIC,
            user=ad_user,
            secret=ad_password,
            verify_tls=verify is not False,
            ca_bundle=verify if isinstance(verify, str) else "",
        )
        self._setup(endpoint, Pacing(), None)
        self._extras: dict[str, Any] = {
            "jars": tuple(jars),
            "files": tuple(files),
            "archives": tuple(archives),
            "py_files": tuple(py_files),
            "conf": dict(conf or {}),
        }

    @classmethod
    def at(cls, endpoint: Endpoint, *, pacing: Pacing | None = None, transport: Sender | None = None) -> Self:
        """A client of one endpoint; `transport` is injected by tests."""
        client = cls.__new__(cls)
        client._setup(endpoint, pacing or Pacing(), transport)
        return client

    def _setup(self, endpoint: Endpoint, pacing: Pacing, transport: Sender | None) -> None:
        self.endpoint = endpoint
        self._pacing = pacing
        self._extras = {}
        self._transport: Sender = transport or Transport(
            endpoint, connect_timeout=pacing.connect_timeout, read_timeout=pacing.read_timeout
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the kept connections back."""
        self._transport.close()

    def create(
        self, body: str, *, name: str | None, deadline: float, last_act: Callable[[], None] | None = None
    ) -> Batch:
        """`POST /batches` with the frozen text `body`, once, on a connection of its own (P4).

        `deadline` in seconds. Raises NotSent, Refused, DuplicateName, Ambiguous, or what `last_act` raises.
        """
        answer = self._transport.send(
            Call(
                method="POST",
                url=self.endpoint.livy("batches"),
                body=body.encode(),
                deadline=deadline,
                fresh=True,
                last_act=last_act,
            )
        )
        return wire.read_created(answer, name=name, secret=self.endpoint.secret)

    def get(self, name_or_id: str | int) -> Batch:
        """One batch. Raises NotFound (Livy does not know it), NotSent (no answer)."""
        batch = wire.shaped(wire.batch_of, self._get("batches", name_or_id))
        if isinstance(name_or_id, str) and batch.name != name_or_id:
            raise NotSent(f"asked for {name_or_id}, told of {batch.name}", condition=Condition.GARBLED)
        return batch

    def list(self, *, start: int = 0, size: int = 100, pass_over: wire.PassOver | None = None) -> BatchPage:
        """A page of all batches that Livy holds, in its own order, without those that `pass_over` leaves out."""
        value = self._get("batches", query=f"from={start}&size={size}")
        return wire.shaped(partial(wire.page_of, pass_over=pass_over), value)

    def state(self, name_or_id: str | int) -> str:
        """The state's word alone. It carries no identity: the follower uses `get`."""
        value = self._get("batches", name_or_id, "state")
        if not isinstance(value, Mapping) or not isinstance(value.get("state"), str):
            raise NotSent("an answer of another shape", condition=Condition.GARBLED)
        return str(value["state"])

    def log(self, name_or_id: str | int, *, size: int = -1) -> LogPage:
        """The log that Livy keeps, its last 200 lines and markers. Raises Forbidden without the right to view."""
        return wire.shaped(wire.log_of, self._get("batches", name_or_id, "log", query=f"size={size}"))

    def delete(self, name_or_id: str | int) -> None:
        """End and forget a batch; blocks in Livy, and Knox cuts it. Raises NotFound, NotSent, Ambiguous.

        The identity is the caller's matter: read the batch first, or delete by name.
        """
        url = self.endpoint.livy("batches", name_or_id)
        answer = self._transport.send(Call(method="DELETE", url=url, deadline=self._pacing.read_timeout))
        wire.read_deleted(answer, secret=self.endpoint.secret)

    def version(self) -> Version:
        """Livy's version."""
        return wire.shaped(wire.version_of, self._get("version"))

    def is_free(self, name: str) -> bool:
        """P3: True when Livy itself says that it knows no batch of this name."""
        try:
            self.get(name)
        except NotFound:
            return True
        return False

    def submit_jar(self, jar_path: str, jar_args: str) -> dict[str, Any]:
        """The guide's door: POST its payload, sizes, queue and proxyUser from `Config`, and give Livy's answer.

        It sends no name, so nothing protects it from a second start after a lost answer: people at a shell only.
        """
        payload = Payload(
            file=jar_path,
            args=(jar_args,) if jar_args else (),
            driver_memory=Config.LIVY_DRIVER_MEMORY,
            driver_cores=Config.LIVY_DRIVER_CORES,
            executor_memory=Config.LIVY_EXECUTOR_MEMORY,
            executor_cores=Config.LIVY_EXECUTOR_CORES,
            num_executors=Config.LIVY_NUM_EXECUTORS,
            queue=Config.LIVY_QUEUE or None,
            proxy_user=Config.PROXY_USER or None,
            class_name=Config.LIVY_CLASS_NAME or None,
            **self._extras,
        )
        answer = self._transport.send(
            Call(
                method="POST",
                url=self.endpoint.livy("batches"),
                body=payload.text().encode(),
                deadline=self._pacing.try_deadline,
                fresh=True,
            )
        )
        wire.read_created(answer, name=None, secret=self.endpoint.secret)
        result: dict[str, Any] = json.loads(answer.body)
        return result

    def _get(self, *segments: str | int, query: str = "") -> Any:
        call = Call(method="GET", url=self.endpoint.livy(*segments, query=query), deadline=self._pacing.get_deadline)
        return wire.read_value(answer_of(self._transport, call), secret=self.endpoint.secret)


def answer_of(transport: Sender, call: Call) -> Answer:
    """The answer to a GET. It changes nothing, so no answer is just "no answer": NotSent."""
    try:
        return transport.send(call)
    except Ambiguous as error:
        condition = Condition.GARBLED if isinstance(error, Garbled) else Condition.TIMEOUT
        raise NotSent(error.words, condition=condition, status=error.status) from error
