"""What a manager cannot know yet is not held against it, what it can know is, and its own writes always are."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scenarios.invariants import Seen

from .judge import Judge

Object = dict[str, Any]

START = datetime(2024, 1, 1, tzinfo=UTC)
MANAGER = "kruise-manager/cloneset-controller"
STATE = "lifecycle.apps.kruise.io/state"


class World:
    """Three available pods of a set that may lose one at a time."""

    def __init__(self, **judge: Any) -> None:
        self.at = START
        self.judge = Judge(now=lambda: self.at, **judge)
        self.version = 0
        self.pods: dict[str, Object] = {}
        self.owner: Object = {
            "metadata": {"name": "web", "namespace": "d", "uid": "set"},
            "spec": {"replicas": 3, "selector": {"matchLabels": {}}, "updateStrategy": {"maxUnavailable": 1}},
        }
        self.write("clonesets", "ADDED", None, self.owner, "kubectl")
        for name in ("p0", "p1", "p2"):
            self.pods[name] = {
                "metadata": {
                    "name": name,
                    "namespace": "d",
                    "labels": {STATE: "Normal"},
                    "ownerReferences": [{"uid": "set", "controller": True}],
                },
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
            }
            self.write("pods", "ADDED", None, self.pods[name], "kubelet")
        self.wait(1000)

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def write(self, plural: str, kind: str, before: Object | None, after: Object | None, writer: str) -> None:
        self.version += 1
        name = (after or before or {})["metadata"]["name"]
        self.judge.judge(Seen(kind, plural, "d", name, self.version, writer, before, after))

    def change(self, name: str, writer: str, *, ready: bool | None = None, state: str | None = None) -> None:
        before, after = self.pods[name], copy.deepcopy(self.pods[name])
        if ready is not None:
            after["status"]["conditions"][0]["status"] = str(ready)
        if state is not None:
            after["metadata"]["labels"][STATE] = state
        self.pods[name] = after
        self.write("pods", "MODIFIED", before, after, writer)

    def scale(self, **spec: Any) -> None:
        after = copy.deepcopy(self.owner)
        after["spec"].update(spec)
        self.write("clonesets", "MODIFIED", self.owner, after, "kubectl")
        self.owner = after


@pytest.mark.parametrize(("waited_s", "excused"), [(3, True), (30, False)])
def test_what_others_did_is_known_in_time(waited_s: float, excused: bool) -> None:
    world = World(blind_s=10)
    world.change("p0", "kubelet", ready=False)
    world.wait(waited_s)
    world.change("p1", MANAGER, state="Updating")
    assert bool(world.judge.violations) != excused
    assert world.judge.excused == int(excused)


def test_the_manager_knows_its_own_writes_at_once() -> None:
    world = World(blind_s=10)
    world.change("p0", MANAGER, state="Updating")
    world.change("p1", MANAGER, state="Updating")
    assert world.judge.violations


def test_a_manager_knows_what_was_there_when_it_started() -> None:
    world = World(blind_s=10)
    world.change("p0", "kubelet", ready=False)
    world.wait(1)
    world.judge.known_since = world.at
    world.wait(1)
    world.change("p1", MANAGER, state="Updating")
    assert world.judge.violations


def test_a_spec_that_may_be_unknown() -> None:
    for waited_s, excused in ((3, True), (30, False)):
        world = World(blind_s=10)
        world.scale(updateStrategy={"maxUnavailable": 0})
        world.wait(waited_s)
        world.change("p0", MANAGER, state="Updating")
        assert bool(world.judge.violations) != excused


def test_with_nothing_hidden_nothing_is_excused() -> None:
    world = World()
    world.change("p0", "kubelet", ready=False)
    world.change("p1", MANAGER, state="Updating")
    assert world.judge.violations
