"""What users ask for, drawn from a seed: a set and 2-20 changes of it, one after the other."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from scenarios.ground import barrier, clone_set

from .hooks import FINALIZER, LABEL

Object = dict[str, Any]

REPLICAS_MAX = 6
GATES = ("CloneSetPartitionRollback", "PreparingUpdateAsUpdate", "CloneSetShortHash", "CloneSetEventHandlerOptimization")
IMAGES = tuple(f"registry.example/web:v{number}" for number in range(1, 5))
CLAIM: Object = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
NOTE: Object = {"name": "NOTE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['example.com/note']"}}}


@dataclass(frozen=True, slots=True)
class Change:
    """``spec`` takes the place of the one before, ``wait_s`` seconds after that; ``deleted`` pods are named for deletion."""

    wait_s: float
    spec: Object
    deleted: int = 0


def gates_of(random: Random) -> dict[str, bool]:
    """The feature gates of the managers; mostly as they come."""
    if random.random() < 0.7:
        return {}
    return dict.fromkeys(random.sample(GATES, random.randint(1, 2)), True)


@dataclass(frozen=True, slots=True)
class Walk:
    """The specs in order. The last one asks for all pods at the newest revision, so that a fresh set comes to the same."""

    first: Object
    changes: tuple[Change, ...]

    @property
    def last(self) -> Object:
        return self.changes[-1].spec

    @classmethod
    def draw(cls, random: Random) -> Walk:
        spec = _first(random)
        first = copy.deepcopy(spec)
        changes = []
        pace = random.choice((0.5, 5.0, 20.0, 60.0))
        # Few kinds of change, each often; without new images and other numbers of pods there is little to do.
        habits = [random.choice((_image, _replicas)), *random.sample(_EDITS, random.randint(1, 4))]
        for _ in range(_count(random)):
            before = copy.deepcopy(spec)
            for _ in range(5):
                random.choice(habits)(spec, random)
                if spec != before:
                    break
            deleted = random.randint(1, 2) if random.random() < 0.15 else 0
            changes.append(Change(random.uniform(0, 2 * pace), _consistent(spec), deleted))
        _come_to_rest(spec)
        changes.append(Change(random.uniform(0, 2 * pace), _consistent(spec)))
        return cls(_consistent(first), tuple(changes))


def _count(random: Random) -> int:
    """2 to 20 changes with the last one; mostly few, so that a seed costs little."""
    return random.choice((1, 2, 2, 3, 3, 4, 5, 7, 10, 19))


def _first(random: Random) -> Object:
    spec: Object = clone_set(replicas=random.randint(1, REPLICAS_MAX), image=random.choice(IMAGES))["spec"]
    pod = spec["template"]["spec"]
    if random.random() < 0.3:
        pod["containers"].append({"name": "side", "image": random.choice(IMAGES)})
    pod["terminationGracePeriodSeconds"] = random.choice((0, 1, 30))
    if random.random() < 0.25:
        spec["volumeClaimTemplates"] = [copy.deepcopy(CLAIM)]
    strategy = spec.setdefault("updateStrategy", {})
    strategy["type"] = random.choice(("ReCreate", "InPlaceIfPossible", "InPlaceIfPossible", "InPlaceOnly"))
    if random.random() < 0.3:
        hook: Object = {"labelsHandler": {LABEL: "true"}} if random.random() < 0.6 else {"finalizersHandler": [FINALIZER]}
        spec["lifecycle"] = dict.fromkeys(random.sample(("preDelete", "inPlaceUpdate", "preNormal"), random.randint(1, 3)), hook)
        if "finalizersHandler" in hook:
            spec["template"]["metadata"]["finalizers"] = [FINALIZER]
        else:
            spec["template"]["metadata"]["labels"][LABEL] = "true"
    for edit in random.sample((_max_unavailable, _max_surge, _grace, _min_ready, _deadline, _priorities, _scatter), 3):
        if random.random() < 0.5:
            edit(spec, random)
    if random.random() < 0.15:
        for number, container in enumerate(pod["containers"]):
            container.setdefault("env", []).append(barrier(random.choice((number, 10))))
    if random.random() < 0.15:
        random.choice(pod["containers"]).setdefault("env", []).append(copy.deepcopy(NOTE))
        _label(spec, random)
    return spec


def _number_or_percent(random: Random, most: int) -> int | str:
    return random.randint(0, most) if random.random() < 0.6 else f"{random.choice((0, 10, 25, 50, 100))}%"


def _strategy(spec: Object) -> Object:
    strategy: Object = spec["updateStrategy"]
    return strategy


def _replicas(spec: Object, random: Random) -> None:
    spec["replicas"] = random.randint(0, REPLICAS_MAX)


def _image(spec: Object, random: Random) -> None:
    random.choice(spec["template"]["spec"]["containers"])["image"] = random.choice(IMAGES)


def _label(spec: Object, random: Random) -> None:
    spec["template"]["metadata"].setdefault("annotations", {})["example.com/note"] = random.choice("abc")


def _env(spec: Object, random: Random) -> None:
    """Nothing that can be done in place: the type may have to change with it."""
    container = spec["template"]["spec"]["containers"][0]
    others = [variable for variable in container.get("env", []) if variable["name"] != "MODE"]
    container["env"] = [*others, {"name": "MODE", "value": random.choice("abc")}]
    if _strategy(spec)["type"] == "InPlaceOnly":
        _strategy(spec)["type"] = "InPlaceIfPossible"


def _partition(spec: Object, random: Random) -> None:
    _strategy(spec)["partition"] = _number_or_percent(random, REPLICAS_MAX)


def _max_unavailable(spec: Object, random: Random) -> None:
    _strategy(spec)["maxUnavailable"] = _number_or_percent(random, 3)


def _max_surge(spec: Object, random: Random) -> None:
    _strategy(spec)["maxSurge"] = _number_or_percent(random, 2)


def _paused(spec: Object, random: Random) -> None:
    _strategy(spec)["paused"] = random.random() < 0.5


def _type(spec: Object, random: Random) -> None:
    _strategy(spec)["type"] = random.choice(("ReCreate", "InPlaceIfPossible", "InPlaceOnly", "OnDelete"))


def _grace(spec: Object, random: Random) -> None:
    _strategy(spec)["inPlaceUpdateStrategy"] = {"gracePeriodSeconds": random.choice((0, 3, 30))}


def _min_ready(spec: Object, random: Random) -> None:
    spec["minReadySeconds"] = random.choice((0, 5, 40))


def _deadline(spec: Object, random: Random) -> None:
    spec["progressDeadlineSeconds"] = random.choice((60, 600))


def _priorities(spec: Object, random: Random) -> None:
    if random.random() < 0.5:
        term: Object = {"weight": random.randint(1, 100), "matchSelector": {"matchLabels": {"rank": random.choice("12")}}}
        _strategy(spec)["priorityStrategy"] = {"weightPriority": [term]}
    else:
        _strategy(spec)["priorityStrategy"] = {"orderPriority": [{"orderedKey": "rank"}]}


def _scatter(spec: Object, random: Random) -> None:
    _strategy(spec)["scatterStrategy"] = [{"key": "rank", "value": random.choice("12")}]


def _scale_limit(spec: Object, random: Random) -> None:
    """How many unavailable pods scale-out may leave; 0 would create none for ever."""
    spec.setdefault("scaleStrategy", {})["maxUnavailable"] = random.choice((1, 2, "50%"))


def _claims_reused(spec: Object, random: Random) -> None:
    spec.setdefault("scaleStrategy", {})["disablePVCReuse"] = random.random() < 0.5


def _history(spec: Object, random: Random) -> None:
    spec["revisionHistoryLimit"] = random.choice((0, 1, 10))


def _hooks(spec: Object, random: Random) -> None:
    """The hooks go, or change their kind; the marks stay on the pods that are there."""
    if random.random() < 0.5:
        spec.pop("lifecycle", None)
    else:
        spec["lifecycle"] = {"inPlaceUpdate": {"labelsHandler": {LABEL: "true"}, "markPodNotReady": random.random() < 0.5}}


_EDITS = (
    _replicas,
    _image,
    _label,
    _env,
    _partition,
    _max_unavailable,
    _max_surge,
    _paused,
    _type,
    _grace,
    _min_ready,
    _priorities,
    _scatter,
    _scale_limit,
    _claims_reused,
    _history,
    _hooks,
)


def _consistent(spec: Object) -> Object:
    """A copy that admission would let through."""
    one: Object = copy.deepcopy(spec)
    strategy = one["updateStrategy"]
    if strategy["type"] == "InPlaceOnly":
        strategy.pop("maxSurge", None)
    if str(strategy.get("maxUnavailable", "20%")) in ("0", "0%") and str(strategy.get("maxSurge", 0)) in ("0", "0%"):
        strategy["maxUnavailable"] = 1
    if one.get("progressDeadlineSeconds", 1 << 30) <= one.get("minReadySeconds", 0):
        one.pop("progressDeadlineSeconds")
    return one


def _come_to_rest(spec: Object) -> None:
    """All pods may move, by replacing them if need be; a budget that rounds down to nothing would hold some for ever."""
    strategy = _strategy(spec)
    strategy.pop("partition", None)
    strategy.pop("paused", None)
    if strategy["type"] in ("OnDelete", "InPlaceOnly"):
        strategy["type"] = "InPlaceIfPossible"


def difference(before: Object, after: Object) -> str:
    """What was changed, for people to read."""
    was, became = _leaves(before), _leaves(after)
    told = [f"{path} {json.dumps(became.get(path))}" for path in became | was if was.get(path) != became.get(path)]
    return ", ".join(told) or "nothing"


def _leaves(value: Any, path: str = "") -> Object:
    if isinstance(value, dict):
        items = [(f"{path}.{key}".lstrip("."), one) for key, one in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{number}]", one) for number, one in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for name, one in items for key, leaf in _leaves(one, name).items()}
