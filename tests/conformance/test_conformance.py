"""The embedded cluster is held against a real API server: same requests, same answers."""

from __future__ import annotations

import pytest

from drawn import SEED, draw
from grounds import embedded_server, real_server
from recording import DRAWN, allowed, load
from sequence import differences, load_requests, run

ALLOWED_MAX = 15


def test_the_list_is_long_enough_and_recorded() -> None:
    names = [request["name"] for request in load_requests()]
    assert len(names) == len(set(names)) >= 300
    assert names == list(load())
    assert sum(request.get("type") == "application/apply-patch+yaml" for request in load_requests()) >= 40


def test_a_seed_draws_the_same_requests_again() -> None:
    assert draw(SEED) == draw(SEED) != draw(SEED + 1)
    assert len(draw(SEED)) >= 100
    assert [request["name"] for request in draw(SEED)] == list(load(DRAWN))
    ways = {request["send"].split()[0] + request.get("type", "") for request in draw(SEED)}
    assert len(ways) >= 8, ways


def test_what_may_never_differ_is_not_allowed_to() -> None:
    entries = allowed().entries
    assert len(entries) <= ALLOWED_MAX
    for entry in entries:
        assert entry["reason"].strip(), entry
        assert entry["path"] not in ("*", "code", "events", "body"), entry
        for forbidden in ("code", "generation", "resourceVersion", "reason", "events[*].type"):
            assert not entry["path"].endswith(forbidden), entry


def test_embedded_answers_as_recorded() -> None:
    with embedded_server() as server:
        answers = run(server, [*load_requests(), *draw(SEED)])
    excused = allowed()
    found = differences({**load(), **load(DRAWN)}, answers)
    left = [str(one) for one in found if not excused.reason(one)]
    assert not left, f"{len(left)} differences:\n" + "\n".join(left)
    unused = [entry for entry in excused.entries if not any(excused.reason(one) == entry["reason"] for one in found)]
    assert not unused, f"allowed but not needed: {unused}"


@pytest.mark.real
def test_the_recording_is_what_a_real_server_says() -> None:
    with real_server() as server:
        answers = run(server, [*load_requests(), *draw(SEED)])
    left = [str(one) for one in differences({**load(), **load(DRAWN)}, answers)]
    assert not left, f"{len(left)} differences:\n" + "\n".join(left)
