"""A rollout that is interrupted, judged afterwards from what the server stored and from who asked for it."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from control_plane import ControlPlane
from manager_process import ManagerProcess, wait
from manager_world import World, clone_set, manager
from scenarios.invariants import Invariants
from scenarios.server_log import AuditLog, WatchLog, judge, writers

LIFE_S = (0.05, 0.7)
"""How long a manager lives before it is killed, drawn between these: as long as reading the server's objects takes, and longer."""
ROLLOUT_LIMIT_S = 300.0
LONG = 3
"""So few pods at a time that a rollout of some hundred outlasts some dozen managers."""
NO_ELECTION = "--enable-leader-election=false"  # who was killed holds its lease for long


@dataclass
class Rollout:
    """A set of pods that is updated in place, some at a time."""

    world: World
    pods: int
    log: WatchLog
    audit: AuditLog
    images: int = 1

    def begin(self) -> None:
        """The next image."""
        self.images += 1
        self.world.set_image("web", f"example.com/web:{self.images}")

    def done(self) -> bool:
        return self.world.done("web", self.pods)

    def wait_done(self) -> None:
        wait("the rollout is done", self.done, ROLLOUT_LIMIT_S)

    def judged(self) -> Invariants:
        """The invariants at every write of a manager. Where a manager was killed before it was answered, or the server before it
        could tell, nobody is known to have written: it is taken for the manager's."""
        events = self.log.complete()
        return judge(events, writers(events, self.audit, all_known=False))


@contextmanager
def rollout(world: World, folder: Path, pods: int, at_a_time: int | str = "10%") -> Iterator[Rollout]:
    """The pods are there and ready; no manager runs."""
    audit = AuditLog(world.plane.audit_log)
    audit.forget()
    log = WatchLog(world.plane, world.ns)
    try:
        one = Rollout(world, pods, log, audit)
        world.create(clone_set("web", pods, maxUnavailable=at_a_time))
        with manager(world, folder, NO_ELECTION):
            one.wait_done()
        yield one
    finally:
        log.close()


def killed(one: Rollout, folder: Path, kills: int, seed: int = 1) -> int:
    """Updates the pods with managers that are killed at random moments, one after the other; the last one ends it. How many pods had
    yet to be updated at the kills, in all."""
    draw = random.Random(seed)
    one.begin()
    interrupted = 0
    for _ in range(kills):
        with manager(one.world, folder, NO_ELECTION) as process:
            wait("it reads the server's objects", lambda: started(process))
            time.sleep(draw.uniform(*LIFE_S))
            process.kill(signal.SIGKILL)
            process.wait_exit(10)
        assert not one.done(), "the rollout was over before all the kills: let it update fewer pods at a time"
        interrupted += one.pods - one.world.status("web").get("updatedReplicas", 0)
    with manager(one.world, folder, NO_ELECTION):
        one.wait_done()
    return interrupted


def started(process: ManagerProcess) -> bool:
    return process.get("/healthz")[0] == 200


def violations_of_kills(plane: ControlPlane, ns: str, folder: Path, pods: int, kills: int) -> list[str]:
    """For the bench: what broke in a rollout of so many pods with so many kills."""
    with rollout(World(plane, ns), folder, pods, LONG) as one:
        killed(one, folder, kills)
        return one.judged().violations
