"""Containers of one pod in place: in batches by launch priority, and restarted for variables taken from the pod's metadata."""

from __future__ import annotations

import json

import pytest

from .ground import Ground, Object, barrier
from .test_update import V2, restarts, uids

ALL_AT_ONCE = {"type": "InPlaceIfPossible", "maxUnavailable": "100%"}
LOG_V2 = "registry.example/log:v2"
STATE = "apps.kruise.io/inplace-update-state"
TOLD = "apps.kruise.io/runtime-containers-meta"


def ordered(main: str = "registry.example/web:v1", log: str = "registry.example/log:v1") -> Object:
    """Two containers, of which log is launched first."""
    containers = [
        {"name": "main", "image": main, "env": [barrier(0)]},
        {"name": "log", "image": log, "env": [barrier(10)]},
    ]
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}


def reading(*, labels: Object | None = None, annotations: Object | None = None) -> Object:
    """main reads the label flavour, log the annotation example.com/level."""
    sources = {"main": "metadata.labels['flavour']", "log": "metadata.annotations['example.com/level']"}
    containers = [
        {
            "name": name,
            "image": f"registry.example/{name}:v1",
            "env": [{"name": "TOLD", "valueFrom": {"fieldRef": {"fieldPath": path}}}],
        }
        for name, path in sources.items()
    ]
    metadata = {"labels": {"app": "web", **(labels or {})}, "annotations": annotations or {}}
    return {"metadata": metadata, "spec": {"containers": containers}}


def state(pod: Object) -> Object:
    value: Object = json.loads(pod["metadata"]["annotations"][STATE])
    return value


def image_of(pod: Object, container: str) -> str:
    return next(str(c["image"]) for c in pod["spec"]["containers"] if c["name"] == container)


def writes_to_pods(ground: Ground) -> list[int]:
    written = ground.manager_writes_to("web")
    return [written[f"pods/{pod['metadata']['name']}"] for pod in ground.pods()]


def test_containers_are_updated_in_order_of_their_launch(ground: Ground) -> None:
    ground.create(replicas=2, template=ordered(), updateStrategy=ALL_AT_ONCE)
    ground.settled()
    before = ground.pods()
    ground.edit(template=ordered(V2, LOG_V2))
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
    ground.settle()
    assert uids(ground.pods()) == uids(before)
    for pod in ground.pods():
        assert restarts(pod) == {"main": 1, "log": 1}
        assert [batch["containers"] for batch in state(pod)["containerBatchesRecord"]] == [["log"], ["main"]]
        assert "nextContainerImages" not in state(pod)
    # Created with 2, then NotReady, a batch each, ready again.
    assert writes_to_pods(ground) == [2 + 4, 2 + 4]


def test_a_batch_that_is_never_ready_keeps_the_next_one_back(ground: Ground) -> None:
    ground.kubelets.never_ready(LOG_V2)
    ground.create(replicas=1, template=ordered(), updateStrategy={**ALL_AT_ONCE, "maxUnavailable": 1})
    ground.settled()
    before = ground.pods()
    ground.edit(template=ordered(V2, LOG_V2))
    ground.until(lambda: restarts(ground.pods()[0])["log"] == 1)
    ground.settle(60)
    assert image_of(ground.pods()[0], "main") == "registry.example/web:v1"
    assert "log" in ground.plan("web").text()
    # Back: only what was changed goes back.
    ground.edit(template=ordered())
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
    assert uids(ground.pods()) == uids(before)
    assert restarts(ground.pods()[0]) == {"main": 0, "log": 2}


def test_what_a_batch_was_to_change_is_not_forgotten_by_the_next_revision(ground: Ground) -> None:
    ground.kubelets.never_ready(LOG_V2)
    ground.create(replicas=1, template=ordered(), updateStrategy={**ALL_AT_ONCE, "maxUnavailable": 1})
    ground.settled()
    ground.edit(template=ordered(V2, LOG_V2))
    ground.until(lambda: restarts(ground.pods()[0])["log"] == 1)
    ground.edit(template=ordered(V2, "registry.example/log:v3"))
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
    assert image_of(ground.pods()[0], "main") == V2


def test_metadata_that_variables_are_taken_from_restarts_the_containers_that_read_it(ground: Ground) -> None:
    ground.create(
        replicas=2, template=reading(labels={"flavour": "a"}, annotations={"example.com/level": "1"}), updateStrategy=ALL_AT_ONCE
    )
    ground.settled()
    before = ground.pods()
    ground.edit(template=reading(labels={"flavour": "b"}, annotations={"example.com/level": "1"}))
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
    ground.settle()
    assert uids(ground.pods()) == uids(before)
    for pod in ground.pods():
        assert restarts(pod) == {"main": 1, "log": 0}
        assert pod["metadata"]["labels"]["flavour"] == "b"
        assert state(pod)["updateEnvFromMetadata"]
    assert writes_to_pods(ground) == [2 + 3, 2 + 3]

    ground.edit(template=reading(labels={"flavour": "b"}, annotations={"example.com/level": "2"}))
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
    for pod in ground.pods():
        assert restarts(pod) == {"main": 1, "log": 1}
        assert pod["metadata"]["annotations"]["example.com/level"] == "2"


def test_metadata_that_nobody_reads_restarts_nothing(ground: Ground) -> None:
    ground.create(replicas=2, template=reading(labels={"flavour": "a", "team": "x"}), updateStrategy=ALL_AT_ONCE)
    ground.settled()
    before = ground.pods()
    ground.edit(template=reading(labels={"flavour": "a", "team": None}, annotations={"example.com/note": "y"}))
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
    ground.settle()
    assert uids(ground.pods()) == uids(before)
    for pod in ground.pods():
        assert restarts(pod) == {"main": 0, "log": 0}
        assert "team" not in pod["metadata"]["labels"]
        assert pod["metadata"]["annotations"]["example.com/note"] == "y"
    assert writes_to_pods(ground) == [2 + 3, 2 + 3]


def test_a_change_of_image_and_metadata_is_one_update(ground: Ground) -> None:
    ground.create(replicas=1, template=reading(labels={"flavour": "a"}), updateStrategy={**ALL_AT_ONCE, "maxUnavailable": 1})
    ground.settled()
    wanted = reading(labels={"flavour": "b"})
    wanted["spec"]["containers"][0]["image"] = V2
    ground.edit(template=wanted)
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
    ground.settle()
    (pod,) = ground.pods()
    assert restarts(pod) == {"main": 1, "log": 0}
    assert writes_to_pods(ground) == [2 + 3]


def test_metadata_waits_out_the_grace_period_and_may_be_taken_back_in_it(ground: Ground) -> None:
    strategy = {**ALL_AT_ONCE, "maxUnavailable": 1, "inPlaceUpdateStrategy": {"gracePeriodSeconds": 3 * ground.grace_s}}
    ground.create(replicas=1, template=reading(labels={"flavour": "a"}), updateStrategy=strategy)
    ground.settled()
    ground.edit(template=reading(labels={"flavour": "b"}))
    ground.until(lambda: ground.status().get("updatedReplicas") == 1)
    assert ground.pods()[0]["metadata"]["labels"]["flavour"] == "a"
    ground.edit(template=reading(labels={"flavour": "a"}))
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1, timeout=10 * ground.grace_s)
    (pod,) = ground.pods()
    assert pod["metadata"]["labels"]["flavour"] == "a"
    assert restarts(pod) == {"main": 0, "log": 0}
    ground.edit(template=reading(labels={"flavour": "c"}))
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1, timeout=10 * ground.grace_s)
    (pod,) = ground.pods()
    assert pod["metadata"]["labels"]["flavour"] == "c"
    assert restarts(pod) == {"main": 1, "log": 0}


@pytest.mark.gates(InPlaceUpdateEnvFromMetadata=False)
def test_without_the_gate_variables_stay_what_they_were(ground: Ground) -> None:
    ground.create(replicas=1, template=reading(labels={"flavour": "a"}), updateStrategy={**ALL_AT_ONCE, "maxUnavailable": 1})
    ground.settled()
    told = ground.pods()[0]["metadata"]["annotations"][TOLD]
    ground.edit(template=reading(labels={"flavour": "b"}))
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
    (pod,) = ground.pods()
    assert pod["metadata"]["labels"]["flavour"] == "b"
    assert "updateEnvFromMetadata" not in state(pod)
    # The node agent may meet the pod while it is not ready, and restarts it then: that is its own affair.
    assert restarts(pod)["log"] == 0
    assert json.loads(told)["containers"]
