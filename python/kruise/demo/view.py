"""How the demo looks: a live grid of pods on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
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

    def refresh(self, title: str, rows: Sequence[PodRow], status: dict[str, int], elapsed: float) -> None:
        if self._live is not None:
            self._live.update(self._grid(title, rows, status, elapsed))
            return
        line = self._summary(rows, status)
        if line != self._last_line and time.monotonic() >= self._next_plain:
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

    def _summary(self, rows: Sequence[PodRow], status: dict[str, int]) -> str:
        revisions: dict[str, int] = {}
        for row in rows:
            if not row.terminating:
                revisions[row.image] = revisions.get(row.image, 0) + 1
        images = ", ".join(f"{count} of {image}" for image, count in sorted(revisions.items()))
        return (
            f"pods {status.get('replicas', 0)}, ready {status.get('readyReplicas', 0)}, "
            f"updated {status.get('updatedReplicas', 0)} (ready {status.get('updatedReadyReplicas', 0)}), "
            f"restarts {sum(row.restarts for row in rows)}: {images}"
        )

    def _grid(self, title: str, rows: Sequence[PodRow], status: dict[str, int], elapsed: float) -> RenderableType:
        cells = [self._cell(row) for row in rows]
        head = Text(f"{title}   {elapsed:.1f} s", style="bold")
        return Group(Panel(Columns(cells, equal=True, expand=True), title=head), Text(self._summary(rows, status)))

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
