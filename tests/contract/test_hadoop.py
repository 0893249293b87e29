"""WebHDFS and the ResourceManager through Knox, as far as a preflight and a verdict need them (§m, §n)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.contract.wires import JSON, Wire

JAR = "/user/sddesigner/recovery.jar"
MONTH = "/data/splio/active/year=2024/month=01"


@pytest.fixture(scope="module")
def hdfs(wire: Wire) -> Wire:
    if not wire.hdfs:
        pytest.skip("there is no HDFS")
    return wire


@pytest.fixture(scope="module")
def yarn(wire: Wire) -> Wire:
    if not wire.on_yarn:
        pytest.skip("there is no YARN")
    return wire


def ask(wire: Wire, path: str, operation: str, **options: Any) -> requests.Response:
    query = {"op": operation, **options.pop("query", {})}
    return wire.call("GET", f"/webhdfs/v1{path}", params=query, **options)


def test_the_status_of_a_file(hdfs: Wire) -> None:
    answer = ask(hdfs, JAR, "GETFILESTATUS")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
    status = answer.json()["FileStatus"]
    assert set(status) == {
        "accessTime", "blockSize", "childrenNum", "fileId", "group", "length", "modificationTime", "owner",
        "pathSuffix", "permission", "replication", "storagePolicy", "type",
    }  # fmt: skip
    assert (status["type"], status["owner"], status["permission"]) == ("FILE", "sddesigner", "644")
    assert status["length"] > 0
    assert status["pathSuffix"] == ""


def test_a_month_has_its_holes(hdfs: Wire) -> None:
    days = ask(hdfs, MONTH, "LISTSTATUS").json()["FileStatuses"]["FileStatus"]
    names = [day["pathSuffix"] for day in days]
    assert names == sorted(names)
    assert {f"day={day:02}" for day in range(1, 32)} - set(names) == {"day=05", "day=12", "day=19", "day=27"}
    assert ask(hdfs, f"{MONTH}/day=08", "LISTSTATUS").json() == {"FileStatuses": {"FileStatus": []}}
    parts = ask(hdfs, f"{MONTH}/day=01", "LISTSTATUS").json()["FileStatuses"]["FileStatus"]
    assert [part["pathSuffix"] for part in parts] == ["_SUCCESS", "part-00000.csv"]


@pytest.mark.parametrize(
    ("path", "operation", "status", "exception", "words"),
    [
        ("/nope", "GETFILESTATUS", 404, "FileNotFoundException", "File does not exist: /nope"),
        ("/nope", "LISTSTATUS", 404, "FileNotFoundException", "File /nope does not exist."),
        (f"{MONTH}/day=22", "LISTSTATUS", 403, "AccessControlException", "user=svc_portal, access=READ_EXECUTE"),
        (f"{JAR}/below", "GETFILESTATUS", 403, "AccessControlException", f"{JAR} (is not a directory)"),
        ("/config/secret.properties", "CHECKACCESS", 403, "AccessControlException", "access=READ"),
        ("/", "NOPE", 400, "IllegalArgumentException", 'Invalid value for webhdfs parameter "op"'),
    ],
)
def test_errors_are_remote_exceptions(
    hdfs: Wire, path: str, operation: str, status: int, exception: str, words: str
) -> None:
    answer = ask(hdfs, path, operation, query={"fsaction": "r--"} if operation == "CHECKACCESS" else {})
    remote = answer.json()["RemoteException"]
    assert (answer.status_code, remote["exception"]) == (status, exception)
    assert words in remote["message"]


def test_access_is_that_of_the_caller(hdfs: Wire) -> None:
    allowed = ask(hdfs, JAR, "CHECKACCESS", query={"fsaction": "r--"})
    assert (allowed.status_code, allowed.content) == (200, b"")
    assert allowed.headers["Content-Type"] == "application/octet-stream; charset=utf-8"
    assert ask(hdfs, MONTH, "CHECKACCESS", query={"fsaction": "-wx"}).status_code == 200
    guest = ("guest", "guest-password")
    assert ask(hdfs, MONTH, "CHECKACCESS", query={"fsaction": "-wx"}, auth=guest).status_code == 403
    assert ask(hdfs, "/", "GETHOMEDIRECTORY", auth=guest).json() == {"Path": "/user/guest"}
    # who asks as another is still himself
    other = ask(hdfs, "/", "GETHOMEDIRECTORY", query={"doAs": "hdfs", "user.name": "hdfs"})
    assert other.json() == {"Path": "/user/svc_portal"}


def test_a_checksum_comes_by_a_redirect_within_the_gateway(hdfs: Wire) -> None:
    answer = ask(hdfs, JAR, "GETFILECHECKSUM")
    assert (answer.status_code, answer.content) == (307, b"")
    before, _, after = answer.headers["Location"].partition("/webhdfs/data/v1/")
    assert (bool(before), bool(after)) == (True, True)
    checksum = hdfs.call("GET", f"/webhdfs/data/v1/{after}").json()["FileChecksum"]
    assert set(checksum) == {"algorithm", "bytes", "length"}
    assert checksum["algorithm"].startswith("MD5-of-")


def test_webhdfs_wants_credentials_too(hdfs: Wire) -> None:
    answer = ask(hdfs, "/", "LISTSTATUS", auth=None)
    assert (answer.status_code, answer.content) == (401, b"")


def test_yarn_knows_no_application_by_an_unknown_tag(yarn: Wire) -> None:
    answer = yarn.call("GET", "/resourcemanager/v1/cluster/apps?applicationTags=nobody-has-this-tag")
    assert (answer.status_code, answer.json()) == (200, {"apps": {}})
    assert (answer.headers["Content-Type"], answer.headers["Content-Encoding"]) == (JSON, "gzip")


@pytest.mark.parametrize(
    ("place", "status", "exception"),
    [
        ("apps/application_1_0001", 404, "NotFoundException"),
        ("apps/nonsense", 400, "BadRequestException"),
        ("apps?states=nope", 400, "BadRequestException"),
    ],
)
def test_yarns_errors_are_remote_exceptions(yarn: Wire, place: str, status: int, exception: str) -> None:
    answer = yarn.call("GET", f"/resourcemanager/v1/cluster/{place}")
    assert (answer.status_code, answer.json()["RemoteException"]["exception"]) == (status, exception)


def test_yarn_says_since_when_it_knows_things(yarn: Wire) -> None:
    info = yarn.call("GET", "/resourcemanager/v1/cluster/info").json()["clusterInfo"]
    assert info["startedOn"] > 1_600_000_000_000
    assert info["state"] == "STARTED"
