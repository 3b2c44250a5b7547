"""The two versions of CloneSet: what a client that knows only one of them sees and does."""

from __future__ import annotations

import json
from typing import Any

import pytest

import kruise

from .ground import DELAYS, clone_set
from .real_ground import RealGround
from .test_update import V2

V1BETA1 = "/apis/apps.kruise.io/v1beta1/namespaces/default/clonesets"


def settled(cluster: kruise.Cluster, **figures: int) -> None:
    def done() -> bool:
        status = cluster.client().get("clone", "web").get("status", {})
        return all(status.get(name, 0) == value for name, value in figures.items())

    cluster.run_until(done, timeout=120)


def test_a_rollout_by_a_client_of_v1beta1() -> None:
    with kruise.Cluster(virtual=True, delays=DELAYS, serve_v1beta1=True) as cluster, kruise.Manager(cluster):
        client = cluster.client()
        new: dict[str, Any] = clone_set()
        new["apiVersion"] = "apps.kruise.io/v1beta1"
        new["spec"]["updateStrategy"] = {"rollingUpdate": {"podUpdatePolicy": "InPlaceIfPossible", "partition": "60%"}}
        created = client.create(new)
        assert created["apiVersion"] == "apps.kruise.io/v1beta1"
        settled(cluster, readyReplicas=5)
        before = {pod["metadata"]["uid"] for pod in client.list("pods")}

        template = created["spec"]["template"]
        template["spec"]["containers"][0]["image"] = V2
        client.apply({**new, "spec": {**new["spec"], "template": template}}, field_manager="test", force=True)
        settled(cluster, updatedReadyReplicas=2)
        assert {pod["metadata"]["uid"] for pod in client.list("pods")} == before
        stored = client.get("clone", "web")  # this client asks for v1alpha1
        assert stored["apiVersion"] == "apps.kruise.io/v1alpha1"
        assert stored["spec"]["updateStrategy"] == {"type": "InPlaceIfPossible", "partition": "60%"}
        assert stored["spec"]["scaleStrategy"] == {"disablePVCReuse": True}


@pytest.mark.real_only("kubectl, and a server that converts nothing")
def test_a_client_that_names_no_version_keeps_partition_and_budgets(ground: RealGround) -> None:
    """v1beta1 is not served: what kubectl gets, patches and scales without a version is v1alpha1, whole."""
    strategy = {
        "type": "InPlaceIfPossible",
        "partition": "60%",
        "maxUnavailable": 1,
        "maxSurge": 0,
        "inPlaceUpdateStrategy": {"gracePeriodSeconds": 1},
    }
    scale = {"disablePVCReuse": False, "maxUnavailable": "50%"}
    ground.create(updateStrategy=strategy, scaleStrategy=scale)
    ground.settled()

    def kubectl(*arguments: str) -> str:
        return ground.plane.run_kubectl("-n", ground.namespace, *arguments)

    got = json.loads(kubectl("get", "clonesets", "web", "-o", "json"))
    assert got["apiVersion"] == "apps.kruise.io/v1alpha1"
    assert (got["spec"]["updateStrategy"], got["spec"]["scaleStrategy"]) == (strategy, scale)
    assert "apps.kruise.io/v1beta1" not in ground.plane.run_kubectl("api-versions")

    kubectl("patch", "cloneset", "web", "--type=merge", "-p", json.dumps({"spec": {"minReadySeconds": 1}}))
    kubectl(
        "patch", "clone/web", "--type=json", "-p", '[{"op":"replace","path":"/spec/updateStrategy/maxUnavailable","value":2}]'
    )
    kubectl("scale", "cloneset", "web", "--replicas=6")
    kubectl("label", "clonesets.apps.kruise.io", "web", "team=a")
    spec = ground.get()["spec"]
    assert spec["updateStrategy"] == {**strategy, "maxUnavailable": 2}
    assert (spec["scaleStrategy"], spec["replicas"], spec["minReadySeconds"]) == (scale, 6, 1)
    ground.settled()
    ground.set_image(V2)
    ground.settled(updatedReplicas=2, updatedReadyReplicas=2)
