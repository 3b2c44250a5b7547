"""Reading YAML manifests, with errors that name the file and the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import KruiseError


def read_manifests(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML (or JSON) file, or of those in a folder by name. Raises KruiseError naming file and line where it
    is no such file."""
    if not path.is_dir():
        return _read_file(path)
    files = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml", ".json"))
    if not files:
        raise KruiseError(f"{path}: no .yaml, .yml or .json file in this folder")
    return [document for file in files for document in _read_file(file)]


def _read_file(path: Path) -> list[dict[str, Any]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise KruiseError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise KruiseError(f"{path}: not UTF-8 text") from error
    try:
        documents = [doc for doc in YAML(typ="safe", pure=True).load_all(text) if doc is not None]
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark is not None else ""
        raise KruiseError(f"{path}{where}: {getattr(error, 'problem', None) or error}") from error
    for index, document in enumerate(documents):
        if not isinstance(document, dict):
            raise KruiseError(f"{path}: document {index + 1} is no object")
    return documents
