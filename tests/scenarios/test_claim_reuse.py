"""Claims that no later pod is to have (scaleStrategy.disablePVCReuse)."""

from __future__ import annotations

from .ground import Ground

CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def test_a_claim_goes_with_its_pod(ground: Ground) -> None:
    ground.create(replicas=2, volumeClaimTemplates=[CLAIM], scaleStrategy={"disablePVCReuse": True})
    ground.settled()
    before = {claim["metadata"]["uid"] for claim in ground.client.list("pvc")}
    victim = ground.pods()[0]["metadata"]["name"]
    ground.client.delete("pods", victim)
    ground.until(lambda: victim not in {p["metadata"]["name"] for p in ground.pods()} and len(ground.pods()) == 2)
    ground.settled()
    ground.until(lambda: len(ground.client.list("pvc")) == 2)
    assert len({claim["metadata"]["uid"] for claim in ground.client.list("pvc")} & before) == 1
    assert victim not in {p["metadata"]["name"] for p in ground.pods()}


def test_claims_left_over_are_removed_once_it_is_on(ground: Ground) -> None:
    ground.create(replicas=2, volumeClaimTemplates=[CLAIM])
    ground.settled()
    victim = ground.pods()[0]["metadata"]["name"]
    ground.kubelets.fail_pod(ground.namespace, victim)
    ground.until(lambda: victim not in {p["metadata"]["name"] for p in ground.pods()} and len(ground.pods()) == 2)
    ground.settled()
    assert len(ground.client.list("pvc")) == 3  # nobody removes a failed pod, so that its claim waits for it
    ground.edit(scaleStrategy={"disablePVCReuse": True})
    ground.settle()
    claim = ground.client.get("pvc", f"data-{victim}")
    assert [owner["kind"] for owner in claim["metadata"]["ownerReferences"]] == ["Pod"]
    ground.client.delete("pods", victim)
    ground.until(lambda: len(ground.client.list("pvc")) == 2)
