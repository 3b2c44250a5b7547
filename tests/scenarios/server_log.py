"""What a real API server did, for judging afterwards: every state that it stored, and who asked for it.

The states come from watches of a namespace, begun while it is empty. Who wrote comes from the server's audit log, which tells the
user agent of each request and, for pods, the object as stored; its resourceVersion ties the two together. (``managedFields`` would
not do: a second write within a second by the same manager to the same fields leaves no trace there, and neither does a deletion.)
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from control_plane import ADMIN_TOKEN, ControlPlane, ControlPlaneError

from .invariants import Invariants, Key, Object, Seen

PATHS = {
    "pods": "/api/v1/namespaces/{}/pods",
    "clonesets": "/apis/apps.kruise.io/v1alpha1/namespaces/{}/clonesets",
    "controllerrevisions": "/apis/apps/v1/namespaces/{}/controllerrevisions",
}
COMPLETE_LIMIT_S = 20.0
Stream = tuple[http.client.HTTPConnection, http.client.HTTPResponse]
UNTOLD = "kruise-manager, perhaps"
"""Who wrote what no log tells: the strictest assumption."""
OBJECT_KINDS = ("Pod", "PartialObjectMetadata")  # the latter is what the garbage collector asks for


def pause() -> None:
    """Between two looks at what other processes do."""
    time.sleep(0.03)


@dataclass(frozen=True, slots=True)
class Stored:
    """One event of a watch: what was stored, or removed."""

    version: int
    type: str
    plural: str
    object: Object


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the server answered."""

    agent: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    received: datetime
    answered: datetime
    stored: int | None
    """The resourceVersion of the answer; None where the answer is no object."""


class WatchLog:
    """The events of a namespace's pods, sets and revisions, from construction until ``close``; a server that restarts is asked for
    those behind the last one heard of."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._namespace = namespace
        self._events: list[Stored] = []
        self._broken: list[str] = []
        self._closed = False
        self._expired: dict[str, bool] = {}
        self._reached: dict[str, int] = {}  # by a list
        self._streams = {plural: self._open(plural) for plural in PATHS}
        self._threads = [threading.Thread(target=self._follow, args=(plural,), daemon=True) for plural in PATHS]
        for thread in self._threads:
            thread.start()

    def complete(self) -> list[Stored]:
        """All events so far, by version: as soon as the last of each object is what the server lists."""
        deadline = time.monotonic() + COMPLETE_LIMIT_S
        while not all(self._holds(plural) for plural in PATHS):
            assert not self._broken, self._broken
            assert time.monotonic() < deadline, "the watches do not catch up with what the server lists"
            pause()
        return sorted(self._events, key=lambda event: event.version)

    def close(self) -> None:
        self._closed = True
        for connection, _ in self._streams.values():
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection, _ in self._streams.values():
            connection.close()

    def _open(self, plural: str, after: int = 0) -> Stream:
        path = f"{PATHS[plural].format(self._namespace)}?watch=1"
        return _stream(self._plane, f"{path}&resourceVersion={after}" if after else path)

    def _follow(self, plural: str) -> None:
        while True:
            connection, answer = self._streams[plural]
            self._read(plural, answer)
            if self._closed or self._broken:
                return
            connection.close()
            try:
                if self._expired.pop(plural, False):
                    self._catch_up(plural)
                last = max(self._reached.get(plural, 0), *(event.version for event in self._events if event.plural == plural), 0)
                self._streams[plural] = self._open(plural, last)
            except (OSError, http.client.HTTPException, ControlPlaneError, AssertionError) as error:
                self._broken.append(f"{plural}: {error!r}")
                return

    def _catch_up(self, plural: str) -> None:
        """A server that was restarted knows no events from before; what was stored last of each object it lists."""
        known = self._newest(plural)
        code, listed = self._plane.call("GET", PATHS[plural].format(self._namespace))
        assert code == 200, listed
        self._reached[plural] = int(listed["metadata"]["resourceVersion"])
        for item in listed["items"]:
            version = int(item["metadata"]["resourceVersion"])
            before = known.pop(item["metadata"]["name"], None)
            if before is None or before.version < version:
                self._events.append(Stored(version, "MODIFIED" if before else "ADDED", plural, item))
        for gone in known.values():
            self._events.append(Stored(self._reached[plural], "DELETED", plural, gone.object))

    def _read(self, plural: str, answer: http.client.HTTPResponse) -> None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR" and event["object"].get("code") == 410:
                    self._expired[plural] = True
                    return
                if event["type"] == "ERROR":
                    self._broken.append(f"{plural}: {event['object']}")
                    return
                version = int(event["object"]["metadata"]["resourceVersion"])
                self._events.append(Stored(version, event["type"], plural, event["object"]))

    def _holds(self, plural: str) -> bool:
        code, listed = self._plane.call("GET", PATHS[plural].format(self._namespace))
        assert code == 200, listed
        there = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in listed["items"]}
        newest = self._newest(plural)
        if any(_goes_at_once(event.object["metadata"]) for event in newest.values()):
            return False
        return {name: event.version for name, event in newest.items()} == there

    def _newest(self, plural: str) -> dict[str, Stored]:
        """The last event of each object that is there."""
        newest: dict[str, Stored] = {}
        for event in sorted((e for e in list(self._events) if e.plural == plural), key=lambda event: event.version):
            name = event.object["metadata"]["name"]
            if event.type == "DELETED":
                newest.pop(name, None)
            else:
                newest[name] = event
        return newest


def _goes_at_once(meta: Object) -> bool:
    """Between the two writes of one request that ends an object: the grace set to 0, and the removal, whose version the answer tells."""
    return meta.get("deletionGracePeriodSeconds") == 0 and not meta.get("finalizers")


class AuditLog:
    """The requests that a server has answered, read on as its file grows. One for all scenarios."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""
        self.requests: list[Request] = []
        self.stored: dict[int, Request] = {}
        self.bindings: dict[Key, Request] = {}

    def read(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        self._offset += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def forget(self) -> None:
        """What was read so far is not needed any more."""
        self.read()
        self.requests.clear()
        self.stored.clear()
        self.bindings.clear()

    def _take(self, line: Object) -> None:
        about = line.get("objectRef", {})
        if line["verb"] in ("get", "list", "watch") or "namespace" not in about:
            return
        answer = line.get("responseObject") or {}
        version = answer.get("metadata", {}).get("resourceVersion") if answer.get("kind") in OBJECT_KINDS else None
        request = Request(
            agent=line.get("userAgent", ""),
            verb=line["verb"],
            resource=about["resource"],
            subresource=about.get("subresource", ""),
            namespace=about["namespace"],
            name=about.get("name") or answer.get("metadata", {}).get("name", ""),
            code=line.get("responseStatus", {}).get("code", 0),
            received=_instant(line["requestReceivedTimestamp"]),
            answered=_instant(line["stageTimestamp"]),
            stored=int(version) if version else None,
        )
        self.requests.append(request)
        if request.resource != "pods" or request.code >= 300:
            return
        if request.stored is not None:
            # Who changed nothing is answered with the version of the writer before: the first to be answered is the writer.
            other = self.stored.get(request.stored)
            if other is None or request.answered < other.answered:
                self.stored[request.stored] = request
        elif request.subresource == "binding":
            self.bindings[(request.namespace, request.name)] = request


def writers(events: Sequence[Stored], audit: AuditLog, *, all_known: bool = True) -> dict[int, Request]:
    """Who asked for each stored pod, by version. AssertionError where the audit log does not tell in time, unless a server that was
    killed, or did not get rid of its answer, may have left some out."""
    wanted = [event for event in events if event.plural == "pods"]
    removed = {event.object["metadata"]["uid"]: event.version for event in wanted if event.type == "DELETED"}
    bound: set[str] = set()
    found: dict[int, Request] = {}
    deadline = time.monotonic() + COMPLETE_LIMIT_S
    while True:
        audit.read()
        missing = []
        for event in wanted:
            meta = event.object["metadata"]
            key = (meta["namespace"], meta["name"])
            request = audit.stored.get(event.version)
            if request is None and event.object["spec"].get("nodeName") and meta["uid"] not in bound and event.type == "MODIFIED":
                request = audit.bindings.get(key)  # its answer tells no version
                if request is not None:
                    bound.add(meta["uid"])
            if request is None and event.type == "MODIFIED" and meta.get("deletionGracePeriodSeconds") == 0:
                request = audit.stored.get(removed.get(meta["uid"], 0))  # one request: the server sets 0, then removes
            if request is None:
                missing.append(event)
            else:
                found[event.version] = request
        wanted = missing
        if not wanted or (not all_known and time.monotonic() > deadline - COMPLETE_LIMIT_S / 2):
            return found
        told = [f"{event.version} {event.type} {event.object['metadata']['name']}" for event in wanted]
        assert time.monotonic() < deadline, f"nobody is known to have written {told}"
        pause()


def replay(events: Sequence[Stored]) -> Iterator[tuple[Stored, Object | None, Object | None]]:
    """Each event in order of resourceVersion, with the object as it was before and as it was after."""
    held: dict[tuple[str, str, str], Object] = {}
    for event in sorted(events, key=lambda one: one.version):
        meta = event.object["metadata"]
        key = (event.plural, meta["namespace"], meta["name"])
        before = held.pop(key, None)
        if event.type == "DELETED":
            yield event, before or event.object, None
        else:
            held[key] = event.object
            yield event, before, event.object


def seen(event: Stored, before: Object | None, after: Object | None, writer: str) -> Seen:
    meta = event.object["metadata"]
    return Seen(event.type, event.plural, meta["namespace"], meta["name"], event.version, writer, before, after)


def _stream(plane: ControlPlane, path: str) -> Stream:
    """Begins a watch; returns once the server has taken it up. One that has just learned of the kind refuses with 429 for a moment, one
    that starts is not there or not ready."""
    tls = ssl.create_default_context(cafile=str(plane.ca_file))
    deadline = time.monotonic() + COMPLETE_LIMIT_S
    while True:
        connection = http.client.HTTPSConnection(plane.url.removeprefix("https://"), context=tls)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {ADMIN_TOKEN}", "Accept": "application/json"})
            answer = connection.getresponse()
            if answer.status == 200:
                return connection, answer
            why = f"{answer.status}: {answer.read()!r}"
        except (OSError, http.client.HTTPException) as error:
            why = repr(error)
        connection.close()
        if time.monotonic() > deadline:
            raise ControlPlaneError(f"GET {path} answered {why}")
        pause()


def _instant(text: Any) -> datetime:
    return datetime.fromisoformat(text)


def judge(events: Sequence[Stored], by: dict[int, Request]) -> Invariants:
    """The invariants at every write of the manager: the state is the server's of that instant, the time that of the request."""
    clock = [datetime.min.replace(tzinfo=UTC)]
    invariants = Invariants(now=lambda: clock[0])
    for event, before, after in replay(events):
        request = by.get(event.version)
        if request is not None:
            clock[0] = request.received
        invariants.judge(seen(event, before, after, request.agent if request else UNTOLD))
    return invariants
