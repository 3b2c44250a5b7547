"""The ``kruise`` command."""

from __future__ import annotations

import sys

from .app import app


def main() -> None:
    """Entry point: errors of this package become one line on stderr and status 1."""
    from kruise.errors import KruiseError

    try:
        app()
    except KruiseError as error:
        print(f"kruise: {error}", file=sys.stderr)
        sys.exit(1)


__all__ = ["app", "main"]
