"""kruise-manager as a process on a real API server: election, probes, metrics, missing kinds, faults, bad input."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from built import ROOT, built
from control_plane import ControlPlane
from fault_proxy import FaultProxy
from manager_process import QUICK_ELECTION, ManagerProcess, wait
from relay import Relay

pytestmark = pytest.mark.real
Json = Any
CRDS = ROOT / "charts/kruise/crds"
SETS = "/apis/apps.kruise.io/v1alpha1/namespaces/{}/clonesets"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(controller_manager=True, audit=True) as plane:
        plane.install_crds(CRDS)
        nodes = subprocess.Popen([built("simulated-nodes"), plane.kubeconfig, "4"], stdin=subprocess.PIPE, text=True)
        yield plane
        nodes.communicate(timeout=20)


@pytest.fixture
def ns(plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own; locks live there too."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    assert plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})[0] == 201
    return name


def clone_set(name: str, replicas: int, image: str = "example.com/web:1", **strategy: Json) -> Json:
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "updateStrategy": {"type": "InPlaceIfPossible", **strategy},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image}], "terminationGracePeriodSeconds": 0},
            },
        },
    }


class World:
    """What one namespace of the server holds."""

    def __init__(self, plane: ControlPlane, ns: str) -> None:
        self.plane, self.ns = plane, ns
        self.sets = SETS.format(ns)

    def create(self, body: Json) -> None:
        code, answer = self.plane.call("POST", self.sets, body)
        assert code == 201, answer

    def patch(self, name: str, body: Json) -> None:
        code, answer = self.plane.call("PATCH", f"{self.sets}/{name}", body, content_type="application/merge-patch+json")
        assert code == 200, answer

    def status(self, name: str) -> Json:
        return self.plane.call("GET", f"{self.sets}/{name}")[1].get("status", {})

    def done(self, name: str, replicas: int) -> bool:
        body = self.plane.call("GET", f"{self.sets}/{name}")[1]
        status = body.get("status", {})
        return bool(
            status.get("observedGeneration") == body["metadata"]["generation"]
            and status.get("updatedReadyReplicas") == replicas
            and status.get("readyReplicas") == replicas
        )

    def set_image(self, name: str, image: str) -> None:
        container = {"name": "main", "image": image}
        self.patch(name, {"spec": {"template": {"spec": {"containers": [container]}}}})

    def holder(self) -> str:
        code, lease = self.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{self.ns}/leases/kruise-manager")
        return str(lease["spec"].get("holderIdentity") or "") if code == 200 else ""

    def renewed(self) -> str:
        lease = self.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{self.ns}/leases/kruise-manager")[1]
        return str(lease["spec"]["renewTime"])


@pytest.fixture
def world(plane: ControlPlane, ns: str) -> World:
    return World(plane, ns)


def manager(world: World, tmp_path: Path, *flags: str, kubeconfig: str | None = None) -> ManagerProcess:
    """Restricted to the test's namespace, so that tests don't see each other's sets."""
    return ManagerProcess(kubeconfig or world.plane.kubeconfig, tmp_path, f"--namespace={world.ns}", *flags, namespace=world.ns)


# --- flags and configuration ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "status", "says"),
    [
        (["--help"], 0, "Usage: kruise-manager"),
        (["-h"], 0, "Usage: kruise-manager"),
        (["--no-such-flag"], 2, "unknown flag: --no-such-flag"),
        (["--cloneset-workers=0"], 2, '--cloneset-workers=0: "0" must be at least 1'),
        (["--feature-gates=Nope=true"], 2, "unrecognized feature gate: Nope"),
        (["--kubeconfig=/nowhere/config"], 1, "/nowhere/config"),
        (["--leader-election-namespace=", "--master=http://127.0.0.1:1"], 1, "--leader-election-namespace is empty"),
    ],
)
def test_wrong_command_lines_end_at_once(flags: list[str], status: int, says: str) -> None:
    start = time.monotonic()
    done = subprocess.run(
        [built("kruise-manager"), "--health-probe-addr=0", "--metrics-addr=0", *flags],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
        env={"HOME": "/nonexistent"},
    )
    assert time.monotonic() - start < 1
    assert done.returncode == status, done.stderr
    assert says in (done.stdout if status == 0 else done.stderr)
    if status == 1:
        assert len([line for line in done.stderr.splitlines() if line.startswith("kruise-manager: ")]) == 1


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


def test_a_killed_leader_is_followed_within_its_lease_and_the_budget_holds(world: World, tmp_path: Path) -> None:
    replicas, budget = 60, 12
    world.create(clone_set("web", replicas, maxUnavailable=budget))
    with manager(world, tmp_path, *QUICK_ELECTION) as a:
        wait("a leads", a.leads)
        with manager(world, tmp_path, *QUICK_ELECTION) as b:
            wait("all pods ready", lambda: world.done("web", replicas), 60)
            version = world.plane.call("GET", f"/api/v1/namespaces/{world.ns}/pods")[1]["metadata"]["resourceVersion"]
            world.set_image("web", "example.com/web:2")
            wait("some pods are updated", lambda: 5 < world.status("web").get("updatedReplicas", 0) < replicas)
            a.kill(signal.SIGKILL)
            took = wait("b leads", b.leads, 10)
            wait("the rollout is done", lambda: world.done("web", replicas), 60)
            assert took < 7
            assert_budget(world, version, replicas - budget)


def assert_budget(world: World, version: str, ready_min: int) -> None:
    """No write of a manager, in order of resourceVersion, makes a pod unready when the budget is used up."""
    path = f"/api/v1/namespaces/{world.ns}/pods?watch=1&resourceVersion={version}&timeoutSeconds=2"
    _, pods = world.plane.call("GET", f"/api/v1/namespaces/{world.ns}/pods?resourceVersion={version}&resourceVersionMatch=Exact")
    ready = {pod["metadata"]["name"] for pod in pods["items"] if is_ready(pod)}
    _, text = world.plane.call("GET", path)
    events = [json.loads(line) for line in text.splitlines()] if isinstance(text, str) else [text]
    assert len(events) > 60
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


def test_a_paused_leader_writes_nothing_and_exits(world: World, tmp_path: Path) -> None:
    plane = world.plane
    certificate, key = plane.client_certificate
    # A user of its own, so that the audit log tells whose a write was.
    mine = plane.write_kubeconfig(tmp_path / "mine", {"client-certificate": str(certificate), "client-key": str(key)})
    world.create(clone_set("web", 3))
    with manager(world, tmp_path, *QUICK_ELECTION, kubeconfig=mine) as a:
        wait("a leads", a.leads)
        wait("the set is done", lambda: world.done("web", 3))
        with manager(world, tmp_path, *QUICK_ELECTION) as b:
            wait("b is ready", b.ready)
            a.kill(signal.SIGSTOP)
            wait("b leads", b.leads, 10)
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


def test_without_kinds_it_is_ready_and_works_once_they_come(tmp_path: Path) -> None:
    with ControlPlane() as bare, ManagerProcess(bare.kubeconfig, tmp_path) as process:
        assert wait("ready", process.ready, 30) < 30
        assert "controller waits for its kind" in process.text()
        world = World(bare, "default")
        bare.install_crds(CRDS)
        world.create(clone_set("web", 2))
        took = wait("pods are created", lambda: len(bare.call("GET", "/api/v1/namespaces/default/pods")[1]["items"]) == 2, 10)
        assert took < 10
        bare.run_kubectl("delete", "-f", str(CRDS))
        wait("the controller stops", lambda: "its kind is gone" in process.text(), 10)
        assert process.ready()
        assert process.value('kruise_cache_objects{group="",resource="pods"}') is None


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


def test_an_unreachable_server_is_waited_for_visibly(world: World, tmp_path: Path) -> None:
    nobody = world.plane.write_kubeconfig(tmp_path / "nobody", server="https://127.0.0.1:1")
    with ManagerProcess(nobody, tmp_path) as process:

        def told() -> bool:
            code, why = process.get("/readyz/caches-synced")
            return code == 500 and "waiting for the list of customresourcedefinitions: " in why and "cannot be reached" in why

        wait("the probe tells why", told, 10)
        assert process.get("/readyz")[0] == 500
        assert process.get("/healthz") == (200, "ok")
        assert process.popen.poll() is None
        process.kill(signal.SIGTERM)
        assert process.wait_exit(8) == 0


def test_a_malformed_object_is_told_and_the_others_progress(tmp_path: Path) -> None:
    with ControlPlane() as bare:
        bare.install_crds(CRDS)
        crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clonesets.apps.kruise.io"
        lax = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        names = [version["name"] for version in bare.call("GET", crd)[1]["spec"]["versions"]]
        schema = f"/spec/versions/{names.index('v1alpha1')}/schema/openAPIV3Schema/properties/spec"
        replace = [{"op": "replace", "path": schema, "value": lax}]
        assert bare.call("PATCH", crd, replace, content_type="application/json-patch+json")[0] == 200
        world = World(bare, "default")
        bad = clone_set("bad", 1)
        bad["spec"]["minReadySeconds"] = "soon"
        wait("the lax schema is served", lambda: bare.call("POST", world.sets, bad)[0] == 201)
        world.create(clone_set("good", 2))
        with ManagerProcess(bare.kubeconfig, tmp_path) as process:
            wait("the good one has pods", lambda: world.status("good").get("replicas") == 2)
            assert "cannot be read" in process.text()
            assert "spec.minReadySeconds" in process.text()

            def told() -> bool:
                events = bare.call("GET", "/api/v1/namespaces/default/events")[1]["items"]
                return any(e["involvedObject"]["name"] == "bad" and "spec.minReadySeconds" in e["message"] for e in events)

            wait("the bad one has an event", told)


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
