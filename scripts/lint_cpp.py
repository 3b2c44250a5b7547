"""Runs clang-tidy on the project's own C++ files, and remembers which are clean.

A file is checked again when it, a header of ours that it reads, .clang-tidy or clang-tidy itself has changed.
Usage: scripts/lint_cpp.py [--jobs N]
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
CACHE = ROOT / "build" / ".lint"
CLANG_TIDY = ROOT / ".venv" / "bin" / "clang-tidy"


def own_files() -> list[Path]:
    """The .cpp files that people write."""
    listed = subprocess.run([ROOT / "scripts" / "cpp-files"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if line.endswith(".cpp")]


def compile_commands() -> dict[Path, list[str]]:
    """The command that compiles each file, without the launcher before the compiler."""
    commands = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        if Path(words[0]).name == "ccache":
            words = words[1:]
        commands[Path(entry["file"])] = words
    return commands


def own_headers_of(command: list[str]) -> list[Path]:
    """The project's files that this translation unit reads."""
    words = [*command[: command.index("-o")], *command[command.index("-o") + 2 :]]
    words = [word for word in words if word not in ("-c", "-MD")]
    listed = subprocess.run([*words, "-MM"], cwd=BUILD, stdout=subprocess.PIPE, text=True, check=True).stdout
    names = listed.replace("\\\n", " ").split()[1:]
    return sorted(Path(name) for name in names if Path(name).is_relative_to(ROOT))


def key_of(file: Path, command: list[str], version: str) -> str:
    """Changes when anything changes that clang-tidy's findings in own code depend on."""
    digest = hashlib.sha256(version.encode())
    digest.update((ROOT / ".clang-tidy").read_bytes())
    digest.update("\0".join(command).encode())
    for path in [file, *own_headers_of(command)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def check(file: Path, command: list[str], version: str) -> str:
    """Returns clang-tidy's findings in the file; empty when it is clean."""
    mark = CACHE / key_of(file, command, version)
    if mark.exists():
        return ""
    done = subprocess.run([CLANG_TIDY, "--quiet", "-p", BUILD, file], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        mark.touch()
        return ""
    return done.stdout or done.stderr


def main() -> int:
    """Checks all and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([CLANG_TIDY, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    commands = compile_commands()
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(check, file, commands[file], version): file for file in own_files() if file in commands}
        for done in concurrent.futures.as_completed(jobs):
            if findings := done.result():
                bad += 1
                print(findings, flush=True)
    print(f"clang-tidy: {len(jobs)} files, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
