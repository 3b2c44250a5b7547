"""Simulated nodes: pretend kubelets, a scheduler and a volume binder. An embedded cluster has its own; any other can be given some.

with kruise.SimulatedNodes(kubeconfig="test.kubeconfig", count=4) as nodes:      # a control plane without nodes, for tests
    nodes.kubelets.fail_image("registry.example/web:missing")
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any

from . import _core

__all__ = ["KubeletDelays", "Kubelets", "SimulatedNodes"]

_FACTOR_MAX = 1e6
_SHOWN = ("schedule", "pull", "start", "ready", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletDelays:
    """How long the simulated nodes take, in seconds."""

    schedule: float = 0.05
    """From a pod's creation to its binding to a node."""
    pull: float = 1.0
    """To pull an image that the node does not have yet."""
    start: float = 0.5
    """To start (or restart) a container."""
    ready: float = 1.0
    """From a container's start to its readiness."""
    stop: float = 0.5
    """From a pod's deletion to its end."""
    jitter: float = 0.0
    """Each of the above is drawn from delay * (1 … 1 + jitter)."""
    node_grace: float = 40.0
    """From a lost node's last sign to its Ready Unknown, and its pods not ready."""
    pull_backoff: float = 10.0
    """From a failed pull to the next; doubled with each, up to five minutes."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0 <= value < 86400:
                raise ValueError(f"KubeletDelays.{item.name}: must be from 0 to a day, is {value}")

    def __str__(self) -> str:
        return ", ".join(f"{item.name} {getattr(self, item.name):g} s" for item in fields(self) if item.name in _SHOWN)


class Kubelets:
    """What the simulated nodes can be told."""

    def __init__(self, core: _core.EmbeddedCluster | _core.SimulatedNodes) -> None:
        self._core = core

    def fail_image(self, image: str) -> None:
        """Pulls of this image fail from now on (ErrImagePull, then ImagePullBackOff)."""
        self._tell("fail_image", image=image)

    def heal_image(self, image: str) -> None:
        """Pulls of this image work again."""
        self._tell("heal_image", image=image)

    def never_ready(self, image: str) -> None:
        """Containers of this image start and never become ready."""
        self._tell("never_ready", image=image)

    def slow(self, factor: float) -> None:
        """All delays are multiplied by ``factor``, above 0 (1 is as before)."""
        if not 0 < factor < _FACTOR_MAX:
            raise ValueError(f"factor: must be above 0 and below {_FACTOR_MAX:g}, is {factor}")
        self._tell("slow", factor=factor)

    def same_image(self, image: str, other: str) -> None:
        """``image`` is another tag of ``other``: both have the same image ID."""
        self._tell("same_image", image=image, other=other)

    def lose_node(self, node: str) -> None:
        """The node reports nothing any more."""
        self._tell("lose_node", node=node)

    def restore_node(self, node: str) -> None:
        """The node is back."""
        self._tell("restore_node", node=node)

    def crash_container(self, namespace: str, name: str, container: str) -> None:
        """The running container exits with an error and is started anew. Raises KruiseError where there is none."""
        self._tell("crash_container", namespace=namespace, name=name, container=container)

    def fail_pod(self, namespace: str, name: str) -> None:
        """The pod is evicted: phase Failed for good."""
        self._tell("fail_pod", namespace=namespace, name=name)

    def _tell(self, do: str, **arguments: Any) -> None:
        self._core.kubelets(json.dumps({"do": do, **arguments}))


class SimulatedNodes:
    """Nodes without machines for the API server of a kubeconfig, from construction until ``close``. For tests.

    They register as ``node-0``, ``node-1`` …, bind every pod that names no other scheduler, report its containers as running,
    restart one in place when its image changes, finish deletions and bind claims. Garbage collection and the protection of claims
    are left to the cluster's kube-controller-manager. Never let them loose on a cluster with nodes of its own: they would
    take its pods.

    Each instance begins with nodes that do all well; what ``kubelets`` was told is forgotten with it. The Node objects stay.
    """

    def __init__(
        self,
        *,
        kubeconfig: str | PathLike[str] | None = None,
        context: str | None = None,
        count: int = 3,
        delays: KubeletDelays | None = None,
        seed: int = 0,
    ) -> None:
        if count < 0:
            raise ValueError(f"count: must not be negative, is {count}")
        self.delays = delays or KubeletDelays()
        options = {"nodes": count, "seed": seed, "delays": asdict(self.delays)}
        self._core = _core.SimulatedNodes(
            fspath(Path(kubeconfig).expanduser()) if kubeconfig else "", context or "", json.dumps(options)
        )
        self.kubelets = Kubelets(self._core)

    def close(self) -> None:
        """The nodes fall silent; their pods stay as they are."""
        self._core.close()

    def __enter__(self) -> SimulatedNodes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
