"""The schema files of core kinds say what a real API server publishes about them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/generate"))
import core_tables  # noqa: E402

pytestmark = pytest.mark.real

FILES = core_tables.load(ROOT / "cpp/api/schema")
# Metadata and Scale are published in the documents of those who use them.
DOCUMENTS = [f for f in FILES if f.stem not in ("meta_v1", "autoscaling_v1")]
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
LEAVES = {
    "string": ("string", None),
    "bytes": ("string", "byte"),
    "int32": ("integer", "int32"),
    "int64": ("integer", "int64"),
    "float": ("number", "double"),
    "bool": ("boolean", None),
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "int-or-string": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "time": META + "Time",
    "micro-time": META + "MicroTime",
}
OPEN = {"io.k8s.apimachinery.pkg.runtime.RawExtension", META + "FieldsV1"}


def published(server: ControlPlane, group: str, version: str) -> dict[str, Any]:
    """The schemas that the server publishes for a group and version."""
    path = f"apis/{group}/{version}" if group else f"api/{version}"
    status, document = server.call("GET", f"/openapi/v3/{path}")
    assert status == 200, document
    schemas: dict[str, Any] = document["components"]["schemas"]
    return schemas


def component(stem: str, name: str) -> str:
    group, version = stem.split("_")
    return META + name if group == "meta" else f"io.k8s.api.{group}.{version}.{name}"


def reference(schema: dict[str, Any]) -> str | None:
    inner = schema["allOf"][0] if "allOf" in schema else schema
    target = inner.get("$ref")
    return None if target is None else str(target).removeprefix("#/components/schemas/")


def differs(stem: str, expression: str, schema: dict[str, Any]) -> str | None:
    """Why a published schema is not of the type that our files say; None when it is."""
    if expression.startswith("[]"):
        return f"no list: {schema}" if schema.get("type") != "array" else differs(stem, expression[2:], schema["items"])
    if expression.startswith("map:"):
        return "no map" if "additionalProperties" not in schema else differs(stem, expression[4:], schema["additionalProperties"])
    target = reference(schema)
    if expression == "any":
        return None if target in OPEN or schema.get("type") == "object" else f"not open: {schema}"
    leaf = LEAVES.get(expression)
    if isinstance(leaf, tuple):
        found = (schema.get("type"), schema.get("format"))
        return None if found == leaf else f"{found}, not {leaf}"
    home, _, name = expression.rpartition(".")
    wanted = leaf or component(home or stem, name)
    return None if target == wanted else f"{target}, not {wanted}"


def facts(item: dict[str, Any]) -> dict[str, Any]:
    """What our files say about how a field is patched and what it may be."""
    wanted = {
        "x-kubernetes-list-type": item.get("list"),
        "x-kubernetes-list-map-keys": item.get("keys") if item.get("list") == "map" else None,
        "x-kubernetes-patch-merge-key": item.get("mergeKey"),
        "x-kubernetes-patch-strategy": item.get("patch"),
        "enum": sorted(item["enum"]) if "enum" in item else None,
    }
    if "map" in item:
        wanted["x-kubernetes-map-type"] = item["map"]
    return wanted


@pytest.mark.parametrize("schema", DOCUMENTS, ids=lambda f: f.stem)
def test_types_agree(control_plane: ControlPlane, schema: core_tables.SchemaFile) -> None:
    schemas = published(control_plane, schema.group, schema.version)
    found = []
    seen = 0
    for name, fields in schema.types.items():
        theirs = schemas.get(component(schema.stem, name))
        if theirs is None:
            continue  # a part of a kind that this server keeps to itself
        seen += 1
        if {f["name"] for f in fields} != set(theirs.get("properties", {})):
            found.append(f"{name}: fields {sorted({f['name'] for f in fields} ^ set(theirs.get('properties', {})))}")
        if sorted(f["name"] for f in fields if f.get("required")) != sorted(theirs.get("required", [])):
            found.append(f"{name}: required {theirs.get('required')}")
        for item in fields:
            one = theirs.get("properties", {}).get(item["name"], {})
            if one and (why := differs(schema.stem, item["type"], one)):
                found.append(f"{name}.{item['name']}: {why}")
            for fact, value in facts(item).items():
                published_value = sorted(one[fact]) if fact == "enum" and fact in one else one.get(fact)
                if published_value != value:
                    found.append(f"{name}.{item['name']}: {fact} is {json.dumps(published_value)}, not {json.dumps(value)}")
    assert not found, "\n".join(found)
    assert seen >= len(schema.kinds)
