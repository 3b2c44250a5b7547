"""A control plane with simulated nodes for the tests of kruise-manager as a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from control_plane import ControlPlane
from manager_world import World, plane_with_nodes, world_for


@pytest.fixture(scope="session")
def manager_plane() -> Iterator[ControlPlane]:
    with plane_with_nodes() as plane:
        yield plane


@pytest.fixture
def world(manager_plane: ControlPlane, request: pytest.FixtureRequest) -> World:
    return world_for(manager_plane, request.node.name)
