"""The guide (docs/reference/guide.fr.md) word for word: its examples, its keywords, a plain Python shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recovery import conf
from recovery.conf import Config, ConfigError
from recovery.domain.gateways import Condition
from recovery.gateway.errors import Ambiguous, NotSent, Refused
from recovery.gateway.livy import KnoxLivyClient
from sandbox import Fault, Sandbox

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = sorted(FIXTURES.glob("guide_example_*.json"))
JAR = "hdfs:///user/sddesigner/recovery.jar"
ARGS = "--date 20240101 --table splio.active"


def posts(sandbox: Sandbox) -> list[Any]:
    return [one for one in sandbox.requests if one.method == "POST"]


@pytest.fixture
def env_file(clean_environment: pytest.MonkeyPatch, sandbox: Sandbox, tmp_path: Path) -> Path:
    """A `.env` that reaches the sandbox."""
    path = tmp_path / ".env"
    path.write_text(
        f"KNOX_HOST={sandbox.root}\nKNOX_TOPOLOGY={sandbox.settings.topology}\n"
        "AD_USER=svc_portal\nAD_PASSWORD=svc-password\n"
    )
    clean_environment.setenv("PORTAL_ENV_FILE", str(path))
    return path


def as_in_the_guide() -> KnoxLivyClient:
    return KnoxLivyClient(
        knox_host=Config.KNOX_HOST,
        ad_user=Config.AD_USER,
        ad_password=Config.get_ad_password(),
        jars=Config.get_livy_jars(),
        files=Config.get_livy_files(),
        conf=Config.get_livy_conf(),
        archives=Config.get_livy_archives(),
        py_files=Config.get_livy_py_files(),
    )


def test_the_fixtures_are_the_guides_examples() -> None:
    guide = (conf.BASE_DIR / "docs/reference/guide.fr.md").read_text(encoding="utf-8")
    blocks = re.findall(r"### Exemple \d.*?```env\n(.*?)```", guide, re.DOTALL)
    assert [json.loads(path.read_text())["env"] for path in EXAMPLES] == blocks
    assert len(blocks) == 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_guides_examples_are_posted_as_the_guide_says(path: Path, env_file: Path, sandbox: Sandbox) -> None:
    example = json.loads(path.read_text(encoding="utf-8"))
    env_file.write_text(env_file.read_text() + example["env"])
    with as_in_the_guide() as client:
        answer = client.submit_jar(example["jarPath"], example["jarArgs"])
    (request,) = posts(sandbox)
    assert json.loads(request.body) == example["payload"]
    assert request.path.endswith(f"/gateway/{sandbox.settings.topology}/livy/v1/batches")
    assert answer["id"] == 0
    assert answer["state"] in {"starting", "running"}


def test_python_files_sizes_queue_and_user_come_from_the_file_too(env_file: Path, sandbox: Sandbox) -> None:
    env_file.write_text(
        env_file.read_text() + "LIVY_PY_FILES=hdfs:///python/utils.py,hdfs:///python/transformers.zip\n"
        "LIVY_DRIVER_MEMORY=1g\nLIVY_DRIVER_CORES=1\nLIVY_EXECUTOR_MEMORY=512m\nLIVY_EXECUTOR_CORES=3\n"
        "LIVY_NUM_EXECUTORS=9\nLIVY_QUEUE=\nPROXY_USER=\nLIVY_CLASS_NAME=com.example.Main\n"
    )
    with as_in_the_guide() as client:
        client.submit_jar(JAR, ARGS)
    assert json.loads(posts(sandbox)[0].body) == {
        "file": JAR,
        "args": [ARGS],
        "className": "com.example.Main",
        "pyFiles": ["hdfs:///python/utils.py", "hdfs:///python/transformers.zip"],
        "driverMemory": "1g",
        "driverCores": 1,
        "executorMemory": "512m",
        "executorCores": 3,
        "numExecutors": 9,
    }


@pytest.mark.usefixtures("env_file")
def test_n4_empty_arguments_send_no_args(sandbox: Sandbox) -> None:
    with as_in_the_guide() as client:
        client.submit_jar(JAR, "")
    assert "args" not in json.loads(posts(sandbox)[0].body)


@pytest.mark.usefixtures("env_file")
def test_what_the_guides_client_raises(sandbox: Sandbox) -> None:
    with as_in_the_guide() as client:
        with pytest.raises(Refused, match="is not absolute"):
            client.submit_jar("recovery.jar", ARGS)
        sandbox.add_fault(Fault("POST /batches", "knox_500", when="after", times=1))
        with pytest.raises(Ambiguous):
            client.submit_jar(JAR, ARGS)
    client = KnoxLivyClient(
        knox_host=sandbox.root, ad_user="svc_portal", ad_password="wrong", topology=sandbox.settings.topology
    )
    with client, pytest.raises(NotSent) as caught:
        client.submit_jar(JAR, ARGS)
    assert caught.value.condition is Condition.CREDENTIALS


@pytest.mark.usefixtures("clean_environment")
def test_without_a_host_the_guides_client_says_so() -> None:
    with pytest.raises(ConfigError, match="KNOX_HOST: read ''"):
        as_in_the_guide()


@pytest.mark.parametrize(
    ("lines", "verify", "expected"),
    [
        ({}, None, True),
        ({"KNOX_CA_BUNDLE": "/etc/ca.pem"}, None, "/etc/ca.pem"),
        ({"KNOX_VERIFY_TLS": "false", "KNOX_CA_BUNDLE": "/etc/ca.pem"}, None, False),
        ({"KNOX_VERIFY_TLS": "false"}, True, True),
        ({}, False, False),
        ({}, "/own/ca.pem", "/own/ca.pem"),
    ],
)
def test_how_the_certificate_is_verified(
    clean_environment: pytest.MonkeyPatch, lines: dict[str, str], verify: bool | str | None, expected: bool | str
) -> None:
    for name, value in lines.items():
        clean_environment.setenv(name, value)
    client = KnoxLivyClient(knox_host="knox", ad_user="svc", verify=verify)
    assert client.endpoint.verify == expected
    assert client.endpoint.base_url == "https://knox:8443/gateway/default"


PLAIN = """
import sys
from recovery.conf import Config
from recovery.gateway.livy import KnoxLivyClient
assert "django.conf" not in sys.modules and "django.db" not in sys.modules, sorted(sys.modules)
livy_client = KnoxLivyClient(
    knox_host=Config.KNOX_HOST,
    ad_user=Config.AD_USER,
    ad_password=Config.get_ad_password(),
    jars=Config.get_livy_jars(),
    files=Config.get_livy_files(),
    conf=Config.get_livy_conf(),
    archives=Config.get_livy_archives(),
    py_files=Config.get_livy_py_files(),
)
print("JARs:", Config.get_livy_jars())
print("Conf:", Config.get_livy_conf())
result = livy_client.submit_jar("hdfs:///user/sddesigner/recovery.jar", "--date 20240101 --table splio.active")
livy_client.close()
print(result["id"], result["state"])
"""


def test_the_guides_snippet_runs_in_a_plain_python_shell(env_file: Path, sandbox: Sandbox) -> None:
    """No Django settings, no SECRET_KEY."""
    example = json.loads(EXAMPLES[1].read_text(encoding="utf-8"))
    env_file.write_text(env_file.read_text() + example["env"])
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START") if name in os.environ
    }
    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        env=environment | {"PORTAL_ENV_FILE": str(env_file)},
        cwd=conf.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"JARs: {example['payload']['jars']}"
    assert lines[1] == f"Conf: {example['payload']['conf']}"
    assert lines[2] in {"0 starting", "0 running"}
    assert json.loads(posts(sandbox)[0].body) == example["payload"]
