"""What is generated is current, and a change that nobody regenerated is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ["cpp/api/schema", "charts/kruise/crds", "tests/data/crds"]


def generate(root: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/generate/generate.py"), "--root", str(root), *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def generated(root: Path) -> dict[str, str]:
    files = [*root.glob("cpp/api/generated/*"), *root.glob("python/kruise/models/*.py")]
    texts = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in files}
    return {path: text for path, text in texts.items() if "enerated by" in text.split("\n", 1)[0]}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in SOURCES:
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_regenerating_changes_nothing(copy: Path) -> None:
    assert generate(copy).returncode == 0
    fresh, committed = generated(copy), generated(ROOT)
    assert sorted(fresh) == sorted(committed)
    assert [path for path in fresh if fresh[path] != committed[path]] == [], "run make generate"
    assert all("make generate" in text.split("\n", 1)[0] for text in committed.values())


def test_a_field_that_was_added_by_hand_is_found(copy: Path) -> None:
    assert generate(copy).returncode == 0
    assert generate(copy, "--check").returncode == 0
    crd = copy / "charts/kruise/crds/apps.kruise.io_clonesets.yaml"
    crd.write_text(
        crd.read_text(encoding="utf-8").replace("How many pods are wanted. Absent", "How many pods one wants. Absent"),
        encoding="utf-8",
    )
    checked = generate(copy, "--check")
    assert checked.returncode == 1
    assert "not current: cpp/api/generated/clone_set.hpp" in checked.stdout
    assert "not current: python/kruise/models/apps_v1alpha1.py" in checked.stdout
