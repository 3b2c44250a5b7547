#!/usr/bin/env python3
"""Writes every generated file of the repository from the CRDs and the schema files; `--check` only says what is not current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import core_tables
import cpp_kinds
import kinds
import python_models


def crd_files(root: Path) -> list[Path]:
    """The CRDs of the chart, and those of the tests."""
    return [*sorted((root / "charts/kruise/crds").glob("*.yaml")), *sorted((root / "tests/data/crds").glob("*.yaml"))]


def outputs(root: Path) -> dict[Path, str]:
    """All generated files with their text."""
    files: dict[Path, str] = {}
    files.update(core_tables.outputs(root))
    typed = [version for path in crd_files(root) for version in kinds.load(path) if version.served]
    files.update(cpp_kinds.outputs(root, typed))
    # Builders are for every version that a server may have, in a module each: what is not served yet will be.
    declared = [version for path in crd_files(root) for version in kinds.load(path, plain_names=True)]
    files.update(python_models.outputs(root, [kind for kind in declared if not kind.group.startswith("test.")]))
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 when a file is not current")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="the tree to read and write")
    args = parser.parse_args()
    check, root = args.check, args.root.resolve()
    stale = []
    for path, text in outputs(root).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(root))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'not current' if check else 'wrote'}: {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
