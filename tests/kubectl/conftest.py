"""One embedded cluster for the session, served over HTTP, with the manager running; each test has a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import kruise
from kruise.cluster import kubeconfig

from . import manifests
from .kubectl import Kubectl

FAST = kruise.KubeletDelays(schedule=0.01, pull=0.05, start=0.05, ready=0.05, stop=0.05)
_numbers = itertools.count()


@pytest.fixture(scope="session")
def cluster() -> Iterator[kruise.Cluster]:
    with kruise.Cluster(nodes=3, delays=FAST) as cluster, kruise.Manager(cluster):
        yield cluster


@pytest.fixture(scope="session")
def served(cluster: kruise.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    home = tmp_path_factory.mktemp("kubectl")
    (home / "kubeconfig").write_text(kubeconfig(cluster.serve()))
    return Kubectl(kubeconfig=home / "kubeconfig", home=home)


@pytest.fixture
def kubectl(cluster: kruise.Cluster, served: Kubectl) -> Iterator[Kubectl]:
    """kubectl in an empty namespace."""
    name = f"t{next(_numbers)}"
    client = cluster.client()
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield replace(served, namespace=name)
    client.delete("namespace", name)


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace with the CloneSet ``web`` of three ready pods."""
    kubectl("apply", "-f", "-", stdin=manifests.CLONE_SET)
    wait_ready(kubectl, 3)
    return kubectl


@pytest.fixture
def lone(kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace with the ready pod ``lone``."""
    kubectl("apply", "-f", "-", stdin=manifests.POD)
    kubectl("wait", "pod/lone", "--for=condition=Ready", "--timeout=30s")
    return kubectl


def wait_ready(kubectl: Kubectl, count: int) -> None:
    """Until the CloneSet ``web`` has ``count`` pods and all are updated and ready."""
    for name in ("replicas", "updatedReadyReplicas"):
        wait_status(kubectl, name, count)


def wait_status(kubectl: Kubectl, name: str, value: int) -> None:
    """Until the field of the status of the CloneSet ``web`` has the value."""
    kubectl("wait", "clone/web", f"--for=jsonpath={{.status.{name}}}={value}", "--timeout=30s")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The CloneSet ``web`` as a file."""
    path = tmp_path / "web.yaml"
    path.write_text(manifests.CLONE_SET)
    return path
