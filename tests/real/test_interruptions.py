"""A rollout on a real API server survives what happens to managers and servers: killed, paused, restarted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane import ControlPlane
from interruptions import LONG, NO_ELECTION, killed, rollout
from manager_process import wait
from manager_world import World, manager, plane_with_nodes, world_for

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def told_plane() -> Iterator[ControlPlane]:
    """With nodes, and a log that tells whose each write was."""
    with plane_with_nodes(audit_answers=True) as plane:
        yield plane


@pytest.fixture
def told_world(told_plane: ControlPlane, request: pytest.FixtureRequest) -> World:
    return world_for(told_plane, request.node.name)


@pytest.mark.slow
def test_thirty_kills_in_one_rollout(told_world: World, tmp_path: Path) -> None:
    with rollout(told_world, tmp_path, 300, LONG) as one:
        assert killed(one, tmp_path, 30) > 1000
        judged = one.judged()
        assert not judged.violations, "\n".join(judged.violations)
        assert judged.judged > 3 * 300


@pytest.mark.slow
def test_api_server_and_etcd_restarted_in_the_middle(told_world: World, tmp_path: Path) -> None:
    plane = told_world.plane
    with rollout(told_world, tmp_path, 60) as one, manager(told_world, tmp_path, NO_ELECTION) as process:
        for restart in (plane.restart_api_server, plane.restart_etcd, plane.restart_api_server):
            one.begin()
            wait("some pods are updated", lambda: 0 < told_world.status("web").get("updatedReplicas", 0) < 60)
            restart()
            one.wait_done()
        assert process.popen.poll() is None
        judged = one.judged()
        assert not judged.violations, "\n".join(judged.violations)
        assert judged.judged > 3 * 60 * 2
