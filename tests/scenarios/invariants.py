"""What must hold at every write of the manager, judged on the state in storage at that instant.

Written from the documented behaviour alone: no code is shared with the plans. Feed ``Invariants.judge`` with every write of
a cluster in order of resourceVersion; it keeps its own picture of sets and pods and collects violations.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str]

REVISION = "controller-revision-hash"
STATE = "lifecycle.apps.kruise.io/state"
EXCLUDE = "apps.kruise.io/cloneset-scaling-exclude-preparing-delete"


@dataclass(frozen=True, slots=True)
class Seen:
    """One write as storage saw it."""

    type: str
    plural: str
    namespace: str
    name: str
    version: int
    writer: str
    before: Object | None
    after: Object | None


@dataclass(slots=True)
class Invariants:
    """Collects violations; ``now`` gives the cluster's time."""

    now: Callable[[], datetime]
    is_manager: Callable[[str], bool] = lambda writer: writer.startswith("kruise-manager")
    violations: list[str] = field(default_factory=list)
    judged: int = 0
    sets: dict[str, Object] = field(default_factory=dict)
    revisions: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    pods: dict[Key, Object] = field(default_factory=dict)
    orphaned: set[str] = field(default_factory=set)

    def judge(self, write: Seen, *, take: bool = True) -> None:
        """Judges the write if the manager sent it, then takes it into the picture, unless that is left to ``take``."""
        if write.plural == "pods" and self.is_manager(write.writer):
            self.judged += 1
            for rule in (self._unavailable, self._created, self._moved, self._disowned):
                complaint = rule(write)
                if complaint:
                    self.violations.append(f"rv {write.version} {write.type} pod {write.name} by {write.writer}: {complaint}")
        if take:
            self.take(write)

    # -- the rules -------------------------------------------------------------------------------------------------

    def _unavailable(self, write: Seen) -> str | None:
        """No available pod is made unavailable when the unavailable ones use up maxUnavailable plus the pods above replicas."""
        owner = self._owner(write.before)
        if owner is None or write.before is None or not self._counts_available(owner, write.before):
            return None
        if write.type != "DELETED" and self._counts_available(owner, write.after):
            return None
        pods = self._active(owner)
        replicas = _replicas(owner)
        unavailable = sum(not self._available(owner, pod) for pod in pods)
        budget = _max_unavailable(owner) + max(len(pods) - replicas, 0)
        if unavailable >= budget:
            return f"made unavailable although {unavailable} of {len(pods)} pods are and the budget is {budget} (replicas {replicas})"
        return None

    def _created(self, write: Seen) -> str | None:
        """Never more pods than replicas and surge."""
        owner = self._owner(write.after)
        if write.type != "ADDED" or owner is None:
            return None
        pods = self._active(owner)
        if owner["metadata"].get("labels", {}).get(EXCLUDE) == "true":
            pods = [pod for pod in pods if _state(pod) != "PreparingDelete"]
        limit = _replicas(owner) + _max_surge(owner)
        if len(pods) + 1 > limit:
            return f"created as number {len(pods) + 1}; replicas and surge allow {limit}"
        return None

    def _moved(self, write: Seen) -> str | None:
        """No pod is moved to the update revision when no more than the partition are left at older ones."""
        owner = self._owner(write.before)
        if owner is None or write.before is None or write.after is None or write.type != "MODIFIED":
            return None
        was, became = _revision(write.before), _revision(write.after)
        if was == became or became != self._newest_revision(owner):
            return None
        older = sum(_revision(pod) != became for pod in self._active(owner))
        partition = _partition(owner)
        if older <= partition:
            return f"moved to {became} although only {older} pods are at older revisions and the partition is {partition}"
        return None

    def _disowned(self, write: Seen) -> str | None:
        """No pod loses its owner, unless it no longer matches the selector or its deleter orphaned it."""
        owner = self._owner(write.before)
        if owner is None or write.type != "MODIFIED" or write.after is None:
            return None
        uid = owner["metadata"]["uid"]
        if _controller_uid(write.after) == uid or uid in self.orphaned:
            return None
        if not _matches(owner["spec"].get("selector", {}), write.after["metadata"].get("labels", {})):
            return None
        return f"lost its owner {owner['metadata']['name']} although it matches the selector"

    # -- the picture -----------------------------------------------------------------------------------------------

    def take(self, write: Seen) -> None:
        """Takes the write into the picture."""
        obj = write.after if write.type != "DELETED" else write.before or write.after
        if obj is None:
            return
        if write.plural == "clonesets":
            uid = obj["metadata"]["uid"]
            if "orphan" in (obj["metadata"].get("finalizers") or []):
                self.orphaned.add(uid)
            if write.type == "DELETED":
                self.sets.pop(uid, None)
            else:
                self.sets[uid] = obj
        elif write.plural == "controllerrevisions":
            owner = _controller_uid(obj)
            if owner is None:
                return
            if write.type == "DELETED":
                self.revisions[owner].pop(write.name, None)
            else:
                self.revisions[owner][write.name] = obj["revision"]
        elif write.plural == "pods":
            if write.type == "DELETED":
                self.pods.pop((write.namespace, write.name), None)
            else:
                self.pods[(write.namespace, write.name)] = obj

    def _owner(self, pod: Object | None) -> Object | None:
        return self.sets.get(_controller_uid(pod) or "") if pod is not None else None

    def _active(self, owner: Object) -> list[Object]:
        uid = owner["metadata"]["uid"]
        return [pod for pod in self.pods.values() if _controller_uid(pod) == uid and _is_active(pod)]

    def _newest_revision(self, owner: Object) -> str | None:
        known = self.revisions[owner["metadata"]["uid"]]
        return max(known, key=lambda name: known[name]) if known else None

    def _counts_available(self, owner: Object, pod: Object | None) -> bool:
        return pod is not None and _is_active(pod) and self._available(owner, pod)

    def _available(self, owner: Object, pod: Object) -> bool:
        if _state(pod) not in ("", "Normal"):
            return False
        status = pod.get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions") or []}
        ready = conditions.get("Ready", {})
        if status.get("phase") != "Running" or ready.get("status") != "True":
            return False
        if conditions.get("InPlaceUpdateReady", {}).get("status", "True") != "True":
            return False
        wait = owner["spec"].get("minReadySeconds") or 0
        if wait == 0:
            return True
        since = ready.get("lastTransitionTime")
        return since is not None and _time(since) + timedelta(seconds=wait) < self.now()


def _is_active(pod: Object) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def _controller_uid(obj: Object) -> str | None:
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return str(owner["uid"])
    return None


def _state(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(STATE, ""))


def _revision(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(REVISION, ""))


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _replicas(owner: Object) -> int:
    value = owner["spec"].get("replicas")
    return 1 if value is None else int(value)


def _strategy(owner: Object) -> Object:
    return owner["spec"].get("updateStrategy") or {}


def _scaled(value: Any, total: int, up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = float(str(value).removesuffix("%")) * total / 100
    return math.ceil(exact) if up else math.floor(exact)


def _max_surge(owner: Object) -> int:
    strategy = _strategy(owner)
    if strategy.get("paused"):
        return 0  # an update that rests needs no extra pods, and maxUnavailable rounds up then
    return max(_scaled(strategy.get("maxSurge") or 0, _replicas(owner), True), 0)


def _max_unavailable(owner: Object) -> int:
    value = _strategy(owner).get("maxUnavailable")
    return max(_scaled("20%" if value is None else value, _replicas(owner), _max_surge(owner) == 0), 0)


def _partition(owner: Object) -> int:
    replicas = _replicas(owner)
    value = _strategy(owner).get("partition")
    if value is None:
        return 0
    kept = _scaled(value, replicas, True)
    if isinstance(value, str) and value != "100%" and kept == replicas and replicas > 1:
        kept -= 1
    return min(max(kept, 0), replicas)


def _matches(selector: Object, labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for rule in selector.get("matchExpressions") or []:
        key, values = rule["key"], rule.get("values") or []
        held = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[rule["operator"]]
        if not held:
            return False
    return True
