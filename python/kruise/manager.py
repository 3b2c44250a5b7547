"""The manager in this process: the same controllers as the ``kruise-manager`` executable.

with kruise.Cluster() as cluster, kruise.Manager(cluster) as manager:
    print(manager.plan("cloneset", "web").text())

manager = kruise.Manager(kubeconfig="~/.kube/config")     # against a cluster of yours, next to nothing else
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from os import PathLike
from types import TracebackType
from typing import Any

from . import _core
from .client import open_connection
from .cluster import Cluster, LaggingView
from .errors import KruiseError
from .faults import Faults

_READY_POLL_S = 0.05

__all__ = ["Manager", "Plan", "Reason", "Write", "plan", "show_logs"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is, or is not, done: ``verdict`` is held, acting, done or invalid, ``object`` the pod (empty: the set), ``rule``
    the field or limit that decides, ``text`` the figures."""

    verdict: str
    object: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Write:
    """One write that the controller would send next: ``verb`` create, patch or delete, ``body`` its JSON text."""

    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str
    purpose: str
    body: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a controller would do now, and why it holds what it holds.

    ``requeue_after`` are the seconds after which it would look again by itself, ``error`` what keeps it from planning at all.
    """

    writes: tuple[Write, ...]
    reasons: tuple[Reason, ...]
    requeue_after: float | None
    error: str | None

    def held(self) -> tuple[Reason, ...]:
        """The reasons of what is held."""
        return tuple(reason for reason in self.reasons if reason.verdict == "held")

    def text(self) -> str:
        """The plan for people, a line each."""
        lines = [f"error: {self.error}"] if self.error else []
        lines += [f"{w.verb} {w.resource}/{w.name}: {w.purpose}" for w in self.writes]
        lines += [f"{r.verdict} {r.object or 'the set'}: {r.text}" for r in self.reasons]
        return "\n".join(lines) or "nothing to do"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        cells = [("error", "", "", self.error)] if self.error else []
        cells += [(r.verdict, r.object or "(the set)", r.rule, r.text) for r in self.reasons]
        cells += [("next", f"{w.resource}/{w.name}", w.verb, w.purpose) for w in self.writes]
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
        head = "<tr><th></th><th>object</th><th>rule</th><th>why</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if cells else "<p>nothing to do</p>"


class Manager:
    """Runs the controllers on an embedded cluster, or on the cluster of a kubeconfig. Use it as a context manager.

    ``gates`` are feature gates by name. Against a real cluster leader election is on unless ``leader_election=False``.
    With ``observe_only`` it watches and plans, and writes nothing. On an embedded cluster it can be made to look at a ``view``
    that lags behind, its clock can be ``clock_ahead`` seconds of the cluster's (behind it, if negative), and its connection can be
    given ``faults``. One that has lost its leadership does nothing more; start another.
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
        view: LaggingView | None = None,
        clock_ahead: float = 0.0,
        faults: Faults | None = None,
    ) -> None:
        if cluster is not None and (kubeconfig is not None or context is not None):
            raise KruiseError("a manager works on an embedded cluster or on a kubeconfig, not on both")
        if cluster is None and view is not None:
            raise KruiseError("view: only an embedded cluster has views that lag behind")
        if cluster is None and clock_ahead:
            raise KruiseError("clock_ahead: on a real cluster a manager goes by this machine's clock")
        options = {
            "namespace": namespace,
            "gates": dict(gates or {}),
            "leaderElection": (cluster is None and not observe_only) if leader_election is None else leader_election,
            "observeOnly": observe_only,
            "seed": seed,
            "expectationTimeout": expectation_timeout,
            "clockAhead": clock_ahead,
        }
        connection = None
        if cluster is None:
            connection = open_connection(kubeconfig, context)
        self._cluster = cluster
        self._where = "an embedded cluster" if connection is None else connection.server
        self._namespace = (connection.namespace if connection else "") or "default"
        self._core = _core.Manager(
            cluster._core if cluster else None, connection, view._core if view else None, json.dumps(options)
        )
        if faults is not None:
            self.set_faults(faults)

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

    def set_faults(self, faults: Faults | None) -> None:
        """What goes wrong on its connection to the embedded cluster from now on; None: nothing."""
        self._core.set_faults(None if faults is None else faults._text())

    @property
    def ready(self) -> bool:
        """Whether all caches are in step with the server."""
        return self._core.ready

    @property
    def leading(self) -> bool:
        """Whether it acts: without leader election always, else while it holds the lease."""
        return self._core.leading

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

    def wait_ready(self, *, timeout: float = 30.0) -> Manager:
        """Returns once it is ``ready``. Raises TimeoutError, saying what it waits for, after ``timeout`` seconds."""
        if self._cluster is not None and self._cluster.virtual:
            self._cluster.run_until(lambda: self.ready, timeout=timeout)
            return self
        deadline = _core.Deadline(timeout)
        while not self.ready:
            if deadline.passed():
                raise TimeoutError(f"the server's objects did not arrive within {timeout:g} s: {self.why_not_ready}")
            self._core.pause(_READY_POLL_S)
        return self

    def plan(self, kind: str, name: str, *, namespace: str | None = None) -> Plan | None:
        """What the controller of ``kind`` would do now. None where there is no such object. Raises KruiseError where no controller
        plans that kind, or the manager does not run."""
        text = self._core.plan(kind, namespace or self.namespace, name)
        return None if text is None else _plan_from(json.loads(text))

    @property
    def requests(self) -> dict[str, int]:
        """How many requests it has sent to an embedded cluster since it was started, by verb and resource: ``{"patch pods": 6}``. Those
        that were refused, and each try of those tried again, count too. On a real cluster: nothing, see ``metrics``."""
        return self._core.requests

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""
        return self._core.metrics()

    def __repr__(self) -> str:
        return f"<kruise.Manager on {self._where}>"

    def __enter__(self) -> Manager:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def show_logs(verbosity: int = 0) -> None:
    """Writes what the controllers and the cluster log to stderr, up to ``-v`` ``verbosity``. Below 0, which is the default of a
    process, only warnings and errors are written."""
    _core.log_verbosity(verbosity)


def plan(
    kind: str,
    name: str,
    *,
    on: Manager | Cluster | None = None,
    namespace: str | None = None,
    kubeconfig: str | PathLike[str] | None = None,
    context: str | None = None,
    timeout: float = 30.0,
) -> Plan | None:
    """What the controller of ``kind`` would do next with the object, and why it holds what it holds. None where there is no such
    object. Nothing is written.

        print(kruise.plan("cloneset", "web"))                    # the cluster of your kubeconfig
        print(kruise.plan("cloneset", "web", on=cluster))        # an embedded one
        print(kruise.plan("cloneset", "web", on=manager))        # as a manager that runs already sees it

    Without a manager one is made that only looks; it has ``timeout`` seconds to read the server's objects (TimeoutError).
    """
    if isinstance(on, Manager):
        if kubeconfig is not None or context is not None:
            raise KruiseError("on: a manager has its cluster; give it, or a kubeconfig")
        return on.plan(kind, name, namespace=namespace)
    with Manager(on, kubeconfig=kubeconfig, context=context, observe_only=True) as manager:
        return manager.wait_ready(timeout=timeout).plan(kind, name, namespace=namespace)


def _plan_from(data: dict[str, Any]) -> Plan:
    return Plan(
        writes=tuple(Write(**write) for write in data["writes"]),
        reasons=tuple(Reason(**reason) for reason in data["reasons"]),
        requeue_after=data["requeueAfter"],
        error=data["error"],
    )
