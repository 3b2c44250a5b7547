"""Gives each scenario its ground and judges the invariants when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from control_plane import ControlPlane

from . import takeover
from .ground import EmbeddedGround, Ground
from .real_ground import CRDS, RealCluster, RealGround

LATER = datetime(2026, 11, 24, tzinfo=UTC)  # than all that is told in tests/data/takeover


@pytest.fixture(scope="session")
def real_cluster() -> Iterator[RealCluster]:
    """etcd, kube-apiserver and kube-controller-manager with our CRDs, shared by all scenarios."""
    with ControlPlane(controller_manager=True, audit_answers=True, crds=[CRDS]) as plane:
        yield RealCluster.prepare(plane)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each scenario on each ground, unless a marker with its reason says otherwise."""
    if "ground" not in metafunc.fixturenames:
        return
    grounds = [pytest.param("embedded"), pytest.param("real", marks=pytest.mark.real)]
    for marker, left in (("embedded_only", grounds[:1]), ("real_only", grounds[1:])):
        found = metafunc.definition.get_closest_marker(marker)
        if found:
            assert found.args or found.kwargs.get("reason"), f"{marker} needs a reason"
            grounds = left
    if metafunc.definition.get_closest_marker("also_as_process"):
        grounds.append(pytest.param("process", marks=pytest.mark.real))
    metafunc.parametrize("ground", grounds, indirect=True)


@pytest.fixture
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    marker = request.node.get_closest_marker("gates")
    gates = dict(marker.kwargs) if marker else None
    where: AbstractContextManager[Ground]
    release = request.node.callspec.params.get("release")
    if request.param == "embedded":
        prepare = partial(takeover.load, release=release) if release else None
        where = EmbeddedGround.open(gates=gates, prepare=prepare, start=LATER if release else None)
    else:
        prepare = partial(takeover.load, release=release, grace_s=RealGround.grace_s) if release else None
        where = RealGround.open(
            request.getfixturevalue("real_cluster"),
            gates=gates,
            prepare=prepare,
            process_folder=tmp_path if request.param == "process" else None,
        )
    with where as opened:
        yield opened
        invariants = opened.judged()
        assert not invariants.violations, "\n".join(invariants.violations)
        assert invariants.judged > 0, "no write of the manager was judged"
