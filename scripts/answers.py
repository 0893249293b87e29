"""Pages of the demo that answer somebody: what a form, a test or an import has to say. For pictures and for tests.

Each function is given a way to open an address of the portal (`Go`), signed in.
"""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import Page, expect

from scripts.demo import SANDBOX_PASSWORD, SANDBOX_USER

Go = Callable[[str], Page]
LIST = "/admin/recovery/recovery/"
EVENT = (
    "INSERT INTO recovery_recoveryevent (subject_type, subject_id, seq, at, actor_label, kind, cause, data)"
    " VALUES ('recovery', ?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now'), '', ?, '', ?)"
)


def of_a_test(go: Go) -> Page:
    """What a test of a gateway has found."""
    page = go("/admin/recovery/gateway/1/test/")
    page.locator("form button.rp-primary").click()
    page.wait_for_selector(".rp-checks")
    return page


def imported(go: Go) -> Page:
    """What an import would make."""
    page = go("/admin/recovery/livyprofile/import/")
    page.fill("#id_name", "night")
    page.select_option("#id_gateway", index=1)
    page.fill("#id_text", 'LIVY_JARS=hdfs:///libs/a.jar\nLIVY_CONF={"spark.speculation": "yes"}\nELSE=1')
    page.click("button[name=_preview]")
    page.wait_for_selector("button[name=_save]")
    return page


def many(go: Go) -> Page:
    """What a resubmission of some would do."""
    page = go(LIST)
    page.locator("input.action-select").last.check()
    page.select_option("select[name=action]", "resubmit_selected")
    page.locator("#changelist-form button[type=submit]").first.click()
    page.wait_for_selector("form .rp-buttons")
    return page


def edited(go: Go) -> Page:
    """The history of a profile whose configuration, files and groups were changed."""
    page = go("/admin/recovery/livyprofile/1/duplicate/")
    page.fill("#id_name", f"copy-{uuid4().hex[:8]}")
    page.locator("form button.rp-primary").click()
    page.wait_for_url("**/change/")
    change = urlsplit(page.url).path
    for keys in ("spark.sql.shuffle.partitions", "spark.executor.extraJavaOptions"):
        page = go(change)
        page.get_by_role("button", name=re.compile("texte?$")).first.click()
        page.fill("#id_conf", f"{keys}=-Dcom.example.some.property=hdfs:///somewhere/far/away/in/the/lake.properties")
        page.fill("#id_jars", f"hdfs:///libs/{keys}-and-a-name-that-does-not-fit-on-a-phone-3.14.0.jar")
        page.locator("input[name=allowed_groups]").first.click()
        page.locator("button[name=_continue]").first.click()
        page.wait_for_load_state("networkidle")
    page = go(change.replace("/change/", "/history/"))
    expect(page.locator(".rp-history > li")).to_have_count(3)
    return page


def as_it_was(go: Go) -> Page:
    """That profile as it was after the first of its changes, beside what it is today."""
    page = edited(go)
    page.locator(".rp-history > li").nth(1).locator('a[href*="/history/"]').click()
    page.wait_for_selector(".rp-then")
    return page


ANSWERS: dict[str, Callable[[Go], Page]] = {
    "tested": of_a_test, "imported": imported, "many": many, "changes": edited, "then": as_it_was,
}  # fmt: skip


def lose_one(database: Path) -> int:
    """A recovery whose end is not known, and of which a second batch was found: its number. It is written into the
    demo's database, for nothing goes wrong there by itself."""
    with closing(sqlite3.connect(database, timeout=30)) as base, base:
        columns = [row[1] for row in base.execute("PRAGMA table_info(recovery_recovery)") if row[1] != "id"]
        other = {"batch_name": "batch_name || hex(randomblob(4))", "state": "'lost'", "outcome": "'gone'"}
        other["filing_key"] = "''"
        values = ", ".join(other.get(name, name) for name in columns)
        into = f"INSERT INTO recovery_recovery ({', '.join(columns)})"
        base.execute(f"{into} SELECT {values} FROM recovery_recovery WHERE id = 1")  # noqa: S608  # names of columns
        number = int(base.execute("SELECT max(id) FROM recovery_recovery").fetchone()[0])
        base.execute(EVENT, (number, 1, "duplicate", '{"batch":17}'))
    return number


def settle_it(database: Path, number: int) -> None:
    """It needs nobody any more."""
    with closing(sqlite3.connect(database, timeout=30)) as base, base:
        base.execute(EVENT, (number, 2, "acknowledged", "{}"))
        base.execute("UPDATE recovery_recovery SET settled_as = 'failed' WHERE id = ?", (number,))


def batch_by_hand(files: Path) -> str:
    """The name of a batch that somebody has started without the portal; `files`: the demo's."""
    base = (files / "sandbox.log").read_text().split("\n", 1)[0].strip()
    name = f"by-hand-{uuid4().hex[:8]}"
    body = {"file": "hdfs:///user/sddesigner/recovery.jar", "name": name, "args": ["--date 20240101"]}
    secret = b64encode(f"{SANDBOX_USER}:{SANDBOX_PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json", "X-Requested-By": "someone"}
    request = urllib.request.Request(f"{base}/livy/v1/batches", json.dumps(body).encode(), headers)  # noqa: S310  # ours
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # our own address
        return name


def linked(go: Go, number: int, batch: str) -> Page:
    """What a lost recovery would be linked to."""
    page = go(f"{LIST}{number}/settle/")
    page.select_option("#id_settledAs", "linked")
    page.fill("#id_reason", "its application in YARN has written the day")
    page.fill("#id_batch", batch)
    page.locator("form button.rp-primary").click()
    page.wait_for_selector("button[name=_link]")
    return page
