"""``kruise cluster up``."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from kruise.cluster import Cluster
from kruise.cluster import kubeconfig as kubeconfig_text
from kruise.manager import Manager


def serve(*, nodes: int, port: int, kubeconfig: Path, state: Path | None, manager: bool, v1beta1: bool = False) -> int:
    """Serves until SIGINT or SIGTERM. Returns the exit status."""
    console = Console(highlight=False, soft_wrap=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(nodes=nodes, state=state, serve_v1beta1=v1beta1))
        url = cluster.serve(port=port)
        kubeconfig.write_text(kubeconfig_text(url), encoding="utf-8")
        if manager:
            stack.enter_context(Manager(cluster))
        console.print(f"cluster     {url}, {nodes} simulated nodes, delays: {cluster.delays}")
        console.print(
            f"manager     {'running in this process' if manager else 'none: run kruise manager --kubeconfig ' + str(kubeconfig)}"
        )
        console.print(f"kubeconfig  {kubeconfig}")
        console.print(f"try         kubectl --kubeconfig {kubeconfig} get nodes      (Ctrl-C ends it)")
        while not stop.wait(timeout=0.5):
            pass
    return 0
