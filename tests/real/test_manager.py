"""kruise-manager as a process on a real API server: election, probes, metrics, missing kinds, faults, bad input."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane
from fault_proxy import FaultProxy
from manager_process import QUICK_ELECTION, free_port, wait
from manager_world import World, clone_set, manager
from relay import Relay

pytestmark = pytest.mark.real
Json = Any
PROMTOOL = shutil.which("promtool")
"""Debian's package prometheus has it; without it our own reading of the format must do."""


def test_a_port_in_use_ends_the_start(world: World, tmp_path: Path) -> None:
    with manager(world, tmp_path) as first:
        wait("the first is ready", first.ready)
        for flag in ("--metrics-addr", "--health-probe-addr"):
            with manager(world, tmp_path, f"{flag}=127.0.0.1:{first.probes}") as second:
                assert second.wait_exit(5) == 1
                assert f"127.0.0.1:{first.probes}" in second.text()
        assert first.ready()


# --- probes and metrics -----------------------------------------------------------------------------------------------------------


def test_leader_and_follower_answer_probes_and_metrics(world: World, tmp_path: Path) -> None:
    world.create(clone_set("web", 2))
    with manager(world, tmp_path) as a:
        wait("a leads", a.leads)
        with manager(world, tmp_path) as b:
            wait("the set is done", lambda: world.done("web", 2))
            for process in (a, b):
                wait("ready", process.ready)
                assert process.get("/healthz") == (200, "ok")
                assert process.get("/readyz?verbose") == (200, "[+]caches-synced ok\n[+]running ok\nhealthz check passed\n")
                assert process.get("/readyz/caches-synced") == (200, "ok")
                assert process.get("/readyz/nothing")[0] == 404
                check_metrics_page(process.page())
                if PROMTOOL:
                    subprocess.run([PROMTOOL, "check", "metrics"], input=process.page(), text=True, check=True)
            assert (a.value("kruise_manager_is_leader"), b.value("kruise_manager_is_leader")) == (1, 0)
            succeeded = a.value('controller_runtime_reconcile_total{controller="cloneset-controller",result="success"}')
            assert succeeded is not None
            assert succeeded > 0
            assert b.value('workqueue_depth{name="cloneset-controller"}') is not None
            assert (b.value("process_cpu_seconds_total") or 0) > 0


def check_metrics_page(page: str) -> None:
    """The text format 0.0.4, strictly: HELP and TYPE once before the samples of a metric, no sample twice, histograms that add up."""
    types: dict[str, str] = {}
    samples: dict[str, float] = {}
    current = ""
    sample = re.compile(r'^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\S+)$')
    for line in page.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            assert current not in types, line
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current, line
            assert kind in {"counter", "gauge", "histogram"}, line
            types[name] = kind
        else:
            match = sample.match(line)
            assert match, line
            base = re.sub("_(bucket|sum|count)$", "", match[1]) if types.get(current) == "histogram" else match[1]
            assert base == current, line
            key = match[1] + (match[2] or "")
            assert key not in samples, line
            samples[key] = float(match[3])
    assert len(types) > 15
    for name in (name for name, kind in types.items() if kind == "histogram"):
        for key, total in samples.items():
            if not key.startswith(name + "_count"):
                continue
            labels = key.removeprefix(name + "_count").strip("{}")
            last = ",".join(filter(None, [labels, 'le="+Inf"']))
            assert samples[f"{name}_bucket{{{last}}}"] == total, key
            assert f"{name}_sum" + (f"{{{labels}}}" if labels else "") in samples


# --- election ---------------------------------------------------------------------------------------------------------------------


def test_a_killed_leader_is_followed_within_twenty_seconds_and_the_budget_holds(world: World, tmp_path: Path) -> None:
    replicas, budget = 200, 40
    world.create(clone_set("web", replicas, maxUnavailable=budget))
    with manager(world, tmp_path) as a:
        wait("a leads", a.leads)
        with manager(world, tmp_path) as b:
            wait("all pods ready", lambda: world.done("web", replicas), 120)
            version = world.plane.call("GET", f"/api/v1/namespaces/{world.ns}/pods")[1]["metadata"]["resourceVersion"]
            world.set_image("web", "example.com/web:2")
            wait("some pods are updated", lambda: 5 < world.status("web").get("updatedReplicas", 0) < replicas)
            a.kill(signal.SIGKILL)
            took = wait("b leads", b.leads, 25)
            wait("the rollout is done", lambda: world.done("web", replicas), 120)
            assert took <= 20
            assert_budget(world, version, replicas - budget)


def assert_budget(world: World, version: str, ready_min: int) -> None:
    """No write of a manager, in order of resourceVersion, makes a pod unready when the budget is used up."""
    path = f"/api/v1/namespaces/{world.ns}/pods?watch=1&resourceVersion={version}&timeoutSeconds=2"
    _, pods = world.plane.call("GET", f"/api/v1/namespaces/{world.ns}/pods?resourceVersion={version}&resourceVersionMatch=Exact")
    ready = {pod["metadata"]["name"] for pod in pods["items"] if is_ready(pod)}
    _, text = world.plane.call("GET", path)
    events = [json.loads(line) for line in text.splitlines()] if isinstance(text, str) else [text]
    assert len(events) > 200
    for event in events:
        pod = event["object"]
        name = pod["metadata"]["name"]
        (ready.add if event["type"] != "DELETED" and is_ready(pod) else ready.discard)(name)
        assert len(ready) >= ready_min, f"{len(ready)} ready at {pod['metadata']['resourceVersion']}"


def is_ready(pod: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def test_a_stopped_leader_hands_over_within_three_seconds(world: World, tmp_path: Path) -> None:
    with manager(world, tmp_path) as a:
        wait("a leads", a.leads)
        with manager(world, tmp_path) as b:
            wait("b is ready", b.ready)
            a.kill(signal.SIGTERM)
            took = wait("b leads", b.leads, 10)
            assert a.wait_exit(1) == 0
            assert took <= 3


@pytest.mark.parametrize(
    ("election", "paused_s"), [(QUICK_ELECTION, 0), pytest.param((), 30, marks=pytest.mark.slow)], ids=("quick", "production")
)
def test_a_paused_leader_writes_nothing_and_exits(
    world: World, tmp_path: Path, election: tuple[str, ...], paused_s: float
) -> None:
    """With a short lease, and with that of production for half a minute."""
    plane = world.plane
    certificate, key = plane.client_certificate
    # A user of its own, so that the audit log tells whose a write was.
    mine = plane.write_kubeconfig(tmp_path / "mine", {"client-certificate": str(certificate), "client-key": str(key)})
    world.create(clone_set("web", 3))
    with manager(world, tmp_path, *election, kubeconfig=mine) as a:
        wait("a leads", a.leads)
        wait("the set is done", lambda: world.done("web", 3))
        with manager(world, tmp_path, *election) as b:
            wait("b is ready", b.ready)
            a.kill(signal.SIGSTOP)
            stopped = time.monotonic()
            wait("b leads", b.leads, 25)
            wait("it was paused for long enough", lambda: time.monotonic() - stopped >= paused_s, paused_s + 1)
            world.set_image("web", "example.com/web:2")  # something to do at once, for whoever thinks it leads
            writes = audited_writes(plane, "cert-admin")
            a.kill(signal.SIGCONT)
            assert a.wait_exit(10) == 1
            assert audited_writes(plane, "cert-admin") == writes
            assert "leader election lost" in a.text()
            wait("the rollout is done", lambda: world.done("web", 3))


def audited_writes(plane: ControlPlane, user: str) -> int:
    events = (json.loads(line) for line in plane.audit_log.read_text().splitlines())
    return sum(1 for event in events if event["user"]["username"] == user and event["verb"] not in {"get", "list", "watch"})


def test_a_leader_whose_connections_die_silently_keeps_the_lease(world: World, tmp_path: Path) -> None:
    with Relay(world.plane) as relay:
        through = world.plane.write_kubeconfig(tmp_path / "through", server=relay.url)
        with manager(world, tmp_path, *QUICK_ELECTION, kubeconfig=through) as process:
            wait("it leads", process.leads)
            relay.freeze()
            renewed = world.renewed()
            wait("the lease is renewed", lambda: world.renewed() != renewed, 4)
            renewed = world.renewed()
            wait("and renewed again", lambda: world.renewed() != renewed, 4)
            assert process.popen.poll() is None
            assert process.leads()


def test_a_second_signal_ends_it_at_once(world: World, tmp_path: Path) -> None:
    with FaultProxy(world.plane) as proxy:
        through = world.plane.write_kubeconfig(tmp_path / "through", server=proxy.url)
        with manager(world, tmp_path, kubeconfig=through) as process:
            wait("it leads", process.leads)
            process.kill(signal.SIGSTOP)  # both signals are there before it looks
            process.kill(signal.SIGTERM)
            process.kill(signal.SIGINT)
            process.kill(signal.SIGCONT)
            assert process.wait_exit(2) == 1


# --- kinds and faults -------------------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_and_then_errs(world: World, tmp_path: Path) -> None:
    with FaultProxy(world.plane) as proxy:
        through = world.plane.write_kubeconfig(tmp_path / "through", server=proxy.url)
        # Without election: who cannot renew its lease rightly ends.
        with manager(world, tmp_path, "--enable-leader-election=false", kubeconfig=through) as process:
            wait("ready", process.ready)
            world.create(clone_set("web", 10))
            wait("the set is done", lambda: world.done("web", 10))
            before = process.resident_mib()
            proxy.down = True
            world.patch("web", {"spec": {"replicas": 15}})
            wait("it notices", lambda: "cache fell behind" in process.text(), 20)
            lines = len(process.text().splitlines())
            proxy.down = False
            proxy.error_share = 0.3
            took = wait("it converges", lambda: world.done("web", 15), 60)
            world.set_image("web", "example.com/web:2")
            wait("it updates", lambda: world.done("web", 15), 60)
            assert took < 60
            assert proxy.errors > 5
            assert lines < 200
            assert process.resident_mib() < before * 1.1 + 1


# --- figures ----------------------------------------------------------------------------------------------------------------------


def test_user_agents_tell_who_asked(world: World, tmp_path: Path) -> None:
    world.create(clone_set("web", 1))
    with manager(world, tmp_path) as process:
        wait("it leads", process.leads)
        wait("the set is done", lambda: world.done("web", 1))
    agents: dict[str, set[str]] = {}
    for line in world.plane.audit_log.read_text().splitlines():
        event = json.loads(line)
        with contextlib.suppress(KeyError):
            agents.setdefault(event["userAgent"], set()).add(f"{event['verb']} {event['objectRef']['resource']}")
    assert "create pods" in agents["kruise-manager/cloneset-controller"]
    assert {"watch pods", "create events", "create leases"} <= agents["kruise-manager"]


def test_profiles_are_served_and_hold_nothing_up(world: World, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with manager(world, tmp_path, "--enable-pprof", f"--pprof-addr=127.0.0.1:{taken.getsockname()[1]}") as process:
            wait("it leads", process.leads)
            assert "no profiles" in process.text()
    port = free_port()
    with manager(world, tmp_path, "--enable-pprof", f"--pprof-addr=127.0.0.1:{port}") as process:
        wait("it leads", process.leads)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/debug/pprof/profile?seconds=1")
        answer = connection.getresponse()
        profile = answer.read()
        connection.close()
        assert answer.status == 200
        assert profile[:40] == struct.pack("5N", 0, 3, 0, 10_000, 0)
        assert b"kruise-manager" in profile
        assert process.get("/debug/pprof/heap", port)[0] == 501
        hanging = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        hanging.request("GET", "/debug/pprof/profile?seconds=300")
        process.kill(signal.SIGTERM)
        assert process.wait_exit(8) == 0
        hanging.close()
