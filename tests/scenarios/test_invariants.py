"""Each checker catches a planted bug, and says nothing of a correct write."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from .invariants import REVISION, STATE, Invariants, Object, Seen

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
MANAGER = "kruise-manager/cloneset-controller"


def clone_set(**spec: Any) -> Object:
    base: Object = {"replicas": 3, "selector": {"matchLabels": {"app": "a"}}, "updateStrategy": {"maxUnavailable": 1}}
    return {"metadata": {"name": "web", "namespace": "d", "uid": "set"}, "spec": {**base, **spec}}


def pod(name: str, revision: str = "web-1", ready: bool = True, **labels: str) -> Object:
    return {
        "metadata": {
            "name": name,
            "namespace": "d",
            "uid": name,
            "labels": {"app": "a", REVISION: revision, STATE: "Normal", **labels},
            "ownerReferences": [{"uid": "set", "controller": True}],
        },
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": "2024-01-01T11:00:00Z"}
            ],
        },
    }


def world(owner: Object, *pods: Object) -> Invariants:
    judge = Invariants(now=lambda: NOW)
    judge.judge(Seen("ADDED", "clonesets", "d", "web", 1, "kubectl", None, owner))
    for number, name in enumerate(("web-1", "web-2"), start=1):
        revision = {"metadata": {"name": name, "ownerReferences": [{"uid": "set", "controller": True}]}, "revision": number}
        judge.judge(Seen("ADDED", "controllerrevisions", "d", name, 2, MANAGER, None, revision))
    for one in pods:
        judge.judge(Seen("ADDED", "pods", "d", one["metadata"]["name"], 3, "kubelet", None, one))
    return judge


def changed(one: Object, change: Callable[[Object], object]) -> Object:
    after = copy.deepcopy(one)
    change(after)
    return after


def write(judge: Invariants, before: Object | None, after: Object | None, kind: str = "MODIFIED") -> list[str]:
    name = (before or after or {})["metadata"]["name"]
    judge.judge(Seen(kind, "pods", "d", name, 9, MANAGER, before, after))
    return judge.violations


def to_state(state: str) -> Callable[[Object], object]:
    return lambda p: p["metadata"]["labels"].__setitem__(STATE, state)


def to_revision(revision: str) -> Callable[[Object], object]:
    return lambda p: p["metadata"]["labels"].__setitem__(REVISION, revision)


@pytest.mark.parametrize(
    ("broken", "replicas", "allowed"),
    [(0, 3, True), (1, 3, False), (1, 2, True), (2, 2, False)],
)
def test_unavailable(broken: int, replicas: int, allowed: bool) -> None:
    pods = [pod(f"p{i}", ready=i >= broken) for i in range(3)]
    judge = world(clone_set(replicas=replicas), *pods)
    found = write(judge, pods[2], changed(pods[2], to_state("Updating")))
    assert bool(found) != allowed, found


def test_deleting_an_available_pod_counts() -> None:
    pods = [pod("p0", ready=False), pod("p1"), pod("p2")]
    judge = world(clone_set(), *pods)
    assert write(
        judge, pods[1], changed(pods[1], lambda p: p["metadata"].__setitem__("deletionTimestamp", "2024-01-01T12:00:00Z"))
    )


def test_an_unavailable_pod_costs_nothing() -> None:
    pods = [pod("p0", ready=False), pod("p1", ready=False), pod("p2")]
    judge = world(clone_set(), *pods)
    assert not write(judge, pods[0], None, "DELETED")


def test_min_ready_seconds_counts_as_unavailable() -> None:
    pods = [pod("p0"), pod("p1"), pod("p2")]
    judge = world(clone_set(minReadySeconds=7200), *pods)
    assert not write(judge, pods[0], changed(pods[0], to_state("Updating")))


@pytest.mark.parametrize(("surge", "allowed"), [(0, False), (1, True), ("34%", True)])
def test_created(surge: int | str, allowed: bool) -> None:
    judge = world(clone_set(updateStrategy={"maxSurge": surge}), *(pod(f"p{i}") for i in range(3)))
    assert bool(write(judge, None, pod("p9"), "ADDED")) != allowed


def test_nothing_extra_is_created_while_an_update_is_paused() -> None:
    judge = world(clone_set(updateStrategy={"maxSurge": 1, "paused": True}), *(pod(f"p{i}") for i in range(3)))
    assert write(judge, None, pod("p9"), "ADDED")


@pytest.mark.parametrize(("partition", "allowed"), [(0, True), (2, True), (3, False), ("100%", False), ("99%", True)])
def test_moved(partition: int | str, allowed: bool) -> None:
    pods = [pod(f"p{i}") for i in range(3)]
    judge = world(clone_set(updateStrategy={"partition": partition, "maxUnavailable": 3}), *pods)
    assert bool(write(judge, pods[0], changed(pods[0], to_revision("web-2")))) != allowed


def test_moving_back_is_not_judged_by_the_partition() -> None:
    pods = [pod(f"p{i}", revision="web-2") for i in range(3)]
    judge = world(clone_set(updateStrategy={"partition": 3, "maxUnavailable": 3}), *pods)
    assert not write(judge, pods[0], changed(pods[0], to_revision("web-1")))


@pytest.mark.parametrize(("label", "allowed"), [("a", False), ("other", True)])
def test_disowned(label: str, allowed: bool) -> None:
    one = pod("p0", app=label)
    judge = world(clone_set(), one)
    assert bool(write(judge, one, changed(one, lambda p: p["metadata"].pop("ownerReferences")))) != allowed


def test_other_writers_are_not_judged() -> None:
    pods = [pod(f"p{i}", ready=False) for i in range(3)]
    judge = world(clone_set(), *pods)
    judge.judge(Seen("DELETED", "pods", "d", "p0", 9, "kubelet", pods[0], None))
    assert not judge.violations
    assert judge.judged == 0
