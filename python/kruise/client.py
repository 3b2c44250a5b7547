"""A client of a Kubernetes API server, or of an embedded cluster, with kubectl's verbs.

Objects are plain dictionaries, or the generated models of :mod:`kruise.models`: what goes in as a model comes out as one.

    client = kruise.Client()                    # kubeconfig, in-cluster or $HOME/.kube/config, as kubectl finds it
    client.apply("web.yaml")
    web = client.get("clone", "web")            # a dictionary; client.get(CloneSet, "web") is a CloneSet
    client.patch("clone", "web", {"spec": {"updateStrategy": {"partition": "50%"}}})
    print(client.table("pods", selector={"app": "web"}))
    for event in client.watch("pods", selector="app=web", timeout=60):
        print(event.type, event.object["metadata"]["name"])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, TypeVar, overload
from urllib.parse import urlencode

from . import _core
from ._kinds import Kind, KindTable
from ._manifests import read_manifests
from ._table import ACCEPT, Table, table_from
from ._watch import Watch, WatchEvent
from .errors import KruiseError, NotFound
from .models import _model as models

__all__ = ["Client", "Table", "Watch", "WatchEvent"]

Object = dict[str, Any]
Objects = list[Object]
PatchType = Literal["merge", "strategic", "json"]
Selector = str | Mapping[str, str]
K = TypeVar("K", bound=models.Kind)

_MEDIA_TYPES: dict[str, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
_APPLY = "application/apply-patch+yaml"
_PAGE_SIZE = 500


class Client:
    """Reads and writes objects. Safe to share between threads; every call can be interrupted with Ctrl-C.

    A ``kind`` is any name that kubectl takes ("pods", "po", "CloneSet", "clonesets.apps.kruise.io"), or a model, and then models
    come back. Where a call names no namespace, ``namespace`` is meant: the context's, else ``default``. A ``selector`` is
    kubectl's text ("app=web,tier!=db") or a dictionary of labels.

    Errors of the server are those of :mod:`kruise.errors`; a kubeconfig that cannot be used is a KruiseError naming file and field.
    """

    def __init__(
        self,
        *,
        kubeconfig: str | PathLike[str] | None = None,
        context: str | None = None,
        namespace: str | None = None,
        _connection: _core.Connection | None = None,
        _now: Callable[[], datetime] | None = None,
    ) -> None:
        self._connection = _connection or open_connection(kubeconfig, context)
        self._now = _now or (lambda: datetime.now(tz=UTC))
        self.namespace = namespace or self._connection.namespace or "default"
        self._kinds = KindTable(self._get_json)

    # -- reading ---------------------------------------------------------------------------------------------------

    @overload
    def get(self, kind: type[K], name: str, *, namespace: str | None = None, subresource: str | None = None) -> K: ...
    @overload
    def get(self, kind: str, name: str, *, namespace: str | None = None, subresource: str | None = None) -> Object: ...
    def get(
        self, kind: str | type[models.Kind], name: str, *, namespace: str | None = None, subresource: str | None = None
    ) -> Any:
        """The object of this name. Raises NotFound where there is none."""
        return _made_of(kind)(self._get_json(self._path(self._kinds.by_word(kind), namespace, name, subresource)))

    @overload
    def list(
        self,
        kind: type[K],
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: Selector = "",
        field_selector: Selector = "",
    ) -> list[K]: ...
    @overload
    def list(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: Selector = "",
        field_selector: Selector = "",
    ) -> Objects: ...
    def list(
        self,
        kind: str | type[models.Kind],
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: Selector = "",
        field_selector: Selector = "",
    ) -> Any:
        """All objects that match, read in pages of 500."""
        found = self._kinds.by_word(kind)
        path = found.path(None if all_namespaces else namespace or self.namespace)
        items: Objects = []
        query = {**_selection(selector, field_selector), "limit": str(_PAGE_SIZE)}
        while True:
            page = self._get_json(_with_query(path, query))
            items += page.get("items") or []
            token = page.get("metadata", {}).get("continue")
            if not token:
                break
            query["continue"] = token
        make = _made_of(kind)
        return [make({"apiVersion": found.api_version, "kind": found.kind, **item}) for item in items]

    def table(
        self,
        kind: str | type[models.Kind],
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: Selector = "",
        field_selector: Selector = "",
        wide: bool = False,
    ) -> Table:
        """What ``kubectl get`` shows: the server's columns, a row an object. ``wide`` adds the columns of ``-o wide``.

        ``pandas.DataFrame(client.table("pods").records())`` is a data frame.
        """
        path = self._kinds.by_word(kind).path(None if all_namespaces else namespace or self.namespace)
        answer = self._get_json(_with_query(path, _selection(selector, field_selector)), ACCEPT)
        return table_from(answer, now=self._now(), wide=wide, namespaces=all_namespaces)

    @overload
    def watch(
        self,
        kind: type[K],
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: Selector = "",
        field_selector: Selector = "",
        name: str | None = None,
        timeout: float | None = None,
    ) -> Watch[K]: ...
    @overload
    def watch(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: Selector = "",
        field_selector: Selector = "",
        name: str | None = None,
        timeout: float | None = None,
    ) -> Watch[Object]: ...
    def watch(
        self,
        kind: str | type[models.Kind],
        *,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: Selector = "",
        field_selector: Selector = "",
        name: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """What there is (as ADDED) and then every change, until ``timeout`` seconds have passed (None: for ever).

        Broken streams are taken up again where they ended (it gives up after six in a row, some seconds); after a compaction (410)
        the objects come as ADDED once more. On a cluster in virtual time the iteration ends when no further event is due.
        """
        path = self._kinds.by_word(kind).path(None if all_namespaces else namespace or self.namespace)
        query = _selection(selector, field_selector)
        if name is not None:
            query["fieldSelector"] = ",".join(part for part in (query["fieldSelector"], f"metadata.name={name}") if part)
        return self._watch(path, query, _made_of(kind), timeout)

    @overload
    def wait(
        self, kind: type[K], name: str, until: Callable[[K], bool], *, namespace: str | None = None, timeout: float = 60
    ) -> K: ...
    @overload
    def wait(
        self, kind: str, name: str, until: Callable[[Object], bool], *, namespace: str | None = None, timeout: float = 60
    ) -> Object: ...
    @overload
    def wait(
        self, kind: str | type[K], name: str, until: Literal["deleted"], *, namespace: str | None = None, timeout: float = 60
    ) -> None: ...
    def wait(
        self,
        kind: str | type[models.Kind],
        name: str,
        until: Callable[[Any], bool] | Literal["deleted"],
        *,
        namespace: str | None = None,
        timeout: float = 60,
    ) -> Any:
        """Waits until the object is as wanted, and returns it; or until it is ``"deleted"``.

            client.wait("clone", "web", lambda web: web["status"].get("readyReplicas") == 20)

        The condition is asked at each change; what it lacks (KeyError) means "not yet". Raises TimeoutError after ``timeout``
        seconds. An object that does not exist yet is waited for. In virtual time use ``Cluster.run_until``.
        """
        what = kind if isinstance(kind, str) else kind.KIND
        if until == "deleted":
            try:
                found = self._get_json(self._path(self._kinds.by_word(kind), namespace, name))
            except NotFound:
                return None
            path = self._kinds.by_word(kind).path(namespace or self.namespace)
            query = {"fieldSelector": f"metadata.name={name}"}
            with self._watch(path, query, _unchanged, timeout, after=found) as ends:
                if any(event.type == "DELETED" for event in ends):
                    return None
            raise TimeoutError(f"{what} {name}: not deleted after {timeout:g} s")
        with self.watch(kind, namespace=namespace, name=name, timeout=timeout) as changes:
            for event in changes:
                if event.type != "DELETED" and _holds(until, event.object):
                    return event.object
        raise TimeoutError(f"{what} {name}: not as wanted after {timeout:g} s")

    # -- writing ---------------------------------------------------------------------------------------------------

    @overload
    def create(self, obj: K, *, namespace: str | None = None, dry_run: bool = False) -> K: ...
    @overload
    def create(self, obj: Mapping[str, Any], *, namespace: str | None = None, dry_run: bool = False) -> Object: ...
    def create(self, obj: Mapping[str, Any] | models.Kind, *, namespace: str | None = None, dry_run: bool = False) -> Any:
        """Creates the object. Raises AlreadyExists, or Invalid naming the fields."""
        body = _as_dict(obj)
        kind = self._kind_of(body)
        path = kind.path(self._namespace_of(body, namespace) if kind.namespaced else None)
        return _made_as(obj, self._send("POST", _with_query(path, _options(dry_run)), "application/json", body))

    @overload
    def replace(self, obj: K, *, namespace: str | None = None, subresource: str | None = None, dry_run: bool = False) -> K: ...
    @overload
    def replace(
        self, obj: Mapping[str, Any], *, namespace: str | None = None, subresource: str | None = None, dry_run: bool = False
    ) -> Object: ...
    def replace(
        self,
        obj: Mapping[str, Any] | models.Kind,
        *,
        namespace: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Any:
        """Replaces the object as a whole. With a resourceVersion in it, raises Conflict when the object has changed since."""
        body = _as_dict(obj)
        path = self._object_path(body, namespace, subresource)
        return _made_as(obj, self._send("PUT", _with_query(path, _options(dry_run)), "application/json", body))

    @overload
    def apply(
        self, what: K, *, namespace: str | None = None, field_manager: str = ..., force: bool = False, dry_run: bool = False
    ) -> K: ...
    @overload
    def apply(
        self,
        what: Mapping[str, Any],
        *,
        namespace: str | None = None,
        field_manager: str = ...,
        force: bool = False,
        dry_run: bool = False,
    ) -> Object: ...
    @overload
    def apply(
        self,
        what: str | PathLike[str],
        *,
        namespace: str | None = None,
        field_manager: str = ...,
        force: bool = False,
        dry_run: bool = False,
    ) -> Objects: ...
    def apply(
        self,
        what: Mapping[str, Any] | models.Kind | str | PathLike[str],
        *,
        namespace: str | None = None,
        field_manager: str = "kruise-python",
        force: bool = False,
        dry_run: bool = False,
    ) -> Any:
        """Server-side apply of an object, or of all documents of a YAML file, or of all such files of a folder.

        Returns the object as it is now, of files a list of them. ``force`` takes over fields that others manage, which is a
        Conflict else.
        """
        query = {**_options(dry_run), "fieldManager": field_manager, "force": "true" if force else ""}

        def send(doc: Object) -> Object:
            return self._send("PATCH", _with_query(self._object_path(doc, namespace), query), _APPLY, doc)

        if isinstance(what, str | PathLike):
            return [send(doc) for doc in read_manifests(Path(what).expanduser())]
        return _made_as(what, send(_as_dict(what)))

    @overload
    def patch(
        self,
        kind: type[K],
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        type: PatchType = "merge",
        namespace: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> K: ...
    @overload
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
    ) -> Object: ...
    def patch(
        self,
        kind: str | type[models.Kind],
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        type: PatchType = "merge",
        namespace: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Any:
        """Patches the object: ``merge`` (RFC 7386), ``json`` (RFC 6902, a list) or ``strategic`` (built-in kinds only)."""
        if type not in _MEDIA_TYPES:
            raise ValueError(f"type: {type!r} is none of {', '.join(_MEDIA_TYPES)}; server-side apply is the verb apply")
        if isinstance(patch, Mapping) == (type == "json"):
            wanted = "a list of operations" if type == "json" else 'a dictionary; a list is a patch of type="json"'
            raise TypeError(f"patch: of type {type!r} it is {wanted}")
        path = self._path(self._kinds.by_word(kind), namespace, name, subresource)
        return _made_of(kind)(self._send("PATCH", _with_query(path, _options(dry_run)), _MEDIA_TYPES[type], patch))

    def scale(self, kind: str | type[models.Kind], name: str, replicas: int, *, namespace: str | None = None) -> Object:
        """Sets the number of replicas through the scale subresource."""
        word = kind if isinstance(kind, str) else kind.PLURAL
        return self.patch(word, name, {"spec": {"replicas": replicas}}, namespace=namespace, subresource="scale")

    def delete(
        self,
        kind: str | type[models.Kind],
        name: str,
        *,
        namespace: str | None = None,
        grace_period: int | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
        uid: str | None = None,
        missing_ok: bool = False,
    ) -> Object | None:
        """Deletes the object; ``grace_period`` in seconds. With ``uid``, raises Conflict when another object has the name now.

        Returns at once with the server's answer, mostly before the object is gone (``wait(kind, name, "deleted")`` waits for it);
        None where there was none and ``missing_ok``.
        """
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            return self._send("DELETE", self._path(self._kinds.by_word(kind), namespace, name), "application/json", options)
        except NotFound:
            if missing_ok:
                return None
            raise

    def __repr__(self) -> str:
        return f"<kruise.Client of {self._connection.server}, namespace {self.namespace}>"

    # -- the thin rest ---------------------------------------------------------------------------------------------

    def _watch(
        self,
        path: str,
        query: dict[str, str],
        made_of: Callable[[Object], Any],
        timeout: float | None,
        after: Object | None = None,
    ) -> Watch[Any]:
        def with_query(more: dict[str, str]) -> str:
            return _with_query(path, {**query, **more})

        return Watch(self._get_json, self._connection.watch, with_query, made_of, timeout, after)

    def _path(self, kind: Kind, namespace: str | None, name: str, subresource: str | None = None) -> str:
        if not name:
            raise ValueError("name: must not be empty; list() is for all objects")
        return kind.path((namespace or self.namespace) if kind.namespaced else None, name, subresource)

    def _object_path(self, obj: Object, namespace: str | None, subresource: str | None = None) -> str:
        kind = self._kind_of(obj)
        name = obj.get("metadata", {}).get("name")
        if not name:
            raise KruiseError("metadata.name: required to address the object")
        return kind.path(self._namespace_of(obj, namespace) if kind.namespaced else None, name, subresource)

    def _namespace_of(self, obj: Object, namespace: str | None) -> str:
        return str(obj.get("metadata", {}).get("namespace") or namespace or self.namespace)

    def _kind_of(self, obj: Object) -> Kind:
        for field in ("apiVersion", "kind"):
            if not obj.get(field):
                raise KruiseError(f"{field}: required to know the kind of the object")
        return self._kinds.by_version(obj["apiVersion"], obj["kind"])

    def _get_json(self, path: str, accept: str = "") -> Object:
        answer: Object = json.loads(self._connection.request("GET", path, "", b"", accept))
        return answer

    def _send(self, method: str, path: str, content_type: str, body: Any) -> Object:
        answer: Object = json.loads(self._connection.request(method, path, content_type, json.dumps(body).encode()))
        return answer


def open_connection(kubeconfig: str | PathLike[str] | None, context: str | None) -> _core.Connection:
    """A connection to the server of a kubeconfig; ``~`` is the home. Raises KruiseError naming file and field."""
    return _core.Connection.rest(fspath(Path(kubeconfig).expanduser()) if kubeconfig else "", context or "")


def _with_query(path: str, query: Mapping[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _options(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _selection(selector: Selector, field_selector: Selector) -> dict[str, str]:
    return {"labelSelector": _selector_text(selector), "fieldSelector": _selector_text(field_selector)}


def _selector_text(selector: Selector) -> str:
    return selector if isinstance(selector, str) else ",".join(f"{key}={value}" for key, value in selector.items())


def _as_dict(obj: Any) -> Object:
    if isinstance(obj, models.Kind):
        return obj.to_dict()
    if isinstance(obj, Mapping):
        return dict(obj)
    raise TypeError(f"expected an object as a dictionary or a model, found {type(obj).__name__}")


def _made_of(kind: Any) -> Callable[[Object], Any]:
    """What turns the server's answer into what the caller asked for by."""
    return _unchanged if isinstance(kind, str) else kind.from_dict


def _made_as(example: Any, answer: Object) -> Any:
    return type(example).from_dict(answer) if isinstance(example, models.Kind) else answer


def _unchanged(answer: Object) -> Object:
    return answer


def _holds(until: Callable[[Any], bool], obj: Any) -> bool:
    try:
        return bool(until(obj))
    except KeyError:
        return False
