"""Watches: what there is, and then every change, over streams that break and are taken up again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

from . import _core
from .errors import Expired, KruiseError, ServerError, TooManyRequests, Unreachable

__all__ = ["Watch", "WatchEvent"]

T = TypeVar("T")

# Streams in a row that brought nothing before the watch gives up, and the seconds before the second of them (then doubled).
_FAILURES_MAX = 6
_RETRY_DELAY_S = 0.1


@dataclass(frozen=True, slots=True, repr=False)
class WatchEvent(Generic[T]):
    """One change: ``type`` is ADDED, MODIFIED or DELETED, ``object`` what it is now (or was at last)."""

    type: str
    object: T

    def __repr__(self) -> str:
        data: Any = self.object if isinstance(self.object, dict) else self.object.to_dict()  # type: ignore[attr-defined]
        meta = data.get("metadata", {})
        where = f"{meta['namespace']}/" if meta.get("namespace") else ""
        return f"<WatchEvent {self.type} {data.get('kind', 'object')} {where}{meta.get('name', '?')}>"


class Watch(Iterator[WatchEvent[T]]):
    """The changes of some objects, to be iterated over. It ends by ``close`` (from any thread), at the end of a ``with`` block, or
    when nothing refers to it any more."""

    def __init__(
        self,
        fetch: Callable[[str], dict[str, Any]],
        open_stream: Callable[[str], _core.WatchStream],
        with_query: Callable[[dict[str, str]], str],
        made_of: Callable[[dict[str, Any]], T],
        timeout: float | None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """With ``after``, an object as it was read, the changes since then; else all objects there are come first."""
        self._fetch = fetch
        self._open = open_stream
        self._with_query = with_query
        self._made_of = made_of
        self._deadline = _core.Deadline(timeout)
        self._stream: _core.WatchStream | None = None
        self._closed = threading.Event()
        self._version: str | None = after["metadata"]["resourceVersion"] if after else None
        self._known = {after["metadata"]["uid"]: _remains(after)} if after else {}
        self._events = self._run()

    def __iter__(self) -> Watch[T]:
        return self

    def __next__(self) -> WatchEvent[T]:
        return next(self._events)

    def close(self) -> None:
        """Ends the watch: whoever waits for its next event sees the iteration end. Closing twice is fine."""
        self._closed.set()
        if self._stream is not None:
            self._stream.close()

    def __enter__(self) -> Watch[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<kruise.Watch {self._with_query({})}{', closed' if self._closed.is_set() else ''}>"

    def _run(self) -> Generator[WatchEvent[T], None, None]:
        failures = 0
        while not self._closed.is_set():
            if self._version is None:
                for type, data in self._list():
                    yield self._event(type, data)
            try:
                for event in self._changes(self._version):
                    failures = 0
                    self._version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        yield self._event(event["type"], event["object"])
            except Expired:
                self._version = None
            except (Unreachable, ServerError, TooManyRequests) as error:
                failures += 1
                if failures >= _FAILURES_MAX or self._deadline.passed():
                    raise
                self._closed.wait(error.retry_after or _RETRY_DELAY_S * 2 ** (failures - 1))
            if self._deadline.passed() or (self._stream is not None and self._stream.drained):
                return

    def _list(self) -> list[tuple[str, dict[str, Any]]]:
        """All there is as ADDED, after what went unseen since the last list as DELETED."""
        listed = self._fetch(self._with_query({}))
        self._version = str(listed["metadata"]["resourceVersion"])
        kind = str(listed.get("kind", "")).removesuffix("List")
        items = [{"apiVersion": listed.get("apiVersion"), "kind": kind, **item} for item in listed.get("items") or []]
        present = {item["metadata"]["uid"] for item in items}
        gone = [remains for uid, remains in self._known.items() if uid not in present]
        return [*(("DELETED", remains) for remains in gone), *(("ADDED", item) for item in items)]

    def _changes(self, version: str | None) -> Generator[dict[str, Any], None, None]:
        """The events of one stream, until it, the watch or its time is over."""
        query = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version or ""}
        stream = self._stream = self._open(self._with_query(query))
        try:
            while not self._closed.is_set() and (line := stream.next(self._deadline)) is not None:
                event: dict[str, Any] = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    if status.get("code") == 410:
                        raise Expired(str(status.get("message")), code=410, reason="Expired")
                    raise KruiseError(f"the watch failed: {status.get('message', status)}")
                yield event
        finally:
            stream.close()

    def _event(self, type: str, data: dict[str, Any]) -> WatchEvent[T]:
        if type == "DELETED":
            self._known.pop(data["metadata"]["uid"], None)
        elif type == "ADDED":
            self._known[data["metadata"]["uid"]] = _remains(data)
        return WatchEvent(type, self._made_of(data))


def _remains(data: dict[str, Any]) -> dict[str, Any]:
    """What is told of an object whose end was not seen."""
    meta = data["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace", "uid") if key in meta}
    return {"apiVersion": data.get("apiVersion"), "kind": data.get("kind"), "metadata": kept}
