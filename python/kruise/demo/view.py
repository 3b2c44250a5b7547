"""How the demo looks: a live grid of pods on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .board import PodRow, StepResult

_TABLE_WIDTH_MIN = 72
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue")


class View:
    """Draws the demo. ``refresh`` may be called as often as one likes; it draws at most ten times a second."""

    def __init__(self, console: Console, plain: bool) -> None:
        self._console = console
        self._plain = plain
        self._live: Live | None = None
        self._colours: dict[str, str] = {}
        self._last_line = ""
        self._next_plain = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        if self._plain:
            yield
            return
        with Live(console=self._console, refresh_per_second=10, transient=True) as live:
            self._live = live
            yield
            self._live = None

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def step(self, title: str, command: str) -> None:
        self._console.print(f"[bold]▶ {escape(title)}[/bold]  [dim]{escape(command)}[/dim]", highlight=False, soft_wrap=True)

    def refresh(self, title: str, rows: Sequence[PodRow], elapsed: float, *, last: bool = False) -> None:
        """Shows the pods. Without a terminal this is a line where something has changed, twice a second at most, and ``last``."""
        if self._live is not None:
            self._live.update(self._grid(title, rows, elapsed))
            return
        line = self._summary(rows)
        if line != self._last_line and (last or time.monotonic() >= self._next_plain):
            self._last_line = line
            self._next_plain = time.monotonic() + 0.5
            self._console.print(f"  {elapsed:5.1f} s  {line}", highlight=False, soft_wrap=True)

    def table(self, results: Sequence[StepResult]) -> None:
        """What the steps took: a table, or lines where a table would be all wrapped words."""
        if self._console.width < _TABLE_WIDTH_MIN:
            self._console.print("[bold]What it took[/bold]")
            for r in results:
                self._console.print(
                    f"{r.title}: {r.kept} pods kept, {r.created} created, {r.deleted} deleted, "
                    f"{r.restarts} containers restarted, {r.seconds:.1f} s",
                    markup=False,
                )
            return
        table = Table(title="What it took", title_justify="left")
        table.add_column("step")
        for name in ("pods kept", "created", "deleted", "containers restarted", "seconds"):
            table.add_column(name, justify="right")
        for r in results:
            table.add_row(r.title, str(r.kept), str(r.created), str(r.deleted), str(r.restarts), f"{r.seconds:.1f}")
        self._console.print(table)

    def _summary(self, rows: Sequence[PodRow]) -> str:
        active = [row for row in rows if not row.terminating]
        ready = sum(row.ready for row in active)
        images = Counter(row.image for row in active)
        ready_images = Counter(row.image for row in active if row.ready)
        each = ", ".join(f"{image} {count} ({ready_images[image]} ready)" for image, count in sorted(images.items()))
        return f"{len(active)} pods, {ready} ready, {sum(row.restarts for row in active)} restarts; {each or 'none yet'}"

    def _grid(self, title: str, rows: Sequence[PodRow], elapsed: float) -> RenderableType:
        cells = [self._cell(row) for row in rows]
        head = Text(f"{title}   {elapsed:.1f} s", style="bold")
        return Group(Panel(Columns(cells, equal=True, expand=True), title=head), Text(self._summary(rows)))

    def _cell(self, row: PodRow) -> Text:
        mark, style = ("●", "green") if row.ready else ("○", "red")
        if row.terminating:
            mark, style = "✕", "dim"
        cell = Text(f"{mark} ", style=style)
        cell.append(f"{row.name.rpartition('-')[2]} ", style="dim" if row.terminating else "")
        cell.append(f"{row.revision[:5]} ", style=self._colour(row.revision))
        cell.append(f"↻{row.restarts} ")
        cell.append(row.state, style="dim")
        return cell

    def _colour(self, revision: str) -> str:
        return self._colours.setdefault(revision, _COLOURS[len(self._colours) % len(_COLOURS)])
