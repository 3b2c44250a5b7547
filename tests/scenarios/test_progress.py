"""The condition Progressing."""

from __future__ import annotations

from .ground import Ground, Object
from .test_update import V2


def progressing(ground: Ground) -> Object:
    return next((c for c in ground.status().get("conditions", []) if c["type"] == "Progressing"), {})


def test_a_rollout_that_misses_its_deadline_and_is_mended(ground: Ground) -> None:
    ground.create(progressDeadlineSeconds=2, updateStrategy={"type": "InPlaceIfPossible", "maxUnavailable": 1})
    ground.settled()
    ground.until(lambda: progressing(ground).get("reason") == "CloneSetAvailable")
    bad = "registry.example/web:bad"
    ground.kubelets.never_ready(bad)
    ground.set_image(bad)
    ground.until(lambda: progressing(ground).get("reason") == "CloneSetUpdated")
    ground.until(lambda: progressing(ground).get("status") == "False")
    late = progressing(ground)
    assert late["reason"] == "ProgressDeadlineExceeded"
    assert ground.status()["updateRevision"] in late["message"]
    ground.set_image(V2)
    ground.until(lambda: progressing(ground).get("status") == "True")
    ground.settled(updatedReplicas=5, updatedReadyReplicas=5)
    ground.until(lambda: progressing(ground).get("reason") == "CloneSetAvailable")
