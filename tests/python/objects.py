"""Objects and delays of these tests."""

from __future__ import annotations

from typing import Any

import kruise

DELAYS = kruise.KubeletDelays(schedule=0.01, pull=0.02, start=0.01, ready=0.02, stop=0.01)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": "web"}}, "data": data}


def clone_set(name: str = "web", *, replicas: int = 2, image: str = "nginx:1.27") -> dict[str, Any]:
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": image}]}},
            "updateStrategy": {"type": "InPlaceIfPossible"},
        },
    }
