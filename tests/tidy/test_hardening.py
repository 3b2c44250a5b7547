"""The release build is hardened: read from the ELF files themselves, so that a lost flag is seen."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"


def readelf(option: str, file: Path) -> str:
    """What `readelf` prints of the file."""
    return subprocess.run(["readelf", "-W", option, file], stdout=subprocess.PIPE, text=True, check=True).stdout


def weaknesses(file: Path, *, executable: bool) -> list[str]:
    """The protections that the file lacks, by name."""
    header, dynamic, segments, symbols = (readelf(option, file) for option in ("-h", "-d", "-l", "--dyn-syms"))
    stack = next((line for line in segments.splitlines() if "GNU_STACK" in line), "")
    present = {
        "position independent": "DYN" in header and (not executable or "PIE" in dynamic),
        "relro": "GNU_RELRO" in segments,
        "bind now": "BIND_NOW" in dynamic or "NOW" in dynamic,
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified": "_chk@" in symbols.replace("__stack_chk_fail@", ""),
        "stack not executable": bool(stack) and "RWE" not in stack,
        "no search path for libraries": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
    }
    return [name for name, there in present.items() if not there]


def built_files() -> list[Path]:
    """What the release build ships: the executables (not the tests) and the module."""
    executables = [file for file in (BUILD / "bin").glob("kruise-*") if file.is_file()]
    return [*executables, *(BUILD / "python" / "kruise").glob("_core*.so")]


def test_the_release_build_is_hardened() -> None:
    files = built_files()
    assert files, "make build comes first"
    found = {file.name: missing for file in files if (missing := weaknesses(file, executable=file.suffix != ".so"))}
    assert not found


def test_a_program_without_protection_is_found(tmp_path: Path) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no compiler")
    source = tmp_path / "weak.cpp"
    source.write_text('#include <cstdio>\nint main() { std::puts("weak"); }\n')
    flags = ["-no-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/nowhere"]
    subprocess.run([compiler, *flags, "-o", tmp_path / "weak", source], check=True)
    assert weaknesses(tmp_path / "weak", executable=True) == [
        "position independent",
        "relro",
        "bind now",
        "stack protector",
        "fortified",
        "stack not executable",
        "no search path for libraries",
    ]


def test_the_module_shows_only_its_entry() -> None:
    (module,) = (BUILD / "python" / "kruise").glob("_core*.so")
    listed = subprocess.run(["nm", "-D", "--defined-only", module], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert [line.split()[-1] for line in listed.splitlines()] == ["PyInit__core"]
