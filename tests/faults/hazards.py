"""Which faults a seed has, and how strong: few of them, and those strong."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Any

import kruise

REQUEST_FAULTS = ("refused", "lost_answer", "timed_out", "conflict", "throttled", "server_error", "late_answer")
EVENT_FAULTS = ("watch_broken", "watch_expired", "watch_error", "late_event", "merged_event", "lost_event")
RETRIES_S = 60.0  # in which lists that are refused again and again come through
LAGS_FOR_S = 30.0  # a view lags for so long, and shows the present for as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazards:
    """What goes wrong in the first half; what is None, empty or 0 does not. Times are seconds from the start."""

    rates: dict[str, float] = field(default_factory=dict)
    """Of kruise.Faults; one fault each."""
    delay_max_s: float = 5.0
    invalid: tuple[int, ...] = ()
    """Writes that are answered 422, by number."""
    kills: tuple[int, ...] = ()
    """The managers die behind this many writes each, counted from the death before."""
    lag: int | None = None
    """Managers look at a view so many writes behind, half of the time."""
    rivals: bool = False
    """Two managers, of which one leads."""
    cut_off: tuple[tuple[float, float], ...] = ()
    """From when, and for how long, the leader reaches nobody."""
    stolen_lease: tuple[float, ...] = ()
    """When somebody writes another name into the lease."""
    clocks: tuple[float, ...] = ()
    """How far each manager's clock is ahead."""
    lost_nodes: tuple[tuple[float, str, float], ...] = ()
    """When, which and for how long."""
    failing_image: tuple[float, float] | None = None
    """From when and for how long an image cannot be pulled."""
    slow_nodes: float | None = None
    """The factor of their delays."""
    people: tuple[float, ...] = ()
    """When somebody does something by hand."""

    @classmethod
    def draw(cls, random: Random, length_s: float) -> Hazards:
        chosen = random.sample(KINDS, random.choice((0, 1, 1, 2, 2, 3, 3, 4, 5)))
        drawn: dict[str, Any] = {}
        rates: dict[str, float] = {}
        for kind in chosen:
            _DRAW[kind](random, length_s, drawn, rates)
        return cls(rates=rates, **drawn)

    def present(self) -> tuple[str, ...]:
        """The names of what is there, as ``without`` takes them."""
        none = Hazards()
        others = [item.name for item in fields(self) if item.name not in ("rates", "delay_max_s")]
        return (*self.rates, *(name for name in others if getattr(self, name) != getattr(none, name)))

    def without(self, name: str) -> Hazards:
        if name in self.rates:
            return replace(self, rates={key: rate for key, rate in self.rates.items() if key != name})
        return replace(self, **{name: getattr(Hazards(), name)})

    def faults(self, seed: int) -> kruise.Faults | None:
        if not self.rates and not self.invalid:
            return None
        told: dict[str, Any] = {**self.rates, "at_write": dict.fromkeys(self.invalid, "invalid")}
        return kruise.Faults(**told, delay_max=self.delay_max_s, seed=seed)

    def blind_s(self) -> float:
        """For how long a manager may not know of what others do."""
        blind = 0.001
        if set(self.rates) & {*EVENT_FAULTS, "refused", "server_error", "throttled", "timed_out", "late_answer", "lost_answer"}:
            blind += RETRIES_S + self.delay_max_s
        if self.cut_off:
            blind += RETRIES_S + sum(duration for _, duration in self.cut_off)
        if self.lag is not None:
            blind += RETRIES_S + LAGS_FOR_S
        return blind


def _times(random: Random, length_s: float, most: int) -> tuple[float, ...]:
    return tuple(sorted(random.uniform(0, length_s) for _ in range(random.randint(1, most))))


def _requests(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    for name in random.sample(REQUEST_FAULTS, random.randint(1, 2)):
        rates[name] = random.choice((0.02, 0.1, 0.3, 0.6))
    if random.random() < 0.3:
        drawn["invalid"] = tuple(sorted(random.sample(range(1, 40), 4)))


def _events(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    for name in random.sample(EVENT_FAULTS, random.randint(1, 2)):
        rates[name] = random.choice((0.01, 0.05, 0.2, 0.5))
    drawn["delay_max_s"] = random.choice((0.5, 5.0, 20.0, 60.0))


def _kills(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    drawn["kills"] = tuple(random.randint(1, 20) for _ in range(random.randint(1, 6)))


def _lag(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    drawn["lag"] = random.choice((1, 5, 30))


def _rivals(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    drawn["rivals"] = True
    if random.random() < 0.7:
        drawn["cut_off"] = tuple((at, random.uniform(8, 40)) for at in _times(random, length_s, 2))
    if random.random() < 0.4:
        drawn["stolen_lease"] = _times(random, length_s, 2)


def _clocks(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    drawn["clocks"] = tuple(random.choice((-300.0, -90.0, 0.0, 90.0, 300.0)) for _ in range(2))


def _lost_nodes(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    drawn["lost_nodes"] = tuple(
        (at, f"node-{random.randint(0, 2)}", random.choice((5.0, 60.0, 200.0))) for at in _times(random, length_s, 2)
    )


def _nodes(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    if random.random() < 0.5:
        drawn["failing_image"] = (random.uniform(0, length_s), random.uniform(5, 100))
    else:
        drawn["slow_nodes"] = random.choice((5.0, 20.0))


def _people(random: Random, length_s: float, drawn: dict[str, Any], rates: dict[str, float]) -> None:
    drawn["people"] = _times(random, length_s, 12)


_DRAW = {
    "requests": _requests,
    "events": _events,
    "kills": _kills,
    "lag": _lag,
    "rivals": _rivals,
    "clocks": _clocks,
    "lost_nodes": _lost_nodes,
    "nodes": _nodes,
    "people": _people,
}
KINDS = tuple(_DRAW)
