"""Finding and running the ``kruise-manager`` executable that came with this package."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from kruise.errors import KruiseError

_NAME = "kruise-manager"


def manager_path() -> Path:
    """The executable: beside this interpreter's scripts, in the build tree of a source checkout, or on the PATH."""
    scripts = Path(sys.executable).parent / _NAME
    checkout = Path(__file__).resolve().parents[3] / "build" / "release" / "bin" / _NAME
    for candidate in (scripts, checkout):
        if os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which(_NAME)
    if found is None:
        raise KruiseError(f"{_NAME} is not installed: neither at {scripts}, nor at {checkout}, nor on the PATH")
    return Path(found)


def run_manager(arguments: Sequence[str]) -> NoReturn:
    """Becomes the manager: signals and exit status are its own."""
    path = manager_path()
    os.execv(path, [str(path), *arguments])
