"""The story the demo tells."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from kruise.client import Client
from kruise.cluster import Cluster
from kruise.errors import KruiseError
from kruise.manager import Manager
from kruise.nodes import KubeletDelays

from .board import Board, StepResult, compare
from .view import View

_SET = "web"
_SELECTOR = "app=web"
_BAD_IMAGE = "registry.example/web:broken"
_DELAYS = KubeletDelays(schedule=0.02, pull=0.15, start=0.1, ready=0.2, stop=0.2)
_STEP_LIMIT_S = 30.0
_PLAIN_WIDTH = 110

Status = dict[str, Any]


def _clone_set() -> dict[str, Any]:
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": _SET},
        "spec": {
            "replicas": 20,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {"name": "main", "image": "registry.example/web:v1"},
                        {"name": "log", "image": "registry.example/log:v1"},
                    ]
                },
            },
            "updateStrategy": {"type": "InPlaceIfPossible", "maxUnavailable": "20%"},
        },
    }


class Demo:
    """Runs the steps one after the other; each ends when the cluster says so."""

    def __init__(self, cluster: Cluster, view: View) -> None:
        self._cluster = cluster
        self._client: Client = cluster.client()
        self._view = view
        self._board = Board(self._client, _SELECTOR)
        self.results: list[StepResult] = []

    def run(self) -> None:
        self._board.start()
        try:
            self._create()
            self._update_in_batches()
            self._delete_one()
            self._scale_out()
            self._update_with_surge()
            self._roll_back()
        finally:
            self._board.stop()

    def _create(self) -> None:
        self._step(
            "create 20 pods", "kubectl apply -f web.yaml", lambda: self._client.create(_clone_set()), lambda s: _settled(s, 20)
        )

    def _update_in_batches(self) -> None:
        self._set_image("registry.example/web:v2", partition="80%")
        for partition, updated in (("80%", 4), ("50%", 10), (0, 20)):
            self._one_batch(partition, updated)

    def _one_batch(self, partition: int | str, updated: int) -> None:
        self._step(
            f"update in place, partition {partition}",
            f"updateStrategy.partition={partition}",
            lambda: self._strategy(partition=partition),
            lambda s: _settled(s, 20) and s["updatedReadyReplicas"] == updated,
        )

    def _delete_one(self) -> None:
        victim = self._board.rows()[0].name
        self._step(
            f"replace pod {victim}",
            f"scaleStrategy.podsToDelete=[{victim}]",
            lambda: self._merge({"scaleStrategy": {"podsToDelete": [victim]}}),
            lambda s: _settled(s, 20) and all(row.name != victim for row in self._board.rows()),
        )

    def _scale_out(self) -> None:
        self._step(
            "scale out to 25",
            "kubectl scale clone web --replicas=25",
            lambda: self._client.scale("clone", _SET, 25),
            lambda s: _settled(s, 25),
        )

    def _update_with_surge(self) -> None:
        self._step(
            "update with a surge of 3",
            "image web:v3, maxSurge=3, maxUnavailable=0",
            lambda: self._set_image("registry.example/web:v3", maxSurge=3, maxUnavailable=0),
            lambda s: _settled(s, 25) and s["updatedReadyReplicas"] == 25,
        )

    def _roll_back(self) -> None:
        self._cluster.kubelets.fail_image(_BAD_IMAGE)
        self._step(
            "a bad image stops at the budget",
            "image web:broken, maxUnavailable=20%",
            lambda: self._set_image(_BAD_IMAGE, maxSurge=0, maxUnavailable="20%"),
            lambda s: s["updatedReplicas"] == 5 and s["readyReplicas"] == 20 and self._failing() == 5,
            lasts=1.0,
        )
        self._step(
            "roll back midway",
            "image web:v3 again",
            lambda: self._set_image("registry.example/web:v3"),
            lambda s: _settled(s, 25) and s["updatedReadyReplicas"] == 25,
        )

    def _failing(self) -> int:
        return sum(row.state in ("ErrImagePull", "ImagePullBackOff") for row in self._board.rows())

    def _set_image(self, image: str, **strategy: Any) -> None:
        current = self._client.get("clone", _SET)
        containers = current["spec"]["template"]["spec"]["containers"]
        containers[0]["image"] = image
        self._merge({"template": {"spec": {"containers": containers}}, "updateStrategy": strategy})

    def _strategy(self, **strategy: Any) -> None:
        self._merge({"updateStrategy": strategy})

    def _merge(self, spec: dict[str, Any]) -> None:
        self._client.patch("clone", _SET, {"spec": spec})

    def _step(
        self, title: str, command: str, act: Callable[[], object], done: Callable[[Status], bool], *, lasts: float = 0.0
    ) -> None:
        """Acts, and shows the pods until the status is as it should be and has been for ``lasts`` seconds."""
        self._view.step(title, command)
        before, begin = self._board.rows(), time.monotonic()
        since: float | None = None  # when it came to be as it should
        act()
        while True:
            seconds = time.monotonic() - begin
            current = self._client.get("clone", _SET)
            status = current.get("status", {})
            rows = self._board.rows()
            observed = status.get("observedGeneration") == current["metadata"]["generation"]
            if not (observed and done(status) and len(rows) == status["replicas"]):
                since = None
            elif since is None:
                since = seconds
            ends = since is not None and seconds - since >= lasts
            self._view.refresh(title, rows, seconds, last=ends)
            if ends:
                break
            if self._board.failure is not None:
                raise KruiseError(f"{title}: {self._board.failure}")
            if seconds > _STEP_LIMIT_S:
                raise KruiseError(f"{title}: not done after {_STEP_LIMIT_S:.0f} s; the status is {status}")
            with self._board.changed:
                self._board.changed.wait(timeout=0.05)
        result = compare(title, before, self._board.rows(), time.monotonic() - begin)
        self.results.append(result)
        self._view.say(
            f"  [green]✓[/green] {result.seconds:.1f} s: {result.kept} pods kept, {result.created} created, "
            f"{result.deleted} deleted, {result.restarts} containers restarted"
        )


def _settled(status: Status, replicas: int) -> bool:
    return all(status.get(name) == replicas for name in ("replicas", "readyReplicas", "availableReplicas"))


def run(plain: bool = False) -> int:
    """Runs the demo on standard output. Returns the exit status: 0 when every step ended as it should."""
    plain = plain or not sys.stdout.isatty()
    console = Console(highlight=False, width=_PLAIN_WIDTH if plain else None)
    view = View(console, plain)
    begin = time.monotonic()
    view.say("An embedded cluster of 4 nodes; its kubelets are simulated, everything else is the real manager in real time.")
    view.say(f"Kubelet delays: {_DELAYS}")
    try:
        with Cluster(nodes=4, delays=_DELAYS) as cluster, Manager(cluster):
            demo = Demo(cluster, view)
            with view.running():
                demo.run()
    except KruiseError as error:
        console.print(f"[red]the demo failed:[/red] {error}")
        return 1
    view.table(demo.results)
    view.say(f"Done in {time.monotonic() - begin:.1f} s.")
    return 0
