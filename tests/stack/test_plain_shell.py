"""The guide's own lines, in a Python shell without Django, on a real Knox."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.contract.wires import LAST_WORDS, RealWire
from tests.stack.portal import ROOT, Portal

LINES = """
import json, sys
from recovery.conf import Config
from recovery.gateway.livy import KnoxLivyClient
client = KnoxLivyClient(
    knox_host=Config.KNOX_HOST, ad_user=Config.AD_USER, ad_password=Config.get_ad_password(),
    jars=Config.get_livy_jars(), files=Config.get_livy_files(), conf=Config.get_livy_conf(),
    archives=Config.get_livy_archives(), py_files=Config.get_livy_py_files(),
)
print(json.dumps(client.submit_jar(sys.argv[1], sys.argv[2])))
assert not {"django.apps", "recovery.models", "celery"} & set(sys.modules)
"""


def test_submit_jar_starts_a_real_jar(wire: RealWire, portal: Portal) -> None:
    if wire.on_yarn:
        pytest.skip("once is enough: the portal has shown cluster mode")
    jar = f"file://{portal.stack['RECOVERY_JAR']}"
    done = subprocess.run(
        [sys.executable, "-c", LINES, jar, "--date 20240101 --table splio.active --no-spark"],
        cwd=ROOT,
        env={name: value for name, value in portal.environment.items() if name != "SECRET_KEY"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    batch = json.loads(done.stdout)
    assert batch["name"] is None
    number = batch["id"]
    wire.until(lambda: (seen := wire.batch(number)) and seen["state"] in LAST_WORDS and seen)
    log = wire.log(number)["log"]
    assert "RECOVERY argv[0]=<--date 20240101 --table splio.active --no-spark>" in log
    assert wire.delete(number).status_code == 200
