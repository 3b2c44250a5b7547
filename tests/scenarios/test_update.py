"""Updating: by replacing and in place, with each of the limits."""

from __future__ import annotations

from typing import Any

import pytest

from .ground import Ground, Object, clone_set

V2 = "registry.example/web:v2"


def uids(pods: list[Object]) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods}


def images(ground: Ground) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in ground.pods())


def restarts(pod: Object) -> dict[str, int]:
    return {c["name"]: c["restartCount"] for c in pod["status"]["containerStatuses"]}


@pytest.mark.also_as_process
@pytest.mark.parametrize("kind", ["InPlaceIfPossible", "InPlaceOnly"])
def test_in_place(ground: Ground, kind: str) -> None:
    ground.create(updateStrategy={"type": kind})
    ground.settled()
    before = ground.pods()
    ground.set_image(V2)
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5)
    after = ground.pods()
    assert uids(after) == uids(before)
    assert images(ground) == [V2] * 5
    for pod in after:
        assert restarts(pod) == {"main": 1, "log": 0}
        assert pod["metadata"]["labels"]["lifecycle.apps.kruise.io/state"] == "Normal"
    status = ground.status()
    assert status["currentRevision"] == status["updateRevision"]


@pytest.mark.also_as_process
def test_in_place_of_several_containers(ground: Ground) -> None:
    """Not in alphabetical order, as those of most pods: a patch must not move them."""
    ground.create(replicas=2, updateStrategy={"type": "InPlaceOnly", "maxUnavailable": "100%"})
    ground.settled()
    before = ground.pods()
    containers = [{"name": "main", "image": V2}, {"name": "log", "image": "registry.example/log:v2"}]
    ground.edit(template={"spec": {"containers": containers}})
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
    assert uids(ground.pods()) == uids(before)
    for pod in ground.pods():
        assert [(one["name"], one["image"]) for one in pod["spec"]["containers"]] == [(c["name"], c["image"]) for c in containers]
        assert restarts(pod) == {"main": 1, "log": 1}


def test_by_replacing(ground: Ground) -> None:
    ground.create(updateStrategy={"type": "ReCreate"})
    ground.settled()
    before = ground.pods()
    ground.set_image(V2)
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5)
    assert not uids(ground.pods()) & uids(before)


def test_template_change_that_cannot_be_in_place_replaces(ground: Ground) -> None:
    ground.create()
    ground.settled()
    before = ground.pods()
    spec = ground.get()["spec"]["template"]["spec"]
    spec["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    ground.edit(template={"spec": spec})
    ground.settled(updatedReplicas=5)
    assert not uids(ground.pods()) & uids(before)


@pytest.mark.parametrize(("partition", "updated"), [(0, 5), (2, 3), ("60%", 2), ("50%", 2), ("99%", 1), ("100%", 0), (9, 0)])
@pytest.mark.parametrize("kind", ["InPlaceIfPossible", "ReCreate"])
def test_partition(ground: Ground, kind: str, partition: Any, updated: int) -> None:
    ground.create(updateStrategy={"type": kind, "partition": partition})
    ground.settled()
    ground.set_image(V2)
    ground.settled(updatedReplicas=updated, updatedReadyReplicas=updated)
    ground.settle(10)
    ground.settled(updatedReplicas=updated)
    assert ground.status().get("expectedUpdatedReplicas", 0) == updated  # left out at 0


def test_partition_lowered_step_by_step(ground: Ground) -> None:
    ground.create(replicas=10, updateStrategy={"type": "InPlaceIfPossible", "partition": "80%"})
    ground.settled()
    ground.set_image(V2)
    for partition, updated in (("80%", 2), ("50%", 5), (0, 10)):
        ground.edit(updateStrategy={"partition": partition})
        ground.settled(updatedReplicas=updated, updatedReadyReplicas=updated)


@pytest.mark.parametrize("unavailable", [1, 2, "40%", "100%"])
@pytest.mark.parametrize("kind", ["InPlaceIfPossible", "ReCreate"])
def test_max_unavailable(ground: Ground, kind: str, unavailable: Any) -> None:
    ground.create(updateStrategy={"type": kind, "maxUnavailable": unavailable})
    ground.settled()
    ground.set_image(V2)
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5)


@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (2, 0), ("40%", "20%"), (1, 1)])
@pytest.mark.parametrize("kind", ["InPlaceIfPossible", "ReCreate"])
def test_surge(ground: Ground, kind: str, surge: Any, unavailable: Any) -> None:
    ground.create(updateStrategy={"type": kind, "maxSurge": surge, "maxUnavailable": unavailable})
    ground.settled()
    ground.set_image(V2)
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5)


def test_paused(ground: Ground) -> None:
    ground.create(updateStrategy={"type": "InPlaceIfPossible", "paused": True})
    ground.settled()
    ground.set_image(V2)
    ground.settle(20)
    assert ground.status()["updatedReplicas"] == 0
    ground.client.scale("clone", "web", 6)
    ground.settled()
    ground.edit(updateStrategy={"paused": False})
    ground.settled(updatedReplicas=6)


def test_grace_period(ground: Ground) -> None:
    ground.create(updateStrategy={"type": "InPlaceIfPossible", "inPlaceUpdateStrategy": {"gracePeriodSeconds": ground.grace_s}})
    ground.settled()
    before = ground.pods()
    ground.set_image(V2)
    ground.until(lambda: any("apps.kruise.io/inplace-update-grace" in p["metadata"]["annotations"] for p in ground.pods()))
    waiting = [p for p in ground.pods() if "apps.kruise.io/inplace-update-grace" in p["metadata"]["annotations"]]
    for pod in waiting:
        assert pod["spec"]["containers"][0]["image"] != V2
        ready = {c["type"]: c["status"] for c in pod["status"]["conditions"]}
        assert ready["InPlaceUpdateReady"] == "False"
        assert ready["Ready"] == "False"
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5, timeout=400)
    assert uids(ground.pods()) == uids(before)


def test_order_priority(ground: Ground) -> None:
    template = clone_set()["spec"]["template"]
    ground.create(
        template=template,
        updateStrategy={
            "type": "InPlaceIfPossible",
            "partition": 4,
            "priorityStrategy": {"weightPriority": [{"weight": 50, "matchSelector": {"matchLabels": {"first": "yes"}}}]},
        },
    )
    ground.settled()
    chosen = ground.pods()[3]["metadata"]["name"]
    ground.client.patch("pods", chosen, {"metadata": {"labels": {"first": "yes"}}})
    ground.set_image(V2)
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
    assert [p["metadata"]["name"] for p in ground.pods() if p["spec"]["containers"][0]["image"] == V2] == [chosen]


def test_scatter(ground: Ground) -> None:
    ground.create(
        replicas=6,
        updateStrategy={
            "type": "InPlaceIfPossible",
            "partition": 3,
            "maxUnavailable": 3,  # one batch: with a single labelled candidate left there is nothing to scatter
            "scatterStrategy": [{"key": "noisy", "value": "true"}],
        },
    )
    ground.settled()
    noisy = [p["metadata"]["name"] for p in ground.pods()[:2]]
    for name in noisy:
        ground.client.patch("pods", name, {"metadata": {"labels": {"noisy": "true"}}})
    ground.set_image(V2)
    ground.settled(updatedReplicas=3, updatedReadyReplicas=3)
    updated = [p["metadata"]["name"] for p in ground.pods() if p["spec"]["containers"][0]["image"] == V2]
    assert len(set(updated) & set(noisy)) == 1


@pytest.mark.also_as_process
def test_rollback_midway(ground: Ground) -> None:
    ground.create(replicas=10, updateStrategy={"type": "InPlaceIfPossible", "maxUnavailable": 3})
    ground.settled()
    before = ground.pods()
    first = ground.status()["updateRevision"]
    ground.set_image(V2)
    ground.until(lambda: 3 <= ground.status().get("updatedReplicas", 0) < 10)
    ground.set_image("registry.example/web:v1")
    ground.settled(updatedReplicas=10, updatedReadyReplicas=10)
    assert uids(ground.pods()) == uids(before)
    assert ground.status()["updateRevision"] == first


@pytest.mark.also_as_process
def test_image_that_never_pulls_stops_at_the_budget(ground: Ground) -> None:
    bad = "registry.example/web:missing"
    ground.kubelets.fail_image(bad)
    ground.create(replicas=10, updateStrategy={"type": "InPlaceIfPossible", "maxUnavailable": 3})
    ground.settled()
    ground.set_image(bad)
    ground.until(lambda: ground.status().get("updatedReplicas") == 3)
    ground.settle(60)
    status = ground.status()
    assert (status["updatedReplicas"], status["readyReplicas"]) == (3, 7)
    assert any("maxUnavailable" in reason.text or reason.rule == "maxUnavailable" for reason in ground.plan("web").held())
    ground.set_image("registry.example/web:v1")
    ground.settled(updatedReplicas=10, updatedReadyReplicas=10)


def test_two_tags_of_one_image_complete(ground: Ground) -> None:
    ground.kubelets.same_image(V2, "registry.example/web:v1")
    ground.create()
    ground.settled()
    ground.set_image(V2)
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5)


def test_revision_history(ground: Ground) -> None:
    ground.create(revisionHistoryLimit=2)
    ground.settled()
    for number in range(2, 7):
        ground.set_image(f"registry.example/web:v{number}")
        ground.settled(updatedReplicas=5)
    ground.until(lambda: len(ground.client.list("controllerrevisions")) == 3)


def test_node_loss(ground: Ground) -> None:
    ground.create(updateStrategy={"type": "InPlaceIfPossible", "maxUnavailable": "100%"})
    ground.settled()
    node = ground.pods()[0]["spec"]["nodeName"]
    lost = sum(pod["spec"]["nodeName"] == node for pod in ground.pods())
    ground.kubelets.lose_node(node)
    ground.set_image(V2)
    ground.until(lambda: ground.status().get("updatedReadyReplicas") == 5 - lost, timeout=300)
    ground.kubelets.restore_node(node)
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5, timeout=300)
