"""A plain client for the tests of the sandbox, through its door only."""

import time
from collections.abc import Callable
from typing import Any

import requests

from sandbox import Sandbox

JAR = "hdfs:///user/sddesigner/recovery.jar"


class Door:
    """One identity, no kept cookies, no environment proxies."""

    def __init__(self, sandbox: Sandbox, user: str = "svc_portal", password: str = "svc-password") -> None:
        self.sandbox = sandbox
        self.auth = (user, password)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 10)
        options.setdefault("auth", self.auth)
        options.setdefault("allow_redirects", False)
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(method, self.sandbox.url + path, **options)
            assert response.content is not None
            return response

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", "/livy/v1" + path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.call("DELETE", "/livy/v1" + path, **options)

    def post(self, name: str | None = None, *, options: dict[str, Any] | None = None, **body: Any) -> requests.Response:
        payload = {"file": JAR, **body}
        if name is not None:
            payload["name"] = name
        return self.call("POST", "/livy/v1/batches", json=payload, **(options or {}))

    def state(self, id_or_name: object) -> str | None:
        response = self.get(f"/batches/{id_or_name}")
        return response.json()["state"] if response.status_code == 200 else None

    def until(self, id_or_name: object, *states: str | None) -> str | None:
        """Wait until the batch has one of the states (None: it is gone)."""
        return eventually(lambda: (state := self.state(id_or_name)) in states and (state or "gone"))

    def yarn(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        return self.call(method, "/resourcemanager/v1/cluster" + path, **options)

    def hdfs(self, path: str, **query: str) -> requests.Response:
        return self.call("GET", "/webhdfs/v1" + path, params=query)


def eventually(condition: Callable[[], Any], seconds: float = 8.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it never came true")
