"""The manager in this process: the same controllers as the ``kruise-manager`` executable.

with kruise.Cluster() as cluster, kruise.Manager(cluster) as manager:
    print(manager.plan("cloneset", "web").text())

manager = kruise.Manager(kubeconfig="~/.kube/config")     # against a cluster of yours, next to nothing else
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from types import TracebackType
from typing import Any

from . import _core
from .cluster import Cluster
from .errors import KruiseError

__all__ = ["Manager", "Plan", "Reason", "Write", "plan"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is, or is not, done: ``verdict`` is held, acting, done or invalid."""

    verdict: str
    object: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Write:
    """One write that the controller would send next."""

    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str
    purpose: str
    body: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a controller would do now, and why it holds what it holds."""

    writes: tuple[Write, ...]
    reasons: tuple[Reason, ...]
    requeue_after: float | None
    error: str | None

    def held(self) -> tuple[Reason, ...]:
        """The reasons of what is held."""
        return tuple(reason for reason in self.reasons if reason.verdict == "held")

    def text(self) -> str:
        """The plan for people, a line each."""
        lines = [f"{w.verb} {w.resource}/{w.name}: {w.purpose}" for w in self.writes]
        lines += [f"{r.verdict} {r.object or 'the set'}: {r.text}" for r in self.reasons]
        return "\n".join(lines)


class Manager:
    """Runs the controllers on an embedded cluster, or on the cluster of a kubeconfig. Use it as a context manager.

    ``gates`` are feature gates by name. Against a real cluster leader election is on unless ``leader_election=False``.
    With ``observe_only`` it watches and plans, and writes nothing.
    """

    def __init__(
        self,
        cluster: Cluster | None = None,
        *,
        kubeconfig: str | PathLike[str] | None = None,
        context: str | None = None,
        namespace: str = "",
        gates: Mapping[str, bool] | None = None,
        leader_election: bool | None = None,
        observe_only: bool = False,
        seed: int = 0,
        expectation_timeout: float = 300.0,
    ) -> None:
        if cluster is not None and (kubeconfig is not None or context is not None):
            raise KruiseError("a manager works on an embedded cluster or on a kubeconfig, not on both")
        options = {
            "namespace": namespace,
            "gates": dict(gates or {}),
            "leaderElection": (cluster is None and not observe_only) if leader_election is None else leader_election,
            "observeOnly": observe_only,
            "seed": seed,
            "expectationTimeout": expectation_timeout,
        }
        connection = None
        if cluster is None:
            connection = _core.Connection.rest(fspath(kubeconfig) if kubeconfig else "", context or "")
        self._namespace = (connection.namespace if connection else "") or "default"
        self._core = _core.Manager(cluster._core if cluster else None, connection, json.dumps(options))

    def start(self) -> Manager:
        """Starts watching and reconciling; returns at once."""
        self._core.start()
        return self

    def stop(self) -> None:
        """Lets running reconciles finish, releases the lease, stops."""
        self._core.stop()

    def kill(self) -> None:
        """Stops at this instant, as a crash would: nothing is finished, nothing is released."""
        self._core.kill()

    @property
    def ready(self) -> bool:
        """Whether all caches are in step with the server."""
        return self._core.ready

    @property
    def idle(self) -> bool:
        """Whether no controller has anything queued, delayed or running."""
        return self._core.idle

    @property
    def why_not_ready(self) -> str | None:
        """What the manager still waits for; None when it is ready."""
        return self._core.why_not_ready

    @property
    def namespace(self) -> str:
        """The namespace of the kubeconfig's context; ``default`` where it names none."""
        return self._namespace

    def pause(self, seconds: float) -> None:
        """Waits between two looks at ``ready``."""
        self._core.pause(seconds)

    def plan(self, kind: str, name: str, *, namespace: str = "default") -> Plan | None:
        """What the controller of ``kind`` would do now. None where there is no such object."""
        text = self._core.plan(kind, namespace, name)
        return None if text is None else _plan_from(json.loads(text))

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""
        return self._core.metrics()

    def __enter__(self) -> Manager:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def plan(kind: str, name: str, *, on: Manager, namespace: str = "default") -> Plan | None:
    """What the controller of ``kind`` would do next with the object, and why it holds what it holds."""
    return on.plan(kind, name, namespace=namespace)


def _plan_from(data: dict[str, Any]) -> Plan:
    return Plan(
        writes=tuple(Write(**write) for write in data["writes"]),
        reasons=tuple(Reason(**reason) for reason in data["reasons"]),
        requeue_after=data["requeueAfter"],
        error=data["error"],
    )
