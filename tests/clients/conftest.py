"""An embedded cluster for each module, and the Go clients."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from built import built

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where a fresh embedded cluster without nodes serves."""
    with subprocess.Popen([built("kruise-cluster")], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def go_clients() -> Path:
    """The folder of their executables."""
    return Path(subprocess.run([HERE / "build.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
