"""Names of kinds as people say them, and the path under which a server keeps them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .errors import KruiseError
from .models import _model as models


@dataclass(frozen=True, slots=True)
class Kind:
    """One served version of a kind."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """``/api/v1/namespaces/ns/pods/name/sub``; all namespaces when ``namespace`` is None."""
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        for part in (name, subresource):
            if part is not None:
                parts.append(quote(part, safe=""))
        return "/".join(parts)

    def answers_to(self, word: str) -> bool:
        """Whether people may mean this kind by ``word``: CloneSet, clonesets, cloneset, clone, clonesets.apps.kruise.io."""
        word = word.lower()
        bare, _, group = word.partition(".")
        if group and group != self.group:
            return False
        return bare in {self.plural, self.kind.lower(), *self.short_names}


# The kinds one meets in every rollout, so that no discovery is needed for them.
_KNOWN = (
    Kind("apps.kruise.io", "v1alpha1", "CloneSet", "clonesets", True, ("clone",)),
    Kind("", "v1", "Pod", "pods", True, ("po",)),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, ("pvc",)),
    Kind("", "v1", "Node", "nodes", False, ("no",)),
    Kind("", "v1", "Namespace", "namespaces", False, ("ns",)),
    Kind("", "v1", "ConfigMap", "configmaps", True, ("cm",)),
    Kind("", "v1", "Secret", "secrets", True),
    Kind("", "v1", "Event", "events", True, ("ev",)),
    Kind("apps", "v1", "ControllerRevision", "controllerrevisions", True),
    Kind("coordination.k8s.io", "v1", "Lease", "leases", True),
)

Fetch = Callable[[str], Mapping[str, Any]]


class KindTable:
    """Finds kinds by any of their names; asks the server's discovery for those it does not know."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._discovered: list[Kind] | None = None

    def by_word(self, word: str | type[models.Kind]) -> Kind:
        """The kind people mean by ``word``, or that of a model. Raises KruiseError where the server has none of that name."""
        if not isinstance(word, str):
            group, _, version = word.API_VERSION.rpartition("/")
            return Kind(group, version, word.KIND, word.PLURAL, word.NAMESPACED)
        for kind in _KNOWN:
            if kind.answers_to(word):
                return kind
        for kind in self._discovery():
            if kind.answers_to(word):
                return kind
        known = [name for kind in (*_KNOWN, *self._discovery()) for name in (kind.kind.lower(), kind.plural)]
        near = difflib.get_close_matches(word.lower(), known, n=1)
        self._discovered = None  # a CRD may arrive later
        raise KruiseError(f'the server has no kind "{word}"' + (f"; did you mean {near[0]}?" if near else ""))

    def by_version(self, api_version: str, kind_name: str) -> Kind:
        """The kind an object names itself."""
        for kind in (*_KNOWN, *self._discovery()):
            if kind.api_version == api_version and kind.kind == kind_name:
                return kind
        self._discovered = None
        raise KruiseError(f'the server has no kind "{kind_name}" in "{api_version}"')

    def _discovery(self) -> list[Kind]:
        if self._discovered is None:
            versions = [("", version) for version in self._fetch("/api").get("versions", [])]
            for group in self._fetch("/apis").get("groups", []):
                versions += [(group["name"], version["version"]) for version in group["versions"]]
            self._discovered = [kind for group, version in versions for kind in self._kinds_of(group, version)]
        return self._discovered

    def _kinds_of(self, group: str, version: str) -> list[Kind]:
        listed = self._fetch(f"/apis/{group}/{version}" if group else f"/api/{version}")
        return [
            Kind(group, version, r["kind"], r["name"], bool(r["namespaced"]), tuple(r.get("shortNames", ())))
            for r in listed.get("resources", [])
            if "/" not in r["name"]
        ]
