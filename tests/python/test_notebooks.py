"""The notebooks run, and show what they show in the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import run_notebooks


@pytest.mark.parametrize("path", sorted(run_notebooks.FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_gives_what_is_stored(path: Path) -> None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert (stored["nbformat"], stored["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in stored["cells"]}) == len(stored["cells"])
    assert run_notebooks.executed(stored) == stored, "run `make notebooks`, and look at what changed"
    assert path.read_text(encoding="utf-8") == run_notebooks.text_of(stored)
