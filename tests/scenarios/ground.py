"""What a scenario runs on, and the embedded cluster in virtual time; real_ground.py has the other one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import kruise

from .invariants import Invariants, Seen

Object = dict[str, Any]
Condition = Callable[[], bool]
Prepare = Callable[[kruise.Client], None]
"""Brings objects into a cluster before it has nodes and a manager."""

DELAYS = kruise.KubeletDelays(schedule=0.02, pull=0.2, start=0.1, ready=0.2, stop=0.1)


class Kubelets(Protocol):
    """What scenarios tell the simulated nodes; both grounds have it."""

    def fail_image(self, image: str) -> None: ...
    def heal_image(self, image: str) -> None: ...
    def never_ready(self, image: str) -> None: ...
    def same_image(self, image: str, other: str) -> None: ...
    def lose_node(self, node: str) -> None: ...
    def restore_node(self, node: str) -> None: ...
    def fail_pod(self, namespace: str, name: str) -> None: ...


class Ground(ABC):
    """A cluster, its nodes and a running manager, with the invariants judged throughout."""

    client: kruise.Client
    kubelets: Kubelets
    namespace: str
    grace_s: int
    """A grace period that is long beside everything else on this ground, in whole seconds."""

    @abstractmethod
    def until(self, done: Condition, timeout: float = 120.0) -> None:
        """Lets time pass until ``done``; AssertionError after ``timeout`` seconds of the ground's own time."""

    @abstractmethod
    def settle(self, seconds: float = 5.0) -> None:
        """Lets ``seconds`` pass in which nothing is expected to change for the worse; in real time only until all is at rest."""

    @abstractmethod
    def judged(self) -> Invariants:
        """The invariants, judged at every write of the manager so far."""

    @abstractmethod
    def plan(self, name: str) -> kruise.Plan: ...

    @abstractmethod
    def manager_writes_to(self, *sets: str) -> Counter[str]:
        """How often the manager has written each of these sets and of what they own, by ``plural/name``."""

    # -- words of the scenarios ------------------------------------------------------------------------------------

    def create(self, **spec: Any) -> Object:
        return self.client.create(clone_set(**spec))

    def get(self, name: str = "web") -> Object:
        return self.client.get("clone", name)

    def status(self, name: str = "web") -> Object:
        current = self.get(name)
        status: Object = current.get("status", {})
        return status if status.get("observedGeneration") == current["metadata"]["generation"] else {}

    def edit(self, name: str = "web", **spec: Any) -> None:
        self.client.patch("clone", name, {"spec": spec})

    def set_image(self, image: str, name: str = "web", **strategy: Any) -> None:
        containers = self.get(name)["spec"]["template"]["spec"]["containers"]
        containers[0]["image"] = image
        spec: Object = {"template": {"spec": {"containers": containers}}}
        if strategy:
            spec["updateStrategy"] = strategy
        self.edit(name, **spec)

    def pods(self, name: str = "web") -> list[Object]:
        """Active pods of the set, by name."""
        uid = self.get(name)["metadata"]["uid"]
        return [
            pod
            for pod in self.client.list("pods")
            if any(o["uid"] == uid and o.get("controller") for o in pod["metadata"].get("ownerReferences", []))
            and "deletionTimestamp" not in pod["metadata"]
            and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        ]

    def is_settled(self, name: str = "web", **figures: int) -> bool:
        """All replicas there, ready, available; and the given figures of the status, which may not lag behind the pods."""
        current = self.get(name)
        replicas = current["spec"]["replicas"]
        status = self.status(name)
        wanted = {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas, **figures}
        reported = bool(status) and all(status.get(key, 0) == value for key, value in wanted.items())
        return reported and len(self.pods(name)) == replicas

    def settled(self, name: str = "web", timeout: float = 120.0, **figures: int) -> None:
        try:
            self.until(lambda: self.is_settled(name, **figures), timeout)
        except AssertionError as error:
            plan = self.plan(name)
            raise AssertionError(f"{error}; status {json.dumps(self.get(name).get('status'))}; plan:\n{plan.text()}") from error


def belongs(name: str, sets: tuple[str, ...]) -> bool:
    """Whether the name is a set's, or that of a pod, claim or revision that it made."""
    return any(name == one or f"{one}-" in name for one in sets)


def clone_set(
    name: str = "web", *, image: str = "registry.example/web:v1", template: Object | None = None, **spec: Any
) -> Object:
    """A CloneSet of five pods, updated in place where possible, unless said otherwise."""
    pod_template: Object = template or {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": image}, {"name": "log", "image": "registry.example/log:v1"}]},
    }
    base: Object = {
        "replicas": 5,
        "selector": {"matchLabels": {"app": name}},
        "template": pod_template,
        "updateStrategy": {"type": "InPlaceIfPossible"},
    }
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": name},
        "spec": {**base, **spec},
    }


def barrier(priority: int) -> Object:
    """The variable by which a container of a pod with launch priorities waits for those before it."""
    return {"name": "KRUISE_CONTAINER_BARRIER", "valueFrom": {"configMapKeyRef": {"name": "web-barrier", "key": f"p_{priority}"}}}


class EmbeddedGround(Ground):
    """Virtual time: seconds pass in milliseconds, and each run is the same."""

    grace_s = 30

    def __init__(self, cluster: kruise.Cluster, manager: kruise.Manager) -> None:
        self.cluster = cluster
        self.manager = manager
        self.namespace = "default"
        self.client = cluster.client()
        self.kubelets = cluster.kubelets
        self.invariants = Invariants(now=cluster.now)
        self._writes: Counter[tuple[str, str]] = Counter()
        for plural in ("clonesets", "controllerrevisions", "pods"):
            for obj in self.client.list(plural):
                meta = obj["metadata"]
                self.invariants.judge(
                    Seen("ADDED", plural, meta["namespace"], meta["name"], int(meta["resourceVersion"]), "before", None, obj)
                )
        cluster.observe_writes(self._observe)

    def _observe(self, write: kruise.WriteEvent) -> None:
        if self.invariants.is_manager(write.writer):
            self._writes[(write.plural, write.name)] += 1
        try:
            self.invariants.judge(_seen(write))
        except Exception as error:  # what an observer raises is not heard of
            self.invariants.violations.append(f"the judge failed at rv {write.resource_version}: {error!r}")

    def manager_writes_to(self, *sets: str) -> Counter[str]:
        return Counter(
            {
                f"{plural}/{name}": count
                for (plural, name), count in self._writes.items()
                if plural != "events" and belongs(name, sets)
            }
        )

    def until(self, done: Condition, timeout: float = 120.0) -> None:
        try:
            self.cluster.run_until(done, timeout=timeout)
        except TimeoutError as error:
            raise AssertionError(str(error)) from None

    def settle(self, seconds: float = 5.0) -> None:
        self.cluster.run_for(seconds)

    def judged(self) -> Invariants:
        return self.invariants

    def plan(self, name: str) -> kruise.Plan:
        plan = self.manager.plan("cloneset", name)
        assert plan is not None
        return plan

    @classmethod
    @contextmanager
    def open(
        cls,
        *,
        gates: dict[str, bool] | None = None,
        seed: int = 1,
        prepare: Prepare | None = None,
        start: datetime | None = None,
    ) -> Iterator[EmbeddedGround]:
        with TemporaryDirectory() as folder:
            state = None
            if prepare is not None:
                state = Path(folder) / "state"
                with kruise.Cluster(nodes=0, virtual=True, state=state, start=start) as without_nodes:
                    prepare(without_nodes.client())
            with kruise.Cluster(nodes=4, virtual=True, seed=seed, delays=DELAYS, state=state, start=start) as cluster:
                manager = kruise.Manager(cluster, gates=gates, seed=seed)
                ground = cls(cluster, manager)
                with manager:
                    yield ground


def _seen(write: kruise.WriteEvent) -> Seen:
    return Seen(
        write.type, write.plural, write.namespace, write.name, write.resource_version, write.writer, write.before, write.after
    )
