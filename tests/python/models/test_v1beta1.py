"""Builders of v1beta1 of CloneSet: the same names in a module of their own, with the update strategy a level deeper."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest

import kruise
from kruise import models
from kruise.models import Container, LabelSelector, ModelError, ObjectMeta, PodSpec, PodTemplateSpec, apps_v1alpha1, apps_v1beta1
from kruise.models.apps_v1beta1 import (
    CloneSet,
    CloneSetScaleStrategy,
    CloneSetSpec,
    CloneSetUpdateStrategy,
    InPlaceUpdateStrategy,
    RollingUpdateCloneSetStrategy,
    UpdateScatterTerm,
)

WIRE: dict[str, Any] = {
    "apiVersion": "apps.kruise.io/v1beta1",
    "kind": "CloneSet",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 5,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "registry.example/web:v1"}]},
        },
        "scaleStrategy": {"enablePVCReuse": True, "excludePreparingDelete": True},
        "updateStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {
                "podUpdatePolicy": "InPlaceIfPossible",
                "partition": "60%",
                "maxUnavailable": 1,
                "paused": False,
                "scatterStrategy": [{"key": "role", "value": "leader"}],
                "inPlaceUpdateStrategy": {
                    "gracePeriodSeconds": 5,
                    "imagePreDownloadParallelism": "10%",
                    "imagePreDownloadTimeoutSeconds": 60,
                    "imagePreDownloadMinUpdatedReadyPods": 2,
                },
            },
        },
    },
}


def built() -> CloneSet:
    pod = PodTemplateSpec(
        metadata=ObjectMeta(labels={"app": "web"}),
        spec=PodSpec(containers=[Container(name="main", image="registry.example/web:v1")]),
    )
    rolling = RollingUpdateCloneSetStrategy(
        pod_update_policy="InPlaceIfPossible",
        partition="60%",
        max_unavailable=1,
        paused=False,
        scatter_strategy=[UpdateScatterTerm(key="role", value="leader")],
        in_place_update_strategy=InPlaceUpdateStrategy(
            grace_period_seconds=5,
            image_pre_download_parallelism="10%",
            image_pre_download_timeout_seconds=60,
            image_pre_download_min_updated_ready_pods=2,
        ),
    )
    return CloneSet(
        metadata=ObjectMeta(name="web"),
        spec=CloneSetSpec(
            replicas=5,
            selector=LabelSelector(match_labels={"app": "web"}),
            template=pod,
            scale_strategy=CloneSetScaleStrategy(enable_pvc_reuse=True, exclude_preparing_delete=True),
            update_strategy=CloneSetUpdateStrategy(type="RollingUpdate", rolling_update=rolling),
        ),
    )


def test_the_wire_form_is_that_of_v1beta1() -> None:
    assert built().to_dict() == WIRE
    read = CloneSet.from_dict(WIRE)
    assert read == CloneSet.from_dict(read.to_dict())
    assert read.to_dict()["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == "60%"


def test_each_version_reads_its_own_objects_only() -> None:
    with pytest.raises(ModelError, match=r"apiVersion: expected 'apps.kruise.io/v1beta1'"):
        CloneSet.from_dict({**WIRE, "apiVersion": "apps.kruise.io/v1alpha1"})
    with pytest.raises(ModelError, match=r"apiVersion: expected 'apps.kruise.io/v1alpha1'"):
        models.CloneSet.from_dict(WIRE)


def names(model: type) -> set[str]:
    return {field.name for field in dataclasses.fields(model)}


def test_what_moved_and_what_is_called_otherwise() -> None:
    """The table of differences between the versions, on the builders."""
    old, new = names(apps_v1alpha1.CloneSetUpdateStrategy), names(CloneSetUpdateStrategy)
    assert new == {"type", "rolling_update", "extra"}
    assert names(RollingUpdateCloneSetStrategy) == (old - {"type"}) | {"pod_update_policy"}
    old, new = names(apps_v1alpha1.CloneSetScaleStrategy), names(CloneSetScaleStrategy)
    assert (old - new, new - old) == ({"disable_pvc_reuse"}, {"enable_pvc_reuse"})
    added = names(InPlaceUpdateStrategy) - names(apps_v1alpha1.InPlaceUpdateStrategy)
    assert added == {
        "image_pre_download_parallelism",
        "image_pre_download_timeout_seconds",
        "image_pre_download_min_updated_ready_pods",
    }
    for same in ("CloneSetSpec", "CloneSetStatus", "CloneSetCondition", "Lifecycle", "LifecycleHook", "UpdatePriorityStrategy"):
        assert names(getattr(apps_v1beta1, same)) == names(getattr(apps_v1alpha1, same)), same


def test_the_package_means_the_stored_version_and_loads_no_other() -> None:
    assert models.CloneSet is apps_v1alpha1.CloneSet
    code = "import sys, kruise.models as m; m.CloneSet; assert 'kruise.models.apps_v1beta1' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_cluster_that_serves_it_takes_and_gives_its_builders() -> None:
    with kruise.Cluster(virtual=True, serve_v1beta1=True) as cluster:
        client = cluster.client()
        client.create(built())
        stored = client.get(models.CloneSet, "web").to_dict()["spec"]
        assert stored["updateStrategy"]["type"] == "InPlaceIfPossible"
        assert stored["updateStrategy"]["partition"] == "60%"
        assert stored["scaleStrategy"]["disablePVCReuse"] is False
        assert client.get(CloneSet, "web").to_dict()["spec"]["updateStrategy"] == WIRE["spec"]["updateStrategy"]
        rolling = RollingUpdateCloneSetStrategy(partition=1)
        partial = CloneSetSpec(update_strategy=CloneSetUpdateStrategy(rolling_update=rolling))
        client.patch(CloneSet, "web", {"spec": partial.to_dict()})
        changed = client.get(models.CloneSet, "web").to_dict()["spec"]["updateStrategy"]
        assert (changed["type"], changed["partition"]) == ("InPlaceIfPossible", 1)
