"""What the demo knows of the pods right now, and what happened to them since a step began."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from kruise.client import Client
from kruise.errors import ApiError


@dataclass(frozen=True, slots=True)
class PodRow:
    """One pod, as the progress view shows it."""

    name: str
    uid: str
    revision: str
    image: str
    restarts: int
    ready: bool
    state: str
    terminating: bool

    @classmethod
    def of(cls, pod: dict[str, Any]) -> PodRow:
        meta, status = pod["metadata"], pod.get("status", {})
        labels = meta.get("labels", {})
        containers = status.get("containerStatuses") or []
        waiting = next((c["state"]["waiting"]["reason"] for c in containers if "waiting" in c.get("state", {})), "")
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            revision=labels.get("controller-revision-hash", "").rpartition("-")[2],
            image=pod["spec"]["containers"][0]["image"],
            restarts=sum(c.get("restartCount", 0) for c in containers),
            ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or []),
            state=waiting or labels.get("lifecycle.apps.kruise.io/state", ""),
            terminating="deletionTimestamp" in meta,
        )


@dataclass(slots=True)
class Board:
    """The pods of one set, kept up to date by a watch on a thread of its own."""

    client: Client
    selector: str
    pods: dict[str, PodRow] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    failure: Exception | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._follow, name="demo-board", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def rows(self) -> list[PodRow]:
        with self.changed:
            return sorted(self.pods.values(), key=lambda row: row.name)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                for event in self.client.watch("pods", selector=self.selector, timeout=1):
                    self._take(event.type, PodRow.of(event.object))
                    if self._stop.is_set():
                        return
            except ApiError as error:
                if not self._stop.is_set():
                    self.failure = error
                return

    def _take(self, change: str, row: PodRow) -> None:
        with self.changed:
            if change == "DELETED":
                self.pods.pop(row.name, None)
            else:
                self.pods[row.name] = row
            self.changed.notify_all()


@dataclass(frozen=True, slots=True)
class StepResult:
    """The figures of one step."""

    title: str
    kept: int
    created: int
    deleted: int
    restarts: int
    seconds: float


def compare(title: str, before: list[PodRow], after: list[PodRow], seconds: float) -> StepResult:
    """What became of the pods: kept ones have the same UID; restarts are counted in kept pods only."""
    old = {row.uid: row for row in before}
    new = {row.uid: row for row in after}
    kept = old.keys() & new.keys()
    return StepResult(
        title=title,
        kept=len(kept),
        created=len(new.keys() - old.keys()),
        deleted=len(old.keys() - new.keys()),
        restarts=sum(new[uid].restarts - old[uid].restarts for uid in kept),
        seconds=seconds,
    )
