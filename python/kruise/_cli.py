"""The command `kruise`."""

from __future__ import annotations

import typer

from kruise import __version__

app = typer.Typer(name="kruise", no_args_is_help=True, add_completion=False, help=__doc__)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kruise {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_print_version, help="Print the version and stop."),
) -> None:
    """Workloads for Kubernetes that are updated in place."""


def main() -> None:
    """Runs the command line."""
    app()
