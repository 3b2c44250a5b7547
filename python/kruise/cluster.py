"""An embedded cluster: a control plane in this process, with simulated kubelets. For first steps, notebooks and tests.

with kruise.Cluster(nodes=3) as cluster:                  # real time
    client = cluster.client()

with kruise.Cluster(virtual=True, seed=7) as cluster:     # virtual time: hours pass in milliseconds, each run the same
    with kruise.Manager(cluster):
        cluster.client().create(clone_set)
        cluster.run_until(lambda: ready(cluster), timeout=600)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import resources
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any

from . import _core
from .client import Client
from .errors import KruiseError
from .nodes import KubeletDelays, Kubelets

__all__ = ["Cluster", "LaggingView", "WriteEvent"]


@dataclass(frozen=True, slots=True)
class WriteEvent:
    """One write at the instant it was stored: ``type`` is ADDED, MODIFIED or DELETED, ``writer`` the user agent."""

    type: str
    plural: str
    namespace: str
    name: str
    resource_version: int
    writer: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class LaggingView:
    """What an API server shows that has fallen behind the others by ``lag`` writes. Who looks at it writes to the present."""

    def __init__(self, cluster: Cluster, lag: int) -> None:
        if lag < 0:
            raise ValueError(f"lag: must not be negative, is {lag}")
        self._core = _core.LaggingView(cluster._core, lag)

    def set_lag(self, lag: int) -> None:
        """From now on it is ``lag`` writes behind; 0: it shows the present."""
        if lag < 0:
            raise ValueError(f"lag: must not be negative, is {lag}")
        self._core.set_lag(lag)


class Cluster:
    """A cluster of its own, with simulated ``nodes`` that take ``delays``. Use it as a context manager, or call ``close``.

    In ``virtual`` time its clock stands at ``start`` and moves only inside ``run_for`` and ``run_until``; one ``seed`` gives one
    course of events. In real time it can be served for kubectl, and with ``state`` it keeps its objects in that file.

    ``serve_v1beta1`` serves CloneSets as apps.kruise.io/v1beta1 too, and prefers it where a client names no version. A real API
    server does not, as long as no webhook converts there.
    """

    def __init__(
        self,
        *,
        nodes: int = 3,
        virtual: bool = False,
        seed: int = 0,
        delays: KubeletDelays | None = None,
        state: str | PathLike[str] | None = None,
        start: datetime | None = None,
        serve_v1beta1: bool = False,
    ) -> None:
        if nodes < 0:
            raise ValueError(f"nodes: must not be negative, is {nodes}")
        self.virtual = virtual
        self.nodes = nodes
        self.delays = delays or KubeletDelays()
        options = {
            "virtual": virtual,
            "seed": seed,
            "nodes": nodes,
            "delays": asdict(self.delays),
            "state": fspath(Path(state).expanduser()) if state is not None else "",
            "start": (start or datetime(2024, 1, 1, tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "crds": chart_crds(),
            "serve_v1beta1": serve_v1beta1,
        }
        self._core = _core.EmbeddedCluster(json.dumps(options))
        self.kubelets = Kubelets(self._core)
        self._connection = self._core.connection("kruise-python")

    def client(self, namespace: str = "default") -> Client:
        """A client of this cluster."""
        return Client(namespace=namespace, _connection=self._connection, _now=self.now)

    def now(self) -> datetime:
        """The cluster's time."""
        return datetime.fromtimestamp(self._core.now(), tz=UTC)

    def run_for(self, seconds: float) -> None:
        """Lets ``seconds`` of virtual time pass."""
        self._require_virtual()
        self._core.run_for(seconds)

    def run_until(self, done: Callable[[], bool], *, timeout: float, each_step: bool = False) -> None:
        """Runs virtual time until ``done()`` holds. Raises TimeoutError after ``timeout`` virtual seconds.

        ``done`` is asked when all that is due at an instant has happened; with ``each_step`` between any two things that happen,
        so that it can stop the world right behind a write, before its answer arrives.
        """
        self._require_virtual()
        if not self._core.run_until(done, timeout, each_step):
            raise TimeoutError(f"not so after {timeout:g} virtual seconds")

    def observe_writes(self, observer: Callable[[WriteEvent], None] | None) -> None:
        """Calls ``observer`` at each write, on the state in storage at that instant. None ends it.

        The observer runs inside the write, on the thread that writes: it must not call the cluster (KruiseError), and what it
        raises is reported as unraisable.
        """
        if observer is None:
            self._core.observe_writes(None)
            return
        call = observer
        self._core.observe_writes(lambda line: call(_write_event(json.loads(line))))

    def lagging_view(self, lag: int) -> LaggingView:
        """This cluster as it was ``lag`` writes ago, for a manager to look at: ``Manager(cluster, view=…)``. Virtual time only."""
        self._require_virtual()
        return LaggingView(self, lag)

    def install_crd(self, yaml: str) -> None:
        """Installs CustomResourceDefinitions. Raises ValueError naming the faulty field."""
        self._core.install_crd(yaml)

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serves the cluster over HTTP, for kubectl and other processes. Returns its URL; port 0 takes a free one."""
        if self.virtual:
            raise KruiseError("a cluster in virtual time cannot be served: its clock stands still between calls")
        return f"http://{host}:{self._core.serve(host, port)}"

    def close(self) -> None:
        """Ends the cluster; its objects are gone, unless it keeps them in a file."""
        self._core.close()

    def __repr__(self) -> str:
        return f"<kruise.Cluster in {'virtual' if self.virtual else 'real'} time, {self.nodes} simulated nodes>"

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _require_virtual(self) -> None:
        if not self.virtual:
            raise KruiseError("only a cluster in virtual time can be told to run: Cluster(virtual=True)")


def kubeconfig(url: str) -> str:
    """A kubeconfig (YAML text) for a cluster served at ``url``."""
    return f"""apiVersion: v1
kind: Config
clusters:
- name: kruise
  cluster: {{server: "{url}"}}
users:
- name: kruise
  user: {{}}
contexts:
- name: kruise
  context: {{cluster: kruise, user: kruise, namespace: default}}
current-context: kruise
"""


def chart_crds() -> list[str]:
    """The texts of the chart's CRD files: from the installed package, or from the source tree."""
    packaged = resources.files(__package__).joinpath("crds")
    folder = packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "charts" / "kruise" / "crds"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return [f.read_text(encoding="utf-8") for f in files]


def _write_event(data: dict[str, Any]) -> WriteEvent:
    return WriteEvent(
        type=data["type"],
        plural=data["plural"],
        namespace=data["namespace"],
        name=data["name"],
        resource_version=data["resourceVersion"],
        writer=data["writer"],
        before=data["before"],
        after=data["after"],
    )
