"""A CloneSet that cannot work is never acted upon: a Warning event and the condition FailedScale name the field."""

from __future__ import annotations

from typing import Any

import pytest

from .ground import Ground, Object, clone_set


def _with(**spec: Any) -> Object:
    return clone_set(**spec)


def _without_containers() -> Object:
    return clone_set(template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}})


BAD = {
    "selector": (_with(selector={"matchLabels": {"app": "other"}}), "spec.template.metadata.labels"),
    "empty selector": (_with(selector={}), "spec.selector"),
    "operator": (_with(selector={"matchExpressions": [{"key": "app", "operator": "Like", "values": ["a"]}]}), "spec.selector"),
    "partition": (_with(updateStrategy={"partition": "half"}), "spec.updateStrategy.partition"),
    "maxUnavailable": (_with(updateStrategy={"maxUnavailable": "5"}), "spec.updateStrategy.maxUnavailable"),
    "maxSurge": (_with(updateStrategy={"maxSurge": "x%"}), "spec.updateStrategy.maxSurge"),
    "type": (_with(updateStrategy={"type": "Rolling"}), "spec.updateStrategy.type"),
    "containers": (_without_containers(), "spec.template.spec.containers"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_set_is_never_acted_upon(ground: Ground, name: str) -> None:
    bad, field = BAD[name]
    ground.create(name="good", replicas=1)
    ground.settled("good")
    ground.client.create(bad)

    def complaint() -> str:
        conditions = ground.get().get("status", {}).get("conditions") or []
        return next((c["message"] for c in conditions if c["type"] == "FailedScale" and c["status"] == "True"), "")

    ground.until(lambda: field in complaint())
    events = [e for e in ground.client.list("events") if e["involvedObject"]["name"] == "web" and e["type"] == "Warning"]
    assert any(field in event["message"] for event in events)
    ground.settle(60)
    assert ground.pods() == []
    revisions = ground.client.list("controllerrevisions")
    assert all(r["metadata"]["name"].startswith("good-") for r in revisions)


@pytest.mark.also_as_process
def test_bad_edit_stops_everything_until_it_is_mended(ground: Ground) -> None:
    ground.create()
    ground.settled()
    before = {p["metadata"]["uid"] for p in ground.pods()}
    ground.edit(replicas=2, updateStrategy={"partition": "all"})
    ground.settle(60)
    assert {p["metadata"]["uid"] for p in ground.pods()} == before
    ground.edit(updateStrategy={"partition": 0})
    ground.settled()
    assert len(ground.pods()) == 2
    assert not [c for c in ground.status().get("conditions", []) if c["type"] == "FailedScale"]
