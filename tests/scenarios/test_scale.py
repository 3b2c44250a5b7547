"""Scaling: out, in, chosen pods, claims, lost pods."""

from __future__ import annotations

import pytest

from .ground import Ground


def names(ground: Ground) -> set[str]:
    return {pod["metadata"]["name"] for pod in ground.pods()}


@pytest.mark.also_as_process
def test_create(ground: Ground) -> None:
    ground.create()
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5)
    status = ground.status()
    assert status["currentRevision"] == status["updateRevision"]
    assert status["labelSelector"] == "app=web"
    for pod in ground.pods():
        labels = pod["metadata"]["labels"]
        assert labels["lifecycle.apps.kruise.io/state"] == "Normal"
        assert labels["controller-revision-hash"] == status["updateRevision"]
        assert pod["metadata"]["name"] == f"web-{labels['apps.kruise.io/cloneset-instance-id']}"
        assert {"conditionType": "InPlaceUpdateReady"} in pod["spec"]["readinessGates"]


def test_scale_out_keeps_the_old_pods(ground: Ground) -> None:
    ground.create()
    ground.settled()
    before = names(ground)
    ground.client.scale("clone", "web", 8)
    ground.settled()
    assert before < names(ground)


def test_scale_in_takes_the_broken_first(ground: Ground) -> None:
    ground.create()
    ground.settled()
    ground.kubelets.never_ready("registry.example/web:broken")
    victim = ground.pods()[2]
    ground.client.patch(
        "pods",
        victim["metadata"]["name"],
        {"spec": {"containers": [{"name": "main", "image": "registry.example/web:broken"}]}},
        type="strategic",
    )
    ground.until(lambda: ground.status().get("readyReplicas") == 4)
    ground.client.scale("clone", "web", 4)
    ground.settled()
    assert victim["metadata"]["name"] not in names(ground)


def test_scale_to_nothing_and_back(ground: Ground) -> None:
    ground.create()
    ground.settled()
    ground.client.scale("clone", "web", 0)
    ground.settled()
    assert ground.pods() == []
    ground.client.scale("clone", "web", 3)
    ground.settled()


@pytest.mark.also_as_process
def test_chosen_pod_is_replaced(ground: Ground) -> None:
    ground.create()
    ground.settled()
    victim = sorted(names(ground))[0]
    ground.edit(scaleStrategy={"podsToDelete": [victim]})
    ground.until(lambda: victim not in names(ground))
    ground.settled()
    ground.until(lambda: not ground.get()["spec"].get("scaleStrategy", {}).get("podsToDelete"))


def test_chosen_pod_goes_when_replicas_shrink(ground: Ground) -> None:
    ground.create()
    ground.settled()
    before = names(ground)
    victim = sorted(before)[3]
    ground.edit(replicas=4, scaleStrategy={"podsToDelete": [victim]})
    ground.settled()
    assert names(ground) == before - {victim}


def test_specified_delete_label(ground: Ground) -> None:
    ground.create()
    ground.settled()
    victim = sorted(names(ground))[1]
    ground.client.patch("pods", victim, {"metadata": {"labels": {"apps.kruise.io/specified-delete": "true"}}})
    ground.until(lambda: victim not in names(ground))
    ground.settled()


def test_deleted_pod_comes_back(ground: Ground) -> None:
    ground.create()
    ground.settled()
    victim = ground.pods()[0]
    ground.client.delete("pods", victim["metadata"]["name"])
    ground.until(lambda: victim["metadata"]["uid"] not in {pod["metadata"]["uid"] for pod in ground.pods()})
    ground.settled()


def test_failed_pod_is_replaced(ground: Ground) -> None:
    ground.create()
    ground.settled()
    victim = sorted(names(ground))[0]
    ground.kubelets.fail_pod(ground.namespace, victim)
    ground.until(lambda: victim not in names(ground))
    ground.settled()


@pytest.mark.also_as_process
def test_claims_live_and_die_with_their_pods(ground: Ground) -> None:
    template = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    ground.create(replicas=3, volumeClaimTemplates=[template])
    ground.settled()
    for pod in ground.pods():
        claim = ground.client.get("pvc", f"data-{pod['metadata']['name']}")
        assert claim["metadata"]["labels"]["apps.kruise.io/cloneset-instance-id"] == pod["metadata"]["name"].removeprefix("web-")
    ground.client.scale("clone", "web", 1)
    ground.settled()
    ground.until(lambda: len(ground.client.list("pvc")) == 1)


def test_pod_deleted_by_hand_gets_its_claim_again(ground: Ground) -> None:
    template = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    ground.create(replicas=2, volumeClaimTemplates=[template])
    ground.settled()
    before = {claim["metadata"]["uid"] for claim in ground.client.list("pvc")}
    victim = ground.pods()[0]
    ground.client.delete("pods", victim["metadata"]["name"])
    ground.until(lambda: victim["metadata"]["uid"] not in {pod["metadata"]["uid"] for pod in ground.pods()})
    ground.settled()
    assert victim["metadata"]["name"] in names(ground)
    assert {claim["metadata"]["uid"] for claim in ground.client.list("pvc")} == before


@pytest.mark.also_as_process
def test_deletion_collects_the_pods(ground: Ground) -> None:
    ground.create()
    ground.settled()
    ground.client.delete("clone", "web")
    ground.until(lambda: ground.client.list("pods") == [] and ground.client.list("controllerrevisions") == [])


def test_released_pod_is_replaced(ground: Ground) -> None:
    ground.create()
    ground.settled()
    victim = ground.pods()[0]["metadata"]["name"]
    ground.client.patch("pods", victim, {"metadata": {"labels": {"app": "other"}}})
    ground.until(lambda: not ground.client.get("pods", victim)["metadata"].get("ownerReferences"))
    ground.settled()
    assert len(ground.client.list("pods")) == 6


def test_orphaning_keeps_the_pods(ground: Ground) -> None:
    ground.create()
    ground.settled()
    before = names(ground)
    ground.client.delete("clone", "web", propagation="Orphan")
    ground.until(lambda: all(not pod["metadata"].get("ownerReferences") for pod in ground.client.list("pods")))
    assert {pod["metadata"]["name"] for pod in ground.client.list("pods")} == before
