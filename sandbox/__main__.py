"""`python -m sandbox`: prints its base URL on the first line, serves until SIGTERM or SIGINT."""

import argparse
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from sandbox.core import Sandbox
from sandbox.faults import load_faults
from sandbox.settings import DEFAULT_TOKEN, DEFAULT_USERS, Settings


def _account(text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not (user and colon):
        raise argparse.ArgumentTypeError(f"{text!r} is not USER:PASSWORD")
    return user, password


def parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parse = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    add = parse.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0: any free port")
    add("--speed", type=float, default=defaults.speed, help="how much faster than real the cluster lives")
    add("--state-dir", type=Path, metavar="DIR", help="also append the ledger to DIR/ledger.jsonl")
    add("--user", action="append", type=_account, metavar="USER:PASSWORD", help="HTTP basic account, repeatable")
    add(
        "--token",
        action="append",
        metavar="TOKEN",
        help="bearer token (topology tokenbased) of the first user",
    )
    add("--topology", default=defaults.topology)
    add("--mode", choices=("local", "yarn"), default=defaults.mode)
    add("--recovery", action="store_true", help="Livy keeps its batches over a restart (yarn only)")
    add("--impersonation", action="store_true", help="jobs run as the Knox user")
    add("--csrf", action="store_true", help="Livy wants X-Requested-By on POST and DELETE")
    add(
        "--post-cost",
        type=float,
        default=defaults.post_cost,
        help="real seconds per start, under Livy's lock",
    )
    add("--knox-timeout", type=float, default=defaults.knox_timeout, help="real seconds")
    add("--retain", type=float, default=defaults.retain, help="how long ended batches are kept")
    add("--gc-interval", type=float, default=defaults.gc_interval)
    add("--app-lookup", type=float, default=defaults.app_lookup)
    add("--yarn-age", type=float, default=defaults.yarn_age, help="real seconds that YARN has been up")
    add("--max-creation", type=int, default=defaults.max_creation, help="live spark-submit processes")
    add("--default-fs", choices=("file", "hdfs"), default=defaults.default_fs)
    add("--local-dir", action="append", metavar="DIR", help="whitelisted for local files, repeatable")
    add("--hdfs-seed", type=Path, metavar="FILE", help="JSON list of nodes in place of the built-in tree")
    add("--check-hdfs", action="store_true", help="jobs whose hdfs: file is not in the tree die")
    add("--faults", type=Path, metavar="FILE", help="JSON list of faults to arm")
    return parse


def build(arguments: Sequence[str] | None = None) -> Sandbox:
    given = parser().parse_args(arguments)
    users = dict(DEFAULT_USERS)
    if given.user:
        users = dict(given.user)
    first = next(iter(users))
    return Sandbox(
        host=given.host,
        port=given.port,
        speed=given.speed,
        state_dir=given.state_dir,
        users=users,
        tokens=dict.fromkeys(given.token or (DEFAULT_TOKEN,), first),
        topology=given.topology,
        mode=given.mode,
        recovery=given.recovery,
        impersonation=given.impersonation,
        csrf=given.csrf,
        post_cost=given.post_cost,
        knox_timeout=given.knox_timeout,
        retain=given.retain,
        gc_interval=given.gc_interval,
        app_lookup=given.app_lookup,
        yarn_age=given.yarn_age,
        max_creation=given.max_creation,
        default_fs=given.default_fs,
        local_dirs=tuple(given.local_dir or Settings().local_dirs),
        hdfs_seed=given.hdfs_seed,
        check_hdfs=given.check_hdfs,
        faults=load_faults(given.faults) if given.faults else (),
    )


def main() -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with build() as sandbox:
        print(sandbox.url, flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
