"""What users do to a set, step by step; each step is taken when the one before has come to rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from scenarios.ground import clone_set

from .arena import Arena

Object = dict[str, Any]
Step = Callable[[Arena], None]

V1, V2, V3 = (f"registry.example/web:v{number}" for number in (1, 2, 3))


def create(arena: Arena, **spec: Any) -> None:
    arena.client.create(clone_set(**spec))


def edit(arena: Arena, **spec: Any) -> None:
    arena.client.patch("clone", "web", {"spec": spec})


def image(arena: Arena, name: str, **strategy: Any) -> None:
    containers = arena.client.get("clone", "web")["spec"]["template"]["spec"]["containers"]
    containers[0]["image"] = name
    edit(arena, template={"spec": {"containers": containers}}, updateStrategy=strategy)


def name_for_deletion(arena: Arena, count: int) -> None:
    names = sorted(pod["metadata"]["name"] for pod in arena.pods())[:count]
    edit(arena, scaleStrategy={"podsToDelete": names})


CLAIM: Object = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
IN_PLACE = "InPlaceIfPossible"

STORIES: Mapping[str, list[Step]] = {
    "scale": [
        partial(create, replicas=3),
        partial(edit, replicas=5),
        partial(name_for_deletion, count=1),
        partial(edit, replicas=2),
    ],
    "in place": [
        partial(create, replicas=4, updateStrategy={"type": IN_PLACE, "maxUnavailable": 2}),
        partial(image, name=V2, partition=2),
        partial(image, name=V2, partition=0),
        partial(image, name=V1),
    ],
    "in place with grace": [
        partial(
            create,
            replicas=3,
            updateStrategy={"type": IN_PLACE, "maxUnavailable": 1, "inPlaceUpdateStrategy": {"gracePeriodSeconds": 5}},
        ),
        partial(image, name=V2),
    ],
    "replaced with surge": [
        partial(create, replicas=3, updateStrategy={"type": "ReCreate", "maxUnavailable": 0, "maxSurge": 1}),
        partial(image, name=V2),
    ],
    "claims": [
        partial(create, replicas=2, updateStrategy={"type": "ReCreate", "maxUnavailable": 1}, volumeClaimTemplates=[CLAIM]),
        partial(image, name=V2),
        partial(edit, replicas=1),
    ],
    "rolled back midway": [
        partial(create, replicas=4, updateStrategy={"type": IN_PLACE, "maxUnavailable": 1}),
        partial(image, name=V2, partition=3),
        partial(image, name=V3, partition=2),
        partial(image, name=V1, partition=0),
    ],
}
