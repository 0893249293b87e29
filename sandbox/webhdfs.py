"""WebHDFS over a small seeded tree: enough for a preflight (real-behaviour.md §m).

Decide on `RemoteException.exception`, never on the status: 403 is also "below a file", 404 only with
FileNotFoundException means missing.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from sandbox.answers import JSON_TYPE, Answer, http_date, to_json

RECOVERY_GROUP = frozenset({"livy", "svc_portal", "steward", "sddesigner"})
SUPERUSER = "hdfs"
_MISSING, _EMPTY, _NO_SUCCESS, _UNREADABLE, _SUCCESS_ONLY = (5, 12, 19, 27), 8, 15, 22, 29
_ACCESS = {
    4: "READ",
    2: "WRITE",
    1: "EXECUTE",
    5: "READ_EXECUTE",
    3: "WRITE_EXECUTE",
    6: "READ_WRITE",
    7: "ALL",
}
_JAVA = {
    "FileNotFoundException": "java.io.FileNotFoundException",
    "AccessControlException": "org.apache.hadoop.security.AccessControlException",
    "IllegalArgumentException": "java.lang.IllegalArgumentException",
    "UnsupportedOperationException": "java.lang.UnsupportedOperationException",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    type: str = "DIRECTORY"
    owner: str = SUPERUSER
    group: str = "supergroup"
    permission: str = "755"
    length: int = 0
    #: Milliseconds; None: when the sandbox started. `content` stands for the bytes: another one, another checksum.
    modified: int | None = None
    content: str = ""

    def allows(self, user: str, wanted: int) -> bool:
        if user == SUPERUSER:
            return True
        digits = self.permission[-3:]
        if user == self.owner:
            bits = int(digits[0])
        elif self.group == user or (self.group == "recovery" and user in RECOVERY_GROUP):
            bits = int(digits[1])
        else:
            bits = int(digits[2])
        return bits & wanted == wanted

    def described(self) -> str:
        """owner:group:drwxr-xr-x, as in a denial."""
        bits = "".join(("r" if n & 4 else "-") + ("w" if n & 2 else "-") + ("x" if n & 1 else "-") for n in self._octal)
        return f"{self.owner}:{self.group}:{'d' if self.type == 'DIRECTORY' else '-'}{bits}"

    @property
    def _octal(self) -> list[int]:
        return [int(digit) for digit in self.permission[-3:]]


class Denied(Exception):
    def __init__(self, status: int, exception: str, message: str) -> None:
        super().__init__(message)
        self.status, self.exception, self.message = status, exception, message


class WebHdfs:
    def __init__(self, seed: Path | None, *, check_files: bool) -> None:
        self._made = int(time.time() * 1000)
        self._check_files = check_files or seed is not None
        self.reachable = True
        self.nodes: dict[str, Node] = {"/": Node()}
        for path, node in _from_file(seed) if seed is not None else _built_in():
            self.add(path, node)

    def add(self, path: str, node: Node) -> None:
        """Put a node in place, with missing parents as 755 directories of hdfs."""
        parts = [part for part in path.split("/") if part]
        for depth in range(1, len(parts)):
            self.nodes.setdefault("/" + "/".join(parts[:depth]), Node())
        self.nodes["/" + "/".join(parts)] = node

    def file_trouble(self, uri: str, user: str) -> str | None:
        """Why a job of `user` cannot have its file: missing, parent, unreadable, directory; or None."""
        if uri.rsplit("/", 1)[-1].startswith("missing"):
            return "missing"
        if not self._check_files or not uri.startswith("hdfs:"):
            return None
        try:
            _, node = self._walk(unquote(urlsplit(uri).path), user, "File does not exist: {}")
        except Denied as denied:
            return "missing" if denied.exception == "FileNotFoundException" else "parent"
        if node.type == "DIRECTORY":
            return "directory"
        return None if node.allows(user, 4) else "unreadable"

    def handle(self, method: str, raw_path: str, query: Mapping[str, str], user: str) -> Answer:
        segments = [unquote(part) for part in raw_path.split("/") if part]
        if segments[:1] == ["~"]:
            segments[:1] = ["user", user]
        path = "/" + "/".join(segments)
        operation = next((value for key, value in query.items() if key.lower() == "op"), None)
        try:
            return self._do(method, path, (operation or "").upper(), query, user)
        except Denied as denied:
            return _denial(denied)

    def _do(self, method: str, path: str, operation: str, query: Mapping[str, str], user: str) -> Answer:
        if method not in ("GET", "HEAD"):
            words = f"{operation} is not a valid {method} operation."
            raise Denied(400, "IllegalArgumentException", f'Invalid value for webhdfs parameter "op": {words}')
        match operation:
            case "GETHOMEDIRECTORY":
                return _json({"Path": f"/user/{user}"})
            case "GETFILESTATUS":
                real, node = self._walk(path, user, "File does not exist: {}")
                return _json({"FileStatus": self._status(real, node, "")})
            case "LISTSTATUS":
                real, node = self._walk(path, user, "File {} does not exist.")
                return _json({"FileStatuses": {"FileStatus": self._list(real, node, user)}})
            case "CHECKACCESS":
                return self._check_access(path, query.get("fsaction", ""), user)
            case "GETFILECHECKSUM":
                self._walk(path, user, "File does not exist: {}")
                # Knox rewrites the DataNode's address to one of its own, its query encrypted (§12, OPEN in §m)
                where = f"/webhdfs/data/v1/webhdfs/v1{quote(path)}?_=GETFILECHECKSUM"
                return _answer(307, b"", "application/octet-stream", location=where)
            case "" | "NULL":
                raise Denied(400, "UnsupportedOperationException", "op=NULL is not supported")
        message = f'Invalid value for webhdfs parameter "op": {operation} is not a valid GET operation.'
        raise Denied(400, "IllegalArgumentException", message)

    def data(self, raw_path: str, user: str) -> Answer:
        """What a DataNode answers at the address of a redirect; one file's checksum is all that is asked of it here."""
        path = unquote(raw_path)
        try:
            _, node = self._walk(path, user, "File does not exist: {}")
            if node.type == "DIRECTORY":
                raise Denied(404, "FileNotFoundException", f"Path is not a file: {path}")
            self._need(path, node, user, 4)
        except Denied as denied:
            return _denial(denied)
        digest = hashlib.md5(f"{node.length}:{node.content}".encode(), usedforsecurity=False).hexdigest()
        body = {"algorithm": "MD5-of-0MD5-of-512CRC32C", "bytes": digest, "length": 28}
        return _json({"FileChecksum": body})

    def _walk(self, path: str, user: str, missing: str) -> tuple[str, Node]:
        """The node, if each parent lets the user through; `.` and `..` are names like others."""
        parts = [part for part in path.split("/") if part]
        here, node = "/", self.nodes["/"]
        for part in parts:
            if node.type != "DIRECTORY":
                raise Denied(403, "AccessControlException", f"{here} (is not a directory)")
            self._need(here, node, user, 1)
            here = f"{here.rstrip('/')}/{part}"
            found = self.nodes.get(here)
            if found is None:
                raise Denied(404, "FileNotFoundException", missing.format("/" + "/".join(parts)))
            node = found
        return here, node

    def _need(self, path: str, node: Node, user: str, bits: int) -> None:
        if not node.allows(user, bits):
            where = f'inode="{path}":{node.described()}'
            message = f"Permission denied: user={user}, access={_ACCESS[bits]}, {where}"
            raise Denied(403, "AccessControlException", message)

    def _list(self, path: str, node: Node, user: str) -> list[dict[str, object]]:
        if node.type != "DIRECTORY":
            return [self._status(path, node, "")]
        self._need(path, node, user, 5)
        names = sorted(self._children(path), key=lambda name: [b - 256 * (b > 127) for b in name.encode()])
        prefix = path.rstrip("/")
        return [self._status(f"{prefix}/{name}", self.nodes[f"{prefix}/{name}"], name) for name in names]

    def _children(self, path: str) -> list[str]:
        prefix = path.rstrip("/") + "/"
        rests = [known[len(prefix) :] for known in self.nodes if known.startswith(prefix)]
        return [rest for rest in rests if rest and "/" not in rest]

    def _check_access(self, path: str, action: str, user: str) -> Answer:
        if not action:
            raise Denied(
                400, "IllegalArgumentException", "Required param fsaction for op: CHECKACCESS is null or empty"
            )
        if len(action) != 3 or any(have not in (letter, "-") for have, letter in zip(action, "rwx", strict=True)):
            domain = f'Invalid value: "{action}" does not belong to the domain [r-][w-][x-]'
            message = f'Invalid value for webhdfs parameter "fsaction": {domain}'
            raise Denied(400, "IllegalArgumentException", message)
        real, node = self._walk(path, user, "Path not found")
        bits = sum(bit for have, bit in zip(action, (4, 2, 1), strict=True) if have != "-")
        if bits:
            self._need(real, node, user, bits)
        return _answer(200, b"", "application/octet-stream; charset=utf-8")

    def _status(self, path: str, node: Node, suffix: str) -> dict[str, object]:
        directory = node.type == "DIRECTORY"
        return {
            "accessTime": 0 if directory else self._made,
            "blockSize": 0 if directory else 134217728,
            "childrenNum": len(self._children(path)) if directory else 0,
            "fileId": 16385 + (hash(path) & 0xFFFF),
            "group": node.group,
            "length": node.length,
            "modificationTime": self._made if node.modified is None else node.modified,
            "owner": node.owner,
            "pathSuffix": suffix,
            "permission": node.permission,
            "replication": 0 if directory else 1,
            "storagePolicy": 0,
            "type": node.type,
        }


def _denial(denied: Denied) -> Answer:
    body = {
        "RemoteException": {
            "exception": denied.exception,
            "javaClassName": _JAVA[denied.exception],
            "message": denied.message,
        }
    }
    return _json(body, denied.status)


def _json(value: object, status: int = 200) -> Answer:
    return _answer(status, to_json(value), JSON_TYPE)


def _answer(status: int, body: bytes, content_type: str, location: str = "") -> Answer:
    headers: tuple[tuple[str, str], ...]
    headers = (("Cache-Control", "no-cache"), ("Date", http_date()), ("Pragma", "no-cache"))
    if location:
        headers += (("Location", location),)
    return Answer(status=status, body=body, content_type=content_type, headers=headers)


def _from_file(seed: Path) -> Iterator[tuple[str, Node]]:
    for item in json.loads(seed.read_text("utf-8")):
        yield item.pop("path"), Node(**item)


def _built_in() -> Iterator[tuple[str, Node]]:
    """The tree of the measured stack: homes, jars, configuration, and a month with its holes."""

    def file(permission: str, owner: str, group: str, length: int) -> Node:
        return Node(type="FILE", permission=permission, owner=owner, group=group, length=length)

    yield "/tmp", Node(permission="1777")  # noqa: S108  # a path of the pretend HDFS
    yield "/user/livy", Node(owner="livy", group="livy")
    yield "/user/svc_portal", Node(owner="svc_portal", group="recovery", permission="750")
    yield "/user/steward", Node(owner="steward", group="recovery", permission="750")
    home = "/user/sddesigner"
    yield home, Node(owner="sddesigner", group="sddesigner")
    yield f"{home}/recovery.jar", file("644", "sddesigner", "sddesigner", 6226)
    yield f"{home}/private.jar", file("600", "sddesigner", "sddesigner", 6226)
    yield f"{home}/private", Node(owner="sddesigner", group="sddesigner", permission="700")
    yield f"{home}/private/recovery.jar", file("644", "sddesigner", "sddesigner", 6226)
    yield "/config/app.properties", file("644", SUPERUSER, "supergroup", 28)
    yield "/config/secret.properties", file("600", SUPERUSER, "supergroup", 14)
    shared = Node(owner="sddesigner", group="recovery", permission="775")
    month = "/data/splio/active/year=2024/month=01"
    for path in ("/data/splio", "/data/splio/active", "/data/splio/active/year=2024", month):
        yield path, shared
    for day in range(1, 32):
        if day in _MISSING:
            continue
        path = f"{month}/day={day:02d}"
        yield path, Node(permission="700") if day == _UNREADABLE else shared
        if day not in (_EMPTY, _SUCCESS_ONLY):
            yield f"{path}/part-00000.csv", file("664", "sddesigner", "recovery", 1390)
        if day not in (_EMPTY, _NO_SUCCESS):
            yield f"{path}/_SUCCESS", file("664", "sddesigner", "recovery", 0)
