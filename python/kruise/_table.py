"""Objects as the server's columns show them: what ``kubectl get`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

__all__ = ["Table"]

# What asks a server for columns instead of objects; a server that cannot answers with the objects.
ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io"


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows of values under ``columns``. ``print`` shows it as kubectl does, a notebook as a table; ``records()`` is what data
    frames are made of: ``pandas.DataFrame(table.records())``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        """One dictionary a row, by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def column(self, name: str) -> list[Any]:
        """The values of one column. Raises KeyError naming the columns there are."""
        if name not in self.columns:
            raise KeyError(f"no column {name!r}; there are {', '.join(self.columns)}")
        index = self.columns.index(name)
        return [row[index] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __str__(self) -> str:
        lines = [[name.upper() for name in self.columns], *([_shown(value) for value in row] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        rows = "".join("<tr>" + "".join(f"<td>{escape(_shown(v))}</td>" for v in row) + "</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def table_from(data: Mapping[str, Any], *, now: datetime, wide: bool, namespaces: bool) -> Table:
    """The table of a server's answer; columns of times become ages, as for kubectl."""
    definitions: Sequence[Mapping[str, Any]] = data["columnDefinitions"]
    shown = [i for i, column in enumerate(definitions) if wide or not column.get("priority")]
    columns = [str(definitions[i]["name"]) for i in shown]
    dates = {i for i in shown if definitions[i].get("type") == "date"}
    rows = []
    for row in data.get("rows") or []:
        cells = [_age(row["cells"][i], now) if i in dates else row["cells"][i] for i in shown]
        rows.append((*([row["object"]["metadata"].get("namespace", "")] if namespaces else []), *cells))
    return Table((*(["Namespace"] if namespaces else []), *columns), tuple(rows))


def _shown(value: Any) -> str:
    return "<none>" if value is None or value == "" else str(value)


def _age(value: Any, now: datetime) -> Any:
    """What a printer column makes of a time: 45s, 12m, 3h5m, 7d."""
    try:
        seconds = max(0, int((now - datetime.fromisoformat(value).astimezone(UTC)).total_seconds()))
    except (TypeError, ValueError):
        return value
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{days}d"
