"""Requests drawn from a seed: creates, updates, patches of all types, applies by several managers and deletes, on a few objects of a
few kinds, so that they meet in ways that nobody wrote down. The same seed draws the same requests, for ever."""

from __future__ import annotations

import random
from typing import Any

SEED = 34
COUNT = 100

Json = Any

NAMESPACE = "drawn"
NAMES = ("one", "two")
MANAGERS = ("ann", "ben", "cat")
CORE, APPS, OWN = "/api/v1", "/apis/apps/v1", "/apis/drawn.kruise.test/v1"

PREPARATION: list[dict[str, Json]] = [
    {"name": "drawn-namespace", "send": "POST /api/v1/namespaces", "body": {"metadata": {"name": NAMESPACE}}},
    {
        "name": "drawn-crd",
        "send": "POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "body": {
            "metadata": {"name": "wheels.drawn.kruise.test"},
            "spec": {
                "group": "drawn.kruise.test",
                "scope": "Namespaced",
                "names": {"plural": "wheels", "singular": "wheel", "kind": "Wheel", "listKind": "WheelList"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "subresources": {
                            "status": {},
                            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                        },
                        "schema": {
                            "openAPIV3Schema": {
                                "type": "object",
                                "properties": {
                                    "spec": {
                                        "type": "object",
                                        "properties": {
                                            "replicas": {"type": "integer", "minimum": 0},
                                            "spokes": {
                                                "type": "array",
                                                "x-kubernetes-list-type": "map",
                                                "x-kubernetes-list-map-keys": ["name"],
                                                "items": {
                                                    "type": "object",
                                                    "required": ["name"],
                                                    "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
                                                },
                                            },
                                            "tags": {
                                                "type": "array",
                                                "x-kubernetes-list-type": "set",
                                                "items": {"type": "string"},
                                            },
                                            "pairs": {"type": "object", "additionalProperties": {"type": "string"}},
                                        },
                                    },
                                    "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
                                },
                            }
                        },
                    }
                ],
            },
        },
    },
    {"name": "drawn-crd-served", "send": f"GET {OWN}/namespaces/{NAMESPACE}/wheels", "wait": 200},
]


def draw(seed: int, count: int = COUNT) -> list[dict[str, Json]]:
    """The preparation and `count` requests of a seed."""
    artist = _Artist(random.Random(seed))
    return [*PREPARATION, *(artist.request(f"drawn-{number:03d}") for number in range(count))]


class _Artist:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def request(self, name: str) -> dict[str, Json]:
        kind = self.chance.choice(("ConfigMap", "Deployment", "Wheel"))
        api, plural = {"ConfigMap": (CORE, "configmaps"), "Deployment": (APPS, "deployments"), "Wheel": (OWN, "wheels")}[kind]
        collection = f"{api}/namespaces/{NAMESPACE}/{plural}"
        target = self.chance.choice(NAMES)
        path = f"{collection}/{target}"
        manager = f"fieldManager={self.chance.choice(MANAGERS)}"
        ways = ["create"] * 3 + ["put"] * 2 + ["merge"] * 4 + ["json"] * 2 + ["apply"] * 8 + ["delete", "get"]
        if kind != "Wheel":
            ways += ["strategic"] * 3
        if kind != "ConfigMap":
            ways += ["scale", "status"]
        way = self.chance.choice(ways)
        body = {"apiVersion": api.removeprefix("/apis/").removeprefix("/api/"), "kind": kind, **self.content(kind, target)}
        if way == "create":
            return {"name": name, "send": f"POST {collection}?{manager}", "body": body}
        if way == "put":
            return {"name": name, "send": f"PUT {path}?{manager}", "body": body}
        if way == "apply":
            if self.chance.random() < 0.5:
                body = self.less(body)
            force = "&force=true" if self.chance.random() < 0.4 else ""
            return _patch(name, f"{path}?{manager}{force}", "apply-patch+yaml", body)
        if way in ("merge", "strategic"):
            part = {key: value for key, value in self.content(kind, target).items() if key != "metadata" or way == "merge"}
            if "metadata" in part:
                part["metadata"] = {"labels": {self.letter(): self.chance.choice((None, self.letter()))}}
            return _patch(name, f"{path}?{manager}", f"{'merge' if way == 'merge' else 'strategic-merge'}-patch+json", part)
        if way == "json":
            place = {"ConfigMap": "/data", "Deployment": "/spec/template/metadata/labels", "Wheel": "/spec/pairs"}[kind]
            operation = self.chance.choice(("add", "replace", "remove", "test"))
            step = {"op": operation, "path": f"{place}/{self.letter()}"}
            if operation != "remove":
                step["value"] = self.letter()
            return _patch(name, f"{path}?{manager}", "json-patch+json", [step])
        if way == "scale":
            return _patch(name, f"{path}/scale?{manager}", "merge-patch+json", {"spec": {"replicas": self.chance.randrange(5)}})
        if way == "status":
            return _patch(
                name, f"{path}/status?{manager}", "merge-patch+json", {"status": {"replicas": self.chance.randrange(5)}}
            )
        return {"name": name, "send": f"{'DELETE' if way == 'delete' else 'GET'} {path}"}

    def letter(self) -> str:
        return self.chance.choice("abc")

    def some(self, *items: Json) -> list[Json]:
        """A part of them, in any order."""
        return self.chance.sample(items, self.chance.randrange(len(items) + 1))

    def pairs(self) -> dict[str, str]:
        return {key: self.letter() for key in sorted(self.some("a", "b", "c"))}

    def content(self, kind: str, name: str) -> dict[str, Json]:
        metadata: dict[str, Json] = {"name": name}
        if self.chance.random() < 0.5:
            metadata["labels"] = self.pairs()
        if self.chance.random() < 0.2:
            metadata["finalizers"] = []
        if kind == "ConfigMap":
            return {"metadata": metadata, "data": self.pairs()}
        if kind == "Wheel":
            spec: dict[str, Json] = {"pairs": self.pairs(), "tags": self.some("x", "y", "z")}
            spec["spokes"] = [{"name": spoke, "size": self.chance.randrange(3)} for spoke in self.some("p", "q", "r")]
            if self.chance.random() < 0.5:
                spec["replicas"] = self.chance.randrange(-1, 4)
            return {"metadata": metadata, "spec": spec}
        containers = [
            {
                "name": container,
                "image": f"image:{self.letter()}",
                "env": [{"name": key, "value": self.letter()} for key in self.some("A", "B")],
            }
            for container in ("main", *self.some("side", "third"))
        ]
        labels = {"app": "drawn", **self.pairs()}
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
        return {
            "metadata": metadata,
            "spec": {"replicas": self.chance.randrange(4), "selector": {"matchLabels": {"app": "drawn"}}, "template": template},
        }

    def less(self, body: dict[str, Json]) -> dict[str, Json]:
        """The body without some of its parts: what a manager does who cares for a few fields only."""
        spec = {key: value for key, value in body.get("spec", {}).items() if self.chance.random() < 0.5}
        rest = {key: value for key, value in body.items() if key != "spec" and (key != "data" or self.chance.random() < 0.5)}
        return {**rest, "spec": spec} if "spec" in body else rest


def _patch(name: str, target: str, form: str, body: Json) -> dict[str, Json]:
    return {"name": name, "send": f"PATCH {target}", "type": f"application/{form}", "body": body}
