"""The kubeconfig that ``kruise cluster up`` writes: a context of its own, beside whatever else the file holds."""

from __future__ import annotations

import contextlib
import http.client
import os
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kruise.cluster import kubeconfig as kubeconfig_text
from kruise.errors import KruiseError

_NAME = "kruise"
_LOCAL = "127.0.0.1"
_PROBE_LIMIT_S = 2.0


class KubeconfigFile:
    """A kubeconfig to be. Everything in the file that is not named ``kruise`` stays; so does the current context, if it has one.

    Raises KruiseError, naming the file, when it is no kubeconfig, cannot be written, or leads to another cluster that is in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = Path(os.path.realpath(path))
        self._content = self._read()
        self._refuse_another_cluster()
        self._check_folder()

    @property
    def others(self) -> list[str]:
        """The names of the contexts that are not ours."""
        return [entry["name"] for entry in self._entries("contexts") if entry["name"] != _NAME]

    @property
    def is_current(self) -> bool:
        """Whether kubectl takes our context without being told."""
        return self._current() == _NAME

    def write(self, url: str) -> None:
        """Puts a cluster, a user and a context ``kruise`` for ``url`` into the file, in one step."""
        ours = _yaml().load(kubeconfig_text(url))
        if self._content is None:
            self._content = ours
        for section in ("clusters", "users", "contexts"):
            kept = [entry for entry in self._entries(section) if entry["name"] != _NAME]
            self._content[section] = kept + list(ours[section])
        self._content["current-context"] = self._current()
        text = StringIO()
        _yaml().dump(self._content, text)
        try:
            self._replace(text.getvalue())
        except OSError as error:
            raise self._refusal(error.strerror or str(error)) from error

    def _current(self) -> str:
        named = (self._content or {}).get("current-context")
        return named if named in self.others else _NAME

    def _read(self) -> Any:
        from ruamel.yaml.error import YAMLError

        try:
            content = _yaml().load(self._target.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refusal(error.strerror or str(error)) from error
        except (YAMLError, UnicodeDecodeError) as error:
            raise self._refusal("it exists and is not YAML; name another file") from error
        if content is None:
            return None
        if not isinstance(content, dict) or content.get("kind") != "Config" or not _well_formed(content):
            raise self._refusal("it exists and is no kubeconfig; name another file")
        return content

    def _entries(self, section: str) -> list[Any]:
        return list((self._content or {}).get(section) or [])

    def _refuse_another_cluster(self) -> None:
        for entry in self._entries("clusters"):
            server = str((entry.get("cluster") or {}).get("server", ""))
            if entry["name"] != _NAME or not server:
                continue
            if not _is_embedded(server):
                raise self._refusal(f'its cluster "{_NAME}" is another one, {server}; name another file')
            if _answers(server):
                raise self._refusal(f"it leads to a cluster that is running at {server}; end that, or name another file")

    def _check_folder(self) -> None:
        folder = self._target.parent
        if not folder.is_dir():
            raise self._refusal(f"there is no folder {folder}")
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            raise self._refusal(f"the folder {folder} is not writable")

    def _replace(self, text: str) -> None:
        handle, name = tempfile.mkstemp(dir=self._target.parent, prefix=f".{self._target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            if self._target.exists():
                Path(name).chmod(self._target.stat().st_mode & 0o777)
            Path(name).replace(self._target)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _refusal(self, why: str) -> KruiseError:
        return KruiseError(f"--kubeconfig {self.path}: {why}")


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4096  # tokens and certificates stay on a line
    yaml.preserve_quotes = True
    return yaml


def _well_formed(content: dict[str, Any]) -> bool:
    for section in ("clusters", "users", "contexts"):
        entries = content.get(section) or []
        if not isinstance(entries, list) or not all(isinstance(e, dict) and isinstance(e.get("name"), str) for e in entries):
            return False
    return True


def _is_embedded(server: str) -> bool:
    url = urlsplit(server)
    return url.scheme == "http" and url.hostname == _LOCAL and url.port is not None


def _answers(server: str) -> bool:
    """Whether a Kubernetes API answers there, rather than nobody, or somebody who took over the port."""
    url = urlsplit(server)
    connection = http.client.HTTPConnection(_LOCAL, url.port, timeout=_PROBE_LIMIT_S)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/version")
        return b"gitVersion" in connection.getresponse().read()
    return False
