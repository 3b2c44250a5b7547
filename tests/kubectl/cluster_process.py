"""`kruise cluster up` as a process under test."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, closing
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

LIMIT_S = 60


def kruise(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end; for those that end at once."""
    return subprocess.run(
        [sys.executable, "-m", "kruise", *arguments], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


class ClusterUp:
    """Starts at once and returns when it serves; ends with the ``with`` block at the latest."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._errors = (folder / "errors").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kruise", "cluster", "up", *flags],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.printed: dict[str, str] = {}
        assert self.process.stdout
        for line in self.process.stdout:
            label, _, text = line.strip().partition(" ")
            self.printed[label] = text.strip()
            if label == "try":
                break
        else:
            said = self.errors()
            self.kill()
            raise AssertionError(f"it does not serve, and says: {said}")
        self.url = self.printed["cluster"].split(",")[0]

    def __enter__(self) -> ClusterUp:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def kill(self) -> None:
        """As kill -9 does."""
        assert self.process.stdout
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._errors.close()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Sends the signal, as Ctrl-C does. Returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=LIMIT_S)

    def errors(self) -> str:
        """What it has written on standard error."""
        self._errors.seek(0)
        return self._errors.read()

    def connection(self) -> AbstractContextManager[HTTPConnection]:
        """To its API."""
        return closing(HTTPConnection(urlsplit(self.url).netloc, timeout=LIMIT_S))

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request on a connection of its own."""
        with self.connection() as connection:
            return call(connection, method, path, body)


def call(connection: HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The status and the answer. Raises OSError or HTTPException when no whole answer comes."""
    headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
