"""One seed: faults first, under which no invariant may break; then none, and the cluster must come right, and rest.

The first half walks through the drawn specs while the drawn hazards strike. In the second the cluster has ``RIGHT_WITHIN_S`` to come
to what a fresh one comes to that is given the last spec only; then nothing may be written for half an hour.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import kruise

from .arena import LEASES_IN, Arena, settled
from .hazards import LAGS_FOR_S, Hazards
from .hooks import answer_hooks
from .judge import Judge
from .outcome import claims_may_be_left, outcome
from .people import People
from .walk import IMAGES, Change, Walk, difference, gates_of

Object = dict[str, Any]

RIGHT_WITHIN_S = 1800.0
REST_S = 1800.0
LOOK_S = 10.0
HOOKS_S = 2.0
RIVALS_S = 1.0


@dataclass(slots=True)
class Result:
    """What became of a seed: ``problems`` is empty where all was well. ``log`` tells what was done to the cluster."""

    seed: int
    hazards: Hazards
    hash: str = ""
    problems: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    writes: int = 0
    excused: int = 0


def stream(seed: int, name: str) -> Random:
    """Each subsystem draws from its own, so that a new draw in one does not reshuffle the others."""
    return Random(f"{seed}/{name}")


def walk_of(seed: int) -> Walk:
    return Walk.draw(stream(seed, "walk"))


def hazards_of(seed: int) -> Hazards:
    length = sum(change.wait_s for change in walk_of(seed).changes) + 20
    return Hazards.draw(stream(seed, "hazards"), length)


def run(seed: int, hazards: Hazards | None = None) -> Result:
    """Lives through the seed, with its own hazards where none are given."""
    result = Result(seed, hazards_of(seed) if hazards is None else hazards)
    with Arena(
        seed=seed, judge=partial(Judge, blind_s=result.hazards.blind_s(), clocks=result.hazards.clocks or (0.0,))
    ) as arena:
        life = Life(arena, result)
        try:
            life.first_half()
            life.second_half()
        except (kruise.KruiseError, AssertionError, TimeoutError) as error:
            result.problems.append(f"{type(error).__name__}: {error}")
        result.problems[:0] = arena.judge.violations
        result.hash, result.writes, result.excused = arena.log_hash(), arena.writes, arena.judge.excused
    return result


class Life:
    """A cluster that lives through a walk and its hazards. Times are seconds since its start."""

    def __init__(self, arena: Arena, result: Result) -> None:
        self.arena = arena
        self.client = arena.client
        self.seed = result.seed
        self.hazards = result.hazards
        self.result = result
        self.walk = walk_of(self.seed)
        self.has_hooks = any("lifecycle" in spec for spec in (self.walk.first, *(c.spec for c in self.walk.changes)))
        self.gates = gates_of(stream(self.seed, "gates"))
        self.spec = self.walk.first
        self.people = People(self.client, arena.cluster.kubelets, stream(self.seed, "people"), arena.cluster.now)
        self.view = arena.cluster.lagging_view(0) if self.hazards.lag is not None else None
        self.managers: dict[int, kruise.Manager] = {}
        self.led: set[int] = set()
        self.lost: set[str] = set()  # nodes
        self.kills = list(self.hazards.kills)
        self.next_kill = 0
        self.faulty = True
        self.starts = 0
        self.began = arena.cluster.now()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    @property
    def now_s(self) -> float:
        return (self.arena.cluster.now() - self.began).total_seconds()

    def say(self, text: str) -> None:
        self.result.log.append(f"{self.now_s:8.2f} s  {text}")

    # -- the two halves --------------------------------------------------------------------------------------------

    def first_half(self) -> None:
        self.plan_changes()
        self.plan_hazards()
        if self.has_hooks:
            self.every(HOOKS_S, self.answer_hooks)
        if self.hazards.rivals:
            self.every(RIVALS_S, self.restart_losers)
        for number in range(2 if self.hazards.rivals else 1):
            self.start_manager(number)
        create(self.client, self.walk.first)
        if self.gates:
            self.say(f"gates {', '.join(self.gates)}")
        self.say(difference({}, self.walk.first))
        self.set_kill()
        while self._agenda and self._agenda[0][0] <= self.length_s:
            at, _, action = heapq.heappop(self._agenda)
            self.advance(at)
            action()
        self.advance(self.length_s)

    def second_half(self) -> None:
        self.say("all faults end")
        self.stop_faults()
        wanted = fresh_outcome(self.seed, self.walk.last)
        found = self.come_right(wanted)
        assert found == wanted, (
            f"not as a fresh cluster after {RIGHT_WITHIN_S:g} s:\n    {differences(found, wanted)}\n{self.plan_text()}"
        )
        self.arena.run_for(60)
        before = self.arena.sent()
        self.arena.run_for(REST_S)
        more = self.arena.sent() - before
        assert not more, f"sent in {REST_S:g} s of rest: {dict(more)}"
        assert self.outcome() == wanted, f"no longer as a fresh cluster:\n    {differences(self.outcome(), wanted)}"

    def come_right(self, wanted: Object) -> Object:
        deadline = self.now_s + RIGHT_WITHIN_S
        looks = LOOK_S
        while True:
            if self.has_hooks:
                for _ in range(int(looks / HOOKS_S)):
                    self.arena.run_for(HOOKS_S)
                    self.answer_hooks()
            else:
                self.arena.run_for(looks)
            if self.hazards.rivals:
                self.restart_losers()
            found = self.outcome()
            if (found == wanted and all(m.idle for m in self.arena.managers)) or self.now_s >= deadline:
                return found
            looks = min(looks * 1.5, 120.0)

    def outcome(self) -> Object:
        return outcome(self.client, claims_left=claims_may_be_left(self.hazards))

    def plan_text(self) -> str:
        for manager in self.arena.managers:
            if manager.leading:
                return f"    the plan: {manager.plan('cloneset', 'web')}"
        return "    nobody leads"

    # -- the agenda ------------------------------------------------------------------------------------------------

    def at(self, when_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (when_s, next(self._numbers), action))

    def every(self, period_s: float, action: Callable[[], None]) -> None:
        def again() -> None:
            action()
            self.at(self.now_s + period_s, again)

        self.at(period_s, again)

    def plan_changes(self) -> None:
        when = 0.0
        for change in self.walk.changes:
            when += change.wait_s
            self.at(when, partial(self.change, change))
        self.length_s = when + 20

    def plan_hazards(self) -> None:
        kubelets = self.arena.cluster.kubelets
        hazards = self.hazards
        for when in hazards.people:
            self.at(when, self.meddle)
        for when, node, span in hazards.lost_nodes:
            self.at(when, partial(self.lose_node, node))
            self.at(when + span, partial(self.restore_node, node))
        if hazards.failing_image is not None:
            when, span = hazards.failing_image
            image = stream(self.seed, "image").choice(IMAGES)
            self.at(when, self.told(f"{image} cannot be pulled", partial(kubelets.fail_image, image)))
            self.at(when + span, self.told(f"{image} can be pulled", partial(kubelets.heal_image, image)))
        if hazards.slow_nodes is not None:
            kubelets.slow(hazards.slow_nodes)
        for when, span in hazards.cut_off:
            self.at(when, partial(self.cut_off, span))
        for when in hazards.stolen_lease:
            self.at(when, self.steal_lease)
        if self.view is not None:
            self.every(LAGS_FOR_S, self.toggle_lag)
            self.lagging = True
            self.view.set_lag(hazards.lag or 0)

    def told(self, what: str, action: Callable[[], None]) -> Callable[[], None]:
        def act() -> None:
            self.say(what)
            action()

        return act

    def advance(self, to_s: float) -> None:
        """Lets time pass; the managers die behind their writes whose turn it is."""
        while (left := to_s - self.now_s) > 0:
            if not self.kills:
                self.arena.run_for(left)
                return
            try:
                self.arena.cluster.run_until(lambda: self.arena.writes >= self.next_kill, timeout=left, each_step=True)
            except TimeoutError:
                return
            self.kill()

    # -- what happens ----------------------------------------------------------------------------------------------

    def change(self, change: Change) -> None:
        spec = change.spec
        if change.deleted:
            names = sorted(pod["metadata"]["name"] for pod in self.client.list("pods"))[: change.deleted]
            spec = {**spec, "scaleStrategy": {**spec.get("scaleStrategy", {}), "podsToDelete": names}}
        self.say(difference(self.spec, spec))
        self.spec = spec
        self.client.patch("clone", "web", [{"op": "replace", "path": "/spec", "value": spec}], type="json")

    def meddle(self) -> None:
        before = len(self.people.done)
        self.people.meddle()
        for deed in self.people.done[before:]:
            self.say(f"by hand: {deed}")

    def answer_hooks(self) -> None:
        answer_hooks(self.client, self.client.list("pods"))

    def toggle_lag(self) -> None:
        if self.view is not None and self.faulty:
            self.lagging = not self.lagging
            self.view.set_lag(self.hazards.lag or 0 if self.lagging else 0)

    def start_manager(self, number: int) -> None:
        self.starts += 1
        clocks = self.hazards.clocks
        self.managers[number] = self.arena.start(
            view=self.view,
            faults=self.hazards.faults(self.seed * 100 + self.starts) if self.faulty else None,
            gates=self.gates,
            leader_election=self.hazards.rivals,
            clock_ahead=clocks[number % len(clocks)] if clocks else 0.0,
        )

    def lose_node(self, node: str) -> None:
        if node not in self.lost:
            self.say(f"{node} is lost")
            self.arena.cluster.kubelets.lose_node(node)
            self.lost.add(node)

    def restore_node(self, node: str) -> None:
        if node in self.lost:
            self.say(f"{node} is back")
            self.arena.cluster.kubelets.restore_node(node)
            self.lost.remove(node)

    def set_kill(self) -> None:
        if self.kills:
            self.next_kill = self.arena.writes + self.kills[0]

    def kill(self) -> None:
        """Who may write dies; with a rival, that one lives on."""
        self.kills.pop(0)
        for number in self.leaders():
            self.say(f"manager {number} is killed behind write {self.arena.writes}")
            self.replace(number)
        self.set_kill()

    def leaders(self) -> list[int]:
        return [number for number, manager in self.managers.items() if manager.leading]

    def replace(self, number: int) -> None:
        self.arena.end(self.managers[number])
        self.led.discard(number)
        self.start_manager(number)

    def restart_losers(self) -> None:
        """A process that loses its lease ends, and is started anew."""
        leaders = self.leaders()
        for number in sorted(self.led.difference(leaders)):
            self.say(f"manager {number} has lost the lease")
            self.replace(number)
        self.led = set(leaders)

    def cut_off(self, span_s: float) -> None:
        for number in self.leaders():
            manager = self.managers[number]
            self.say(f"manager {number} reaches nobody for {span_s:.1f} s")
            manager.set_faults(kruise.Faults(refused=1.0, watch_broken=1.0))
            self.at(self.now_s + span_s, partial(self.reconnect, number, manager))

    def reconnect(self, number: int, manager: kruise.Manager) -> None:
        if self.managers[number] is manager:
            manager.set_faults(self.hazards.faults(self.seed * 100 + self.starts))

    def steal_lease(self) -> None:
        try:
            self.client.patch("leases", "kruise-manager", {"spec": {"holderIdentity": "somebody"}}, namespace=LEASES_IN)
        except kruise.NotFound:
            return
        self.say("somebody takes the lease")

    def stop_faults(self) -> None:
        self.faulty = False
        self.kills.clear()
        for manager in self.managers.values():
            manager.set_faults(None)
        if self.view is not None:
            self.view.set_lag(0)
        kubelets = self.arena.cluster.kubelets
        for node in sorted(self.lost):
            self.restore_node(node)
        for image in IMAGES:
            kubelets.heal_image(image)
        kubelets.slow(1)
        self.people.calm_down()


def create(client: kruise.Client, spec: Object) -> None:
    client.create({"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "metadata": {"name": "web"}, "spec": spec})


def fresh_outcome(seed: int, spec: Object) -> Object:
    """What a cluster comes to that never saw another spec, nor a fault."""
    with Arena(seed=seed + 1, judge=partial(Judge, judging=False)) as arena:
        arena.start(gates=gates_of(stream(seed, "gates")))
        create(arena.client, spec)
        for _ in range(300):  # looks
            arena.run_for(HOOKS_S)
            answered = "lifecycle" in spec and answer_hooks(arena.client, arena.pods())
            if not answered and settled(arena):
                break
        assert settled(arena), "the fresh cluster does not come to rest"
        return outcome(arena.client, claims_left=True)


def differences(found: Object, wanted: Object) -> str:
    return "\n    ".join(f"{key}: {found[key]} instead of {wanted[key]}" for key in wanted if found[key] != wanted[key])
