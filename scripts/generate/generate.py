#!/usr/bin/env python3
"""Writes every generated file of the repository from the CRDs and the schema files; `--check` only says what is not current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import core_tables  # noqa: E402
import cpp_kinds  # noqa: E402
import kinds  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def crd_files() -> list[Path]:
    """The CRDs of the chart, and those of the tests."""
    return [*sorted((ROOT / "charts/kruise/crds").glob("*.yaml")), *sorted((ROOT / "tests/data/crds").glob("*.yaml"))]


def outputs() -> dict[Path, str]:
    """All generated files with their text."""
    files: dict[Path, str] = {}
    files.update(core_tables.outputs(ROOT))
    typed = [version for path in crd_files() for version in kinds.load(path) if version.served]
    files.update(cpp_kinds.outputs(ROOT, typed))
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 when a file is not current")
    check = parser.parse_args().check
    stale = []
    for path, text in outputs().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'not current' if check else 'wrote'}: {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
