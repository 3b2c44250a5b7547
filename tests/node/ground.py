"""A real node as the ground of scenarios: real containers, scheduler and controllers; the manager in this process, judged as ever."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import kruise
from control_plane import ControlPlane
from scenarios.real_ground import CRDS, RealCluster, RealGround, empty
from scenarios.server_log import WatchLog, pause

from .images import Image, versions
from .real_node import Node

Object = dict[str, Any]
WEB = "registry.example/web"
BROKEN = Image(f"{WEB}:broken", "broken", environment={"BROKEN": "yes"})
SAME_AS_V1 = Image(f"{WEB}:v1-again", "v1")
LOG = Image("registry.example/log:v1", "v1", environment={"PORT": "8081"})  # a second container, beside one on 8080
IMAGES = [*versions(WEB, 3), BROKEN, SAME_AS_V1, LOG]
EMPTY_LIMIT_S = 60.0


@dataclass
class NodeCluster:
    """What all scenarios share."""

    real: RealCluster
    node: Node

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[NodeCluster]:
        with ControlPlane(real_nodes=True, audit_answers=True, crds=[CRDS]) as plane, Node(plane, IMAGES) as node:
            yield cls(RealCluster.prepare(plane), node)


class NodeGround(RealGround):
    """A namespace of the shared cluster and a manager of the scenario's own."""

    grace_s = 3
    limit_s = 100.0  # a kubelet's back-offs and the manager's own patience with what a runtime reports are up to a minute long

    def __init__(self, cluster: NodeCluster, namespace: str, log: WatchLog, manager: kruise.Manager) -> None:
        super().__init__(cluster.real, namespace, log, None, manager)
        self.node = cluster.node

    @classmethod
    @contextmanager
    def open_on(cls, cluster: NodeCluster, *, gates: dict[str, bool] | None = None) -> Iterator[NodeGround]:
        kubeconfig = cluster.real.plane.kubeconfig
        with (
            cls.namespace_on(cluster) as (namespace, log),
            kruise.Manager(kubeconfig=kubeconfig, namespace=namespace, leader_election=False, gates=gates) as manager,
        ):
            ground = cls(cluster, namespace, log, manager)
            ground.until(lambda: manager.ready)
            yield ground

    @classmethod
    @contextmanager
    def namespace_on(cls, cluster: NodeCluster) -> Iterator[tuple[str, WatchLog]]:
        """A namespace of its own, watched from the beginning; its pods are gone when it is left."""
        plane = cluster.real.plane
        namespace = f"scenario-{next(cluster.real.numbers)}"
        code, answer = plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        assert code == 201, answer
        cluster.real.audit.forget()
        log = WatchLog(plane, namespace)
        try:
            yield namespace, log
        finally:
            log.close()
            empty(plane, namespace)
            _until_stopped(plane, namespace)

    # -- words of these scenarios --------------------------------------------------------------------------------------

    def pod(self, name: str) -> Object:
        return self.client.get("pods", name)

    def version(self, pod: Object) -> str:
        """What the program in the pod's container says that it is; empty while nobody answers."""
        try:
            return self.node.get(pod["status"]["podIP"], "/version")[1]
        except OSError:
            return ""

    def notes(self, pod: Object, file: str, volume: str = "data") -> list[str]:
        """The lines that the program wrote into the pod's volume of that name (an emptyDir) at each of its starts or ends."""
        folder = self.node.path(f"lib/kubelet/pods/{pod['metadata']['uid']}/volumes/kubernetes.io~empty-dir/{volume}")
        return (folder / file).read_text().split() if (folder / file).exists() else []


def template(*, image: str = f"{WEB}:v1", spec: Object | None = None, labels: Object | None = None, **container: Any) -> Object:
    """One container that notes its starts and ends in the volume ``data`` and is asked every second whether it is ready."""
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1}
    main = {
        "name": "main",
        "image": image,
        "env": [{"name": "DATA", "value": "/data"}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": probe,
        **container,
    }
    base: Object = {
        "containers": [main, {"name": "log", "image": LOG.name}],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 5,
    }
    return {"metadata": {"labels": {"app": "web", **(labels or {})}}, "spec": {**base, **(spec or {})}}


def container(pod: Object, name: str = "main") -> Object:
    """The status of a container."""
    found: Object = next(each for each in pod["status"]["containerStatuses"] if each["name"] == name)
    return found


def conditions(pod: Object) -> dict[str, str]:
    return {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}


def _until_stopped(plane: ControlPlane, namespace: str) -> None:
    """The next scenario's pods start on a node that is not busy with these."""
    limit = time.monotonic() + EMPTY_LIMIT_S
    while plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")[1]["items"]:
        assert time.monotonic() < limit, json.dumps(plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")[1])
        pause()
