"""A real API server takes our CRDs as they are, keeps what the templates hold, and shows what the chart promises."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane
from manager_process import wait

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[2]
SETS = "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets"
SET: dict[str, Any] = {
    "apiVersion": "apps.kruise.io/v1alpha1",
    "kind": "CloneSet",
    "metadata": {"name": "crd-test"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "crd-test"}},
        "template": {
            "metadata": {"labels": {"app": "crd-test"}},
            "spec": {"containers": [{"name": "main", "image": "nginx:1", "novelty": {"deep": [1, "x"]}}], "tomorrow": True},
        },
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"novel": 1}}],
        "updateStrategy": {"type": "InPlaceIfPossible", "partition": "50%", "maxUnavailable": 1},
        "lifecycle": {"preDelete": {"labelsHandler": {"a": "b"}, "markPodNotReady": True}},
    },
}


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    control_plane.install_crds(ROOT / "charts/kruise/crds", ROOT / "tests/data/crds")
    yield control_plane
    control_plane.call("DELETE", f"{SETS}/crd-test")


def test_a_set_is_stored_as_it_was_sent(server: ControlPlane) -> None:
    status, made = server.call("POST", f"{SETS}?fieldValidation=Strict", SET)
    assert status == 201, made
    assert made["spec"] == SET["spec"]  # nothing defaulted, nothing pruned
    assert "status" not in made
    shown = server.run_kubectl("get", "clone", "crd-test", "-o", "wide").splitlines()
    assert shown[0].split() == [
        "NAME",
        "DESIRED",
        "UPDATED",
        "UPDATED_READY",
        "UPDATED_AVAILABLE",
        "READY",
        "TOTAL",
        "AGE",
        "CONTAINERS",
        "IMAGES",
        "SELECTOR",
    ]
    assert shown[1].split()[:2] == ["crd-test", "2"]
    assert shown[1].split()[-2:] == ["main", "nginx:1"]


def test_status_and_scale_are_apart(server: ControlPlane) -> None:
    counts = {"replicas": 2, "readyReplicas": 1, "availableReplicas": 0, "updatedReplicas": 2, "updatedReadyReplicas": 1}
    patch = {"status": {**counts, "labelSelector": "app=crd-test", "conditions": [{"type": "FailedScale", "status": "True"}]}}
    status, answer = server.call("PATCH", f"{SETS}/crd-test/status", patch, content_type="application/merge-patch+json")
    assert status == 200, answer
    assert answer["metadata"]["generation"] == 1
    status, scale = server.call("GET", f"{SETS}/crd-test/scale")
    assert status == 200
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 2, "selector": "app=crd-test"})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.replicas", "three"),
        ("spec.updateStrategy.partition", True),
        ("spec.updateStrategy.paused", "yes"),
        ("spec.selector.matchLabels", ["a"]),
        ("spec.scaleStrategy", {"podsToDelete": [1]}),
        ("spec.lifecycle.preDelete.markPodNotReady", "no"),
        ("spec.updateStrategy.scatterStrategy", [{"key": "a"}]),
    ],
)
def test_wrong_types_are_refused_by_name(server: ControlPlane, path: str, value: Any) -> None:
    wrong = copy.deepcopy(SET)
    *parents, last = path.split(".")
    inner = wrong
    for name in parents:
        inner = inner[name]
    inner[last] = value
    status, answer = server.call("POST", f"{SETS}?dryRun=All", wrong)
    assert status == 422, answer
    assert any(cause["field"].startswith(path) for cause in answer["details"]["causes"]), answer


@pytest.mark.parametrize("name", ["selector", "template"])
def test_what_is_required_is_missed(server: ControlPlane, name: str) -> None:
    wrong = copy.deepcopy(SET)
    del wrong["spec"][name]
    status, answer = server.call("POST", f"{SETS}?dryRun=All", wrong)
    assert status == 422
    assert f"spec.{name}: Required value" in answer["message"]


def test_only_v1alpha1_is_served(server: ControlPlane) -> None:
    _, group = server.call("GET", "/apis/apps.kruise.io")
    assert [v["version"] for v in group["versions"]] == ["v1alpha1"]
    _, group = server.call("GET", "/apis/test.kruise.io")
    assert sorted(v["version"] for v in group["versions"]) == ["v1", "v1alpha1"]


def test_explain_tells_meaning_and_default(server: ControlPlane) -> None:
    told = ""

    def explained() -> bool:
        """A server describes a new kind some moments after it serves it."""
        nonlocal told
        try:
            told = " ".join(server.run_kubectl("explain", "clone.spec.updateStrategy.maxUnavailable").split())
        except subprocess.CalledProcessError:
            return False
        return True

    wait("kubectl explains the field", explained)
    assert "How many pods may be unavailable at once during an update" in told
    assert "Default 20%" in told


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda p: p.name)
def test_examples_are_accepted(server: ControlPlane, path: Path) -> None:
    server.run_kubectl("apply", "--dry-run=server", "--validate=strict", "-f", str(path))
