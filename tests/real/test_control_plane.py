"""The harness itself: it serves, it refuses strangers, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from control_plane import HERE, ControlPlane


def test_serves_and_knows_its_users(control_plane: ControlPlane) -> None:
    assert control_plane.call("GET", "/version")[1]["minor"] == "34"
    assert control_plane.call("GET", "/api/v1/pods", token="wrong")[0] == 401
    assert control_plane.call("GET", "/api/v1/pods", token="viewer-token")[0] == 403
    assert "default" in control_plane.run_kubectl("get", "namespaces", "-o", "name")


def test_collects_garbage(full_control_plane: ControlPlane) -> None:
    plane = full_control_plane
    configs = "/api/v1/namespaces/default/configmaps"
    _, owner = plane.call("POST", configs, {"metadata": {"name": "owner"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    assert plane.call("POST", configs, {"metadata": {"name": "owned", "ownerReferences": [reference]}})[0] == 201
    assert plane.call("DELETE", configs + "/owner")[0] == 200
    limit = time.monotonic() + 30
    while plane.call("GET", configs + "/owned")[0] != 404:
        assert time.monotonic() < limit, "the owned object was not collected"
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
@pytest.mark.parametrize("etcd", ["3.6", "debian"])
def test_command_leaves_no_process(number: signal.Signals, etcd: str, tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "control_plane.py"), "--kubeconfig", str(tmp_path / "config"), "--etcd", etcd]
    with subprocess.Popen([*command, "--directory", str(tmp_path / "d")], stdout=subprocess.PIPE, text=True) as popen:
        assert popen.stdout is not None
        assert popen.stdout.readline().startswith("ready: https://127.0.0.1:")
        assert len(_processes_naming(str(tmp_path / "d"))) == 3  # the command itself, etcd, kube-apiserver
        popen.send_signal(number)
        popen.wait(20)
    limit = time.monotonic() + 10
    while _processes_naming(str(tmp_path / "d")):
        assert time.monotonic() < limit, "processes were left behind"
        time.sleep(0.05)


def _processes_naming(text: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if entry.name.isdigit() and int(entry.name) != os.getpid() and text in line:
            found.append(line)
    return found
