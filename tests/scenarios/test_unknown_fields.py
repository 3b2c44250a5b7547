"""A pod field that nobody here knows travels from the set through its revision to the pod."""

from __future__ import annotations

from .ground import Ground, clone_set


def test_unknown_template_field_travels(ground: Ground) -> None:
    template = clone_set()["spec"]["template"]
    template["spec"]["fieldOfTheFuture"] = {"mode": "fast", "level": 3}
    ground.create(template=template, replicas=2)
    ground.until(lambda: len(ground.client.list("controllerrevisions")) == 1)
    (revision,) = ground.client.list("controllerrevisions")
    assert revision["data"]["spec"]["template"]["spec"]["fieldOfTheFuture"] == {"mode": "fast", "level": 3}
    ground.until(lambda: len(ground.client.list("pods")) == 2)
    first = ground.status()["updateRevision"]
    template["spec"]["fieldOfTheFuture"]["level"] = 4
    ground.edit(template=template)
    ground.until(lambda: ground.status().get("updateRevision", first) != first)
