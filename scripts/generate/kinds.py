"""Kinds as the CRD files declare them: a tree of named structs, read once and written out as C++ and as Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

# How a struct is called, by kind and path; a name without the kind in front is shared between kinds and must be the same in all of them.
NAMES = {
    "spec.scaleStrategy": "{kind}ScaleStrategy",
    "spec.updateStrategy": "{kind}UpdateStrategy",
    "spec.updateStrategy.rollingUpdate": "RollingUpdate{kind}Strategy",
    "spec.updateStrategy.priorityStrategy": "UpdatePriorityStrategy",
    "spec.updateStrategy.priorityStrategy.weightPriority[]": "UpdatePriorityWeightTerm",
    "spec.updateStrategy.priorityStrategy.orderPriority[]": "UpdatePriorityOrderTerm",
    "spec.updateStrategy.scatterStrategy[]": "UpdateScatterTerm",
    "spec.updateStrategy.inPlaceUpdateStrategy": "InPlaceUpdateStrategy",
    "spec.lifecycle": "Lifecycle",
    "spec.lifecycle.preDelete": "LifecycleHook",
    "spec.lifecycle.inPlaceUpdate": "LifecycleHook",
    "spec.lifecycle.preNormal": "LifecycleHook",
    "status.conditions[]": "{kind}Condition",
}
# Objects of which presence means something even when they are empty (a hook that is not there, and one with empty lists).
OPTIONAL_OBJECTS = {"Lifecycle", "LifecycleHook"}
# Fields without a schema that are lists.
RAW_LISTS = {"volumeClaimTemplates"}


@dataclass
class Type:
    """What a field holds. `form` is one of: string, bool, int32, int64, time, int-or-string, labels, selector, raw, metadata, struct, list;
    and in parts of the core API also quantity and map."""

    form: str
    struct: Struct | None = None
    element: Type | None = None


@dataclass
class Field:
    """One member of a struct."""

    json: str
    type: Type
    required: bool
    description: str

    @property
    def snake(self) -> str:
        """The name in C++ and Python: `maxUnavailable` is `max_unavailable`, and a word of either language gets an underscore."""
        name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", self.json)
        name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
        return name + "_" if name in {"template", "operator", "class", "in", "default", "from", "delete"} else name


@dataclass
class Struct:
    """An object with known fields."""

    name: str
    description: str
    fields: list[Field] = field(default_factory=list)
    in_status: bool = False


@dataclass
class Kind:
    """One version of a kind."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    served: bool
    storage: bool
    root: Struct
    source: str

    def structs(self) -> list[Struct]:
        """All structs, those that others need first, the kind itself last."""
        found: dict[str, Struct] = {}
        for one in _walk(self.root):
            before = found.setdefault(one.name, one)
            if [(f.json, f.type.form) for f in before.fields] != [(f.json, f.type.form) for f in one.fields]:
                raise ValueError(f"{self.source}: two different structs are called {one.name}")
        return list(found.values())


def _walk(struct: Struct) -> Iterator[Struct]:
    for item in struct.fields:
        inner = item.type.element or item.type
        if inner.struct:
            yield from _walk(inner.struct)
    yield struct


class Reader:
    """Turns the openapi schema of one version into structs."""

    def __init__(self, kind: str, suffix: str) -> None:
        self.kind = kind
        self.suffix = suffix

    def name(self, path: str) -> str:
        # From v1beta1 on these are a level deeper.
        known = NAMES.get(path) or NAMES.get(path.replace(".rollingUpdate.", "."))
        if known:
            return known.format(kind=self.kind) + self.suffix
        words = re.findall(r"[A-Za-z0-9]+", path)
        return self.kind + "".join(w[0].upper() + w[1:] for w in words) + self.suffix

    def struct(self, schema: dict[str, Any], path: str) -> Struct:
        made = Struct(self.name(path), schema.get("description", "").strip(), in_status=path.startswith("status"))
        required = schema.get("required", [])
        for name, inner in schema.get("properties", {}).items():
            if not path and name in ("apiVersion", "kind"):
                continue
            made.fields.append(
                Field(
                    name,
                    self.type(inner, f"{path}.{name}" if path else name),
                    name in required,
                    inner.get("description", "").strip(),
                )
            )
        return made

    def type(self, schema: dict[str, Any], path: str) -> Type:
        if path == "metadata":
            return Type("metadata")
        if schema.get("x-kubernetes-int-or-string"):
            return Type("int-or-string")
        if schema.get("x-kubernetes-preserve-unknown-fields") and not schema.get("properties"):
            return Type("list", element=Type("raw")) if path.split(".")[-1] in RAW_LISTS else Type("raw")
        kind = schema.get("type")
        if kind == "object":
            properties = schema.get("properties", {})
            if set(properties) == {"matchLabels", "matchExpressions"}:
                return Type("selector")
            if "additionalProperties" in schema:
                return Type("labels")
            return Type("struct", struct=self.struct(schema, path))
        if kind == "array":
            return Type("list", element=self.type(schema["items"], path + "[]"))
        if kind == "integer":
            return Type(schema.get("format", "int64"))
        if kind == "boolean":
            return Type("bool")
        if kind == "string":
            return Type("time" if schema.get("format") == "date-time" else "string")
        raise ValueError(f"{self.kind}: no form for {path}: {schema}")


def load(path: Path, *, plain_names: bool = False) -> list[Kind]:
    """Every version that a CRD file declares. With plain names each version's structs are called as the first version's are."""
    crd = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    spec = crd["spec"]
    kinds = []
    for index, version in enumerate(spec["versions"]):
        # The first version is what code sees (the hub) and has the plain names.
        suffix = "" if index == 0 or plain_names else version["name"][0].upper() + version["name"][1:]
        reader = Reader(spec["names"]["kind"], suffix)
        root = reader.struct(version["schema"]["openAPIV3Schema"], "")
        kinds.append(
            Kind(
                spec["group"],
                version["name"],
                spec["names"]["kind"],
                spec["names"]["plural"],
                spec["scope"] == "Namespaced",
                version["served"],
                version["storage"],
                root,
                path.name,
            )
        )
    return kinds
