"""A real node for the tests of this folder; where there can be none they are skipped, and say why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .ground import NodeCluster, NodeGround
from .real_node import missing


@pytest.fixture(scope="session")
def real_node() -> None:
    if lacks := missing():
        pytest.skip(lacks)


@pytest.fixture(scope="session")
def node_cluster(real_node: None) -> Iterator[NodeCluster]:
    """Control plane and node, shared by all scenarios."""
    with NodeCluster.open() as cluster:
        yield cluster


@pytest.fixture
def ground(node_cluster: NodeCluster, request: pytest.FixtureRequest) -> Iterator[NodeGround]:
    marker = request.node.get_closest_marker("gates")
    with NodeGround.open_on(node_cluster, gates=dict(marker.kwargs) if marker else None) as opened:
        yield opened
        invariants = opened.judged()
        assert not invariants.violations, "\n".join(invariants.violations)
        assert invariants.judged > 0, "no write of the manager was judged"
