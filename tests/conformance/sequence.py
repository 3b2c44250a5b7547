"""Sends the requests of requests.yaml to an API server and brings the answers into a form that two servers can be compared in."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

HERE = Path(__file__).resolve().parent
WAIT_LIMIT_S = 15.0

Json = Any


@dataclass(frozen=True)
class Server:
    """Where to send to. `token` and `ca_file` for https."""

    url: str
    token: str = ""
    ca_file: Path | None = None


def load_requests() -> list[dict[str, Json]]:
    """The requests of both files, in order."""
    files = (HERE / "requests.yaml", HERE / "apply.yaml")
    return [_spelled_out(request) for file in files for request in yaml.safe_load(file.read_text())["requests"]]


def _spelled_out(request: dict[str, Json]) -> dict[str, Json]:
    """`apply` and `by` as method, path and content type."""
    if "apply" not in request:
        return request
    path, _, query = request["apply"].partition("?")
    options = [f"fieldManager={request['by']}", *(["force=true"] if request.get("force") else []), *([query] if query else [])]
    rest = {key: value for key, value in request.items() if key not in ("apply", "by", "force")}
    return {**rest, "send": f"PATCH {path}?{'&'.join(options)}", "type": "application/apply-patch+yaml"}


def run(server: Server, requests: list[dict[str, Json]] | None = None) -> dict[str, Json]:
    """The normalised answer to each request, by its name, in order. `requests`: those instead of the list's."""
    runner = _Runner(server)
    try:
        return {request["name"]: runner.answer(request) for request in (load_requests() if requests is None else requests)}
    finally:
        runner.close()


@dataclass
class _Runner:
    server: Server
    saved: dict[str, Json] = field(default_factory=dict)
    normal: _Normal = field(default_factory=lambda: _Normal())
    connection: http.client.HTTPConnection | None = None

    def answer(self, request: dict[str, Json]) -> Json:
        limit = time.monotonic() + WAIT_LIMIT_S
        while True:
            code, content_type, raw = self.send(request)
            if "wait" not in request or code == request["wait"] or time.monotonic() > limit:
                break
            time.sleep(0.05)
        if "watch=" in request["send"] and code == 200:
            events = [_json(line) for line in raw.decode(errors="replace").splitlines() if line.strip()]
            return {"code": code, "events": [self.normal.event(event) for event in events]}
        body = _json(raw.decode(errors="replace"))
        if "save" in request:
            self.saved[request["save"]] = body
        answer = {"code": code, "body": self.normal.body(body)}
        if not content_type.startswith("application/json"):
            answer["contentType"] = content_type
        return answer

    def send(self, request: dict[str, Json]) -> tuple[int, str, bytes]:
        method, path = self._filled(request["send"]).split(" ", 1)
        headers = {"Accept": request.get("accept", "application/json"), "User-Agent": "conformance"}
        if self.server.token:
            headers["Authorization"] = f"Bearer {self.server.token}"
        data: bytes | None = None
        if "body" in request:
            body = self._filled(request["body"])
            data = (body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))).encode()
            headers["Content-Type"] = request.get("type", "application/json")
        for attempt in (1, 2):
            self.connection = self.connection or self._connect()
            try:
                self.connection.request(method, path, data, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.headers.get("Content-Type", ""), answer.read()
            except (http.client.HTTPException, OSError):
                self.close()
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.server.url)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=str(self.server.ca_file))
            return http.client.HTTPSConnection(parts.netloc, context=context, timeout=30)
        return http.client.HTTPConnection(parts.netloc, timeout=30)

    def _filled(self, value: Json) -> Json:
        """Replaces `${name.path}` by what the answer saved under the name has there."""
        if isinstance(value, str):
            return re.sub(r"\$\{([^}]+)\}", lambda match: str(self._saved(match[1])), value)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        return value

    def _saved(self, path: str) -> Json:
        name, *keys = path.split(".")
        value = self.saved.get(name)
        for key in keys:
            value = value.get(key, "absent") if isinstance(value, dict) else "absent"
        return value


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
VERSION_IN_TEXT = re.compile(r"(resourceVersion|ResourceVersion)( in [a-z ]+)?: \d+")
VERSION_IN_WORDS = re.compile(
    r"(ResourceVersion in (?:the precondition|record) |too old resource version: |Too large resource version: |, current: )\(?\d+\)?( \(\d+\))?"
)
# What Go's parsers say, and which encodings a server has: nobody's contract.
PARSER_WORDS = tuple(
    re.compile(begin + r".+", re.DOTALL)
    for begin in (
        r"(cannot be handled as a \w+: json: )",
        r"(cannot be handled as a \w+: )(?=no kind|converting)",
        r"(json parse error: )",
        r"(error decoding (?:patch|YAML): )",
        r"(media types include: )",
        r"(Available representations: )",
        r"(continue key is not valid: )",
        r"(quantities must match the regular expression )",
        r"(only the following media types are accepted: )",
        r"(parsing time \"[^\"]*\" as )",
    )
)
AGE = re.compile(r"\d+[smhdy]|\d+[mhdy]\d+[smhd]")  # later tables of a watch name no columns
NO_UID = "00000000-0000-0000-0000-000000000000"
RECENT_YEARS = 2  # times nearer than that are the server's own


@dataclass
class _Normal:
    """Replaces what may differ by what must not: UIDs by the object that has them, versions by how they relate to those of the
    same object seen before, the server's times and the words of its parsers by a stand-in."""

    uids: dict[str, str] = field(default_factory=dict)
    incarnations: dict[str, int] = field(default_factory=dict)  # of an object that is made again under its name
    versions: dict[str, list[int]] = field(default_factory=dict)

    def event(self, event: Json) -> Json:
        if not isinstance(event, dict):
            return event
        body = self.body(event.get("object"))
        if event.get("type") == "BOOKMARK" and isinstance(body, dict):
            body.get("metadata", {}).pop("resourceVersion", None)
        return {"type": event.get("type"), "object": body}

    def body(self, body: Json) -> Json:
        if not isinstance(body, dict):
            return self._text(body) if isinstance(body, str) else body
        kind = body.get("kind", "")
        if kind == "Status":
            return self._status(body)
        if kind == "Table":
            return self._table(body)
        if kind == "APIResourceList":
            return self._resources(body)
        if isinstance(body.get("items"), list) and kind.endswith("List"):
            return self._list(body)
        return self._object(body)

    def _status(self, status: dict[str, Json]) -> Json:
        out: dict[str, Json] = {key: status[key] for key in ("status", "reason", "code") if key in status}
        out["message"] = self._text(status.get("message", ""))
        details = dict(status.get("details") or {})
        if "uid" in details:
            details["uid"] = self._uid(details["uid"])
        causes = [
            {key: self._text(_without_bookkeeping(text)) for key, text in cause.items()}
            for cause in details.pop("causes", None) or []
        ]
        if causes:
            details["causes"] = sorted(causes, key=lambda cause: (cause.get("field", ""), cause.get("message", "")))
            # The message strings the causes together in an order of its own.
            out["message"] = out["message"].split(": ", 1)[0] if status.get("reason") == "Invalid" else out["message"]
        if details:
            out["details"] = details
        return out

    def _list(self, body: dict[str, Json]) -> Json:
        metadata = dict(body.get("metadata") or {})
        newest = max((_number(item) for item in body["items"]), default=0)
        if "resourceVersion" in metadata:
            own = metadata["resourceVersion"]
            metadata["resourceVersion"] = (
                "not below its items'" if own.isdigit() and int(own) >= newest else f"below its items': {own}"
            )
        if metadata.get("continue"):
            metadata["continue"] = "some"
        return {**body, "metadata": metadata, "items": [self._object(item) for item in body["items"]]}

    def _table(self, table: dict[str, Json]) -> Json:
        metadata = {
            key: value for key, value in (table.get("metadata") or {}).items() if key not in ("resourceVersion", "continue")
        }
        columns = table.get("columnDefinitions") or []
        ages = {index for index, column in enumerate(columns) if column.get("name") == "Age"}
        for column in columns:
            # Prose of the original, which is not ours to copy.
            column["description"] = "some" if column.get("description") else ""
        rows = []
        for row in table.get("rows") or []:
            cells = [
                "age" if cell and (index in ages or AGE.fullmatch(str(cell))) else cell
                for index, cell in enumerate(row.get("cells", []))
            ]
            rows.append({**row, "cells": cells, "object": self.body(row.get("object"))})
        return {**table, "metadata": metadata, "rows": rows}

    def _resources(self, body: dict[str, Json]) -> Json:
        resources = sorted(body.get("resources", []), key=lambda one: str(one.get("name")))
        return {
            **body,
            "resources": [{key: value for key, value in one.items() if key != "storageVersionHash"} for one in resources],
        }

    def _object(self, body: Json) -> Json:
        if not isinstance(body, dict):
            return body
        metadata = dict(body.get("metadata") or {})
        if metadata.get("managedFields"):
            metadata["managedFields"] = sorted(metadata["managedFields"], key=_owner)
        if "resourceVersion" in metadata:
            key = metadata.get("uid") or f"{body.get('kind')}/{metadata.get('namespace')}/{metadata.get('name')}"
            metadata["resourceVersion"] = self._version(key, metadata["resourceVersion"])
        prefix = metadata.get("generateName")
        uid = metadata.get("uid")
        if prefix and str(metadata.get("name", "")).startswith(prefix):
            metadata["name"] = f"{prefix}({len(metadata['name']) - len(prefix)} more)"
        if uid and UID.fullmatch(uid) and uid not in self.uids:
            self._name_uid(uid, f"{metadata.get('namespace', '')}/{metadata.get('name')}")
        return self._deep({**body, "metadata": metadata})

    def _deep(self, value: Json) -> Json:
        if isinstance(value, dict):
            return {self._text(key): self._deep(item) for key, item in value.items()}  # keys of fieldsV1 name owners
        if isinstance(value, list):
            return [self._deep(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: Json) -> Json:
        if not isinstance(text, str):
            return text
        text = TIME.sub(lambda match: "(now)" if _is_recent(match[0]) else match[0], text)
        text = VERSION_IN_TEXT.sub(lambda match: f"{match[1]}{match[2] or ''}: (version)", text)
        text = VERSION_IN_WORDS.sub(lambda match: f"{match[1]}(version)", text)
        for words in PARSER_WORDS:
            text = words.sub(lambda match: match[1] + "(...)", text)
        return UID.sub(lambda match: self._uid(match[0]), text)

    def _name_uid(self, uid: str, owner: str) -> None:
        self.incarnations[owner] = self.incarnations.get(owner, 0) + 1
        self.uids[uid] = f"(uid {self.incarnations[owner]} of {owner.lstrip('/')})"

    def _uid(self, uid: str) -> str:
        if uid == NO_UID or not UID.fullmatch(uid):
            return uid
        return self.uids.get(uid, "(uid never seen)")

    def _version(self, key: str, version: str) -> str:
        if not version.isdigit():
            return version
        seen = self.versions.setdefault(key, [])
        if int(version) not in seen:
            older = bool(seen) and int(version) < max(seen)
            seen.append(int(version))
            if older:
                return f"({len(seen)}, older than one seen before)"
        return f"({seen.index(int(version)) + 1})"


def _without_bookkeeping(text: str) -> str:
    """A complaint that shows a whole patched object, without what objects are not compared by and in one order."""
    begin = 'Invalid value: "'
    if not text.startswith(begin + "{"):
        return text
    shown, end = json.JSONDecoder().raw_decode(text, len(begin) - 1)
    body = _json(shown)
    if not isinstance(body, dict):
        return text
    for name in ("managedFields", "resourceVersion"):
        body.get("metadata", {}).pop(name, None)
    return begin[:-1] + json.dumps(json.dumps(body, sort_keys=True)) + text[end:]


def _owner(entry: dict[str, Json]) -> tuple[str, ...]:
    """The list is in order of time, and two runs of a sequence see the second change at different places."""
    return tuple(str(entry.get(key, "")) for key in ("manager", "operation", "apiVersion", "subresource"))


def _number(item: Json) -> int:
    version = str((item.get("metadata") or {}).get("resourceVersion", "")) if isinstance(item, dict) else ""
    return int(version) if version.isdigit() else 0


def _is_recent(text: str) -> bool:
    return abs(time.gmtime().tm_year - int(text[:4])) <= RECENT_YEARS and not text.startswith("2024-01-01")


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Difference:
    request: str
    path: str  # "body.spec.replicas"
    wanted: Json
    got: Json

    def __str__(self) -> str:
        return f"{self.request}: {self.path}: wanted {_shown(self.wanted)}, got {_shown(self.got)}"


def differences(wanted: dict[str, Json], got: dict[str, Json]) -> list[Difference]:
    """What differs between two runs, in order of the requests."""
    found: list[Difference] = []
    for name in wanted:
        found += [Difference(name, path, a, b) for path, a, b in _differing("", wanted[name], got.get(name, "(no answer)"))]
    found += [Difference(name, "", "(not recorded)", "(an answer)") for name in got if name not in wanted]
    return found


ABSENT = "(absent)"


def _differing(path: str, wanted: Json, got: Json) -> Iterator[tuple[str, Json, Json]]:
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(wanted.keys() | got.keys()):
            yield from _differing(f"{path}.{key}" if path else key, wanted.get(key, ABSENT), got.get(key, ABSENT))
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (a, b) in enumerate(zip(wanted, got, strict=True)):
            yield from _differing(f"{path}[{index}]", a, b)
    elif wanted != got:
        yield path, wanted, got


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 300 else text[:300] + "..."
