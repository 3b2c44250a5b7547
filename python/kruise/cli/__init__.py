"""The ``kruise`` command."""

from __future__ import annotations

import sys
from typing import Any

from .app import app

_USAGE = 2
_INTERRUPTED = 130


def main() -> None:
    """Entry point. What the user can mend becomes one line on stderr: status 2 for a wrong command line, else 1."""
    from kruise.errors import KruiseError

    try:
        sys.exit(app(prog_name="kruise", standalone_mode=False) or 0)
    except KruiseError as error:
        print(f"kruise: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception as error:
        # Typer's errors have no common class in all the releases that we accept, but these members.
        if not hasattr(error, "format_message"):
            raise
        sys.exit(_explain_usage(error))


def _explain_usage(error: Any) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return _USAGE
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "kruise"
    usage = context.get_usage().strip() if context is not None else "Usage: kruise [OPTIONS] COMMAND [ARGS]..."
    print(f"{path}: {' '.join(error.format_message().split())}", file=sys.stderr)
    print(f"{usage}  ({path} --help says more)", file=sys.stderr)
    return _USAGE


__all__ = ["app", "main"]
