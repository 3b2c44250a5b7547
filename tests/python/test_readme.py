"""The Python of README.md and of the package's own help, run as it stands."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import kruise

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_rolls_out(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert len(re.findall(r"^web-\w+ +1/1 +Running", capsys.readouterr().out, re.MULTILINE)) == 3


def test_the_help_of_the_package_rolls_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    example = inspect.getdoc(kruise) or ""
    code = re.sub("^    ", "", example[example.index("    import kruise") : example.index("Where to look")], flags=re.MULTILINE)
    exec(compile(code, "help(kruise)", "exec"), {})
    assert "Running" in capsys.readouterr().out


@pytest.mark.parametrize("name", kruise.__all__)
def test_every_public_name_has_help(name: str) -> None:
    thing = getattr(kruise, name)
    if isinstance(thing, str):
        return
    assert (inspect.getdoc(thing) or "").strip(), name
    if inspect.isclass(thing):
        public = [value for key, value in vars(thing).items() if not key.startswith("_") and inspect.isfunction(value)]
        assert not [value.__qualname__ for value in public if not inspect.getdoc(value)]
