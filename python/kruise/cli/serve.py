"""``kruise cluster up``."""

from __future__ import annotations

import secrets
import signal
import threading
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from kruise.cluster import Cluster
from kruise.errors import KruiseError
from kruise.manager import Manager

from .kubeconfig import KubeconfigFile


def serve(*, nodes: int, port: int, kubeconfig: Path, state: Path | None, manager: bool, v1beta1: bool = False) -> int:
    """Serves until SIGINT or SIGTERM. Returns the exit status. Raises KruiseError naming the flag that cannot be followed."""
    console = Console(highlight=False, soft_wrap=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    file = KubeconfigFile(kubeconfig)
    with ExitStack() as stack:
        cluster = stack.enter_context(_open(nodes, state, v1beta1))
        url = _serve(cluster, port)
        file.write(url)
        if manager:
            stack.enter_context(Manager(cluster, seed=secrets.randbits(63)))
        for label, text in _report(cluster, url, file, nodes, state, manager):
            console.print(f"{label:<11} {text}", markup=False)
        while not stop.wait(timeout=0.5):
            pass
    console.print(f"ended; the objects are kept in {state}" if state else "ended; its objects are gone", markup=False)
    return 0


def _open(nodes: int, state: Path | None, v1beta1: bool) -> Cluster:
    try:
        return Cluster(nodes=nodes, state=state, seed=secrets.randbits(63), serve_v1beta1=v1beta1)
    except KruiseError as error:
        raise KruiseError(f"--state: {error}" if state is not None else str(error)) from error


def _serve(cluster: Cluster, port: int) -> str:
    try:
        return cluster.serve(port=port)
    except KruiseError as error:
        raise KruiseError(f"--port {port}: {error}") from error


def _report(
    cluster: Cluster, url: str, file: KubeconfigFile, nodes: int, state: Path | None, manager: bool
) -> list[tuple[str, str]]:
    where = f"--kubeconfig {file.path}" + ("" if file.is_current else " --context kruise")
    others = len(file.others)
    beside = f" (context kruise, beside {others} other{'s' if others > 1 else ''})" if others else ""
    own = f"--kubeconfig {file.path}" if file.is_current else "with a kubeconfig of its own"
    elsewhere = f"kruise manager --leader-election-namespace default {own}"
    lines = [
        ("cluster", f"{url}, {nodes} simulated nodes, delays: {cluster.delays}"),
        ("manager", "running in this process" if manager else f"none: run {elsewhere}"),
        ("kubeconfig", f"{file.path}{beside}"),
    ]
    if state is not None:
        lines.append(("state", f"kept in {state}"))
    lines.append(("try", f"kubectl {where} get nodes      (Ctrl-C ends it)"))
    return lines
