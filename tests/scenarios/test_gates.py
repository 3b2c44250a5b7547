"""What feature gates change in a whole rollout."""

from __future__ import annotations

import pytest

from .ground import Ground
from .test_update import V2, images, uids


@pytest.mark.gates(CloneSetPartitionRollback=True)
def test_raising_the_partition_moves_pods_back(ground: Ground) -> None:
    ground.create(updateStrategy={"type": "InPlaceIfPossible", "partition": 1, "maxUnavailable": 2})
    ground.settled()
    before = ground.pods()
    ground.set_image(V2)
    ground.settled(updatedReplicas=4, updatedReadyReplicas=4)
    ground.edit(updateStrategy={"partition": 4})
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
    assert uids(ground.pods()) == uids(before)
    assert images(ground).count(V2) == 1


@pytest.mark.gates(CloneSetShortHash=True)
def test_long_names_by_short_labels(ground: Ground) -> None:
    """The revision's name would be too long for a label."""
    name = "a-name-as-long-as-names-of-this-kind-may-ever-become-here"
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/web:v1"}]},
    }
    ground.client.create(
        {
            "apiVersion": "apps.kruise.io/v1alpha1",
            "kind": "CloneSet",
            "metadata": {"name": name},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": template,
                "updateStrategy": {"type": "InPlaceOnly", "maxUnavailable": 1},
            },
        }
    )
    ground.settled(name)
    before = ground.pods(name)
    ground.set_image(V2, name)
    ground.settled(name, updatedReplicas=2, updatedReadyReplicas=2)
    assert uids(ground.pods(name)) == uids(before)
    for pod in ground.pods(name):
        assert pod["metadata"]["labels"]["controller-revision-hash"] == pod["metadata"]["labels"]["pod-template-hash"]
