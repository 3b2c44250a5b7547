"""An unmodified kubectl, as its user has it: what it prints, and the status that it leaves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60


@cache
def executable() -> str:
    """The one that tests/real builds."""
    built = subprocess.run([ROOT / "tests" / "real" / "build.sh"], stdout=subprocess.PIPE, text=True, check=True)
    return f"{built.stdout.strip()}/kubectl"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    out: str
    err: str
    status: int


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a kubeconfig, in a namespace."""

    kubeconfig: Path
    home: Path  # keeps what it learned of the API, so that only the first command of a session asks for it
    namespace: str = "default"
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "") -> Done:
        """Runs it to its end."""
        done = subprocess.run(
            self._command(arguments),
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment(),
            timeout=LIMIT_S,
            check=False,
        )
        return Done(done.stdout, done.stderr, done.returncode)

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What it prints on standard output; that it fails fails the test."""
        done = self.run(*arguments, stdin=stdin)
        assert done.status == 0, f"kubectl {' '.join(arguments)}: status {done.status}\n{done.out}{done.err}"
        return done.out

    def fails(self, *arguments: str, stdin: str = "", status: int = 1) -> str:
        """What it prints on standard error when it ends with ``status``, as it must."""
        done = self.run(*arguments, stdin=stdin)
        assert done.status == status, f"kubectl {' '.join(arguments)}: status {done.status}\n{done.out}{done.err}"
        return done.err.strip()

    def json(self, *arguments: str) -> Any:
        """The object, or list of objects, that a ``get`` returns."""
        return json.loads(self("get", *arguments, "-o", "json"))

    def names(self, *arguments: str) -> list[str]:
        """The names that a ``get`` returns, as KIND/NAME."""
        return self("get", *arguments, "-o", "name").split()

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command that does not end by itself, with its output to read line by line."""
        process = subprocess.Popen(self._command(arguments), stdout=subprocess.PIPE, text=True, env=self._environment())
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [executable(), "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return {**kept, "HOME": str(self.home), **self.environment}
