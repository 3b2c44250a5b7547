"""What the set "web" has come to, without names, UIDs, versions and times, so that two clusters can be compared."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import kruise

from .hazards import EVENT_FAULTS, Hazards
from .hooks import STATE

Object = dict[str, Any]

COUNTS = (
    "replicas",
    "readyReplicas",
    "availableReplicas",
    "updatedReplicas",
    "updatedReadyReplicas",
    "updatedAvailableReplicas",
    "expectedUpdatedReplicas",
)


def outcome(client: kruise.Client, *, claims_left: bool) -> Object:
    """The set's status, and its pods by what tells them apart. With ``claims_left`` claims that no pod mounts are passed over."""
    one = client.get("clone", "web")
    meta, status = one["metadata"], one.get("status", {})
    pods = [pod for pod in client.list("pods") if is_active(pod) and controller_of(pod) == meta["uid"]]
    mounted = {name for pod in pods for name in claims_of(pod)}
    claims = {claim["metadata"]["name"] for claim in client.list("persistentvolumeclaims")}
    return {
        "observed": status.get("observedGeneration") == meta["generation"],
        "counts": {name: status.get(name, 0) for name in COUNTS},
        "at rest": status.get("currentRevision") == status.get("updateRevision"),
        "conditions": sorted((c["type"], c["status"], c.get("reason", "")) for c in status.get("conditions", [])),
        "pods": dict(Counter(_shape(pod, status.get("updateRevision", "")) for pod in pods)),
        "named for deletion": len(one["spec"].get("scaleStrategy", {}).get("podsToDelete", [])),
        "claims mounted": len(mounted & claims),
        "claims left": 0 if claims_left else len(claims - mounted),
    }


def claims_may_be_left(hazards: Hazards) -> bool:
    """A claim is deleted behind its pod. Killed or refused in between, the next plan finds a pod that anyone may have deleted, whose
    claims are kept for the next pod; and they are where somebody else did delete it."""
    return not set(hazards.present()) <= {*EVENT_FAULTS, "slow_nodes", "clocks"}


def is_active(pod: Object) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def controller_of(obj: Object) -> str | None:
    return next((o["uid"] for o in obj["metadata"].get("ownerReferences", []) if o.get("controller")), None)


def claims_of(pod: Object) -> list[str]:
    volumes = pod["spec"].get("volumes", [])
    return [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume]


def _started_with(pod: Object) -> dict[str, int]:
    """Of each container that takes variables from the pod's metadata: a hash of what they were when it was started."""
    told = json.loads(pod["metadata"].get("annotations", {}).get("apps.kruise.io/runtime-containers-meta", "{}"))
    return {one["name"]: one["hashes"]["extractedEnvFromMetadataHash"] for one in told.get("containers", [])}


def _shape(pod: Object, revision: str) -> str:
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
    return json.dumps(
        {
            "images": [container["image"] for container in spec["containers"]],
            "env": [container.get("env") for container in spec["containers"]],
            "note": meta.get("annotations", {}).get("example.com/note"),
            "running": sorted(one.get("image", "") for one in status.get("containerStatuses", [])),
            "started with": _started_with(pod),
            "state": meta.get("labels", {}).get(STATE) or "Normal",  # both are in service
            "updated": meta.get("labels", {}).get("controller-revision-hash", "").rpartition("-")[2]
            == revision.rpartition("-")[2],
            "ready": conditions.get("Ready"),
            "gates": [conditions.get(gate["conditionType"]) for gate in spec.get("readinessGates", [])],
        }
    )
