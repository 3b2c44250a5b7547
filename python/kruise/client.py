"""A client of a Kubernetes API server, or of an embedded cluster, with kubectl's verbs.

Objects are plain dictionaries, or the generated models of :mod:`kruise.models`: what goes in as a model comes out as one.

    client = kruise.Client()                    # kubeconfig, in-cluster or $HOME/.kube/config, as kubectl finds it
    client.apply("web.yaml")
    web = client.get("clone", "web")
    client.patch("clone", "web", {"spec": {"updateStrategy": {"partition": "50%"}}})
    for event in client.watch("pods", selector="app=web", timeout=60):
        print(event.type, event.object["metadata"]["name"])
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from . import _core
from ._kinds import Kind, KindTable
from ._manifests import read_manifests
from .errors import Expired, KruiseError

__all__ = ["Client", "WatchEvent"]

Object = dict[str, Any]
Objects = list[Object]
PatchType = Literal["merge", "strategic", "json", "apply"]

_MEDIA_TYPES: dict[str, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_PAGE_SIZE = 500


class Model(Protocol):
    """What the generated models have in common."""

    def to_dict(self) -> Object: ...


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change: ``type`` is ADDED, MODIFIED or DELETED."""

    type: str
    object: Object


class Client:
    """Reads and writes objects. Safe to share between threads; every call can be interrupted with Ctrl-C.

    ``namespace`` is the one meant where a call names none: the context's, else ``default``.
    """

    def __init__(
        self,
        *,
        kubeconfig: str | PathLike[str] | None = None,
        context: str | None = None,
        namespace: str | None = None,
        _connection: _core.Connection | None = None,
    ) -> None:
        if _connection is None:
            _connection = _core.Connection.rest(str(kubeconfig) if kubeconfig else "", context or "")
        self._connection = _connection
        self.namespace = namespace or _connection.namespace or "default"
        self._kinds = KindTable(self._get_json)

    # -- reading ---------------------------------------------------------------------------------------------------

    def get(self, kind: str, name: str, *, namespace: str | None = None, subresource: str | None = None) -> Object:
        """The object of this name. Raises NotFound where there is none."""
        return self._get_json(self._path(self._kinds.by_word(kind), namespace, name, subresource))

    def list(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: str = "",
        field_selector: str = "",
    ) -> Objects:
        """All objects that match, read in pages of 500."""
        found = self._kinds.by_word(kind)
        path = found.path(None if all_namespaces else namespace or self.namespace)
        items: Objects = []
        query = {"labelSelector": selector, "fieldSelector": field_selector, "limit": str(_PAGE_SIZE)}
        while True:
            page = self._get_json(_with_query(path, query))
            items += page.get("items") or []
            token = page.get("metadata", {}).get("continue")
            if not token:
                break
            query["continue"] = token
        for item in items:
            item.setdefault("apiVersion", found.api_version)
            item.setdefault("kind", found.kind)
        return items

    def watch(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: str = "",
        field_selector: str = "",
        name: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[WatchEvent]:
        """What there is (as ADDED) and then every change, until ``timeout`` seconds have passed (None: for ever).

        Broken streams are taken up again where they ended; after a compaction (410) the objects come as ADDED once more.
        On a cluster in virtual time the iteration ends when no further event is due.
        """
        path = self._kinds.by_word(kind).path(None if all_namespaces else namespace or self.namespace)
        if name is not None:
            field_selector = f"metadata.name={name}"
        query = {"labelSelector": selector, "fieldSelector": field_selector}
        deadline = _core.Deadline(timeout)
        version: str | None = None
        while True:
            if version is None:
                listed = self._get_json(_with_query(path, query))
                version = listed["metadata"]["resourceVersion"]
                for item in listed.get("items") or []:
                    yield WatchEvent("ADDED", item)
            resumed = {**query, "watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version}
            stream = self._connection.watch(_with_query(path, resumed))
            try:
                while (line := stream.next(deadline)) is not None:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        if event["object"].get("code") != 410:
                            raise KruiseError(f"the watch failed: {event['object'].get('message', line)}")
                        version = None
                        break
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        yield WatchEvent(event["type"], event["object"])
            except Expired:
                version = None
            finally:
                stream.close()
            if deadline.passed() or stream.drained:
                return

    # -- writing ---------------------------------------------------------------------------------------------------

    def create(self, obj: Object | Model, *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """Creates the object. Raises AlreadyExists, or Invalid naming the fields."""
        body = _as_dict(obj)
        kind = self._kind_of(body)
        path = kind.path(self._namespace_of(body, namespace) if kind.namespaced else None)
        return self._send("POST", _with_query(path, _options(dry_run)), "application/json", body)

    def replace(
        self, obj: Object | Model, *, namespace: str | None = None, subresource: str | None = None, dry_run: bool = False
    ) -> Object:
        """Replaces the object as a whole. With a resourceVersion in it, raises Conflict when the object has changed since."""
        body = _as_dict(obj)
        path = self._object_path(body, namespace, subresource)
        return self._send("PUT", _with_query(path, _options(dry_run)), "application/json", body)

    def apply(
        self,
        what: Object | Model | str | PathLike[str],
        *,
        namespace: str | None = None,
        field_manager: str = "kruise-python",
        force: bool = False,
        dry_run: bool = False,
    ) -> Objects:
        """Server-side apply of an object, or of all documents of a YAML file. Returns the objects as they are now."""
        docs = read_manifests(Path(what)) if isinstance(what, str | PathLike) else [_as_dict(what)]
        query = {**_options(dry_run), "fieldManager": field_manager, "force": "true" if force else ""}
        return [
            self._send("PATCH", _with_query(self._object_path(doc, namespace), query), _MEDIA_TYPES["apply"], doc) for doc in docs
        ]

    def patch(
        self,
        kind: str,
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        type: PatchType = "merge",
        namespace: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Patches the object: ``merge`` (RFC 7386), ``json`` (RFC 6902, a list) or ``strategic`` (built-in kinds only)."""
        path = self._path(self._kinds.by_word(kind), namespace, name, subresource)
        return self._send("PATCH", _with_query(path, _options(dry_run)), _MEDIA_TYPES[type], patch)

    def scale(self, kind: str, name: str, replicas: int, *, namespace: str | None = None) -> Object:
        """Sets the number of replicas through the scale subresource."""
        return self.patch(kind, name, {"spec": {"replicas": replicas}}, namespace=namespace, subresource="scale")

    def delete(
        self,
        kind: str,
        name: str,
        *,
        namespace: str | None = None,
        grace_period: int | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
        uid: str | None = None,
    ) -> Object:
        """Deletes the object; ``grace_period`` in seconds. With ``uid``, raises Conflict when another object has the name now."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        return self._send("DELETE", self._path(self._kinds.by_word(kind), namespace, name), "application/json", options)

    # -- the thin rest ---------------------------------------------------------------------------------------------

    def _path(self, kind: Kind, namespace: str | None, name: str, subresource: str | None = None) -> str:
        return kind.path((namespace or self.namespace) if kind.namespaced else None, name, subresource)

    def _object_path(self, obj: Object, namespace: str | None, subresource: str | None = None) -> str:
        name = obj.get("metadata", {}).get("name")
        if not name:
            raise KruiseError("metadata.name: required to address the object")
        kind = self._kind_of(obj)
        return kind.path(self._namespace_of(obj, namespace) if kind.namespaced else None, name, subresource)

    def _namespace_of(self, obj: Object, namespace: str | None) -> str:
        return str(obj.get("metadata", {}).get("namespace") or namespace or self.namespace)

    def _kind_of(self, obj: Object) -> Kind:
        for field in ("apiVersion", "kind"):
            if not obj.get(field):
                raise KruiseError(f"{field}: required to know the kind of the object")
        return self._kinds.by_version(obj["apiVersion"], obj["kind"])

    def _get_json(self, path: str) -> Object:
        answer: Object = json.loads(self._connection.request("GET", path, "", b""))
        return answer

    def _send(self, method: str, path: str, content_type: str, body: Any) -> Object:
        answer: Object = json.loads(self._connection.request(method, path, content_type, json.dumps(body).encode()))
        return answer


def _with_query(path: str, query: Mapping[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _options(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _as_dict(obj: Object | Model) -> Object:
    return dict(obj) if isinstance(obj, Mapping) else obj.to_dict()
