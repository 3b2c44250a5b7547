"""The user's own controller behind a set's lifecycle hooks: lets pods go, and takes them back into service."""

from __future__ import annotations

from typing import Any

import kruise

Object = dict[str, Any]

LABEL = "example.com/in-traffic"
FINALIZER = "example.com/in-traffic"
STATE = "lifecycle.apps.kruise.io/state"
RELEASED_IN = ("PreparingDelete", "PreparingUpdate")
GIVEN_BACK_IN = ("PreparingNormal", "Updated")


def answer_hooks(client: kruise.Client, pods: list[Object]) -> int:
    """Takes the marks off pods that wait to be deleted or updated, and puts them onto those that wait to serve. How many it changed."""
    changed = 0
    for pod in pods:
        patch = _patch(pod)
        if patch is None:
            continue
        try:
            client.patch("pods", pod["metadata"]["name"], patch)
        except kruise.NotFound:
            continue
        changed += 1
    return changed


def _patch(pod: Object) -> Object | None:
    meta = pod["metadata"]
    labels, finalizers = meta.get("labels", {}), meta.get("finalizers", [])
    state = labels.get(STATE)
    if "deletionTimestamp" in meta or state in RELEASED_IN:
        patch: Object = {}
        if labels.get(LABEL) == "true":
            patch["labels"] = {LABEL: "false"}
        if FINALIZER in finalizers:
            patch["finalizers"] = [one for one in finalizers if one != FINALIZER]
        return {"metadata": patch} if patch else None
    if state not in GIVEN_BACK_IN:
        return None
    patch = {}
    if labels.get(LABEL) != "true":
        patch["labels"] = {LABEL: "true"}
    if FINALIZER not in finalizers:
        patch["finalizers"] = [*finalizers, FINALIZER]
    return {"metadata": patch} if patch else None
