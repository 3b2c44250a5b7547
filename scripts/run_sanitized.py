"""Runs the scenarios in virtual time with the module of a sanitized build: scripts/run_sanitized.py asan|tsan [PYTEST ARGUMENTS].

Without arguments these are tests/scenarios on the embedded cluster, and of tests/faults the kills and sixty seeds. What a sanitizer
finds ends the process of the test, which fails the run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = {"asan": "libasan.so", "tsan": "libtsan.so"}
STORIES = [
    *("-m", "not real", "tests/scenarios"),
    "tests/faults/test_kills.py::test_killed_behind_each_write",
    *(f"tests/faults/test_soak.py::test_seeds[{first}]" for first in (1, 101, 201)),
]
# Python's own blocks live until the process ends; leaks of ours show in the C++ tests.
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:handle_abort=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}
# .venv has the package in editable form, whose finder would be asked before any path.
NO_EDITABLE = """\
import sys

sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildInplaceFinder"]
"""


def library(name: str) -> str:
    """The path of a library of the compiler's."""
    return subprocess.run(["g++", f"-print-file-name={name}"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def package(build: Path) -> Path:
    """A folder in which `kruise` is the sources of python/kruise with the module of this build."""
    folder = build / "python"
    for source in (ROOT / "python" / "kruise").iterdir():
        link = folder / "kruise" / source.name
        if source.suffix == ".so" or source.name == "__pycache__":
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    (folder / "sitecustomize.py").write_text(NO_EDITABLE)
    return folder


def main() -> int:
    """Runs pytest and returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset", choices=RUNTIME)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options, pytest_arguments = parser.parse_known_args()
    # The runtime has to be there before anything it watches; the interpreter brings no C++ library of its own for it to hook into.
    preload = " ".join(library(name) for name in (RUNTIME[options.preset], "libstdc++.so.6"))
    folder = package(ROOT / "build" / options.preset)
    environment = {**os.environ, **OPTIONS, "LD_PRELOAD": preload, "PYTHONPATH": str(folder), "PYTHONMALLOC": "malloc"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(options.jobs), "--dist", "worksteal"]
    return subprocess.run([*command, *(pytest_arguments or STORIES)], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
