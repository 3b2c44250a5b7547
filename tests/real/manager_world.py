"""A real control plane with simulated nodes, and one namespace of it for a test of kruise-manager as a process."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from built import ROOT, built
from control_plane import ControlPlane
from manager_process import ManagerProcess

Json = Any
CRDS = ROOT / "charts/kruise/crds"
SETS = "/apis/apps.kruise.io/v1alpha1/namespaces/{}/clonesets"


@contextmanager
def plane_with_nodes(*, audit_answers: bool = False) -> Iterator[ControlPlane]:
    with ControlPlane(controller_manager=True, audit=True, audit_answers=audit_answers, crds=[CRDS]) as plane:
        nodes = subprocess.Popen([built("simulated-nodes"), plane.kubeconfig, "4"], stdin=subprocess.PIPE, text=True)
        yield plane
        nodes.communicate(timeout=20)


def clone_set(name: str, replicas: int, image: str = "example.com/web:1", **strategy: Json) -> Json:
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "updateStrategy": {"type": "InPlaceIfPossible", **strategy},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image}], "terminationGracePeriodSeconds": 0},
            },
        },
    }


class World:
    """What one namespace of the server holds."""

    def __init__(self, plane: ControlPlane, ns: str) -> None:
        self.plane, self.ns = plane, ns
        self.sets = SETS.format(ns)

    def create(self, body: Json) -> None:
        code, answer = self.plane.call("POST", self.sets, body)
        assert code == 201, answer

    def patch(self, name: str, body: Json) -> None:
        code, answer = self.plane.call("PATCH", f"{self.sets}/{name}", body, content_type="application/merge-patch+json")
        assert code == 200, answer

    def status(self, name: str) -> Json:
        return self.plane.call("GET", f"{self.sets}/{name}")[1].get("status", {})

    def done(self, name: str, replicas: int) -> bool:
        body = self.plane.call("GET", f"{self.sets}/{name}")[1]
        status = body.get("status", {})
        return bool(
            status.get("observedGeneration") == body["metadata"]["generation"]
            and status.get("updatedReadyReplicas") == replicas
            and status.get("readyReplicas") == replicas
        )

    def set_image(self, name: str, image: str) -> None:
        container = {"name": "main", "image": image}
        self.patch(name, {"spec": {"template": {"spec": {"containers": [container]}}}})

    def holder(self) -> str:
        code, lease = self.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{self.ns}/leases/kruise-manager")
        return str(lease["spec"].get("holderIdentity") or "") if code == 200 else ""

    def renewed(self) -> str:
        lease = self.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{self.ns}/leases/kruise-manager")[1]
        return str(lease["spec"]["renewTime"])


def world_for(plane: ControlPlane, test: str) -> World:
    """In a namespace of the test's own; locks live there too."""
    name = re.sub("[^a-z0-9]+", "-", test.lower())[-50:].strip("-")
    assert plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})[0] == 201
    return World(plane, name)


def manager(world: World, tmp_path: Path, *flags: str, kubeconfig: str | None = None) -> ManagerProcess:
    """Restricted to the test's namespace, so that tests don't see each other's sets."""
    return ManagerProcess(kubeconfig or world.plane.kubeconfig, tmp_path, f"--namespace={world.ns}", *flags, namespace=world.ns)
