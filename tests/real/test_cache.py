"""The watch cache (C++) against real API servers: over etcd 3.6, and over Debian's 3.4, which cannot stream lists."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from built import built
from control_plane import ControlPlane
from fault_proxy import FaultProxy

pytestmark = pytest.mark.real

PODS = "/api/v1/namespaces/{}/pods"
WATCHING = 3


class CacheTool:
    """Our cache: a process that follows the pods of one namespace."""

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        self._process = subprocess.Popen(
            [built("cache-tool"), kubeconfig, namespace], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        self.ask("start")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate("quit\n", timeout=20)

    def ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def wait(self, done: Callable[[dict[str, Any]], bool], limit_s: float = 30) -> dict[str, Any]:
        """The first state of the cache for which ``done`` holds."""
        limit = time.monotonic() + limit_s
        while True:
            state = self.ask("dump")
            if done(state):
                return state
            assert time.monotonic() < limit, f"not within {limit_s} s: {state}"
            self.ask("wait")


class Namespace:
    """Pods of one namespace, made and changed over the API."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self.plane = plane
        self.name = name
        self.path = PODS.format(name)
        self._call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def _call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        code, answer = self.plane.call(method, path, body, content_type=content_type)
        assert code < 300, answer
        return answer

    def create(self, name: str) -> None:
        container = {"name": "main", "image": "nginx:1"}
        self._call("POST", self.path, {"metadata": {"name": name, "labels": {"app": "web"}}, "spec": {"containers": [container]}})

    def touch(self, name: str, value: str) -> None:
        patch = {"metadata": {"labels": {"touched": value}}}
        self._call("PATCH", f"{self.path}/{name}", patch, "application/merge-patch+json")

    def delete(self, name: str) -> None:
        self._call("DELETE", f"{self.path}/{name}?gracePeriodSeconds=0")

    def versions(self) -> dict[str, str]:
        items = self._call("GET", self.path)["items"]
        return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in items}


@pytest.fixture(scope="module")
def old_control_plane() -> Iterator[ControlPlane]:
    with ControlPlane(etcd="debian") as plane:
        yield plane


def follow_and_survive(plane: ControlPlane, name: str, *, streams: bool) -> None:
    space = Namespace(plane, name)
    for i in range(17):
        space.create(f"web-{i}")
    with CacheTool(plane.kubeconfig, name) as cache:
        state = cache.wait(lambda s: bool(s["synced"]) and s["pods"] == space.versions())
        assert (state["streamed_lists"], state["pages"]) == ((1, 0) if streams else (0, 3))
        assert state["added"] == 17

        for i in range(17):
            space.touch(f"web-{i}", "once")
        space.delete("web-3")
        space.create("web-late")
        state = cache.wait(lambda s: s["pods"] == space.versions())
        # The server shows a deletion as a change (deletionTimestamp) and a removal.
        assert (state["changed"], state["deleted"], state["added"]) == (18, 1, 18)
        assert state["lists"] == 1
        assert state["failures"] == 0, state["last_error"]

        cache.ask("stop")
        space.delete("web-5")
        space.touch("web-6", "while-away")
        cache.ask("start")
        state = cache.wait(lambda s: s["pods"] == space.versions())
        assert state["lists"] == 1, "a stopped cache resumes from its version"
        assert (state["changed"], state["deleted"], state["foreign"]) == (20, 2, 0)


def test_streamed_lists_and_watches(control_plane: ControlPlane) -> None:
    follow_and_survive(control_plane, "cache-streamed", streams=True)


def test_pages_where_the_server_cannot_stream(old_control_plane: ControlPlane) -> None:
    follow_and_survive(old_control_plane, "cache-paged", streams=False)


def test_a_restarted_server_and_an_expired_version() -> None:
    """The API server is killed and comes back on the same port; the history before was thrown away meanwhile."""
    with ControlPlane() as plane:
        space = Namespace(plane, "cache-restart")
        for name in ("kept", "gone", "changed"):
            space.create(name)
        with CacheTool(plane.kubeconfig, "cache-restart") as cache:
            cache.wait(lambda s: bool(s["synced"]) and s["pods"] == space.versions())
            cache.ask("stop")
            for i in range(3):
                space.touch("changed", str(i))
            space.delete("gone")
            plane.compact_history()
            plane.restart_api_server()
            cache.ask("start")

            def caught_up(state: dict[str, Any]) -> bool:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    return bool(state["state"] == WATCHING and state["pods"] == space.versions())
                return False

            state = cache.wait(caught_up, limit_s=60)
            assert state["expired"] >= 1, state
            assert state["lists"] == 2
            assert (state["added"], state["deleted"]) == (3, 1), "the relist told the missed deletion, and nothing twice"

            plane.restart_api_server()
            space.create("after")
            state = cache.wait(caught_up, limit_s=60)
            assert (state["added"], state["deleted"]) == (4, 1)


def shows(listed: dict[str, str], state: dict[str, Any]) -> bool:
    return bool(state["synced"]) and state["pods"] == listed


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_equal_to_a_list_whatever_breaks(control_plane: ControlPlane, tmp_path: Path, seed: int) -> None:
    """Over two thousand random events, with connections that break in the middle of a line, answers that are none, and refusals."""
    draw = random.Random(seed)
    space = Namespace(control_plane, f"cache-random-{seed}")
    there: set[str] = set()
    with FaultProxy(control_plane, seed) as proxy:
        through = control_plane.write_kubeconfig(tmp_path / "through", server=proxy.url)
        with CacheTool(through, space.name) as cache:
            for number in range(2100):
                name = f"web-{draw.randrange(40)}"
                if name not in there:
                    space.create(name)
                    there.add(name)
                elif draw.random() < 0.25:
                    space.delete(name)
                    there.remove(name)
                else:
                    space.touch(name, str(number))
                if number % 100 == 0:
                    proxy.error_share = draw.choice((0, 0, 0.3))
                    proxy.damage_share = draw.choice((0, 0.2, 0.5))
                proxy.down = number % 100 >= 97  # breaks what is open at its next event
                if number % 300 == 299:
                    proxy.down = False
                    proxy.error_share = proxy.damage_share = 0
                    listed = space.versions()
                    state = cache.wait(partial(shows, listed), limit_s=60)
            assert state["failures"] > 10, state
            assert state["watches"] > 10, state
            assert state["added"] - state["deleted"] == len(there)
