"""WebHDFS through Knox, as far as a preflight needs it (real-behaviour.md §m)."""

import json
from pathlib import Path

import pytest

from sandbox import Node, Sandbox
from tests.sandbox.helpers import Door

MONTH = "/data/splio/active/year=2024/month=01"


def test_status_of_a_file_and_of_a_directory(door: Door) -> None:
    status = door.hdfs("/user/sddesigner/recovery.jar", op="GETFILESTATUS").json()["FileStatus"]
    assert (status["type"], status["owner"], status["permission"], status["pathSuffix"]) == (
        "FILE",
        "sddesigner",
        "644",
        "",
    )
    directory = door.hdfs("/tmp/", op="getfilestatus").json()["FileStatus"]
    assert (directory["type"], directory["permission"], directory["length"]) == ("DIRECTORY", "1777", 0)


def test_a_month_has_its_holes(door: Door) -> None:
    listed = door.hdfs(MONTH, op="LISTSTATUS").json()["FileStatuses"]["FileStatus"]
    days = [entry["pathSuffix"] for entry in listed]
    assert days == [f"day={day:02d}" for day in range(1, 32) if day not in (5, 12, 19, 27)]
    assert door.hdfs(f"{MONTH}/day=08", op="LISTSTATUS").json() == {"FileStatuses": {"FileStatus": []}}
    (file,) = door.hdfs(f"{MONTH}/day=15", op="LISTSTATUS").json()["FileStatuses"]["FileStatus"]
    assert file["pathSuffix"] == "part-00000.csv"
    (itself,) = door.hdfs(f"{MONTH}/day=01/_SUCCESS", op="LISTSTATUS").json()["FileStatuses"]["FileStatus"]
    assert itself["pathSuffix"] == ""


@pytest.mark.parametrize(
    ("path", "query", "status", "exception", "words"),
    [
        ("/nope", {"op": "GETFILESTATUS"}, 404, "FileNotFoundException", "File does not exist: /nope"),
        ("/nope", {"op": "LISTSTATUS"}, 404, "FileNotFoundException", "File /nope does not exist."),
        ("/nope", {"op": "CHECKACCESS", "fsaction": "r--"}, 404, "FileNotFoundException", "Path not found"),
        (f"{MONTH}/day=22", {"op": "LISTSTATUS"}, 403, "AccessControlException", "access=READ_EXECUTE"),
        (f"{MONTH}/day=22/x", {"op": "GETFILESTATUS"}, 403, "AccessControlException", "access=EXECUTE"),
        (
            "/config/secret.properties",
            {"op": "CHECKACCESS", "fsaction": "r--"},
            403,
            "AccessControlException",
            'inode="/config/secret.properties":hdfs:supergroup:-rw-------',
        ),
        (
            "/config/app.properties/x",
            {"op": "GETFILESTATUS"},
            403,
            "AccessControlException",
            "/config/app.properties (is not a directory)",
        ),
        ("/tmp/../tmp", {"op": "GETFILESTATUS"}, 404, "FileNotFoundException", "does not exist"),
        ("/tmp", {"op": "CHECKACCESS"}, 400, "IllegalArgumentException", "fsaction"),
        ("/tmp", {"op": "CHECKACCESS", "fsaction": "xyz"}, 400, "IllegalArgumentException", "xyz"),
        ("/tmp", {"op": "NOPE"}, 400, "IllegalArgumentException", 'Invalid value for webhdfs parameter "op"'),
        ("/tmp", {}, 400, "UnsupportedOperationException", "op=NULL is not supported"),
    ],
)
def test_errors_are_remote_exceptions(
    door: Door, path: str, query: dict[str, str], status: int, exception: str, words: str
) -> None:
    # A prepared URL keeps its dots: a client library would resolve them.
    answer = door.hdfs(path.replace("..", "%2E%2E"), **query)
    remote = answer.json()["RemoteException"]
    assert (answer.status_code, remote["exception"]) == (status, exception)
    assert words in remote["message"]
    assert remote["javaClassName"].endswith(exception)


def test_access_is_that_of_the_caller(sb: Sandbox, door: Door) -> None:
    allowed = door.hdfs("/user/sddesigner/recovery.jar", op="CHECKACCESS", fsaction="r--")
    assert (allowed.status_code, allowed.content) == (200, b"")
    assert allowed.headers["Content-Type"] == "application/octet-stream; charset=utf-8"
    assert door.hdfs(MONTH, op="CHECKACCESS", fsaction="-wx").status_code == 200
    assert door.hdfs(MONTH, op="CHECKACCESS", fsaction="---").status_code == 200
    guest = Door(sb, "guest", "guest-password")
    assert guest.hdfs(MONTH, op="CHECKACCESS", fsaction="-wx").status_code == 403
    assert guest.hdfs("/", op="GETHOMEDIRECTORY").json() == {"Path": "/user/guest"}
    assert guest.hdfs("/~", op="GETFILESTATUS").status_code == 404
    assert door.hdfs("/~", op="GETFILESTATUS", doAs="hdfs").json()["FileStatus"]["owner"] == "svc_portal"


def test_odd_names_percent_encoded(sb: Sandbox, door: Door) -> None:
    sb.hdfs.add("/odd/é a%b", Node(type="FILE", permission="644"))
    sb.hdfs.add("/odd/z", Node(type="FILE", permission="644"))
    assert door.hdfs("/odd/%C3%A9%20a%25b", op="GETFILESTATUS").status_code == 200
    listed = door.hdfs("/odd", op="LISTSTATUS").json()["FileStatuses"]["FileStatus"]
    assert [entry["pathSuffix"] for entry in listed] == ["é a%b", "z"]  # signed bytes: é before a


def test_what_knox_itself_does_not_pass(sb: Sandbox, door: Door) -> None:
    sb.hdfs_down()
    assert "Service connectivity error." in door.hdfs("/", op="LISTSTATUS").text
    sb.hdfs_up()
    assert door.hdfs("/", op="LISTSTATUS").status_code == 200
    assert door.call("PUT", "/webhdfs/v1/x?op=MKDIRS").status_code == 400


def test_another_tree(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps([{"path": "/a/b.jar", "type": "FILE", "permission": "644", "length": 3}]))
    with Sandbox(speed=100, post_cost=0, hdfs_seed=seed) as sb:
        door = Door(sb)
        assert door.hdfs("/a/b.jar", op="GETFILESTATUS").json()["FileStatus"]["length"] == 3
        assert door.hdfs("/user", op="GETFILESTATUS").status_code == 404
        door.post("gone", file="hdfs:///a/c.jar")
        door.post("there", file="hdfs:///a/b.jar")
        assert door.until("gone", "dead", "success") == "dead"
        assert door.until("there", "dead", "success") == "success"


def test_a_checksum_comes_from_a_data_node_by_a_redirect_within_the_gateway(door: Door, sb: Sandbox) -> None:
    jar = "/user/sddesigner/recovery.jar"
    answer = door.hdfs(jar, op="GETFILECHECKSUM")
    assert (answer.status_code, answer.content) == (307, b"")
    where = answer.headers["Location"]
    assert where.startswith(f"{sb.url}/webhdfs/data/v1/webhdfs/v1{jar}?_=")
    checksum = door.call("GET", where.removeprefix(sb.url)).json()["FileChecksum"]
    assert set(checksum) == {"algorithm", "bytes", "length"}
    sb.hdfs.add(jar, Node(type="FILE", permission="644", length=6226, content="another"))
    assert door.call("GET", where.removeprefix(sb.url)).json()["FileChecksum"]["bytes"] != checksum["bytes"]
    assert door.hdfs("/nope", op="GETFILECHECKSUM").status_code == 404
