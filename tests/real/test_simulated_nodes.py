"""The simulated nodes on a real API server: what a kubelet and a scheduler write, it must take."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from built import built
from control_plane import ControlPlane

pytestmark = pytest.mark.real

PODS = "/api/v1/namespaces/default/pods"
STRATEGIC = "application/strategic-merge-patch+json"
Json = Any


class Nodes:
    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self._process = subprocess.Popen([built("simulated-nodes"), plane.kubeconfig, "2"], stdin=subprocess.PIPE, text=True)

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.communicate(timeout=20)
        assert self._process.returncode == 0

    # --- what the server holds

    def get(self, name: str) -> Json:
        return self.plane.call("GET", f"{PODS}/{name}")[1]

    def create(self, name: str, **spec: Json) -> None:
        body = {"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "example.com/web:1"}], **spec}}
        code, answer = self.plane.call("POST", PODS, body)
        assert code == 201, answer

    def patch(self, name: str, body: Json, subresource: str = "") -> None:
        code, answer = self.plane.call("PATCH", f"{PODS}/{name}{subresource}", body, content_type=STRATEGIC)
        assert code == 200, answer

    def image(self, name: str, image: str) -> None:
        self.patch(name, {"spec": {"containers": [{"name": "main", "image": image}]}})

    def wait(self, what: str, holds: Callable[[], bool], limit_s: float = 30) -> None:
        limit = time.monotonic() + limit_s
        while not holds():
            assert time.monotonic() < limit, f"not in {limit_s} s: {what}"
            time.sleep(0.05)

    def ready(self, name: str) -> str:
        return condition(self.get(name), "Ready")

    def wait_ready(self, name: str) -> None:
        self.wait(f"{name} ready", lambda: self.ready(name) == "True")


def condition(body: Json, kind: str) -> str:
    for found in body.get("status", {}).get("conditions", []):
        if found["type"] == kind:
            return str(found["status"])
    return ""


@pytest.fixture(scope="module")
def nodes(full_control_plane: ControlPlane) -> Iterator[Nodes]:
    nodes = Nodes(full_control_plane)
    yield nodes
    nodes.close()


def test_pod_runs_and_restarts_in_place(nodes: Nodes) -> None:
    nodes.create("lively", initContainers=[{"name": "first", "image": "example.com/first:1"}])
    nodes.wait_ready("lively")
    before = nodes.get("lively")
    assert before["status"]["phase"] == "Running"
    assert before["status"]["podIPs"] == [{"ip": before["status"]["podIP"]}]
    nodes.image("lively", "example.com/web:2")
    nodes.wait("a restart", lambda: nodes.get("lively")["status"]["containerStatuses"][0]["restartCount"] == 1)
    nodes.wait_ready("lively")
    was, now = (pod["status"]["containerStatuses"][0] for pod in (before, nodes.get("lively")))
    assert now["imageID"] != was["imageID"]
    assert now["containerID"] != was["containerID"]
    assert now["lastState"]["terminated"]["containerID"] == was["containerID"]
    assert nodes.get("lively")["status"]["podIP"] == before["status"]["podIP"]


def test_readiness_gate(nodes: Nodes) -> None:
    nodes.create("gated", readinessGates=[{"conditionType": "InPlaceUpdateReady"}])
    nodes.wait("containers ready", lambda: condition(nodes.get("gated"), "ContainersReady") == "True")
    assert nodes.ready("gated") == "False"
    nodes.patch("gated", {"status": {"conditions": [{"type": "InPlaceUpdateReady", "status": "True"}]}}, "/status")
    nodes.wait_ready("gated")
    nodes.patch("gated", {"status": {"conditions": [{"type": "InPlaceUpdateReady", "status": "False"}]}}, "/status")
    nodes.wait("not ready", lambda: nodes.ready("gated") == "False")


def test_deletion_ends(nodes: Nodes) -> None:
    nodes.create("mortal")
    nodes.wait_ready("mortal")
    code, _ = nodes.plane.call("DELETE", f"{PODS}/mortal")
    assert code == 200
    nodes.wait("gone", lambda: nodes.plane.call("GET", f"{PODS}/mortal")[0] == 404)


def test_image_that_cannot_be_pulled(nodes: Nodes) -> None:
    nodes.tell("fail-image example.com/web:bad")
    nodes.create("unlucky")
    nodes.wait_ready("unlucky")
    nodes.image("unlucky", "example.com/web:bad")

    def waiting() -> str:
        state = nodes.get("unlucky")["status"]["containerStatuses"][0]["state"]
        return str(state.get("waiting", {}).get("reason", ""))

    nodes.wait("a failed pull", lambda: waiting() in ("ErrImagePull", "ImagePullBackOff"))
    assert nodes.ready("unlucky") == "False"
    nodes.image("unlucky", "example.com/web:1")
    nodes.wait_ready("unlucky")


def test_claims_are_bound_and_go(nodes: Nodes) -> None:
    claims = "/api/v1/namespaces/default/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    assert nodes.plane.call("POST", claims, {"metadata": {"name": "data"}, "spec": spec})[0] == 201
    nodes.create("stateful", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    nodes.wait("bound", lambda: nodes.plane.call("GET", f"{claims}/data")[1]["status"].get("phase") == "Bound")
    nodes.wait_ready("stateful")
    nodes.plane.call("DELETE", f"{claims}/data")
    nodes.plane.call("DELETE", f"{PODS}/stateful")
    nodes.wait("gone", lambda: nodes.plane.call("GET", f"{claims}/data")[0] == 404)


def test_node_is_lost_and_found(nodes: Nodes) -> None:
    nodes.create("stranded")
    nodes.wait_ready("stranded")
    node = nodes.get("stranded")["spec"]["nodeName"]
    nodes.tell(f"lose-node {node}")
    nodes.wait("pod not ready", lambda: nodes.ready("stranded") == "False")
    nodes.wait("node unknown", lambda: condition(nodes.plane.call("GET", f"/api/v1/nodes/{node}")[1], "Ready") == "Unknown")
    nodes.tell(f"recover-node {node}")
    nodes.wait_ready("stranded")
