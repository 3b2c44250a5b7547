"""The API server is away for ten minutes: the manager asks now and then, not all the time, and carries on by itself afterwards."""

from __future__ import annotations

import pytest

import kruise

from .arena import Arena, settled
from .stories import IN_PLACE, V2, create, image

OUTAGE_S = 600.0
AWAY = kruise.Faults(refused=1.0, watch_broken=1.0)
WATCHES = 6
"""Of pods, sets, claims, revisions, nodes and the definition."""
TRIES_A_WATCH = 80
"""One in 7.5 s, the least that a back-off of up to 15 s waits; events, of which there are few, are within it too."""


@pytest.mark.parametrize("leader_election", [False, True])
def test_ten_minutes_without_a_server(leader_election: bool) -> None:
    with Arena() as arena:
        manager = arena.start(leader_election=leader_election)
        create(arena, replicas=4, updateStrategy={"type": IN_PLACE, "maxUnavailable": 1})
        assert arena.run_until(lambda: settled(arena), 300)
        image(arena, V2)
        arena.run_for(1)
        before = sum(manager.requests.values())
        manager.set_faults(AWAY)
        writes = arena.writes
        arena.run_for(OUTAGE_S)
        asked = sum(manager.requests.values()) - before
        assert arena.writes == writes
        assert asked <= WATCHES * TRIES_A_WATCH, manager.requests
        if leader_election:
            assert not manager.leading
            arena.end(manager)
            manager = arena.start(leader_election=True)
        manager.set_faults(None)
        assert arena.run_until(lambda: settled(arena), 120), arena.sets()
        assert not arena.invariants.violations
