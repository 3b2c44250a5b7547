"""Hooks that also keep traffic from a pod (markPodNotReady)."""

from __future__ import annotations

import json

from .ground import Ground, Object
from .test_lifecycle import HOOK, V2, hook, in_state, reaches, template

MARKING = {**HOOK, "markPodNotReady": True}


def gated() -> Object:
    marked = template()
    marked["spec"]["readinessGates"] = [{"conditionType": "KruisePodReady"}]
    return marked


def let_in(ground: Ground) -> None:
    """What the pod webhook's partner does for pods with the gate: it sets the condition, once."""
    condition = {"type": "KruisePodReady", "status": "True", "lastTransitionTime": "2024-01-01T00:00:00Z"}
    for pod in ground.pods():
        patch = {"status": {"conditions": [condition]}}
        ground.client.patch("pods", pod["metadata"]["name"], patch, type="strategic", subresource="status")


def conditions(ground: Ground, name: str) -> dict[str, Object]:
    return {c["type"]: c for c in ground.client.get("pods", name)["status"]["conditions"]}


def test_a_pod_that_waits_to_be_deleted_is_not_ready(ground: Ground) -> None:
    ground.create(replicas=2, template=gated(), lifecycle={"preDelete": MARKING})
    ground.until(lambda: ground.status().get("replicas") == 2)
    let_in(ground)
    ground.settled()
    ground.client.scale("clone", "web", 1)
    ground.until(lambda: len(in_state(ground, "PreparingDelete")) == 1)
    (name,) = in_state(ground, "PreparingDelete")
    now = conditions(ground, name)
    assert (now["Ready"]["status"], now["KruisePodReady"]["status"]) == ("False", "False")
    assert json.loads(now["KruisePodReady"]["message"]) == [{"userAgent": "Lifecycle", "key": "preDeleteHook"}]
    hook(ground, name, "false")
    ground.settled()


def test_a_pod_is_not_ready_from_its_hook_to_the_end_of_its_update(ground: Ground) -> None:
    ground.create(
        replicas=1,
        template=gated(),
        lifecycle={"inPlaceUpdate": MARKING},
        updateStrategy={"type": "InPlaceOnly", "maxUnavailable": 1},
    )
    ground.until(lambda: ground.status().get("replicas") == 1)
    let_in(ground)
    ground.settled()
    ground.set_image(V2)
    ground.until(lambda: len(in_state(ground, "PreparingUpdate")) == 1)
    (name,) = in_state(ground, "PreparingUpdate")
    assert conditions(ground, name)["Ready"]["status"] == "False"
    hook(ground, name, "false")
    reaches(ground, name, "Updated")
    assert conditions(ground, name)["KruisePodReady"]["status"] == "True"
    hook(ground, name, "true")
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
