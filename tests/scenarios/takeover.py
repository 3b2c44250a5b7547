"""What managers of other releases left in a cluster (tests/data/takeover), brought into a cluster that nobody manages yet."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import kruise

Object = dict[str, Any]

RELEASES = ("v0.8.0", "v1.0.1", "v1.9.0")
_DATA = Path(__file__).resolve().parents[1] / "data" / "takeover"
_ORDER = ("CloneSet", "ControllerRevision", "PersistentVolumeClaim", "Pod")
_OF_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "generation", "namespace", "managedFields")


def left_behind(release: str) -> list[Object]:
    """The CloneSets of a release's file and all that they own or claim, owners first. The other kinds have no controller yet."""
    items: list[Object] = json.loads((_DATA / f"{release}.json").read_text(encoding="utf-8"))["items"]
    sets = [item for item in items if item["kind"] == "CloneSet"]
    uids = {one["metadata"]["uid"] for one in sets}
    owned = [item for item in items if any(owner["uid"] in uids for owner in item["metadata"].get("ownerReferences", []))]
    return sorted(sets + owned, key=lambda item: _ORDER.index(item["kind"]))


def load(client: kruise.Client, release: str, grace_s: int | None = None) -> None:
    """Creates what the release left, each status as it was. No nodes and no manager may run yet: they would answer at once.

    ``grace_s`` shortens the grace period of pods that come later, where ten minutes are too long to wait for.
    """
    uids: dict[str, str] = {}
    for item in left_behind(release):
        wanted = copy.deepcopy(item)
        if grace_s is not None and "gracePeriodSeconds" in wanted.get("spec", {}).get("updateStrategy", {}).get(
            "inPlaceUpdateStrategy", {}
        ):
            wanted["spec"]["updateStrategy"]["inPlaceUpdateStrategy"]["gracePeriodSeconds"] = grace_s
        for member in _OF_THE_SERVER:
            wanted["metadata"].pop(member, None)
        for owner in wanted["metadata"].get("ownerReferences", []):
            owner["uid"] = uids[owner["uid"]]
        status = wanted.pop("status", None)
        created = client.create(wanted)
        uids[item["metadata"]["uid"]] = created["metadata"]["uid"]
        if status is None:
            continue
        if "observedGeneration" in status:
            status["observedGeneration"] = created["metadata"]["generation"]
        client.replace({**created, "status": status}, subresource="status")
