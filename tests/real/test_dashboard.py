"""The Grafana dashboard asks only for metrics, and labels of them, that a manager at work shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from built import ROOT
from manager_process import wait
from manager_world import World, clone_set, manager

pytestmark = pytest.mark.real
DASHBOARD = ROOT / "charts/kruise/dashboards/kruise-manager.json"
FROM_PROMETHEUS = {"instance", "le"}  # added by who reads the page, or part of a histogram's samples
SERIES = re.compile(r"^([a-z_]+)(?:\{(.*)\})? \S+$", re.MULTILINE)
HELD = 'kruise_held_objects{controller="cloneset-controller",rule="partition"}'


def expressions() -> dict[str, str]:
    """Every query of the dashboard, by its panel's title and letter."""
    found: dict[str, str] = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        if panel["type"] != "row":
            assert panel["targets"], panel["title"]
            found |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


def labels_by_series(page: str) -> dict[str, set[str]]:
    """What the page shows: names of series, each with all of its labels."""
    shown: dict[str, set[str]] = {}
    for name, labels in SERIES.findall(page):
        shown.setdefault(name, set()).update(re.findall(r'([a-z_]+)="', labels))
    return shown


def complaints(shown: dict[str, set[str]]) -> list[str]:
    """What the dashboard's queries ask for and the page has not."""
    found = []
    for title, expression in expressions().items():
        names = re.findall(r"([a-z_]+)\{", expression)
        assert names, f"{title}: no metric in {expression}"
        wanted = {label.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(",")}
        wanted |= set(re.findall(r'([a-z_]+)=~?"', expression))
        found += [f"{title}: {name} is not on the page" for name in names if name not in shown]
        found += [
            f"{title}: {name} has no label {label}"
            for name in names
            for label in wanted - FROM_PROMETHEUS - shown.get(name, set())
            if name in shown
        ]
    return found


def test_every_query_finds_its_metrics_and_labels(world: World, tmp_path: Path) -> None:
    world.create(clone_set("web", 3, partition=2))
    with manager(world, tmp_path) as process:
        wait("all pods are there", lambda: world.status("web").get("readyReplicas") == 3, 60)
        world.set_image("web", "example.com/web:2")
        wait("two pods are held", lambda: process.value(HELD) == 2, 60)
        shown = labels_by_series(process.page())
        assert complaints(shown) == []
        del shown["kruise_held_objects"]
        shown["workqueue_depth"].discard("name")
        assert len(complaints(shown)) == 2, "the check itself can fail"
