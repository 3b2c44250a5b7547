"""A fresh cluster for each test of yours, in milliseconds: fixtures for pytest. In your ``conftest.py``:

    pytest_plugins = ["kruise.testing"]

and in a test:

    def test_a_rollout_keeps_its_pods(kruise_cluster, kruise_client, kruise_manager):
        kruise_client.apply("web.yaml")
        kruise_cluster.run_until(lambda: kruise_client.get("clone", "web")["status"].get("readyReplicas") == 3, timeout=60)

The cluster's time is virtual: it passes inside ``run_for`` and ``run_until``, and each run is the same. The marker ``kruise`` gives
the arguments of :class:`kruise.Cluster`, with ``gates`` those of :class:`kruise.Manager`:

    @pytest.mark.kruise(nodes=5, seed=7, virtual=False, gates={"PreDownloadImageForInPlaceUpdate": True})

Where fixtures do not fit, ``with kruise.testing.cluster(...) as (cluster, client, manager):`` is the same as a context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from .client import Client
from .cluster import Cluster
from .manager import Manager

__all__ = ["Sandbox", "cluster", "kruise_client", "kruise_cluster", "kruise_manager"]


class Sandbox(NamedTuple):
    """A cluster, a client of it and a manager that runs on it."""

    cluster: Cluster
    client: Client
    manager: Manager


@contextmanager
def cluster(*, gates: Mapping[str, bool] | None = None, virtual: bool = True, **options: Any) -> Iterator[Sandbox]:
    """A cluster with a manager; ``options`` are those of :class:`kruise.Cluster`."""
    with Cluster(virtual=virtual, **options) as made, Manager(made, gates=gates) as manager:
        yield Sandbox(made, made.client(), manager)


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker, so that strict markers know it."""
    config.addinivalue_line("markers", "kruise(**options): arguments of this test's kruise.Cluster, and gates of its manager")


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("kruise")
    return {"virtual": True, **(marker.kwargs if marker else {})}


@pytest.fixture
def kruise_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """An embedded cluster of this test alone."""
    with Cluster(**{name: value for name, value in _options(request).items() if name != "gates"}) as made:
        yield made


@pytest.fixture
def kruise_client(kruise_cluster: Cluster) -> Client:
    """A client of the test's cluster."""
    return kruise_cluster.client()


@pytest.fixture
def kruise_manager(request: pytest.FixtureRequest, kruise_cluster: Cluster) -> Iterator[Manager]:
    """The controllers, running on the test's cluster."""
    with Manager(kruise_cluster, gates=_options(request).get("gates")) as manager:
        yield manager
