"""The rules: what may happen next, and in the middle of what. Driver: `world.py`; judge: `oracle.py`."""

from __future__ import annotations

from django.contrib.auth.models import User
from hypothesis import assume, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.machine.troubles import ANSWERS, ANY_CALL, OF_DELETE, OF_GET, OF_POST, Act, Trouble
from tests.machine.world import Shape, World

SECONDS = st.sampled_from([0.5, 3, 6, 11, 31, 61, 80, 130, 185, 250])
LONG = st.sampled_from([700.0, 7 * 3600.0, 25 * 3600.0])
INDEX = st.integers(0, 3)
JOB = st.sampled_from([0, 1, 2, 3, 4, 4, 4, 4])
WORDS = st.sampled_from(["success", "dead", "killed"])
KINDS = ["submit", "settle", "follow", "logs", "sweep"]

KEPT = st.sampled_from([300, 600, 600])
YES = st.just(True)
SHAPES = st.one_of(
    st.builds(Shape, retention=KEPT, busy=st.booleans()),
    st.builds(Shape, yarn=YES, yarn_shown=st.booleans(), retention=KEPT, busy=st.booleans()),
    st.builds(Shape, yarn=YES, yarn_shown=YES, retention=KEPT, busy=st.booleans()),
    st.builds(Shape, yarn=YES, yarn_shown=st.booleans(), keeps=YES, busy=st.booleans()),
    st.builds(Shape, yarn=YES, yarn_shown=st.booleans(), livys=st.just(2), busy=st.booleans(), balanced=st.booleans()),
    st.builds(Shape, yarn=st.booleans(), livys=st.just(2), balanced=st.booleans()),
)


def _where(kind: str, *, nested: bool) -> st.SearchStrategy[Trouble]:
    """A trouble that can strike a pass of this kind."""
    calls = {
        "submit": ["POST", "POST", "GET"],
        "settle": ["POST", "GET", "GET", "DELETE", "YARN", "LOG"],
        "follow": ["GET", "GET", "DELETE", "YARN", "LOG"],
        "logs": ["LOG"],
        "sweep": ["GET", "DELETE", "LOG"],
    }
    return st.sampled_from(calls[kind]).flatmap(lambda on: _trouble(on, nested=nested))


def _trouble(on: str, *, nested: bool) -> st.SearchStrategy[Trouble]:
    own = {"POST": OF_POST, "DELETE": OF_DELETE, "GET": OF_GET}.get(on, ())
    families = [st.sampled_from(ANSWERS), st.sampled_from([w for w in ANY_CALL if not nested or "while" not in w])]
    families += [st.sampled_from(own)] * (2 if on == "POST" else 1) if own else []
    return st.builds(
        Trouble,
        on=st.just(on),
        what=st.one_of(families),
        nth=st.sampled_from([1, 1, 1, 2, 3]),
        count=st.integers(0, 12),
        acts=st.just(()) if nested else st.lists(ACTS, min_size=1, max_size=5).map(tuple),
    )


def _passes(*, nested: bool) -> st.SearchStrategy[Act]:
    """A pass of a worker, half of the time with something in its way."""
    return st.sampled_from(KINDS).flatmap(
        lambda kind: st.one_of(
            st.just(("work", kind)), st.tuples(st.just("work"), st.just(kind), _where(kind, nested=nested))
        )
    )


ACTS: st.SearchStrategy[Act] = st.one_of(
    st.just(("expire",)),
    st.tuples(st.just("forward"), SECONDS),
    _passes(nested=True),
    _passes(nested=True),
    st.tuples(st.just("restart"), st.booleans(), st.booleans()),
    st.tuples(st.just("cancel"), INDEX),
    st.tuples(st.just("settle"), INDEX, st.integers(0, 3)),
    st.just(("arrive",)),
    st.just(("turn",)),
    st.just(("until_due", "settle")),
    st.just(("until_due", "follow")),
    st.tuples(st.just("finish"), INDEX, WORDS),
    st.tuples(st.just("impostor"), INDEX),
    st.tuples(st.just("stranger"), st.booleans()),
    st.tuples(st.just("yarn"), st.sampled_from(["silent", "back", "restarted", "slow", "quick"])),
)
RARE: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("forward"), LONG),
    st.tuples(st.just("restart"), st.booleans(), st.booleans(), st.sampled_from([0.0, 30.0, 200.0])),
    st.sampled_from([("livy_down",), ("livy_up",)]),
    st.tuples(st.just("resubmit"), INDEX),
    st.tuples(st.just("settle"), INDEX, st.integers(0, 3)),
    st.tuples(st.just("edit_profile"), st.integers(1, 8)),
    st.tuples(
        st.just("edit_gateway"), st.sampled_from(["pause", "resume", "resume", "one", "many", "many", "follow_only"])
    ),
)


def _maybe(kind: str) -> st.SearchStrategy[list[Trouble]]:
    """What strikes a pass of this kind: mostly one thing."""
    trouble = _where(kind, nested=False)
    return st.one_of(st.just([]), trouble.map(lambda one: [one]), trouble.map(lambda one: [one]),
                     st.lists(trouble, min_size=2, max_size=2))  # fmt: skip


UNHEARD = ["stuck", "stuck", "late", "lost_after", "lost_after", "phantom_lost"]
DOUBTS = st.builds(
    Trouble,
    on=st.just("POST"),
    what=st.sampled_from(
        ["lost_before", "lost_after", "crash_before", "crash_after", "crash_then", "late", "stuck", "phantom_lost"]
    ),
    count=st.integers(0, 12),
) | st.builds(
    Trouble,
    on=st.just("POST"),
    what=st.sampled_from(["meanwhile_before", "meanwhile_after"]),
    acts=st.lists(ACTS, max_size=3).map(lambda acts: (("expire",), *acts)),
)


class Machine(RuleBasedStateMachine):
    """One recovery is at most one batch, whatever breaks, and every recovery reaches an honest end."""

    by: User

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None

    @property
    def it(self) -> World:
        assert self.world is not None
        return self.world

    @initialize(number=st.integers(0, 999), shape=SHAPES)
    def build(self, number: int, shape: Shape) -> None:
        assume(number)  # hypothesis always begins with nought everywhere, which is the same rule again and again
        self.world = World(shape, self.by)

    @rule(job=JOB, trouble=_maybe("submit"))
    def file_and_submit(self, job: int, trouble: list[Trouble]) -> None:
        self.it.file(job)
        self.it.work("submit", *trouble)

    @rule(jobs=st.lists(JOB, min_size=1, max_size=3), trouble=_maybe("submit"))
    def file_and_submit_later(self, jobs: list[int], trouble: list[Trouble]) -> None:
        for job in jobs:
            self.it.file(job)
        self.it.until_due("submit")
        self.it.work("submit", *trouble)

    @rule(trouble=DOUBTS, looks=st.lists(SECONDS, max_size=4))
    def doubt(self, trouble: Trouble, looks: list[float]) -> None:
        """A POST of which nobody knows what became of it, and some looks after that."""
        self.it.file(4)
        self.it.work("submit", trouble)
        self._look(looks)

    @rule(what=st.sampled_from(UNHEARD), turns=st.booleans(), looks=st.lists(SECONDS, min_size=2, max_size=6))
    def no_answer_for_long(self, what: str, turns: bool, looks: list[float]) -> None:
        """The same, looked at until it is decided; where several Livys are, another one answers by then."""
        if turns:
            self.it.file(4)
            self.it.work("submit")
            self.it.forward(6)
            self.it.work("follow")  # sees a witness there
            self.it.forward(31)
            self.it.turn()
        self.it.file(4)
        self.it.work("submit", Trouble(on="POST", what=what))
        if turns:
            self.it.turn()
        self._look(looks)

    def _look(self, pauses: list[float]) -> None:
        for seconds in pauses:
            self.it.forward(seconds)
            self.it.work("sweep")
            self.it.work("settle")

    @rule(trouble=_maybe("settle"), seconds=SECONDS)
    def settle(self, trouble: list[Trouble], seconds: float) -> None:
        self.it.forward(seconds)
        self.it.work("settle", *trouble)

    @rule(trouble=_maybe("settle"), times=st.integers(0, 8))
    def settle_when_due(self, trouble: list[Trouble], times: int) -> None:
        """Some looks that find nothing new, and then one."""
        for _ in range(times):
            self.it.until_due("settle")
            self.it.work("settle")
        self.it.until_due("settle")
        self.it.work("settle", *trouble)

    @rule(trouble=_maybe("follow"))
    def follow(self, trouble: list[Trouble]) -> None:
        self.it.until_due("follow")
        self.it.work("follow", *trouble)
        self.it.work("logs")

    @rule(trouble=_maybe("follow"), index=INDEX)
    def cancel_and_follow(self, trouble: list[Trouble], index: int) -> None:
        self.it.cancel(index)
        self.it.work("follow", *trouble)

    @precondition(lambda self: self.it.shape.yarn and not self.it.shape.keeps and self.it.shape.livys == 1)
    @rule(index=INDEX, seconds=SECONDS)
    def somebody_takes_our_name(self, index: int, seconds: float) -> None:
        self.it.work("follow")
        self.it.impostor(index)
        self.it.forward(seconds)
        self.it.work("follow")

    @rule(trouble=_maybe("sweep"), seconds=SECONDS)
    def sweep(self, trouble: list[Trouble], seconds: float) -> None:
        self.it.forward(seconds)
        self.it.work("sweep", *trouble)

    @rule(seconds=SECONDS)
    def go_on(self, seconds: float) -> None:
        self.it.forward(seconds)
        self.it.round()

    @rule(acts=st.lists(ACTS, min_size=1, max_size=3))
    def things_happen(self, acts: list[Act]) -> None:
        self.it.meanwhile(acts)

    @rule(act=RARE)
    def something_rare_happens(self, act: Act) -> None:
        self.it.meanwhile([act])

    @invariant()
    def holds(self) -> None:
        if self.world is not None:
            self.world.oracle.check()

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            note("heal")
            self.world.heal()
            self.world.to_the_end()
            self.world.oracle.check_end()
        finally:
            self.world.close()
