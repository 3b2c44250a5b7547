"""The CRDs declare the API that OpenKruise's clients expect, no more and no less, and describe all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[3]
CRDS = sorted((ROOT / "charts/kruise/crds").glob("*.yaml"))
Row = tuple[str, str, str]


def load(path: Path) -> dict[str, Any]:
    crd: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return crd


def versions(crd: dict[str, Any]) -> dict[str, Any]:
    return {v["name"]: v for v in crd["spec"]["versions"]}


def word_of(schema: dict[str, Any]) -> str:
    """The type of a field, in the words of tests/data/api."""
    if schema.get("x-kubernetes-int-or-string"):
        return "int|string"
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return "PodTemplateSpec" if schema.get("type") == "object" else "any"
    if set(schema.get("properties", {})) == {"matchLabels", "matchExpressions"}:
        return "LabelSelector"
    kind = schema["type"]
    if kind == "array":
        return f"{schema['items']['type']}[]"
    if "additionalProperties" in schema:
        return f"map<string,{schema['additionalProperties']['type']}>"
    return f"{kind}:{schema['format']}" if "format" in schema else str(kind)


def fields(schema: dict[str, Any], path: str = "") -> Iterator[Row]:
    """Path, type and constraints of every field below a schema."""
    for name, inner in schema.get("properties", {}).items():
        if not path and name in ("apiVersion", "kind", "metadata"):
            continue
        here = f"{path}.{name}" if path else name
        marks = ["required"] if name in schema.get("required", []) else []
        marks += [f'map-type="{inner["x-kubernetes-map-type"]}"'] if "x-kubernetes-map-type" in inner else []
        word = word_of(inner)
        yield here, word, " ".join(marks)
        if word == "object":
            yield from fields(inner, here)
        elif word == "object[]":
            yield from fields(inner["items"], here + "[]")


def listed(path: Path, version: str) -> list[Row]:
    """The rows of one version in tests/data/api."""
    rows, inside = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            inside = line.split()[1] == version
        elif inside and line.count(" | ") >= 1 and not line.startswith(("scale:", "printer columns:")):
            name, word, marks = (part.strip() for part in (line + " ").split(" | ", 2))
            rows.append((name.removeprefix("+"), word, marks))
    return rows


def described(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str, bool]]:
    """Path, description, and whether somebody may leave the value out, of every field and of the objects in every list."""
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        if here == "metadata":
            continue
        items = inner.get("items", {})
        is_value = "properties" not in inner and "properties" not in items
        yield here, inner.get("description", ""), is_value and name not in schema.get("required", [])
        if "properties" in items:
            yield here + "[]", items.get("description", ""), False
        yield from described(inner, here)
        yield from described(items, here + "[]")


def test_v1alpha1_has_the_fields_that_clients_expect() -> None:
    crd = load(ROOT / "charts/kruise/crds/apps.kruise.io_clonesets.yaml")
    version = versions(crd)["v1alpha1"]
    expected = listed(ROOT / "tests/data/api/clonesets.apps.txt", "v1alpha1")
    assert len(expected) > 55
    expected.append(("spec.scaleStrategy.excludePreparingDelete", "boolean", ""))  # so that conversion from v1beta1 keeps it
    assert sorted(fields(version["schema"]["openAPIV3Schema"])) == sorted(expected)


def test_names_subresources_and_columns() -> None:
    crd = load(ROOT / "charts/kruise/crds/apps.kruise.io_clonesets.yaml")
    names = crd["spec"]["names"]
    assert (names["kind"], names["listKind"], names["plural"], names["singular"], names["shortNames"]) == (
        "CloneSet", "CloneSetList", "clonesets", "cloneset", ["clone"])  # fmt: skip
    assert crd["spec"]["scope"] == "Namespaced"
    version = versions(crd)["v1alpha1"]
    assert (version["served"], version["storage"]) == (True, True)
    assert version["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.labelSelector",
        },
    }
    columns = [(c["name"], c["type"], c["jsonPath"], c.get("priority", 0)) for c in version["additionalPrinterColumns"]]
    assert columns == [
        ("DESIRED", "integer", ".spec.replicas", 0),
        ("UPDATED", "integer", ".status.updatedReplicas", 0),
        ("UPDATED_READY", "integer", ".status.updatedReadyReplicas", 0),
        ("UPDATED_AVAILABLE", "integer", ".status.updatedAvailableReplicas", 0),
        ("READY", "integer", ".status.readyReplicas", 0),
        ("TOTAL", "integer", ".status.replicas", 0),
        ("AGE", "date", ".metadata.creationTimestamp", 0),
        ("CONTAINERS", "string", ".spec.template.spec.containers[*].name", 1),
        ("IMAGES", "string", ".spec.template.spec.containers[*].image", 1),
        ("SELECTOR", "string", ".status.labelSelector", 1),
    ]


def test_v1beta1_is_declared_and_differs_where_it_should() -> None:
    crd = load(ROOT / "charts/kruise/crds/apps.kruise.io_clonesets.yaml")
    old, new = ({r[0]: r[1:] for r in fields(versions(crd)[v]["schema"]["openAPIV3Schema"])} for v in ("v1alpha1", "v1beta1"))
    assert (versions(crd)["v1beta1"]["served"], versions(crd)["v1beta1"]["storage"]) == (False, False)
    rolling = "spec.updateStrategy.rollingUpdate"
    moved = {
        name: name.replace("spec.updateStrategy", rolling)
        for name in old
        if name.startswith("spec.updateStrategy.") and name != "spec.updateStrategy.type"
    }
    expected = {moved.get(name, name): row for name, row in old.items() if name != "spec.scaleStrategy.disablePVCReuse"}
    expected |= {
        "spec.scaleStrategy.enablePVCReuse": ("boolean", ""),
        rolling: ("object", ""),
        f"{rolling}.podUpdatePolicy": ("string", ""),
        f"{rolling}.inPlaceUpdateStrategy.imagePreDownloadParallelism": ("int|string", ""),
        f"{rolling}.inPlaceUpdateStrategy.imagePreDownloadTimeoutSeconds": ("integer:int32", ""),
        f"{rolling}.inPlaceUpdateStrategy.imagePreDownloadMinUpdatedReadyPods": ("integer:int32", ""),
    }
    assert new == expected


@pytest.mark.parametrize("path", CRDS, ids=lambda p: p.stem)
def test_every_field_is_described(path: Path) -> None:
    for name, version in versions(load(path)).items():
        schema = version["schema"]["openAPIV3Schema"]
        assert len(schema["description"]) > 60
        for field, text, optional in described(schema):
            assert len(text) >= 20 or field in ("spec", "status"), f"{name} {field}: {text!r}"
            assert text.endswith((".", "v1-core")), f"{name} {field}: {text!r}"
            if field.startswith("spec.") and optional:
                assert re.search(r"[Dd]efault|[Aa]bsent", text), f"{name} {field}: what does it mean when it is left out?"
            if "econds" in field.rsplit(".", 1)[-1]:
                assert "econds" in text, f"{name} {field}: in which unit?"


@pytest.mark.parametrize("path", CRDS, ids=lambda p: p.stem)
def test_no_defaults_of_our_own(path: Path) -> None:
    # A default in the schema would be written into every stored object, and clients would see fields that nobody set.
    assert "default:" not in path.read_text(encoding="utf-8").replace("By default", "")
