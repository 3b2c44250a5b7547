"""The real server's answers as recorded, and the differences that are allowed to the embedded cluster."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sequence import HERE, Difference

RECORDED = HERE / "recorded.json"
DRAWN = HERE / "recorded_drawn.json"  # the answers to the requests of drawn.SEED


def load(file: Path = RECORDED) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(file.read_text())["answers"]
    return answers


def save(answers: dict[str, Any], file: Path = RECORDED) -> None:
    note = "Written by `python3 tests/conformance record` from a real API server's answers."
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(answer, sort_keys=True)}" for name, answer in answers.items())
    file.write_text(f'{{"note": {json.dumps(note)}, "answers": {{\n{lines}\n}}}}\n')


@dataclass(frozen=True)
class Allowed:
    """Entries of allowed.yaml: request and path (both may hold `*`) and the reason."""

    entries: tuple[dict[str, str], ...]

    def reason(self, difference: Difference) -> str:
        """Why it is allowed; empty when it is not."""
        for entry in self.entries:
            # Brackets of a path are no character class.
            path = entry["path"].replace("[", "[[]")
            if fnmatch.fnmatchcase(difference.request, entry["request"]) and fnmatch.fnmatchcase(difference.path, path):
                return entry["reason"]
        return ""


def allowed() -> Allowed:
    return Allowed(tuple(yaml.safe_load((HERE / "allowed.yaml").read_text())["differences"]))
