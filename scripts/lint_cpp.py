"""Runs clang-tidy on the project's own C++ files, and remembers which are clean.

A file is checked again when it, a header of ours that it reads, its compile command, a .clang-tidy above it, clang-tidy
itself or a library's package has changed. What is clean is remembered outside the tree, in ~/.cache/kruise/lint, so that
a fresh clone pays only for what changed since another one was checked.
Usage: scripts/lint_cpp.py [--jobs N] [FILE...]
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kruise" / "lint"
CLANG_TIDY = ROOT / ".venv" / "bin" / "clang-tidy"
INCLUDE_ROOTS = [ROOT / "cpp", ROOT / "tests" / "cpp", ROOT / "bench"]
UNUSED_DAYS_MAX = 60


def output_of(*command: str | Path) -> str:
    """What the command prints."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def own_files() -> list[Path]:
    """The .cpp files that people write."""
    return [ROOT / line for line in output_of(ROOT / "scripts" / "cpp-files").splitlines() if line.endswith(".cpp")]


def compile_commands() -> dict[Path, str]:
    """The command that compiles each file, without the launcher before the compiler and without the tree's own path."""
    commands = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        if Path(words[0]).name == "ccache":
            words = words[1:]
        commands[Path(entry["file"])] = "\0".join(words).replace(str(ROOT), "")
    return commands


@functools.cache
def text_of(file: Path) -> bytes:
    """The file's content."""
    return file.read_bytes()


@functools.cache
def own_includes(file: Path) -> tuple[Path, ...]:
    """The project's headers that the file names."""
    names = re.findall(rb'^\s*#\s*include\s*"([^"]+)"', text_of(file), re.MULTILINE)
    places = ([file.parent / name.decode()] + [root / name.decode() for root in INCLUDE_ROOTS] for name in names)
    return tuple(next((place for place in each if place.exists()), file) for each in places)


def own_files_read(file: Path) -> list[Path]:
    """The file and all of the project's headers that it reads, near and far."""
    seen = {file}
    waiting = [file]
    while waiting:
        for header in own_includes(waiting.pop()):
            if header not in seen:
                seen.add(header)
                waiting.append(header)
    return sorted(seen)


@functools.cache
def configuration_of(folder: Path) -> bytes:
    """The .clang-tidy files from the folder up to the root of the tree."""
    own = folder / ".clang-tidy"
    above = b"" if folder == ROOT else configuration_of(folder.parent)
    return above + (own.read_bytes() if own.exists() else b"")


def foreign_versions() -> str:
    """The versions of all that findings depend on and that is not in the tree: clang-tidy, the libraries, the compiler's headers."""
    versions = output_of(CLANG_TIDY, "--version")
    versions += "".join(line for line in (ROOT / "requirements" / "dev.txt").open() if line.startswith("pybind11"))
    if shutil.which("dpkg-query"):
        versions += "".join(
            line
            for line in output_of("dpkg-query", "-W", "-f", "${Package} ${Version}\n").splitlines(keepends=True)
            if re.match(r"lib\S*-dev |nlohmann-json|libstdc\+\+|g\+\+|python3-dev", line)
        )
    return versions


def key_of(file: Path, command: str, versions: str) -> str:
    """Changes when anything changes that clang-tidy's findings in own code depend on."""
    digest = hashlib.sha256(f"{versions}\0{command}\0".encode())
    digest.update(configuration_of(file.parent))
    for path in own_files_read(file):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(text_of(path))
    return digest.hexdigest()


def check(file: Path, mark: Path) -> str:
    """Returns clang-tidy's findings in the file; empty when it is clean."""
    done = subprocess.run([CLANG_TIDY, "--quiet", "-p", BUILD, file], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        mark.touch()
        return ""
    return done.stdout or done.stderr


def forget_unused() -> None:
    """Drops the marks that no run has asked for in a long time."""
    oldest = time.time() - UNUSED_DAYS_MAX * 86400
    for mark in CACHE.iterdir():
        if mark.stat().st_mtime < oldest:
            mark.unlink(missing_ok=True)


def main() -> int:
    """Checks all, or the files named, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    versions = foreign_versions()
    commands = compile_commands()
    files = [file for file in ([path.resolve() for path in options.files] or own_files()) if file in commands]
    marks = {file: CACHE / key_of(file, commands[file], versions) for file in files}
    unknown = [file for file, mark in marks.items() if not mark.exists()]
    for file in marks.keys() - set(unknown):
        marks[file].touch()
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(check, file, marks[file]) for file in unknown]):
            if findings := done.result():
                bad += 1
                print(findings, flush=True)
    forget_unused()
    print(f"clang-tidy: {len(files)} files, {len(unknown)} checked anew, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
