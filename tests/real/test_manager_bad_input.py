"""What kruise-manager does with what it cannot work with: one clear line and a status, or waiting with a visible reason."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from built import built
from control_plane import ADMIN_TOKEN, ControlPlane
from fault_proxy import FaultProxy
from manager_process import ManagerProcess, wait
from manager_world import CRDS, World, clone_set, manager

pytestmark = pytest.mark.real
Json = Any

# --- flags and files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "status", "says"),
    [
        (["--help"], 0, "Usage: kruise-manager"),
        (["-h"], 0, "Usage: kruise-manager"),
        (["--no-such-flag"], 2, "unknown flag: --no-such-flag"),
        (["cloneset"], 2, 'unexpected argument: "cloneset"'),
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
        env={"HOME": "/nonexistent", "KUBECONFIG": ""},
    )
    assert time.monotonic() - start < 1
    assert done.returncode == status, done.stderr
    assert says in (done.stdout if status == 0 else done.stderr)
    if status == 2:
        assert done.stdout == ""
        assert "Usage: kruise-manager" in done.stderr
    if status == 1:
        assert len([line for line in done.stderr.splitlines() if line.startswith("kruise-manager: ")]) == 1


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("cluster", "certificate-authority"),
        ("user", "client-certificate"),
        ("user", "tokenFile"),
    ],
)
def test_a_kubeconfig_that_names_a_missing_file(control_plane: ControlPlane, tmp_path: Path, part: str, field: str) -> None:
    missing = str(tmp_path / "nowhere.pem")
    user: Json = {"token": ADMIN_TOKEN}
    if part == "user":
        user = {field: missing} | ({"client-key": missing} if field == "client-certificate" else {})
    config = tmp_path / "config"
    control_plane.write_kubeconfig(config, user, **({field: missing} if part == "cluster" else {}))
    if part == "cluster":
        body = json.loads(config.read_text())
        del body["clusters"][0]["cluster"]["certificate-authority-data"]
        config.write_text(json.dumps(body))
    with ManagerProcess(str(config), tmp_path) as process:
        assert process.wait_exit(5) == 1
        (line,) = [line for line in process.text().splitlines() if line.startswith("kruise-manager: ")]
        assert missing in line


# --- servers ----------------------------------------------------------------------------------------------------------------------


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


def test_an_expired_token_is_told_and_a_renewed_one_taken(world: World, tmp_path: Path) -> None:
    """The kubelet renews the token of a pod in its file, so a refused one is waited out."""
    token = tmp_path / "token"
    token.write_text("an-old-secret")
    config = world.plane.write_kubeconfig(tmp_path / "config", {"tokenFile": str(token)})
    with manager(world, tmp_path, kubeconfig=config) as process:
        wait("the probe tells why", lambda: "401" in process.get("/readyz/caches-synced")[1], 10)
        assert "401 Unauthorized" in process.text()
        assert "an-old-secret" not in process.text()
        assert process.popen.poll() is None
        token.write_text(ADMIN_TOKEN)
        wait("it is ready", process.ready, 90)
        wait("it leads", process.leads, 30)


def test_a_server_without_the_kinds_is_ready_with_a_reason(tmp_path: Path) -> None:
    """Acceptance 4 of the manager: ready within 30 s; a kind that comes works within 10 s, one that goes stops its controller."""
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
        assert process.value('kruise_cache_objects{group="apps.kruise.io",resource="clonesets"}') is None


def test_a_kind_that_may_not_be_listed_ends_it_in_time(world: World, tmp_path: Path) -> None:
    with FaultProxy(world.plane) as proxy:
        proxy.forbidden = "/persistentvolumeclaims"
        through = world.plane.write_kubeconfig(tmp_path / "through", server=proxy.url)
        with manager(world, tmp_path, "--controller-cache-sync-timeout=2s", kubeconfig=through) as process:
            assert process.wait_exit(15) == 1
            (line,) = [line for line in process.text().splitlines() if line.startswith("kruise-manager: ")]
            assert "waiting for the list of persistentvolumeclaims: " in line
            assert "403 Forbidden" in line


# --- answers ----------------------------------------------------------------------------------------------------------------------


def test_foreign_and_cut_answers_are_typed_errors_and_lists_anew(world: World, tmp_path: Path) -> None:
    """Pages of a proxy, random bytes, answers cut in the middle, of reads, writes and watches alike: never a crash."""
    with FaultProxy(world.plane) as proxy:
        through = world.plane.write_kubeconfig(tmp_path / "through", server=proxy.url)
        with manager(world, tmp_path, "--enable-leader-election=false", kubeconfig=through) as process:
            wait("ready", process.ready)
            proxy.damage_share = 0.3
            for number in range(6):
                world.create(clone_set(f"web-{number}", 3))
            for version in range(2, 12):
                least = proxy.damaged.total() + 4

                def damaged(least: int = least) -> bool:
                    return proxy.damaged.total() >= least

                for number in range(6):
                    world.set_image(f"web-{number}", f"example.com/web:{version}")
                wait("answers are damaged", damaged, 60)
            assert process.popen.poll() is None, process.text()
            proxy.damage_share = 0
            wait("all is well", lambda: all(world.done(f"web-{n}", 3) for n in range(6)), 90)
            assert set(proxy.damaged) == set(proxy.DAMAGES), proxy.damaged
            pods = world.plane.call("GET", f"/api/v1/namespaces/{world.ns}/pods")[1]["items"]
            assert len(pods) == 18
            assert "fatal signal" not in process.text()
            assert len(process.text().splitlines()) < 400


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


# --- its own mistakes, and the lines that tell of them ----------------------------------------------------------------------------


def test_a_crash_tells_its_stack_and_exits_with_two(tmp_path: Path, control_plane: ControlPlane) -> None:
    with ManagerProcess(control_plane.kubeconfig, tmp_path) as process:
        wait("it answers", lambda: process.get("/healthz")[0] == 200)
        process.kill(signal.SIGSEGV)
        assert process.wait_exit(5) == 2
        assert re.search(r"fatal signal: Segmentation fault\nstack:\n.*kruise-manager\(", process.text(), re.DOTALL)


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_have_the_form_of_kubernetes_components(tmp_path: Path, control_plane: ControlPlane, form: str) -> None:
    nobody = control_plane.write_kubeconfig(tmp_path / "nobody", server="https://127.0.0.1:1")
    with ManagerProcess(nobody, tmp_path, f"--logging-format={form}", "--v=4") as process:
        wait("it complains", lambda: "cannot be reached" in process.text(), 10)
        process.kill(signal.SIGTERM)
        assert process.wait_exit(8) == 0
        lines = process.text().splitlines()
    assert len(lines) > 5
    for line in lines:
        if form == "text":
            assert re.match(r'[IWE]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ [\w-]+\.cpp:\d+\] ".*"', line), line
        else:
            told = json.loads(line)
            assert list(told)[:3] == ["ts", "caller", "msg"], line
            assert ("v" in told) != ("err" in told), line
