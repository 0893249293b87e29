"""Following a gateway's batches (F1, F3): single reads, or pages of Livy's list where those are the cheaper way.

Where pages are read, the whole list is looked through each time, at the pace of the youngest batch. Only what differs
from the row is worked on; the rows of batches that just go on are written about once a minute, many in one UPDATE. In
between a batch that says what it said when its row was last found right is passed over: nothing is read of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

from django.conf import settings

from recovery.domain import verdicts
from recovery.domain.states import FOLLOWED, State
from recovery.gateway.errors import NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch, BatchPage, PassOver
from recovery.models import Gateway, Recovery
from recovery.models.recovery import RecoveryQuerySet
from recovery.services import attempts, gateways, leases, listing, observing, stopping, witnesses
from recovery.services.clock import Clock, database_now, seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.submission import look
from recovery.services.wake import LOGS, send

T = TypeVar("T")
SINGLES = 200
"""Single reads of one pass at most: a gateway's budget, with those of `log_reading`."""
STOPS = 2
"""Cancels that are carried out in one pass."""
CHUNK = 500
"""Rows in one statement."""
_RIGHT: dict[int, dict[str, int]] = {}
"""Gateway → what each batch said when this process last found its row as it says (`BatchPage.marks`). Only a short cut:
each row is compared again about once a minute, and whenever its batch says something else."""


class Known(NamedTuple):
    """The columns that tell whether a batch of the list is still as its row says."""

    pk: int
    batch_name: str
    state: str
    livy_id: int | None
    livy_state: str
    app_id: str
    owner: str
    proxy_user: str
    spark_ui_url: str
    driver_log_url: str
    terminal_word: str
    gone_looks: int
    cancel_requested_at: datetime | None
    next_action_at: datetime | None
    log_due_at: datetime | None

    def goes_on_as(self, batch: Batch) -> bool:
        """It lives, and nothing about it is new."""
        if self.terminal_word or self.gone_looks or self.cancel_requested_at or self.log_due_at is None:
            return False
        if verdicts.is_terminal(batch.state) or (batch.state == "running" and self.state == State.STARTING):
            return False
        return all(getattr(self, column) == value for column, value in attempts.facts_of(batch).items())

    def is_waited_for(self, batch: Batch, now: datetime) -> bool:
        """What it says is on the row already, and the row's time has not come."""
        later = self.next_action_at is not None and self.next_action_at > now
        return later and bool(self.terminal_word) and self.terminal_word == batch.state


def follow_due(*, gateway_id: int, clock: Clock = database_now, client_for: ClientFactory = open_client) -> int:
    """Look at the due batches of one gateway; how many were seen. One follower per gateway, by a lease (F1)."""
    name, lasting = f"follow:{gateway_id}", settings.RECOVERY_PACING.follow_lease
    with leases.held(name, lasting=lasting, clock=clock) as holder:
        gateway, began = Gateway.objects.get(pk=gateway_id), clock()
        if holder is None or gateways.is_resting(gateway, began):
            return 0
        due = _due(gateway, began).count()
        if not due and not listing.is_due(gateway, began):
            return 0
        renew = leases.Renewal(name, holder, lasting=lasting, clock=clock)
        pass_ = _Pass(gateway, renew, clock, began=began)
        try:
            with client_for(gateway) as client:
                pass_.run(client, due)
        except NotSent as error:
            gateways.record_condition(gateway, error, now=clock())
            return pass_.seen
        finally:
            if pass_.ended:
                send(LOGS, gateway_id)
        gateways.record_seen(gateway, now=clock())
    return pass_.seen


class _Pass:
    """One look at everything of a gateway that is due."""

    def __init__(self, gateway: Gateway, renew: leases.Renewal, clock: Clock, *, began: datetime) -> None:
        self._gateway = gateway
        self._renew = renew
        self._clock = clock
        self._began = began
        self._to_stop: list[Recovery] = []
        self._shown: list[Batch] = []
        self._right: dict[str, int] = {}
        self.seen = 0
        self.ended = 0
        """Batches of which the final log is wanted now."""

    def run(self, client: KnoxLivyClient, due: int) -> None:
        """Read every row first, then stop a few: a DELETE blocks for up to 20 s, and the others must not wait.

        Raises NotSent when the gateway does not answer as Livy.
        """
        followed = Recovery.objects.filter(gateway=self._gateway).followed().count()
        listed = listing.is_due(self._gateway, self._began)
        if listing.is_cheaper(due=due, followed=followed, listed=listed):
            self._by_list(client)
            listed = True
        if listed:
            listing.plan_next(self._gateway, followed=followed, now=self._clock())
        self._one_by_one(client)
        witnesses.remember(self._gateway, self._shown, now=self._clock())
        for row in self._to_stop[:STOPS]:
            if not self._renew(surely=True):
                break
            stopping.stop(recovery=row, client=client, clock=self._clock)

    def _by_list(self, client: KnoxLivyClient) -> None:
        """A missing one proves nothing (contract §4): its row stays due, and is read singly."""
        # what comes due before the next list is not read singly
        soon = self._began + seconds(settings.RECOVERY_PACING.poll_old)
        right = _RIGHT.get(self._gateway.pk, {})
        pass_over = self._unless_due(right, soon)
        for page in listing.pages(client, pass_over):
            if not self._renew():
                break
            self.seen += len(page.passed_over)
            self._right |= {name: right[name] for name in page.passed_over}
            self._look_at(client, page, soon)
            self._shown += witnesses.worth_knowing(self._gateway, page.batches)
        _RIGHT[self._gateway.pk] = self._right

    def _unless_due(self, right: dict[str, int], soon: datetime) -> PassOver:
        """Passes over what says the same as before: but for rows that are to be written, and for witnesses."""
        rows = Recovery.objects.filter(gateway=self._gateway, next_action_at__lte=soon).followed().order_by()
        due = set(rows.values_list("batch_name", flat=True)) if right else set()
        numbers = {witness["id"] for witness in self._gateway.witnesses}
        too_few = len(numbers) < witnesses.KEPT

        def pass_over(name: str, number: object, mark: int) -> bool:
            return right.get(name) == mark and name not in due and number not in numbers and not too_few

        return pass_over

    def _look_at(self, client: KnoxLivyClient, page: BatchPage, soon: datetime) -> None:
        now, quiet, news = self._clock(), [], []
        named = {batch.name: batch for batch in page.batches if batch.name}
        marks = {batch.name: mark for batch, mark in zip(page.batches, page.marks, strict=True) if batch.name}
        for row in _known(self._gateway, list(named)):
            batch = named[row.batch_name]
            if row.goes_on_as(batch):
                self.seen += 1
                self._right[row.batch_name] = marks[row.batch_name]
                if row.next_action_at is not None and row.next_action_at <= soon:
                    quiet.append(row.pk)
            elif not row.is_waited_for(batch, now):
                news.append(row.pk)
        for pks in _chunks(quiet):
            # a cancel that was asked for meanwhile keeps its time
            rows = Recovery.objects.filter(pk__in=pks, state__in=FOLLOWED, cancel_requested_at__isnull=True)
            rows.update(seen_at=now, next_action_at=now + seconds(settings.RECOVERY_PACING.listed_again))
        for pks in _chunks(news):
            rows = Recovery.objects.filter(pk__in=pks).followed().select_related("gateway")
            for recovery in rows.order_by("livy_id"):
                if not self._renew():
                    return
                self._observe(client, recovery, named[recovery.batch_name])

    def _one_by_one(self, client: KnoxLivyClient) -> None:
        for row in _due(self._gateway, self._began).select_related("gateway")[:SINGLES]:
            if not self._renew():
                return
            try:
                batch = look(client, row.batch_name)
                self._observe(client, row, batch)
                self._shown += [batch] if batch is not None else []
            except NotSent as error:
                gateways.stop_unless_alive(client, error)
                later = self._clock() + seconds(settings.RECOVERY_PACING.poll_old)
                Recovery.objects.filter(pk=row.pk, state__in=FOLLOWED).update(next_action_at=later)

    def _observe(self, client: KnoxLivyClient, row: Recovery, batch: Batch | None) -> None:
        if observing.observe(recovery=row, batch=batch, client=client, clock=self._clock):
            self._to_stop.append(row)
        self.seen += 1
        self.ended += batch is not None and verdicts.is_terminal(batch.state)


def _due(gateway: Gateway, now: datetime) -> RecoveryQuerySet:
    """The rows to be read. Where the list is read soon anyway, only what an asked-for cancel waits for."""
    rows = Recovery.objects.due(now).filter(gateway=gateway).followed()
    if listing.is_near(gateway, now):
        rows = rows.filter(cancel_requested_at__isnull=False)
    return rows


def _known(gateway: Gateway, names: Sequence[str]) -> Iterable[Known]:
    for some in _chunks(names):
        rows = Recovery.objects.filter(gateway=gateway, batch_name__in=some).followed().order_by()
        for values in rows.values_list(*Known._fields):
            yield Known(*values)


def _chunks(values: Sequence[T]) -> Iterable[Sequence[T]]:
    rest = iter(values)
    while some := list(islice(rest, CHUNK)):
        yield some
