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


def conditions(ground: Ground, name: str) -> dict[str, Object]:
    return {c["type"]: c for c in ground.client.get("pods", name)["status"]["conditions"]}


def test_a_pod_that_waits_to_be_deleted_is_not_ready(ground: Ground) -> None:
    ground.create(replicas=2, template=gated(), lifecycle={"preDelete": MARKING})
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


def test_pods_with_the_gate_are_let_into_service_whoever_made_them(ground: Ground) -> None:
    """Those of a set with the condition of their own gate, in one write; all others by themselves. What holds one back stays."""
    spec = {**gated()["spec"], "containers": [{"name": "main", "image": "registry.example/web:v1"}]}
    ground.client.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec": spec})
    ground.create(replicas=2, template=gated())
    ground.settled()
    ground.until(lambda: conditions(ground, "lone").get("Ready", {}).get("status") == "True")
    ground.settle()
    names = [pod["metadata"]["name"] for pod in ground.pods()]
    writes = ground.manager_writes_to("web", "lone")
    assert [writes[f"pods/{name}"] for name in [*names, "lone"]] == [2, 2, 1]
    held = {"type": "KruisePodReady", "status": "False", "message": '[{"userAgent":"test","key":"x"}]'}
    ground.client.patch("pods", "lone", {"status": {"conditions": [held]}}, type="strategic", subresource="status")
    ground.settle()
    assert conditions(ground, "lone")["KruisePodReady"]["status"] == "False"
