"""The invariants where a manager cannot know all: what others did while nothing was to be heard of it is not held against it.

Its own writes count at once, those of managers before it too. What anybody else does (people, nodes, the garbage collector) counts as
soon as it can be known: at the latest ``blind_s`` seconds later, which is how long the drawn faults may keep events and answers back,
and never later than the start of the oldest manager, whose first lists show it. A write breaks an invariant if it does so
whichever instant in between it was planned at.
"""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scenarios.invariants import Invariants, Key, Seen

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """An object from this instant on; ``ours``: a manager made it so."""

    at: datetime
    ours: bool
    object: Object | None


@dataclass(slots=True)
class Judge:
    """``clocks`` are how far ahead of the cluster's those of the managers are, in seconds; ``known_since`` when the oldest started."""

    now: Callable[[], datetime]
    blind_s: float = 0.0
    clocks: tuple[float, ...] = (0.0,)
    known_since: datetime | None = None
    judging: bool = True
    """False: nothing is looked at, for a cluster that serves as a measure only."""
    excused: int = 0
    invariants: Invariants = field(init=False)
    _pods: dict[Key, list[Version]] = field(default_factory=lambda: defaultdict(list))
    _sets: dict[str, list[Version]] = field(default_factory=lambda: defaultdict(list))
    _changes: list[datetime] = field(default_factory=list)
    """When others than managers wrote."""

    def __post_init__(self) -> None:
        # The cluster tells its time to the microsecond; a manager may have seen the next one.
        self.invariants = Invariants(now=lambda: self.now() + timedelta(microseconds=1))

    @property
    def violations(self) -> list[str]:
        return self.invariants.violations

    def judge(self, write: Seen) -> None:
        """Judges the write, then takes it into the picture and the history."""
        before = len(self.violations)
        self.invariants.judge(write, take=False)
        if len(self.violations) > before and any(self._is_right(picture, write) for picture in self._pictures(write)):
            del self.violations[before:]
            self.excused += 1
        self.invariants.take(write)
        self._remember(write)

    @staticmethod
    def _is_right(picture: Invariants, write: Seen) -> bool:
        picture.judge(write, take=False)
        return not picture.violations

    def _remember(self, write: Seen) -> None:
        now, ours = self.now(), self.invariants.is_manager(write.writer)
        obj = write.after if write.type != "DELETED" else None
        if write.plural == "pods":
            self._pods[(write.namespace, write.name)].append(Version(now, ours, obj))
        elif write.plural == "clonesets":
            told = write.after or write.before
            if told is not None:
                self._sets[told["metadata"]["uid"]].append(Version(now, ours, obj))
        else:
            return
        if not ours and (not self._changes or self._changes[-1] < now):
            self._changes.append(now)

    def _pictures(self, write: Seen) -> Iterator[Invariants]:
        """All that may have been known when the write was planned, but for what is so now."""
        now = self.now()
        since = now - timedelta(seconds=self.blind_s)
        if self.known_since is not None:
            since = max(since, self.known_since)
        instants = [since, *self._changes[bisect.bisect_right(self._changes, since) :], now]
        # What others do at this very instant may come after what is planned at it.
        just_before = now - timedelta(microseconds=1)
        if just_before >= since:
            instants.append(just_before)
        for clock in self.clocks:
            for of_sets, of_pods in itertools.product(instants, instants):
                yield self._picture(of_sets, of_pods, clock, write)

    def _picture(self, of_sets: datetime, of_pods: datetime, clock: float, write: Seen) -> Invariants:
        picture = Invariants(now=lambda: of_pods + timedelta(seconds=clock))
        picture.revisions = self.invariants.revisions
        picture.orphaned = self.invariants.orphaned
        for uid, versions in self._sets.items():
            obj = _at(versions, of_sets)
            if obj is not None:
                picture.sets[uid] = obj
        for key, versions in self._pods.items():
            obj = _at(versions, of_pods)
            if obj is not None:
                picture.pods[key] = obj
        return picture


def _at(versions: list[Version], instant: datetime) -> Object | None:
    """As known at the instant: what managers have made of it since is known too."""
    for version in reversed(versions):
        if version.ours or version.at <= instant:
            return version.object
    return None
