"""Lifecycle hooks: a pod waits in each state until its owner lets it go on, and every state has a way out."""

from __future__ import annotations

import pytest

from .ground import Ground, Object

V2 = "registry.example/web:v2"
STATE = "lifecycle.apps.kruise.io/state"
HOOK = {"labelsHandler": {"example.com/hooked": "true"}}


def template() -> Object:
    return {
        "metadata": {"labels": {"app": "web", "example.com/hooked": "true"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/web:v1"}]},
    }


def states(ground: Ground) -> list[str]:
    return sorted(pod["metadata"]["labels"][STATE] for pod in ground.pods())


def hook(ground: Ground, name: str, value: str) -> None:
    ground.client.patch("pods", name, {"metadata": {"labels": {"example.com/hooked": value}}})


def in_state(ground: Ground, state: str) -> list[str]:
    return [p["metadata"]["name"] for p in ground.pods() if p["metadata"]["labels"][STATE] == state]


def reaches(ground: Ground, name: str, state: str) -> None:
    ground.until(lambda: name in in_state(ground, state))


@pytest.mark.also_as_process
def test_in_place_hook(ground: Ground) -> None:
    ground.create(
        replicas=2,
        template=template(),
        lifecycle={"inPlaceUpdate": HOOK},
        updateStrategy={"type": "InPlaceOnly", "maxUnavailable": 1},
    )
    ground.settled()
    ground.set_image(V2)
    for _ in range(2):
        ground.until(lambda: len(in_state(ground, "PreparingUpdate")) == 1)
        (name,) = in_state(ground, "PreparingUpdate")
        hook(ground, name, "false")
        reaches(ground, name, "Updated")
        hook(ground, name, "true")
        reaches(ground, name, "Normal")
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)


def test_rollback_while_preparing(ground: Ground) -> None:
    ground.create(
        replicas=2,
        template=template(),
        lifecycle={"inPlaceUpdate": HOOK},
        updateStrategy={"type": "InPlaceOnly", "maxUnavailable": 1},
    )
    ground.settled()
    ground.set_image(V2)
    ground.until(lambda: len(in_state(ground, "PreparingUpdate")) == 1)
    ground.set_image("registry.example/web:v1")
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
    assert states(ground) == ["Normal", "Normal"]


def test_pre_delete_hook(ground: Ground) -> None:
    ground.create(replicas=3, template=template(), lifecycle={"preDelete": HOOK})
    ground.settled()
    ground.client.scale("clone", "web", 2)
    ground.until(lambda: len(in_state(ground, "PreparingDelete")) == 1)
    ground.settle(30)
    (name,) = in_state(ground, "PreparingDelete")
    hook(ground, name, "false")
    ground.settled()
    assert name not in {p["metadata"]["name"] for p in ground.pods()}


@pytest.mark.also_as_process
def test_pre_delete_cancelled_by_scaling_out(ground: Ground) -> None:
    ground.create(replicas=3, template=template(), lifecycle={"preDelete": HOOK})
    ground.settled()
    ground.client.scale("clone", "web", 2)
    ground.until(lambda: len(in_state(ground, "PreparingDelete")) == 1)
    before = {p["metadata"]["uid"] for p in ground.pods()}
    ground.client.scale("clone", "web", 3)
    ground.settled()
    assert {p["metadata"]["uid"] for p in ground.pods()} == before


def test_pre_normal_hook(ground: Ground) -> None:
    bare = {"metadata": {"labels": {"app": "web"}}, "spec": template()["spec"]}
    ground.create(replicas=2, template=bare, lifecycle={"preNormal": HOOK})
    ground.until(lambda: states(ground) == ["PreparingNormal"] * 2 and ground.status().get("readyReplicas") == 2)
    ground.settle(10)
    assert ground.status()["availableReplicas"] == 0
    for name in in_state(ground, "PreparingNormal"):
        hook(ground, name, "true")
    ground.settled()
