"""Gives each scenario its ground and judges the invariants when it is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .ground import EmbeddedGround, Ground


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "gates(**gates): feature gates of the scenario's manager")
    config.addinivalue_line("markers", "embedded_only(reason): the scenario needs what a real control plane does not offer")


@pytest.fixture(params=["embedded"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    marker = request.node.get_closest_marker("gates")
    gates = dict(marker.kwargs) if marker else None
    with EmbeddedGround.open(gates=gates) as opened:
        yield opened
        assert not opened.invariants.violations, "\n".join(opened.invariants.violations)
        assert opened.invariants.judged > 0, "no write of the manager was judged"
