"""Five hundred seeds of random faults, and what is promised of a seed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scenarios import invariants

from . import soak
from .hazards import EVENT_FAULTS, KINDS, REQUEST_FAULTS, Hazards
from .run import Life, Result, hazards_of, run, walk_of
from .soak import failures, reduced

SEEDS = 500
SHARD = 20
TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("first", range(1, SEEDS + 1, SHARD))
def test_seeds(first: int) -> None:
    found = failures(range(first, first + SHARD))
    assert not found, "\n\n".join(found)


def test_the_same_seed_gives_the_same_log() -> None:
    """In another process too, which hashes names in another order."""
    faulty = next(seed for seed in range(1, SEEDS) if len(hazards_of(seed).present()) > 3)
    here = run(faulty).hash
    there = subprocess.run(
        [sys.executable, "-m", "faults.soak", f"--seed={faulty}"], cwd=TESTS, capture_output=True, text=True, check=True
    )
    assert here == run(faulty).hash
    assert there.stdout.split()[-1] == here
    assert run(faulty + 1).hash != here


def test_all_is_drawn_and_no_seed_has_all() -> None:
    drawn = [hazards_of(seed) for seed in range(1, SEEDS + 1)]
    for name in Hazards().__slots__:
        if name != "delay_max_s":
            assert any(getattr(one, name) not in (None, (), {}, False) for one in drawn), name
    every = len(REQUEST_FAULTS) + len(EVENT_FAULTS) + len(KINDS)
    assert all(len(one.present()) < every / 2 for one in drawn)
    assert any(not one.present() for one in drawn)
    walks = [walk_of(seed) for seed in range(1, SEEDS + 1)]
    assert {len(walk.changes) for walk in walks} >= {2, 5, 20}
    assert {change.spec["updateStrategy"]["type"] for walk in walks for change in walk.changes} == {
        "ReCreate",
        "InPlaceIfPossible",
        "InPlaceOnly",
        "OnDelete",
    }
    fields = {key for walk in walks for change in walk.changes for key in (*change.spec, *change.spec["updateStrategy"])}
    assert fields >= {
        "lifecycle",
        "maxSurge",
        "maxUnavailable",
        "minReadySeconds",
        "partition",
        "paused",
        "priorityStrategy",
        "progressDeadlineSeconds",
        "scatterStrategy",
        "volumeClaimTemplates",
    }
    names = {
        variable["name"]
        for walk in walks
        for container in walk.first["template"]["spec"]["containers"]
        for variable in container.get("env", [])
    }
    assert names >= {"KRUISE_CONTAINER_BARRIER", "NOTE"}


def test_a_failure_keeps_the_faults_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here with a world in which kills and late events together do harm."""

    def fails(seed: int, hazards: Hazards | None = None) -> Result:
        hazards = hazards or drawn
        return Result(seed, hazards, problems=["harm"] if hazards.kills and "late_event" in hazards.rates else [])

    drawn = Hazards(rates={"late_event": 0.1, "conflict": 0.1}, kills=(3,), people=(1.0,), lag=5)
    monkeypatch.setattr(soak, "run", fails)
    assert set(reduced(fails(7)).hazards.present()) == {"late_event", "kills"}
    (text,) = failures([7])
    assert "replay: make soak SEED=7 WITHOUT=conflict,people,lag" in text or "WITHOUT=conflict,lag,people" in text


def test_a_broken_invariant_fails_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that knows of no budget complains of the first pod that is updated."""
    monkeypatch.setattr(invariants, "_max_unavailable", lambda owner: -1)
    assert any("made unavailable" in problem for seed in range(1, 20) for problem in run(seed).problems)


def test_a_cluster_that_does_not_come_right_fails_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faults.run.RIGHT_WITHIN_S", 60.0)
    monkeypatch.setattr(Life, "stop_faults", lambda life: life.client.patch("clone", "web", {"spec": {"replicas": 9}}))
    assert any("not as a fresh cluster" in problem for problem in run(3).problems)


def test_minutes_and_numbers_of_seeds() -> None:
    for flags, told in ((("--seeds=3",), "3 seeds from 1 on, 0 failed"), (("--minutes=0.0001",), "0 failed")):
        command = [sys.executable, "-m", "faults.soak", *flags, "--from=1", "--jobs=1"]
        done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=True)
        assert told in done.stdout
