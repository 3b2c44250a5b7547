"""What shows on a real server only: the writes that reach it, and what it does with those of others."""

from __future__ import annotations

from collections import Counter

import pytest

from .real_ground import RealGround
from .test_update import V2


def counts(ground: RealGround) -> Counter[str]:
    return Counter(f"{request.verb} {request.resource}" for request in ground.manager_writes())


@pytest.mark.real_only("the audit log of the server counts the requests, those that change nothing or are refused included")
def test_writes_of_a_rollout(ground: RealGround) -> None:
    ground.create(replicas=3, updateStrategy={"type": "InPlaceIfPossible", "maxUnavailable": "100%"})
    ground.settled(updatedReplicas=3, updatedReadyReplicas=3)
    ground.settle()
    created = counts(ground)
    assert created["create pods"] == 3
    assert created["create controllerrevisions"] == 1
    refused = [request for request in ground.manager_writes() if request.code >= 400 and request.code != 409]
    assert not refused
    # A pod's second write, once it has a node, may be refused as stale where the kubelet reports at that moment.
    good = [r for r in ground.manager_writes() if r.resource == "pods" and r.verb == "patch" and r.code < 300]
    assert len(good) == 3
    ground.set_image(V2)
    ground.settled(updatedReplicas=3, updatedReadyReplicas=3)
    ground.settle()
    good = [r for r in ground.manager_writes() if r.resource == "pods" and r.verb == "patch" and r.code < 300]
    assert len(good) - 3 == 3 * 3
    assert counts(ground)["create controllerrevisions"] == 2
    assert not [r for r in ground.manager_writes() if r.verb in ("update", "delete") and r.resource == "pods"]
    assert not [r for r in ground.manager_writes() if r.code >= 400 and r.code != 409]


def test_what_others_wrote_stays(ground: RealGround) -> None:
    ground.create(replicas=2)
    ground.settled()
    name = ground.pods()[0]["metadata"]["name"]
    ground.client.patch(
        "pods", name, {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}, "finalizers": ["example.com/keep"]}}
    )
    condition = {"type": "example.com/Checked", "status": "True", "lastTransitionTime": "2024-01-01T00:00:00Z"}
    ground.client.patch("pods", name, {"status": {"conditions": [condition]}}, type="strategic", subresource="status")
    ground.client.patch("clone", "web", {"metadata": {"annotations": {"note": "c"}}})
    ground.set_image(V2)
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
    pod = ground.client.get("pods", name)
    assert pod["metadata"]["labels"]["team"] == "a"
    assert pod["metadata"]["annotations"]["note"] == "b"
    assert pod["metadata"]["finalizers"] == ["example.com/keep"]
    assert next(c for c in pod["status"]["conditions"] if c["type"] == "example.com/Checked")["status"] == "True"
    assert ground.get()["metadata"]["annotations"]["note"] == "c"
    ground.client.patch("pods", name, {"metadata": {"finalizers": None}})


@pytest.mark.real_only("in virtual time nobody else writes while the manager works")
def test_edits_beside_a_rollout_only_delay_it(ground: RealGround) -> None:
    """Each edit makes the manager's view of that pod stale: its write is refused, planned again, and comes to the same end."""
    ground.create(replicas=4, updateStrategy={"type": "InPlaceIfPossible", "maxUnavailable": 1})
    ground.settled()
    before = {pod["metadata"]["uid"] for pod in ground.pods()}
    ground.set_image(V2)
    edits = 0

    def disturbed() -> bool:
        nonlocal edits
        for pod in ground.pods():
            edits += 1
            ground.client.patch("pods", pod["metadata"]["name"], {"metadata": {"annotations": {"edit": str(edits)}}})
        return bool(ground.status().get("updatedReplicas", 0) >= 2)

    ground.until(disturbed)
    ground.settled(updatedReplicas=4, updatedReadyReplicas=4)
    assert {pod["metadata"]["uid"] for pod in ground.pods()} == before
    assert edits >= 4
