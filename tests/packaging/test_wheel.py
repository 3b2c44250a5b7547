"""`pip install .` gives the package, the command and the manager."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (built,) = folder.glob("kruise-*.whl")
    return built


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_wheel_carries_module_command_and_manager(wheel: Path, tmp_path: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "kruise/py.typed" in names
    assert "kruise/crds/apps.kruise.io_clonesets.yaml" in names
    assert [name for name in names if name.startswith("kruise/_core.cpython")]
    assert not [name for name in names if name.startswith(("tests/", "build/", "cpp/"))]

    # The dependencies come from the environment that runs the tests; the package itself only from the wheel.
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    scripts = tmp_path / "venv" / "bin"
    install = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    located = subprocess.run(
        [scripts / "python", "-c", "import kruise._core as core; print(core.__file__, core.__version__)"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    assert str(tmp_path) in located
    for command in ("kruise", "kruise-manager"):
        assert os.access(scripts / command, os.X_OK), command
