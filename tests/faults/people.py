"""What people do by hand in the middle of a rollout, and what they put right again when they have calmed down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import kruise
from kruise.nodes import Kubelets

Object = dict[str, Any]
Deed = Callable[["People"], str]

STAY = "example.com/stay"  # a finalizer that only people take off
GARBAGE = "{not json"
REVISION = "controller-revision-hash"
STATE = "lifecycle.apps.kruise.io/state"
IN_PLACE = ("apps.kruise.io/inplace-update-state", "apps.kruise.io/inplace-update-grace")


class People:
    """Each ``meddle`` does one of a few kinds of deed to a random object; ``calm_down`` takes back what nobody else can."""

    def __init__(self, client: kruise.Client, kubelets: Kubelets, random: Random, now: Callable[[], datetime]) -> None:
        self.now = now
        self.client = client
        self.kubelets = kubelets
        self.random = random
        self.deeds = random.sample(DEEDS, random.randint(1, 4))
        self.done: list[str] = []

    def meddle(self) -> None:
        deed = self.random.choice(self.deeds)
        try:
            self.done.append(f"{deed.__name__} {deed(self)}")
        except (kruise.NotFound, kruise.Conflict, kruise.Invalid, IndexError):
            return  # there is no such thing now, or it may not be changed so

    def calm_down(self) -> None:
        """Finalizers and annotations that nobody understands would stand in the way for ever."""
        for pod in self.client.list("pods"):
            meta = pod["metadata"]
            patch: Object = {}
            if STAY in meta.get("finalizers", []):
                patch["finalizers"] = [one for one in meta["finalizers"] if one != STAY]
            broken = [key for key in IN_PLACE if meta.get("annotations", {}).get(key) == GARBAGE]
            if broken:
                patch["annotations"] = dict.fromkeys(broken)
            if meta.get("labels", {}).get(STATE) == "Unheard":
                patch["labels"] = {STATE: None}
            if patch:
                self.client.patch("pods", meta["name"], {"metadata": patch})

    # -- what they find --------------------------------------------------------------------------------------------

    def pod(self) -> Object:
        return self.random.choice(self.client.list("pods"))

    def one_of(self, kind: str) -> Object:
        return self.random.choice(self.client.list(kind))

    def change(self, pod: Object, **metadata: Any) -> str:
        name: str = pod["metadata"]["name"]
        self.client.patch("pods", name, {"metadata": metadata})
        return name


def delete_pod(people: People) -> str:
    name: str = people.pod()["metadata"]["name"]
    people.client.delete("pods", name, grace_period=people.random.choice((None, 0)), missing_ok=True)
    return name


def name_for_deletion(people: People) -> str:
    return people.change(people.pod(), labels={"apps.kruise.io/specified-delete": people.random.choice(("true", ""))})


def edit_revision_label(people: People) -> str:
    value = people.random.choice((None, "web-nonsense", ""))
    return people.change(people.pod(), labels={people.random.choice((REVISION, "pod-template-hash")): value})


def edit_state(people: People) -> str:
    states = (None, "Normal", "PreparingNormal", "PreparingUpdate", "Updating", "Updated", "PreparingDelete", "Unheard")
    return people.change(people.pod(), labels={STATE: people.random.choice(states)})


def remove_instance_id(people: People) -> str:
    return people.change(people.pod(), labels={"apps.kruise.io/cloneset-instance-id": None})


def release(people: People) -> str:
    return people.change(people.pod(), labels={"app": people.random.choice((None, "other"))})


def take_back(people: People) -> str:
    """Once more a label that matches, whether or not the pod has an owner still."""
    return people.change(people.pod(), labels={"app": "web"})


def disown(people: People) -> str:
    """The reference goes, or does not control any more (the set may adopt the pod then)."""
    pod = people.pod()
    owners = pod["metadata"].get("ownerReferences", [])
    kept = [{**owner, "controller": False} for owner in owners] if people.random.random() < 0.5 else []
    return people.change(pod, ownerReferences=kept)


def annotate(people: People) -> str:
    value = people.random.choice((None, None, GARBAGE))
    return people.change(people.pod(), annotations={people.random.choice(IN_PLACE): value})


def add_finalizer(people: People) -> str:
    pod = people.pod()
    if "deletionTimestamp" in pod["metadata"]:
        raise IndexError
    return people.change(pod, finalizers=[*pod["metadata"].get("finalizers", []), STAY])


def edit_conditions(people: People) -> str:
    pod = people.pod()
    kind = people.random.choice(("InPlaceUpdateReady", "KruisePodReady", "Ready", "ContainersReady"))
    conditions = [one for one in pod.get("status", {}).get("conditions", []) if one["type"] != kind]
    if people.random.random() < 0.7:
        since = people.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions.append(
            {"type": kind, "status": people.random.choice(("True", "False", "Unknown")), "lastTransitionTime": since}
        )
    name: str = pod["metadata"]["name"]
    people.client.patch("pods", name, {"status": {"conditions": conditions}}, subresource="status")
    return f"{name} {kind}"


def edit_status(people: People) -> str:
    fields: Object = {
        "replicas": people.random.randint(0, 9),
        "currentRevision": people.random.choice(("", "web-nonsense")),
        "updateRevision": "web-nonsense",
        "observedGeneration": people.random.choice((0, 1000)),
        "collisionCount": people.random.randint(-1, 3),
        "conditions": [{"type": "FailedScale", "status": "True", "message": "by hand"}],
        "expectedUpdatedReplicas": 7,
    }
    told = {key: fields[key] for key in people.random.sample(sorted(fields), people.random.randint(1, 3))}
    people.client.patch("clone", "web", {"status": told}, subresource="status")
    return str(told)


def delete_revision(people: People) -> str:
    name: str = people.one_of("controllerrevisions")["metadata"]["name"]
    people.client.delete("controllerrevisions", name)
    return name


def delete_claim(people: People) -> str:
    name: str = people.one_of("persistentvolumeclaims")["metadata"]["name"]
    people.client.delete("persistentvolumeclaims", name)
    return name


def fail_pod(people: People) -> str:
    meta = people.pod()["metadata"]
    try:
        people.kubelets.fail_pod(meta["namespace"], meta["name"])
    except kruise.KruiseError:
        return "nothing"  # no node has it yet
    return str(meta["name"])


def crash_container(people: People) -> str:
    pod = people.pod()
    meta = pod["metadata"]
    try:
        people.kubelets.crash_container(meta["namespace"], meta["name"], pod["spec"]["containers"][0]["name"])
    except kruise.KruiseError:
        return "nothing"
    return str(meta["name"])


DEEDS: tuple[Deed, ...] = (
    delete_pod,
    name_for_deletion,
    edit_revision_label,
    edit_state,
    remove_instance_id,
    release,
    take_back,
    disown,
    annotate,
    add_finalizer,
    edit_conditions,
    edit_status,
    delete_revision,
    delete_claim,
    fail_pod,
    crash_container,
)
