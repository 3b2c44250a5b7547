"""pytest fixtures of the real control plane; a conftest.py makes them known by importing them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from control_plane import ControlPlane
from manager_world import World, plane_with_nodes, world_for


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """etcd and kube-apiserver, shared by the session's tests: use names or namespaces of your own."""
    with ControlPlane(audit=True) as plane:
        yield plane


@pytest.fixture(scope="session")
def full_control_plane() -> Iterator[ControlPlane]:
    """The same with kube-controller-manager: objects are collected, namespaces end, claims are protected."""
    with ControlPlane(controller_manager=True) as plane:
        yield plane


@pytest.fixture(scope="session")
def manager_plane() -> Iterator[ControlPlane]:
    """The same with our definitions and simulated nodes, for kruise-manager as a process."""
    with plane_with_nodes() as plane:
        yield plane


@pytest.fixture
def world(manager_plane: ControlPlane, request: pytest.FixtureRequest) -> World:
    """A namespace of ``manager_plane``."""
    return world_for(manager_plane, request.node.name)
