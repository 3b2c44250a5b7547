"""Each file of examples/ applied by kubectl with the manager running, until what it promises has come true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .kubectl import ROOT, Kubectl

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


class Example:
    """An applied example: its only CloneSet, and the questions that the tests ask."""

    def __init__(self, kubectl: Kubectl, path: Path) -> None:
        (name,) = kubectl("apply", "-f", str(path), "-o", "name").split()
        self.kubectl, self.name = kubectl, name
        self.label = "app=" + kubectl("get", name, "-o", "jsonpath={.spec.selector.matchLabels.app}")
        self.replicas = int(kubectl("get", name, "-o", "jsonpath={.spec.replicas}"))

    def until(self, **status: int) -> None:
        for field, value in status.items():
            self.kubectl("wait", self.name, f"--for=jsonpath={{.status.{field}}}={value}", "--timeout=30s")

    def until_ready(self) -> None:
        self.until(updatedReplicas=self.replicas, updatedAvailableReplicas=self.replicas, replicas=self.replicas)

    def pods(self) -> list[str]:
        return self.kubectl.names("pods", "-l", self.label)

    def patch(self, patch: str, type_: str = "merge") -> None:
        before = int(self.kubectl("get", self.name, "-o", "jsonpath={.metadata.generation}"))
        self.kubectl("patch", self.name, f"--type={type_}", "-p", patch)
        self.until(observedGeneration=before + 1)

    def set_image(self, image: str) -> None:
        self.patch(f'[{{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"{image}"}}]', "json")

    def images(self) -> list[str]:
        listed = self.kubectl("get", "pods", "-l", self.label, "-o", "jsonpath={.items[*].spec.containers[0].image}")
        return sorted(listed.split())


def in_place(example: Example) -> None:
    """80 % stay old until the partition is lowered; pods keep their names and restart once."""
    pods = example.pods()
    example.set_image("nginx:1.28")
    example.until(updatedReadyReplicas=2, readyReplicas=10)
    assert example.images() == ["nginx:1.27"] * 8 + ["nginx:1.28"] * 2
    example.patch('{"spec":{"updateStrategy":{"partition":0,"maxUnavailable":"100%"}}}')
    example.until_ready()
    assert example.pods() == pods
    restarts = example.kubectl(
        "get", "pods", "-l", example.label, "-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}"
    )
    assert restarts.split() == ["1"] * 10


def replaced(example: Example) -> None:
    pods = example.pods()
    example.set_image("nginx:1.28")
    example.until_ready()
    assert not set(example.pods()) & set(pods)
    assert example.images() == ["nginx:1.28"] * example.replicas


def hooks(example: Example) -> None:
    """A pod waits in PreparingUpdate until the label goes, and in Updated until it is back."""
    kubectl = example.kubectl
    label, state = "example.com/in-balancer", "lifecycle.apps.kruise.io/state"

    def wait(pod: str, wanted: str) -> None:
        path = "{.metadata.labels." + state.replace(".", "\\.") + "}"
        kubectl("wait", pod, f"--for=jsonpath={path}={wanted}", "--timeout=30s")

    example.set_image("nginx:1.28")
    with kubectl.started("get", "pods", "-w", "-l", f"{state}=PreparingUpdate", "-o", "name") as watch:
        assert watch.stdout
        first = watch.stdout.readline().strip()
    assert example.images() == ["nginx:1.27"] * 4
    kubectl("label", first, f"{label}-")
    wait(first, "Updated")
    kubectl("label", first, f"{label}=true")
    wait(first, "Normal")
    assert kubectl("get", first, "-o", "jsonpath={.spec.containers[0].image}") == "nginx:1.28"
    for pod in example.pods():  # else their deletion waits, and the namespace's with it
        kubectl("label", pod, f"{label}-", "--overwrite")


def claims(example: Example) -> None:
    """A claim a pod, kept over an update in place."""

    def bound() -> list[str]:
        return example.kubectl(
            "get", "pvc", "-o", 'jsonpath={range .items[*]}{.metadata.name} {.status.phase}{"\\n"}{end}'
        ).splitlines()

    claims = bound()
    assert len(claims) == 3
    assert all(line.startswith("data-store-") and line.endswith(" Bound") for line in claims)
    pods = example.pods()
    example.set_image("redis:8.0")
    example.until_ready()
    assert (example.pods(), bound()) == (pods, claims)


def order(example: Example) -> None:
    """The canary goes first."""
    canary = example.pods()[7]
    example.kubectl("label", canary, "stage=canary")
    example.patch('{"spec":{"updateStrategy":{"partition":9}}}')
    example.set_image("nginx:1.28")
    example.until(updatedReadyReplicas=1)
    assert example.kubectl("get", canary, "-o", "jsonpath={.spec.containers[0].image}") == "nginx:1.28"
    example.patch('{"spec":{"updateStrategy":{"partition":0}}}')
    example.until_ready()


PROMISES: dict[str, Callable[[Example], None]] = {
    "cloneset": replaced,
    "cloneset-in-place": in_place,
    "cloneset-surge": replaced,
    "cloneset-hooks": hooks,
    "cloneset-claims": claims,
    "cloneset-order": order,
}


def test_every_example_has_its_promise() -> None:
    assert {path.stem for path in EXAMPLES} == set(PROMISES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(kubectl: Kubectl, path: Path) -> None:
    example = Example(kubectl, path)
    example.until_ready()
    assert len(example.pods()) == example.replicas
    PROMISES[path.stem](example)
