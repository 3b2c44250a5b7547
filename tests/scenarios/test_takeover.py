"""A manager takes over what another release left: nothing settled is touched, and what was begun is finished."""

from __future__ import annotations

import pytest

from .ground import Ground, Object
from .takeover import RELEASES, left_behind

SETTLED = ("rest", "half", "recreate", "hosted")
ADDED_ONCE = "pod-template-hash"

pytestmark = pytest.mark.parametrize("release", RELEASES)


def found(release: str, kind: str, name: str) -> dict[str, Object]:
    """The objects of a kind that belong to the set, by name, as the other manager left them."""
    return {
        item["metadata"]["name"]: item
        for item in left_behind(release)
        if item["kind"] == kind and any(owner["name"] == name for owner in item["metadata"].get("ownerReferences", []))
    }


def containers(pod: Object) -> dict[str, tuple[str, str, int]]:
    """Image, container ID and restarts of each container."""
    return {
        status["name"]: (status["image"], status["containerID"], status["restartCount"])
        for status in pod["status"]["containerStatuses"]
    }


def observed(ground: Ground, *names: str) -> bool:
    return all(ground.status(name) for name in names)


def finished(ground: Ground, name: str, image: str) -> bool:
    pods = ground.pods(name)
    return all(
        status["ready"] and status["image"] == image for pod in pods for status in pod["status"]["containerStatuses"]
    ) and all(pod["metadata"]["labels"]["lifecycle.apps.kruise.io/state"] == "Normal" for pod in pods)


def test_settled_sets_are_left_alone(ground: Ground, release: str) -> None:
    ground.until(lambda: observed(ground, *SETTLED))
    ground.settle(10)
    settled_by = ground.manager_writes_to(*SETTLED)
    for name in SETTLED:
        before = found(release, "Pod", name)
        after = {pod["metadata"]["name"]: pod for pod in ground.pods(name)}
        assert after.keys() == before.keys()
        for pod, left in before.items():
            labels = dict(after[pod]["metadata"]["labels"])
            if ADDED_ONCE not in left["metadata"]["labels"]:
                assert labels.pop(ADDED_ONCE) == labels["controller-revision-hash"].removeprefix(f"{name}-")
            assert labels == left["metadata"]["labels"]
            assert after[pod]["metadata"].get("annotations") == left["metadata"].get("annotations")
            assert after[pod]["spec"]["containers"] == left["spec"]["containers"]
            assert containers(after[pod]) == containers(left)
            added = int(ADDED_ONCE not in left["metadata"]["labels"])
            assert settled_by.pop(f"pods/{pod}", 0) == added, "one write for the label that is missing, none where it is there"
        assert settled_by.pop(f"clonesets/{name}", 0) <= 1, "one write of the status"
    assert not settled_by, "nothing else is written"

    before_quiet = ground.manager_writes_to(*SETTLED)
    ground.settle(30 * 60)
    assert ground.manager_writes_to(*SETTLED) == before_quiet


def test_revisions_keep_their_names(ground: Ground, release: str) -> None:
    names = (*SETTLED, "grace", "hook", "busy")
    ground.until(lambda: observed(ground, *names))
    ground.settle(60)
    for name in names:
        before = found(release, "ControllerRevision", name)
        uid = ground.get(name)["metadata"]["uid"]
        after = {
            revision["metadata"]["name"]: revision
            for revision in ground.client.list("controllerrevisions")
            if revision["metadata"]["ownerReferences"][0]["uid"] == uid
        }
        assert {key: revision["revision"] for key, revision in after.items()} == {
            key: revision["revision"] for key, revision in before.items()
        }
        status = ground.status(name)
        newest = max(before, key=lambda key: int(before[key]["revision"]))
        assert status["updateRevision"] == newest


@pytest.mark.parametrize("name", ["grace", "busy"])
def test_an_update_under_way_is_finished(ground: Ground, release: str, name: str) -> None:
    ground.until(lambda: finished(ground, name, "example.com/web:1.1"), timeout=1500)  # two grace periods of 600 s
    ground.settled(name, updatedReplicas=2, updatedReadyReplicas=2)
    before = found(release, "Pod", name)
    after = {pod["metadata"]["name"]: pod for pod in ground.pods(name)}
    assert after.keys() == before.keys(), "in place"
    for pod in after.values():
        assert [status["restartCount"] for status in pod["status"]["containerStatuses"]] == [1]


def test_hooks_are_waited_for(ground: Ground, release: str) -> None:
    ground.until(lambda: observed(ground, "hook"))
    ground.settle(60)
    before = found(release, "Pod", "hook")
    after = {pod["metadata"]["name"]: pod for pod in ground.pods("hook")}
    assert after.keys() == before.keys()
    state = "lifecycle.apps.kruise.io/state"
    for pod, left in before.items():
        assert containers(after[pod]) == containers(left)
        assert after[pod]["metadata"]["labels"][state] == left["metadata"]["labels"][state]

    doomed = {pod for pod, left in before.items() if left["metadata"]["labels"][state] == "PreparingDelete"}
    assert len(doomed) == 1

    def released() -> bool:
        """What the user's own controller does: lets go who prepares, takes back who is updated."""
        for pod in ground.pods("hook"):
            labels = pod["metadata"]["labels"]
            wanted = {"PreparingUpdate": None, "PreparingDelete": None, "Updated": "true"}.get(labels[state], "true")
            hooks = {"example.com/block-update": wanted, "example.com/block-delete": wanted}
            if any(labels.get(hook) != wanted for hook in hooks):
                ground.client.patch("pods", pod["metadata"]["name"], {"metadata": {"labels": hooks}})
        pods = ground.pods("hook")
        return len(pods) == 3 and all(pod["spec"]["containers"][0]["image"] == "example.com/web:1.1" for pod in pods)

    ground.until(released)
    assert {pod["metadata"]["name"] for pod in ground.pods("hook")} == before.keys() - doomed
