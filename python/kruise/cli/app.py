"""The commands and their flags. What they do is imported when they run, so that ``kruise --help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="kruise",
    help="Update the containers of living pods, in batches; see why a pod is not updated; try a rollout before production does.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
cluster_app = typer.Typer(help="An embedded cluster for first steps and tests.", no_args_is_help=True)
app.add_typer(cluster_app, name="cluster")


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What goes before the command."""


Kubeconfig = Annotated[Path | None, typer.Option(help="Path of a kubeconfig; else KUBECONFIG, in-cluster, ~/.kube/config.")]


@app.command()
def demo(
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines, as without a terminal.")] = False,
) -> None:
    """Roll a CloneSet of 20 pods out in place on an embedded cluster, live."""
    from kruise.demo import run

    raise typer.Exit(run(plain))


@cluster_app.command("up")
def cluster_up(
    nodes: Annotated[int, typer.Option(min=0, max=5000, help="Simulated nodes.")] = 3,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Where to write the kubeconfig. Default: kruise.kubeconfig here.")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="Keep the objects in this file over restarts.")] = None,
    manager: Annotated[bool, typer.Option(help="Run the manager too, in the same process.")] = True,
    v1beta1: Annotated[
        bool, typer.Option("--serve-v1beta1", help="Serve CloneSets as v1beta1 too, converted; a real API server does not.")
    ] = False,
) -> None:
    """Serve an embedded cluster for kubectl and other clients until Ctrl-C."""
    from .serve import serve

    raise typer.Exit(
        serve(
            nodes=nodes,
            port=port,
            kubeconfig=kubeconfig or Path("kruise.kubeconfig"),
            state=state,
            manager=manager,
            v1beta1=v1beta1,
        )
    )


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def manager(context: typer.Context) -> None:
    """Run kruise-manager with its own flags (kruise manager --help shows them)."""
    from .executable import run_manager

    run_manager(context.args)


@app.command()
def explain(
    target: Annotated[str, typer.Argument(metavar="cloneset/NAME", help="The workload to explain.")],
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Its namespace; else the context's.")] = None,
    kubeconfig: Kubeconfig = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the server's objects.")] = 30.0,
    output: Annotated[str, typer.Option("--output", "-o", help="table or json")] = "table",
) -> None:
    """Say which pods are held, by what, with the figures. Reads only."""
    from .explain import explain as run

    raise typer.Exit(run(target, namespace=namespace, kubeconfig=kubeconfig, context=context, timeout=timeout, output=output))


@app.command()
def version() -> None:
    """Print the version."""
    from kruise import __version__

    print(__version__)
