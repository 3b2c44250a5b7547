#!/usr/bin/env python3
"""The manager's cost on a real API server: `make bench-cluster`.

etcd, kube-apiserver, simulated nodes and ``kruise-manager`` are processes of their own; the manager's processor time and memory
are what the kernel counted for it. Prints one JSON line per figure and keeps them in ``bench/results/cluster.json``::

    python3 bench/cluster/run.py                   # everything
    python3 bench/cluster/run.py --only rollout --pods 200
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/real"), str(ROOT / "tests")]

from built import built  # noqa: E402
from control_plane import ADMIN_TOKEN, ControlPlane  # noqa: E402
from interruptions import violations_of_kills  # noqa: E402
from manager_process import ManagerProcess  # noqa: E402
from manager_world import plane_with_nodes  # noqa: E402

SETS = "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets"
MERGE = "application/merge-patch+json"
PODS_A_NODE = 50
POLL_S = 0.05
PHASE_LIMIT_S = 3600.0
IDLE_S, IDLE_RATE = 60, 100
BARE_IN_FLIGHT = (16, 64, 200)
TICKS = os.sysconf("SC_CLK_TCK")
CONTAINERS = [{"name": "main", "image": "nginx:1"}, {"name": "agent", "image": "agent:1"}]


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid: int) -> float:
    """The most that was resident of a process since it began."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def short(pods: int) -> str:
    return f"{pods // 1000}k" if pods >= 1000 else str(pods)


@dataclass
class Phase:
    cpu_s: float
    wall_s: float


@dataclass
class Bench:
    """One control plane with simulated nodes; figures gather in ``figures``."""

    plane: ControlPlane
    folder: Path
    figures: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, name: str, value: float, unit: str, **more: float) -> None:
        figure = {"name": name, "value": round(value, 2), "unit": unit} | {key: round(each, 2) for key, each in more.items()}
        self.figures.append(figure)
        print(json.dumps(figure), flush=True)

    @contextlib.contextmanager
    def nodes(self, count: int) -> Iterator[None]:
        command = [built("simulated-nodes"), self.plane.kubeconfig, str(count)]
        with (self.folder / "nodes.log").open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)
        try:
            self.until("the nodes are ready", lambda: len(self.get("/api/v1/nodes?limit=5000")["items"]) >= count)
            yield
        finally:
            process.kill()
            process.communicate()

    @contextlib.contextmanager
    def manager(self) -> Iterator[ManagerProcess]:
        with ManagerProcess(self.plane.kubeconfig, self.folder) as manager:
            self.until("the manager leads", lambda: manager.ready() and manager.leads())
            yield manager
            manager.kill(signal.SIGTERM)
            manager.wait_exit(30)

    def get(self, path: str) -> Any:
        code, body = self.plane.call("GET", path)
        if code != 200:
            raise RuntimeError(f"{path} is answered with {code}: {body}")
        return body

    def change(self, name: str, spec: Any) -> None:
        code, body = self.plane.call("PATCH", f"{SETS}/{name}", {"spec": spec}, content_type=MERGE)
        if code != 200:
            raise RuntimeError(f"{name} cannot be changed, {code}: {body}")

    def until(self, what: str, holds: Callable[[], bool], limit_s: float = 120) -> None:
        limit = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > limit:
                raise RuntimeError(f"not in {limit_s:.0f} s: {what}")
            time.sleep(POLL_S)

    def create_set(self, name: str) -> None:
        body = {
            "apiVersion": "apps.kruise.io/v1alpha1",
            "kind": "CloneSet",
            "metadata": {"name": name},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": name}},
                "updateStrategy": {"type": "InPlaceIfPossible", "maxUnavailable": "100%"},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": CONTAINERS}},
            },
        }
        code, answer = self.plane.call("POST", SETS, body)
        if code != 201:
            raise RuntimeError(f"{name} cannot be created, {code}: {answer}")

    def counts(self, name: str) -> tuple[int, ...]:
        """replicas, ready and updated-ready of the newest generation; nothing while the status is of an older one."""
        body = self.get(f"{SETS}/{name}")
        status = body.get("status", {})
        if status.get("observedGeneration") != body["metadata"]["generation"]:
            return ()
        return tuple(status.get(key, 0) for key in ("replicas", "readyReplicas", "updatedReadyReplicas"))

    def phase(self, manager: ManagerProcess, name: str, spec: Any, pods: int) -> Phase:
        """From a change of the set until its status says that all is done; the last event's work is waited for."""
        cpu, begin = cpu_s(manager.popen.pid), time.monotonic()
        self.change(name, spec)
        self.until(f"{pods} pods are as {spec} says", lambda: self.counts(name) == (pods, pods, pods), PHASE_LIMIT_S)
        wall = time.monotonic() - begin
        time.sleep(1)
        return Phase(cpu_s(manager.popen.pid) - cpu, wall)

    # --- figures

    def rollout(self, pods: int) -> None:
        name = "rollout"
        image = {"template": {"spec": {"containers": [CONTAINERS[0] | {"image": "nginx:2"}, CONTAINERS[1]]}}}
        with self.manager() as manager:
            self.create_set(name)
            phases = {
                "scale": self.phase(manager, name, {"replicas": pods}, pods),
                "update": self.phase(manager, name, image, pods),
                "down": self.phase(manager, name, {"replicas": 0}, 0),
            }
        label = short(pods)
        for what, phase in phases.items():
            self.tell(f"rollout_{label}_{what}_cpu_s", phase.cpu_s, "s")
        bare = self.bare_load(pods)
        for what, phase in phases.items():
            ratio = phase.wall_s / bare[what]
            self.tell(f"rollout_{label}_{what}_wall_ratio", ratio, "", manager_s=phase.wall_s, bare_s=bare[what])

    def bare_load(self, pods: int) -> dict[str, float]:
        """The same writes without a manager: each phase's least seconds of all concurrencies."""
        runs = []
        for in_flight in BARE_IN_FLIGHT:
            command = [built("bare-load"), self.plane.kubeconfig, str(pods), str(in_flight)]
            runs.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=PHASE_LIMIT_S).stdout))
        return {what: min(run[what] for run in runs) for what in runs[0]}

    def many(self, pods: int) -> None:
        """Peak while scaling up, then a restart and idling over the pods that are there."""
        name = "many"
        label = short(pods)
        with self.manager() as manager:
            self.create_set(name)
            self.phase(manager, name, {"replicas": pods}, pods)
            self.tell(f"scale_{label}_peak_mib", peak_mib(manager.popen.pid), "MiB")
        begin = time.monotonic()
        with ManagerProcess(self.plane.kubeconfig, self.folder) as manager:
            # The lease was released; ready are the caches, and the metric counts what has been reconciled since.
            reconciled = 'controller_runtime_reconcile_total{controller="cloneset-controller",result="success"}'
            self.until("the restarted manager reconciles", lambda: (manager.value(reconciled) or 0) > 0)
            self.tell(f"restart_{label}_ready_s", time.monotonic() - begin, "s")
            time.sleep(5)
            self.tell(f"restart_{label}_mib", peak_mib(manager.popen.pid), "MiB")
            cpu, begin = cpu_s(manager.popen.pid), time.monotonic()
            self.touch_pods(IDLE_RATE, IDLE_S)
            self.tell(f"idle_{label}_cpu_percent", 100 * (cpu_s(manager.popen.pid) - cpu) / (time.monotonic() - begin), "%")

    def kills(self, pods: int, kills: int) -> None:
        """Invariants broken in one rollout whose managers are killed; the server's audit log tells, which costs, so it is one of its own."""
        broken = violations_of_kills(self.plane, "default", self.folder, pods, kills)
        for each in broken:
            print(each, file=sys.stderr)
        self.tell("kill_violations", len(broken), "", pods=pods, kills=kills)

    def touch_pods(self, rate: int, seconds: int) -> None:
        """Reports as kubelets send them, of the pods in turn, over one connection; they change nothing but a time."""
        names = [pod["metadata"]["name"] for pod in self.get("/api/v1/namespaces/default/pods?limit=1000")["items"]]
        tls = ssl.create_default_context(cafile=str(self.plane.ca_file))
        connection = http.client.HTTPSConnection(self.plane.url.removeprefix("https://"), context=tls, timeout=30)
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/strategic-merge-patch+json"}
        begin = time.monotonic()
        for sent in range(rate * seconds):
            time.sleep(max(0.0, begin + sent / rate - time.monotonic()))
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time()))
            body = {"status": {"conditions": [{"type": "ContainersReady", "lastProbeTime": now}]}}
            path = f"/api/v1/namespaces/default/pods/{names[sent % len(names)]}/status"
            connection.request("PATCH", path, json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} is answered with {answer.status}")
        connection.close()
        self.tell("idle_updates_per_s", rate * seconds / (time.monotonic() - begin), "1/s")


def costs(bench: Bench, only: str | None, pods: int | None) -> None:
    if only in (None, "rollout"):
        with bench.nodes((pods or 1000) // PODS_A_NODE + 1):
            bench.rollout(pods or 1000)
    if only in (None, "many"):
        with bench.nodes((pods or 10_000) // PODS_A_NODE + 1):
            bench.many(pods or 10_000)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("rollout", "many", "kills"))
    parser.add_argument("--pods", type=int, help="another number than 1,000 or 10,000, to try things")
    options = parser.parse_args()
    figures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="kruise-bench-") as folder:
        if options.only != "kills":
            with ControlPlane() as plane:
                plane.install_crds(ROOT / "charts/kruise/crds")
                costs(Bench(plane, Path(folder), figures), options.only, options.pods)
        if options.only in (None, "kills"):
            with plane_with_nodes(audit_answers=True) as plane:
                Bench(plane, Path(folder), figures).kills(options.pods or 300, 30)
    results = ROOT / "bench/results/cluster.json"
    results.parent.mkdir(exist_ok=True)
    machine = {
        "cores": os.cpu_count(),
        "load_at_end": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    results.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
