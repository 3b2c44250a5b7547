"""What goes wrong between a manager and an embedded cluster: drawn from a seed, or told beforehand.

with kruise.Manager(cluster, faults=kruise.Faults(lost_answer=0.05, watch_broken=0.01, seed=7)) as manager:
    ...
    manager.set_faults(None)          # from now on all goes well
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

__all__ = ["Faults"]

WriteFault = Literal["refused", "lost_answer", "timed_out", "conflict", "invalid", "throttled", "server_error", "late_answer"]
EventFault = Literal["watch_broken", "watch_expired", "watch_error", "late_event", "merged_event", "lost_event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The probability of each fault, from 0 to 1: the first seven of a request, the others before each event of a watch."""

    refused: float = 0.0
    """The connection is refused; the server never sees the request."""
    lost_answer: float = 0.0
    """The server does what it is asked, and the connection breaks before its answer."""
    timed_out: float = 0.0
    """The server does what it is asked, and nothing is heard of it until the client gives up, after 30 seconds."""
    conflict: float = 0.0
    """409 without cause, of writes only."""
    throttled: float = 0.0
    """429 with Retry-After: 1."""
    server_error: float = 0.0
    """500."""
    late_answer: float = 0.0
    """The request takes up to ``delay_max`` longer."""
    watch_broken: float = 0.0
    """The connection of a watch breaks."""
    watch_expired: float = 0.0
    """Nothing comes for up to ``delay_max``, then 410: what happened meanwhile shows in a list only."""
    watch_error: float = 0.0
    """An ERROR event of code 500."""
    late_event: float = 0.0
    """The event, and all behind it, come up to ``delay_max`` later."""
    merged_event: float = 0.0
    """The event is never seen if its object changes again within ``delay_max``: only what came after it is."""
    lost_event: float = 0.0
    """The event never comes, while later ones do, of its object too; within ``delay_max`` the watch expires, and a list shows it."""
    delay_max: float = 5.0
    """In seconds."""
    at_write: Mapping[int, WriteFault] = field(default_factory=dict)
    """What happens to the n-th write of the manager, from 1; its leases and events are not counted."""
    at_event: Mapping[int, EventFault] = field(default_factory=dict)
    """What happens before the n-th event of its watches, from 1, with the full ``delay_max``; likewise."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, rate in self.rates().items():
            if not 0 <= rate <= 1:
                raise ValueError(f"Faults.{name}: must be from 0 to 1, is {rate}")
        if not 0 <= self.delay_max <= 86400:
            raise ValueError(f"Faults.delay_max: must be from 0 to a day, is {self.delay_max}")

    def rates(self) -> dict[str, float]:
        """The probabilities by name."""
        others = ("delay_max", "at_write", "at_event", "seed")
        return {name: value for name, value in asdict(self).items() if name not in others}

    def _text(self) -> str:
        numbered = {"at_write": dict(self.at_write), "at_event": dict(self.at_event)}
        return json.dumps({"seed": self.seed, "rates": self.rates(), "delay_max": self.delay_max, **numbered})
