"""An embedded cluster in virtual time whose managers may be killed, lied to and blinded, with the invariants judged at every write."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any

import kruise
from scenarios.invariants import Invariants, Seen

from .judge import Judge

Object = dict[str, Any]

DELAYS = kruise.KubeletDelays(schedule=0.05, pull=0.3, start=0.2, ready=0.5, stop=0.3)
LEASES_IN = "kruise-system"
UNCOUNTED = ("events", "leases")
EXPECTATION_TIMEOUT_S = 60.0  # within this a lost answer is given up; the default is five minutes


class Arena:
    """The cluster, the managers of the moment and what they have written."""

    def __init__(
        self, *, seed: int = 1, nodes: int = 3, delays: kruise.KubeletDelays = DELAYS, judge: Callable[..., Judge] = Judge
    ) -> None:
        self.cluster = kruise.Cluster(nodes=nodes, virtual=True, seed=seed, delays=delays)
        self.client = self.cluster.client()
        self.seed = seed
        self.judge = judge(now=self.cluster.now)
        self.managers: list[kruise.Manager] = []
        self._since: list[datetime] = []  # when each of them started
        self.writes = 0
        """Of managers, events and leases left out."""
        self._hash = hashlib.sha256()
        self._started = 0
        if self.judge.judging:
            self.cluster.observe_writes(self._observe)

    @property
    def invariants(self) -> Invariants:
        return self.judge.invariants

    # -- managers --------------------------------------------------------------------------------------------------

    def start(
        self,
        *,
        view: kruise.LaggingView | None = None,
        faults: kruise.Faults | None = None,
        gates: dict[str, bool] | None = None,
        leader_election: bool = False,
        clock_ahead: float = 0.0,
    ) -> kruise.Manager:
        """One more manager, with empty memory."""
        self._started += 1
        if leader_election and not any(one["metadata"]["name"] == LEASES_IN for one in self.client.list("namespaces")):
            self.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": LEASES_IN}})
        manager = kruise.Manager(
            self.cluster,
            view=view,
            faults=faults,
            seed=self.seed * 1000 + self._started,
            expectation_timeout=EXPECTATION_TIMEOUT_S,
            gates=gates,
            leader_election=leader_election,
            clock_ahead=clock_ahead,
        )
        self.managers.append(manager.start())
        self._since.append(self.cluster.now())
        self.judge.known_since = min(self._since)
        return manager

    def end(self, manager: kruise.Manager) -> None:
        """This one ends at this instant."""
        manager.kill()
        index = self.managers.index(manager)
        del self.managers[index], self._since[index]

    def kill(self) -> None:
        """All managers end at this instant."""
        for manager in self.managers:
            manager.kill()
        self.managers.clear()
        self._since.clear()

    # -- time ------------------------------------------------------------------------------------------------------

    def run_for(self, seconds: float) -> None:
        self.cluster.run_for(seconds)

    def run_until(self, done: Callable[[], bool], timeout: float) -> bool:
        """Whether it came to hold."""
        try:
            self.cluster.run_until(done, timeout=timeout)
        except TimeoutError:
            return False
        return True

    def run_to_write(self, number: int, done: Callable[[], bool], timeout: float) -> bool:
        """Until right behind the managers' write of this number, before its answer; True where ``done`` held before that."""
        last = self.cluster.now()

        def stop() -> bool:
            nonlocal last
            if self.writes >= number:
                return True
            now = self.cluster.now()
            if now == last:
                return False
            last = now
            return done()

        try:
            self.cluster.run_until(stop, timeout=timeout, each_step=True)
        except TimeoutError:
            return True
        return self.writes < number

    # -- looking ---------------------------------------------------------------------------------------------------

    def sets(self) -> list[Object]:
        return self.client.list("clone")

    def pods(self) -> list[Object]:
        return self.client.list("pods")

    def sent(self) -> Counter[str]:
        """What the managers of the moment have sent to change anything, whether or not it did; leases left out."""
        counts: Counter[str] = Counter()
        for manager in self.managers:
            for what, number in manager.requests.items():
                verb, _, resource = what.partition(" ")
                if verb not in ("get", "list", "watch") and resource != "leases":
                    counts[what] += number
        return counts

    def log_hash(self) -> str:
        """Of every write so far, whoever made it."""
        return self._hash.hexdigest()

    def _observe(self, write: kruise.WriteEvent) -> None:
        self._hash.update(
            json.dumps([write.type, write.plural, write.name, write.resource_version, write.writer, write.after]).encode()
        )
        if self.invariants.is_manager(write.writer) and write.plural not in UNCOUNTED:
            self.writes += 1
        seen = Seen(
            write.type, write.plural, write.namespace, write.name, write.resource_version, write.writer, write.before, write.after
        )
        try:
            self.judge.judge(seen)
        except Exception as error:  # what an observer raises is not heard of
            self.invariants.violations.append(f"the judge failed at rv {write.resource_version}: {error!r}")

    def close(self) -> None:
        self.kill()
        self.cluster.close()

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def settled(arena: Arena) -> bool:
    """No manager is at anything, and every set's status says that all is there, ready and as new as the partition allows."""
    if not all(manager.idle for manager in arena.managers):
        return False
    for one in arena.sets():
        spec, status = one["spec"], one.get("status", {})
        replicas = spec.get("replicas", 1)
        if status.get("observedGeneration") != one["metadata"]["generation"]:
            return False
        figures = [status.get(name, 0) for name in ("replicas", "readyReplicas", "availableReplicas")]
        if figures != [replicas] * 3:
            return False
        if status.get("updatedReplicas", 0) < status.get("expectedUpdatedReplicas", 0) or status.get(
            "updatedReadyReplicas", 0
        ) < status.get("expectedUpdatedReplicas", 0):
            return False
    return all("deletionTimestamp" not in pod["metadata"] for pod in arena.pods())


def end_state(arena: Arena) -> Object:
    """What the sets have come to, without names, UIDs, versions and times."""
    sets = {one["metadata"]["uid"]: one for one in arena.sets()}
    out: Object = {}
    for uid, one in sets.items():
        status = dict(one.get("status", {}))
        conditions = sorted((c["type"], c["status"]) for c in status.get("conditions", []))
        for told in ("observedGeneration", "currentRevision", "updateRevision", "collisionCount", "conditions"):
            status.pop(told, None)
        mine = [pod for pod in arena.pods() if _controller(pod) == uid]
        claims = [claim for claim in arena.client.list("persistentvolumeclaims") if _controller(claim) == uid]
        out[one["metadata"]["name"]] = {
            "status": status,
            "conditions": conditions,
            "pods": dict(Counter(_shape(pod) for pod in mine)),
            "claims": len(claims),
        }
    out["strangers"] = len([pod for pod in arena.pods() if _controller(pod) not in sets])
    return out


def _controller(obj: Object) -> str | None:
    return next((o["uid"] for o in obj["metadata"].get("ownerReferences", []) if o.get("controller")), None)


def _shape(pod: Object) -> str:
    meta, spec = pod["metadata"], pod["spec"]
    conditions = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions", [])}
    gates = [conditions.get(gate["conditionType"]) for gate in spec.get("readinessGates", [])]
    return json.dumps(
        [
            [container["image"] for container in spec["containers"]],
            [status.get("image") for status in pod.get("status", {}).get("containerStatuses", [])],
            meta["labels"].get("lifecycle.apps.kruise.io/state"),
            meta["labels"].get("controller-revision-hash", "").rsplit("-", 1)[-1],
            conditions.get("Ready"),
            gates,
        ]
    )
