"""The manager is killed behind each of its writes in turn, before the answer, and another starts with empty memory.

No invariant may break, the end is that of the undisturbed run, and then nothing more is written.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

import kruise

from .arena import Arena, Object, end_state, settled
from .stories import IN_PLACE, STORIES, V2, create, edit, image

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


def killed_at(story: str, number: int) -> list[str]:
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
            arena.start()

        problems = ended_well(arena, story, between, claims_left=1)
        return [f"killed behind write {number}: {problem}" for problem in problems + ([] if killed else ["never reached"])]


def played(story: str, faults: kruise.Faults, what: str, *, claims_left: int = 0) -> list[str]:
    """Plays the story with these faults; what went wrong, if anything."""
    with Arena() as arena:
        arena.start(faults=faults)
        return [f"{what}: {problem}" for problem in ended_well(arena, story, claims_left=claims_left)]


def ended_well(arena: Arena, story: str, between: Callable[[Arena], None] | None = None, *, claims_left: int = 0) -> list[str]:
    """Plays the story; what broke, if anything, or is not as in the undisturbed run at its end.

    ``claims_left`` claims more than there may stay. A claim is deleted behind its pod. Killed in between, or refused there, the next
    plan finds a pod that anyone may have deleted, whose claims are kept for the next pod: nothing on the server tells the two
    apart, and a claim too many is better than data lost.
    """
    try:
        run(arena, story, between)
        quiet(arena)
        judged(arena)
        end, wanted = end_state(arena), undisturbed(story)[0]
        assert 0 <= end["web"]["claims"] - wanted["web"]["claims"] <= claims_left, "claims are left over, or gone"
        end["web"]["claims"] = wanted["web"]["claims"]
        assert end == wanted
    except AssertionError as error:
        return [str(error)]
    return []


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
            faults = kruise.Faults(at_write={number: fault}, delay_max=3)
            problems += played(story, faults, f"write {number} {fault}", claims_left=1)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("fault", ["watch_broken", "watch_expired", "watch_error", "late_event", "merged_event", "lost_event"])
@pytest.mark.parametrize("story", STORIES)
def test_each_event_is_late_merged_lost_or_listed(story: str, fault: kruise.faults.EventFault) -> None:
    problems = [
        problem
        for number in range(1, events_of(story) + 2)
        for problem in played(story, kruise.Faults(at_event={number: fault}, delay_max=3), f"event {number} {fault}")
    ]
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


@pytest.mark.parametrize("lags", [(1, 3), (10, 30)])
@pytest.mark.parametrize("story", STORIES)
def test_managers_that_look_at_the_past(story: str, lags: tuple[int, int]) -> None:
    """Each step is begun by a new manager whose watches lag by a number of writes, of two views in turn, and which then catch up."""
    with Arena() as arena:
        views = [arena.cluster.lagging_view(lag) for lag in lags]
        steps = 0

        def between(_: Arena) -> None:
            nonlocal steps
            view, lag = views[steps % 2], lags[steps % 2]
            steps += 1
            arena.kill()
            view.set_lag(lag)
            arena.start(view=view)
            arena.run_for(20)
            view.set_lag(0)

        assert not ended_well(arena, story, between, claims_left=1)


def test_a_grace_period_that_is_over_when_a_newer_image_is_seen() -> None:
    """Nobody ran meanwhile: the image that the grace period kept back must not be forgotten over the newer one."""
    log_2 = "registry.example/log:v2"
    with Arena() as arena:
        arena.start()
        create(arena, replicas=2, updateStrategy={"type": IN_PLACE, "inPlaceUpdateStrategy": {"gracePeriodSeconds": 5}})
        assert arena.run_until(lambda: settled(arena), REST_S)
        image(arena, V2, maxUnavailable=2)
        arena.run_for(1)
        assert all("apps.kruise.io/inplace-update-grace" in pod["metadata"]["annotations"] for pod in arena.pods())
        arena.kill()
        edit(arena, template={"spec": {"containers": [{"name": "main", "image": V2}, {"name": "log", "image": log_2}]}})
        arena.run_for(10)
        arena.start()
        assert arena.run_until(lambda: settled(arena), REST_S)
        assert [[one["image"] for one in pod["spec"]["containers"]] for pod in arena.pods()] == [[V2, log_2]] * 2
        judged(arena)


def test_a_view_hides_what_came_last() -> None:
    with Arena() as arena:
        view = arena.cluster.lagging_view(0)
        arena.start(view=view)
        arena.run_for(5)
        view.set_lag(1000)
        STORIES["scale"][0](arena)
        arena.run_for(30)
        assert not arena.pods()
        view.set_lag(0)
        assert arena.run_until(lambda: settled(arena), REST_S)


def test_the_same_seed_gives_the_same_log() -> None:
    def log(seed: int) -> str:
        with Arena(seed=seed) as arena:
            arena.start(faults=kruise.Faults(lost_answer=0.1, conflict=0.1, late_event=0.2, merged_event=0.1, seed=seed))
            run(arena, "in place")
            return arena.log_hash()

    assert log(1) == log(1)
    assert log(1) != log(2)
