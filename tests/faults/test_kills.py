"""The manager is killed behind each of its writes in turn, before the answer, and another starts with empty memory.

No invariant may break, the end is that of the undisturbed run, and then nothing more is written.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

import kruise

from .arena import Arena, Object, end_state, settled
from .stories import STORIES

REST_S = 600.0
QUIET_S = 1800.0


def run(arena: Arena, story: str, between: Callable[[Arena], None] | None = None) -> None:
    """Every step of the story, each followed by rest; ``between`` is called once per step before that."""
    for step in STORIES[story]:
        step(arena)
        if between is not None:
            between(arena)
        assert arena.run_until(lambda: settled(arena), REST_S), f"not at rest after {REST_S:g} s: {arena.sets()}"


def quiet(arena: Arena) -> None:
    arena.run_for(60)
    before = arena.writes
    arena.run_for(QUIET_S)
    assert arena.writes == before, f"{arena.writes - before} writes in {QUIET_S:g} quiet seconds"


def judged(arena: Arena) -> None:
    assert not arena.invariants.violations, "\n".join(arena.invariants.violations)


@functools.cache
def undisturbed(story: str) -> tuple[Object, int]:
    """The end of the story, and how many writes the manager makes in it."""
    with Arena() as arena:
        arena.start()
        run(arena, story)
        quiet(arena)
        judged(arena)
        return end_state(arena), arena.writes


def killed_at(story: str, number: int, pause: float = 0.0) -> Iterator[str]:
    """Plays the story with the manager killed behind that write; what went wrong, if anything."""
    with Arena() as arena:
        arena.start()
        killed = False

        def between(_: Arena) -> None:
            nonlocal killed
            if killed or arena.run_to_write(number, lambda: settled(arena), REST_S):
                return
            killed = True
            arena.kill()
            arena.run_for(pause)
            arena.start()

        try:
            run(arena, story, between)
            quiet(arena)
            judged(arena)
            assert killed, "never reached"
            assert with_claims_left(end_state(arena), undisturbed(story)[0])
        except AssertionError as error:
            yield f"killed behind write {number}: {error}"


def with_claims_left(end: Object, wanted: Object) -> bool:
    """Whether it is the same end, but for one claim that may be left over.

    A claim is deleted behind its pod. Killed in between, or without an answer, the next plan finds a pod that anyone may have deleted, whose claims are
    kept for the next pod: nothing on the server tells the two apart, and a claim too many is better than data lost.
    """
    left = {name: one["claims"] for name, one in end.items() if name != "strangers"}
    for name, claims in left.items():
        if claims == wanted[name]["claims"] + 1:
            end = {**end, name: {**end[name], "claims": claims - 1}}
    assert end == wanted
    return True


@pytest.mark.parametrize("story", STORIES)
def test_killed_behind_each_write(story: str) -> None:
    _, writes = undisturbed(story)
    assert writes > 5
    problems = [problem for number in range(1, writes + 1) for problem in killed_at(story, number)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("story", STORIES)
def test_each_write_meets_each_fault(story: str) -> None:
    """One write of the manager is refused, or done without an answer; all others go well."""
    _, writes = undisturbed(story)
    problems = []
    for fault in ("refused", "lost_answer", "conflict", "invalid", "throttled", "server_error", "late_answer"):
        for number in range(1, writes + 1):
            problems += played(story, kruise.Faults(at_write={number: fault}, delay_max=3), f"write {number} {fault}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("fault", ["watch_broken", "watch_expired", "watch_error", "late_event", "merged_event"])
@pytest.mark.parametrize("story", STORIES)
def test_each_event_is_late_merged_or_listed(story: str, fault: kruise.faults.EventFault) -> None:
    problems = []
    for number in range(1, 400):
        found = played(story, kruise.Faults(at_event={number: fault}, delay_max=3), f"event {number} {fault}")
        problems += found
        if number > events_of(story):
            break
    assert not problems, "\n".join(problems)


@functools.cache
def events_of(story: str) -> int:
    """About how many events the manager's watches see: the writes of pods, sets, claims and revisions, whoever made them."""
    with Arena() as arena:
        arena.start()
        count = 0

        def observe(write: kruise.WriteEvent) -> None:
            nonlocal count
            count += write.plural in ("pods", "clonesets", "controllerrevisions", "persistentvolumeclaims")

        arena.cluster.observe_writes(observe)
        run(arena, story)
        return count


def played(story: str, faults: kruise.Faults, what: str) -> list[str]:
    """Plays the story with these faults; what went wrong, if anything."""
    with Arena() as arena:
        arena.start(faults=faults)
        try:
            run(arena, story)
            quiet(arena)
            judged(arena)
            assert with_claims_left(end_state(arena), undisturbed(story)[0])
        except AssertionError as error:
            return [f"{what}: {error}"]
        return []
