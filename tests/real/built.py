"""Finds executables of a build tree."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def built(name: str) -> str:
    """The executable of that name: of the tree that KRUISE_BUILD names, else the newest of those under build/."""
    chosen = os.environ.get("KRUISE_BUILD")
    trees = [Path(chosen)] if chosen else sorted((ROOT / "build").glob("*"))
    found = [tree / "bin" / name for tree in trees if (tree / "bin" / name).is_file()]
    if not found:
        raise FileNotFoundError(f"{name} is not built: looked for bin/{name} in {', '.join(map(str, trees)) or ROOT / 'build'}")
    return str(max(found, key=lambda path: path.stat().st_mtime))
