"""A real control plane (etcd, kube-apiserver, kube-controller-manager) with simulated nodes, in real time."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import kruise
from control_plane import ControlPlane

from .ground import Condition, Ground, Prepare, belongs
from .invariants import Invariants
from .server_log import AuditLog, Request, WatchLog, judge, pause, writers

DELAYS = kruise.KubeletDelays(schedule=0.01, pull=0.03, start=0.03, ready=0.03, stop=0.02, node_grace=0.5, pull_backoff=0.2)
READY_LIMIT_S = 60.0  # the garbage collector looks for new kinds every 30 s only
CRDS = Path(__file__).resolve().parents[2] / "charts" / "kruise" / "crds"
MANAGER = "kruise-manager"


@dataclass
class RealCluster:
    """What all scenarios share."""

    plane: ControlPlane
    audit: AuditLog
    numbers: Iterator[int]

    @classmethod
    def prepare(cls, plane: ControlPlane) -> RealCluster:
        plane.install_crds(CRDS)
        return cls(plane, AuditLog(plane.audit_log), itertools.count(1))


class RealGround(Ground):
    """A namespace, nodes and a manager of the scenario's own. What happened is judged when it is over, from the server's log."""

    grace_s = 1
    limit_s = READY_LIMIT_S

    def __init__(
        self, cluster: RealCluster, namespace: str, log: WatchLog, nodes: kruise.SimulatedNodes | None, manager: kruise.Manager
    ) -> None:
        self.plane = cluster.plane
        self.manager = manager
        self.namespace = namespace
        self.client = kruise.Client(kubeconfig=cluster.plane.kubeconfig, namespace=namespace)
        if nodes is not None:
            self.kubelets = nodes.kubelets
        self._audit = cluster.audit
        self._log = log

    def until(self, done: Condition, timeout: float = 120.0) -> None:
        deadline = time.monotonic() + min(timeout, self.limit_s)
        while not done():
            assert time.monotonic() < deadline, f"not so after {min(timeout, self.limit_s):g} s"
            pause()

    def settle(self, seconds: float = 5.0) -> None:
        """At rest: each set's status is of its present generation, and the manager has nothing to do, now and some looks later."""
        looks = 0
        deadline = time.monotonic() + self.limit_s
        while looks < 5:
            assert time.monotonic() < deadline, f"not at rest after {self.limit_s:g} s"
            looks = looks + 1 if self._at_rest() else 0
            pause()

    def _at_rest(self) -> bool:
        sets = self.client.list("clone")
        observed = all(s.get("status", {}).get("observedGeneration") == s["metadata"]["generation"] for s in sets)
        return observed and self.manager.idle

    def plan(self, name: str) -> kruise.Plan:
        plan = self.manager.plan("cloneset", name, namespace=self.namespace)
        assert plan is not None
        return plan

    def judged(self) -> Invariants:
        events = self._log.complete()
        return judge(events, writers(events, self._audit))

    def manager_writes(self) -> list[Request]:
        """What the manager has sent to the scenario's namespace, events left out."""
        writers(self._log.complete(), self._audit)
        return [
            request
            for request in self._audit.requests
            if request.namespace == self.namespace and request.agent.startswith(MANAGER) and request.resource != "events"
        ]

    def manager_writes_to(self, *sets: str) -> Counter[str]:
        return Counter(
            f"{request.resource}/{request.name}"
            for request in self.manager_writes()
            if request.code < 300 and belongs(request.name, sets)
        )

    @classmethod
    @contextmanager
    def open(
        cls, cluster: RealCluster, *, gates: dict[str, bool] | None = None, seed: int = 1, prepare: Prepare | None = None
    ) -> Iterator[RealGround]:
        plane = cluster.plane
        namespace = f"scenario-{next(cluster.numbers)}"
        code, answer = plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        assert code == 201, answer
        cluster.audit.forget()
        log = WatchLog(plane, namespace)
        if prepare is not None:
            prepare(kruise.Client(kubeconfig=plane.kubeconfig, namespace=namespace))
        try:
            with (
                kruise.SimulatedNodes(kubeconfig=plane.kubeconfig, count=4, delays=DELAYS, seed=seed) as nodes,
                kruise.Manager(
                    kubeconfig=plane.kubeconfig, namespace=namespace, leader_election=False, gates=gates, seed=seed
                ) as manager,
            ):
                ground = cls(cluster, namespace, log, nodes, manager)
                ground.until(lambda: manager.ready)
                yield ground
        finally:
            log.close()
            empty(plane, namespace)


def empty(plane: ControlPlane, namespace: str) -> None:
    """Removes what the next scenario's nodes would have to care for. The namespace stays: to end one costs a second of CPU."""
    now = json.dumps({"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    for path in ("apis/apps.kruise.io/v1alpha1/namespaces/{}/clonesets", "api/v1/namespaces/{}/pods"):
        plane.call("DELETE", "/" + path.format(namespace), now)
