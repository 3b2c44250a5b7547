"""The log of a real server is judged as storage itself is: each checker catches its planted bug, whatever order the events came in."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from .invariants import Object
from .server_log import Request, Stored, judge
from .test_invariants import MANAGER, changed, clone_set, pod, to_revision, to_state

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


def at(version: int, kind: str, plural: str, one: Object) -> Stored:
    one["metadata"].setdefault("namespace", "d")
    return Stored(version, kind, plural, one)


def by(agent: str, version: int) -> Request:
    return Request(agent, "patch", "pods", "", "d", "p", 200, NOW, NOW, version)


def found(owner: Object, pods: list[Object], last: Stored, agent: str = MANAGER) -> list[str]:
    events = [at(1, "ADDED", "clonesets", owner)]
    for number, name in enumerate(("web-1", "web-2"), start=1):
        revision = {"metadata": {"name": name, "ownerReferences": [{"uid": "set", "controller": True}]}, "revision": number}
        events.append(at(1 + number, "ADDED", "controllerrevisions", revision))
    events += [at(10 + number, "ADDED", "pods", one) for number, one in enumerate(pods)]
    events.append(last)
    writers = {event.version: by("simulated-nodes", event.version) for event in events if event.plural == "pods"}
    writers[last.version] = by(agent, last.version)
    random.Random(1).shuffle(events)
    return judge(events, writers).violations


def one_broken() -> list[Object]:
    return [pod("p0", ready=False), pod("p1"), pod("p2")]


def deleted(one: Object) -> Object:
    return changed(one, lambda p: p["metadata"].__setitem__("deletionTimestamp", "2024-01-01T12:00:00Z"))


def disowned(one: Object) -> Object:
    return changed(one, lambda p: p["metadata"].pop("ownerReferences"))


PLANTED: dict[str, tuple[Object, Callable[[list[Object]], Stored], str]] = {
    "unavailable": (clone_set(), lambda ps: at(99, "MODIFIED", "pods", changed(ps[1], to_state("Updating"))), "made unavailable"),
    "deleting": (clone_set(), lambda ps: at(99, "MODIFIED", "pods", deleted(ps[1])), "made unavailable"),
    "removing": (clone_set(), lambda ps: at(99, "DELETED", "pods", ps[1]), "made unavailable"),
    "created": (clone_set(), lambda _: at(99, "ADDED", "pods", pod("p9")), "created as number 4"),
    "moved": (
        clone_set(updateStrategy={"partition": 3, "maxUnavailable": 3}),
        lambda ps: at(99, "MODIFIED", "pods", changed(ps[1], to_revision("web-2"))),
        "moved to web-2",
    ),
    "disowned": (clone_set(), lambda ps: at(99, "MODIFIED", "pods", disowned(ps[0])), "lost its owner"),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bug_is_found(bug: str) -> None:
    owner, write, complaint = PLANTED[bug]
    pods = one_broken()
    (violation,) = found(owner, pods, write(pods))
    assert complaint in violation


@pytest.mark.parametrize("bug", PLANTED)
def test_the_same_by_others_is_not_the_managers(bug: str) -> None:
    owner, write, _ = PLANTED[bug]
    pods = one_broken()
    assert not found(owner, pods, write(pods), agent="kubectl/v1.34")
