"""A real control plane (etcd, kube-apiserver, kube-controller-manager) with simulated nodes, in real time."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import kruise
from control_plane import ControlPlane
from manager_process import ManagerProcess

from .ground import Condition, Ground, Prepare, belongs
from .invariants import Invariants
from .server_log import AuditLog, Request, WatchLog, judge, pause, writers

DELAYS = kruise.KubeletDelays(schedule=0.01, pull=0.03, start=0.03, ready=0.03, stop=0.02, node_grace=0.5, pull_backoff=0.2)
READY_LIMIT_S = 60.0
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
        return cls(plane, AuditLog(plane.audit_log), itertools.count(1))


class Running(Protocol):
    """What the ground asks of a manager, in this process or in one of its own."""

    @property
    def ready(self) -> bool: ...
    @property
    def idle(self) -> bool: ...
    def plan(self, kind: str, name: str, *, namespace: str = "default") -> kruise.Plan | None: ...


class OwnProcess:
    """kruise-manager as a process; a second manager that only observes tells what it would do."""

    def __init__(self, process: ManagerProcess, observer: kruise.Manager) -> None:
        self.process = process
        self._observer = observer

    @property
    def ready(self) -> bool:
        return self._observer.ready and self.process.ready()

    @property
    def idle(self) -> bool:
        """Nothing queued or running, no write unseen. What waits for its time is not known of another process."""
        controller = "cloneset-controller"
        busy = (f'workqueue_depth{{name="{controller}"}}', f'controller_runtime_active_workers{{controller="{controller}"}}')
        return not any(self.process.value(series) for series in (*busy, "kruise_own_writes_waiting"))

    def plan(self, kind: str, name: str, *, namespace: str = "default") -> kruise.Plan | None:
        return self._observer.plan(kind, name, namespace=namespace)

    @classmethod
    @contextmanager
    def open(cls, kubeconfig: str, namespace: str, folder: Path) -> Iterator[OwnProcess]:
        flags = (f"--namespace={namespace}", "--v=4")
        with (
            kruise.Manager(kubeconfig=kubeconfig, namespace=namespace, observe_only=True) as observer,
            ManagerProcess(kubeconfig, folder, *flags, namespace=namespace) as process,
        ):
            yield cls(process, observer)
            assert process.popen.poll() is None, process.text()


class RealGround(Ground):
    """A namespace, nodes and a manager of the scenario's own. What happened is judged when it is over, from the server's log."""

    grace_s = 1
    limit_s = READY_LIMIT_S

    def __init__(
        self, cluster: RealCluster, namespace: str, log: WatchLog, nodes: kruise.SimulatedNodes | None, manager: Running
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
        """At rest: each set's status tells of its generation and its pods, and the manager has nothing to do, for some looks."""
        looks = 0
        deadline = time.monotonic() + self.limit_s
        while looks < 5:
            assert time.monotonic() < deadline, f"not at rest after {self.limit_s:g} s"
            looks = looks + 1 if self._at_rest() else 0
            pause()

    def _at_rest(self) -> bool:
        return all(self._is_reported(one["metadata"]["name"]) for one in self.client.list("clone")) and self.manager.idle

    def _is_reported(self, name: str) -> bool:
        status = self.status(name)
        return bool(status) and int(status.get("replicas", 0)) == len(self.pods(name))

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
        cls,
        cluster: RealCluster,
        *,
        gates: dict[str, bool] | None = None,
        seed: int = 1,
        prepare: Prepare | None = None,
        process_folder: Path | None = None,
    ) -> Iterator[RealGround]:
        """With a folder for its log the manager is a process of its own."""
        plane = cluster.plane
        namespace = f"scenario-{next(cluster.numbers)}"
        code, answer = plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        assert code == 201, answer
        cluster.audit.forget()
        log = WatchLog(plane, namespace)
        if prepare is not None:
            prepare(kruise.Client(kubeconfig=plane.kubeconfig, namespace=namespace))
        try:
            with ExitStack() as stack:
                nodes = stack.enter_context(kruise.SimulatedNodes(kubeconfig=plane.kubeconfig, count=4, delays=DELAYS, seed=seed))
                manager: Running
                if process_folder is None:
                    manager = stack.enter_context(
                        kruise.Manager(
                            kubeconfig=plane.kubeconfig, namespace=namespace, leader_election=False, gates=gates, seed=seed
                        )
                    )
                else:
                    assert not gates, "a process takes gates by flag, which no scenario needs yet"
                    manager = stack.enter_context(OwnProcess.open(plane.kubeconfig, namespace, process_folder))
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
