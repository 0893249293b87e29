"""Convention 2: `services/transitions.py` is the only writer of a recovery's state; filing sets the first one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.code import called, calls, constants, keyword, modules, shown, tree

WRITER = "recovery/services/transitions.py"
FIRST_STATE = "recovery/services/filing.py"


def dictionary_keys(node: ast.AST | None) -> set[str]:
    """Keys of every dictionary literal inside (`{…} | {…}`, `{**a, …}`)."""
    inside = ast.walk(node) if node is not None else ()
    return {
        key for one in inside if isinstance(one, ast.Dict) for k in one.keys if k is not None for key in constants(k)
    }


def writes(module: ast.Module) -> Iterator[str]:
    """Each place that may write the column `state`."""
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=targets):
                yield from (f"assigns .state, line {node.lineno}" for t in targets for _ in state_targets(t))
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
                yield from (f"assigns .state, line {node.lineno}" for _ in state_targets(target))
            case ast.Call():
                yield from written_by_call(node)


def state_targets(target: ast.expr) -> Iterator[ast.expr]:
    return (one for one in ast.walk(target) if isinstance(one, ast.Attribute) and one.attr == "state")


def written_by_call(call: ast.Call) -> Iterator[str]:
    name, where = called(call), f"line {call.lineno}"
    if name in {"update", "create", "get_or_create", "update_or_create", "bulk_create", "aupdate", "Recovery"}:
        given = {one.arg for one in call.keywords}
        spread = {key for one in call.keywords if one.arg in {None, "defaults"} for key in dictionary_keys(one.value)}
        if "state" in given | spread:
            yield f"{name}(state=…), {where}"
    if name in {"bulk_update", "save"}:
        fields = keyword(call, "update_fields") or keyword(call, "fields") or (call.args[-1] if call.args else None)
        inside = ast.walk(fields) if fields is not None else ()
        if any("state" in constants(one) for one in inside if isinstance(one, ast.expr)):
            yield f"{name}(… 'state' …), {where}"
    if name in {"advance", "note"} and "state" in dictionary_keys(keyword(call, "changes")):
        yield f"{name}(changes={{'state': …}}), {where}"
    if name in {"setattr", "__setattr__"} and any("state" in constants(one) for one in call.args[1:2]):
        yield f"setattr(…, 'state', …), {where}"
    if name in {"execute", "raw", "RawSQL"} and any(
        "update" in text.lower() for a in call.args for text in constants(a)
    ):
        yield f"{name}('UPDATE …'), {where}"


def test_no_other_module_writes_a_state() -> None:
    found = {shown(path): list(writes(tree(path))) for path in modules("recovery", "recovery_portal")}
    found = {path: places for path, places in found.items() if places}
    assert set(found) <= {WRITER, FIRST_STATE}, found
    assert [place.split(",")[0] for place in found[FIRST_STATE]] == ["create(state=…)"]


def test_the_writer_updates_by_the_legal_sources() -> None:
    """The one UPDATE of a state is filtered: `filter(…, state__in=…)`."""
    filters = [call for call in calls(next(p for p in modules("recovery/services") if shown(p) == WRITER))
               if called(call) == "filter"]  # fmt: skip
    assert any(one.arg == "state__in" for call in filters for one in call.keywords)


@pytest.mark.parametrize(
    "code",
    [
        "row.state = State.LOST",
        "row.state, row.x = a, b",
        "row.state += 'x'",
        "row.state: str = 'lost'",
        "Recovery.objects.filter(pk=1).update(state='lost')",
        "rows.update(**{'state': 'lost'})",
        "rows.update(**{**more, 'state': 'lost'})",
        "Recovery(state='lost').save()",
        "Recovery.objects.create(state='lost')",
        "Recovery.objects.update_or_create(pk=1, defaults={'state': 'lost'})",
        "Recovery.objects.bulk_update(rows, ['state'])",
        "row.save(update_fields=['outcome', 'state'])",
        "transitions.note(1, 'x', changes={'state': 'lost'})",
        "transitions.note(1, 'x', changes={'a': 1} | {'state': 'lost'})",
        "setattr(row, 'state', 'lost')",
        "cursor.execute('UPDATE recovery_recovery SET state = 1')",
    ],
)
def test_the_search_finds_each_way_to_write_one(code: str) -> None:
    assert list(writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "x = row.state",
        "row.livy_state = 'running'",
        "rows.filter(state='lost').update(outcome='x')",
        "transitions.advance(1, State.LOST, kind='lost', changes={'outcome': 'x'})",
        "row.save(update_fields=['outcome'])",
        "row.state == 'lost'",
    ],
)
def test_the_search_leaves_the_rest_alone(code: str) -> None:
    assert not list(writes(ast.parse(code)))
