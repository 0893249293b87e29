"""A recovery as commands: a shell gives the program exactly the words that the payload holds, and no secret."""

from __future__ import annotations

import json
import subprocess

from recovery.domain.commands import as_curl, as_spark_submit
from recovery.domain.payload import Payload

NASTY = ("--date 20240101", "it's", '"q"', "$(id)", "a\\b", "*", "é\n日本", "", "-n", "`id`")
PAYLOAD = Payload(
    file="hdfs:///x y.jar", args=NASTY, class_name="a.B$C", queue="root.q", proxy_user="u", driver_memory="4g",
    driver_cores=2, executor_memory="4g", executor_cores=2, num_executors=4, jars=("hdfs:///a", "hdfs:///b"),
    files=("hdfs:///f",), py_files=("hdfs:///p",), archives=("hdfs:///z",), conf={"spark.b": "x y", "spark.a": "'"},
)  # fmt: skip


def words_of(command: str) -> list[str]:
    """What a real shell makes of it: each word as the program would get it."""
    told = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True, env={"TOKEN": "t"}
    )
    return told.stdout.decode().split("\0")[:-1]


def curl(payload: Payload, **options: object) -> list[str]:
    values = {"base_url": "https://knox:8443/gateway/default/", "livy_path": "/livy/v1/", "user": "svc"} | options
    return words_of(as_curl(payload, **values))  # type: ignore[arg-type]


def test_curl_sends_the_payload_and_asks_for_the_password() -> None:
    words = curl(PAYLOAD)
    assert words[:3] == ["curl", "--fail-with-body", "-u"]
    assert words[3] == "svc"
    assert words[-1] == "https://knox:8443/gateway/default/livy/v1/batches"
    body = json.loads(words[words.index("--data-binary") + 1])
    assert body == PAYLOAD.to_json()
    assert "name" not in body, "a batch under the portal's name would be taken for the portal's"


def test_curl_with_a_token_or_nobody() -> None:
    assert "Authorization: Bearer t" in curl(PAYLOAD, bearer=True)
    assert "-u" not in curl(PAYLOAD, user="")


def test_spark_submit_has_every_field_and_the_arguments_last() -> None:
    words = words_of(as_spark_submit(PAYLOAD))
    assert words[:5] == ["spark-submit", "--master", "yarn", "--deploy-mode", "cluster"]
    options = dict(zip(words[5:-12:2], words[6:-11:2], strict=True))
    assert options["--jars"] == "hdfs:///a,hdfs:///b"
    assert options["--num-executors"] == "4"
    assert [w for w in words if w.startswith("spark.")] == ["spark.a='", "spark.b=x y"]
    assert words[-11:] == ["hdfs:///x y.jar", *NASTY]


def test_a_small_one_is_small() -> None:
    assert as_spark_submit(Payload(file="/x.jar")).endswith("cluster \\\n  /x.jar")


def test_no_secret_is_in_them() -> None:
    payload = Payload(
        file="hdfs:///x.jar", jars=("https://u:hunter2@repo/x.jar",),
        args=("--db-password", "hunter2", "--token", "--date", "d", "--secret hunter2 --x y", "password=hunter2"),
        conf={"spark.hadoop.fs.s3a.secret.key": "hunter2", "spark.driver.extraJavaOptions": "-Dpassword=hunter2",
              "spark.a": "1"},
    )  # fmt: skip
    for text in (as_spark_submit(payload), as_curl(payload, base_url="https://k", livy_path="livy", user="u")):
        assert "hunter2" not in text
        assert "--date" in text
        assert "--x y" in text


def test_a_command_is_read_by_people_line_by_line() -> None:
    assert as_spark_submit(Payload(file="/x.jar", queue="q")).split("\n")[-2:] == ["  --queue q \\", "  /x.jar"]
