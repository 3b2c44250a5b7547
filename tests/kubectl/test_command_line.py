"""The `kruise` command but for `cluster up`: help, explain, the demo, and what each says when it cannot."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from importlib.metadata import version
from pathlib import Path

import pytest

from kruise import Cluster
from kruise.cluster import kubeconfig as kubeconfig_text

from .cluster_process import kruise
from .conftest import wait_status
from .kubectl import Kubectl


def test_help_names_every_command_and_flag(tmp_path: Path) -> None:
    text = kruise(tmp_path, "--help").stdout
    for command in ("demo", "cluster", "manager", "explain", "version"):
        assert re.search(rf"\b{command}\b", text)
    text = kruise(tmp_path, "cluster", "up", "--help").stdout
    for flag in ("--nodes", "--port", "--kubeconfig", "--state", "--no-manager"):
        assert flag in text


def test_the_installed_command_is_the_same(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "kruise"
    done = subprocess.run([script, "version"], capture_output=True, text=True, check=True)
    assert done.stdout == kruise(tmp_path, "version").stdout


def test_the_manager_is_of_the_same_version(tmp_path: Path) -> None:
    manager = Path(sys.executable).parent / "kruise-manager"
    done = subprocess.run([manager, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)
    assert done.stdout == kruise(tmp_path, "--version").stdout == version("kruise") + "\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "says", "status"),
    [
        ([], "", 2),
        (["cluster"], "", 2),
        (["nothing"], "kruise: No such command 'nothing'.", 2),
        (["explain"], "kruise explain: Missing argument", 2),
        (["explain", "web"], 'kruise: "web": expected KIND/NAME, as in cloneset/web', 1),
        (["explain", "cloneset/"], 'kruise: "cloneset/": expected KIND/NAME, as in cloneset/web', 1),
        (["explain", "cloneset/web", "-o", "xml"], 'kruise: --output xml: expected "table" or "json"', 1),
        (["explain", "cloneset/web", "--timeout", "0"], "kruise explain: Invalid value for '--timeout'", 2),
        (["explain", "cloneset/web", "--kubeconfig", "none"], "kruise: kubeconfig none: No such file or directory", 1),
        (["explain", "cloneset/web", "--kubeconfig", "c", "--context", "x"], 'kruise: kubeconfig c: there is no context "x"', 1),
        (["explain", "cloneset/web", "--kubeconfig", "c"], "kruise: API server 127.0.0.1:1 cannot be reached: ", 1),
        (["demo", "--bogus"], "kruise demo: No such option: --bogus", 2),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_cannot_be(tmp_path: Path, arguments: list[str], says: str, status: int) -> None:
    (tmp_path / "c").write_text(kubeconfig_text("http://127.0.0.1:1"))
    done = kruise(tmp_path, *arguments)
    assert done.stderr.startswith(says) or not says
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    if says:
        assert len(done.stderr.splitlines()) == (2 if status == 2 else 1), done.stderr


def test_explain_says_which_pods_are_held(web: Kubectl, tmp_path: Path) -> None:
    web("patch", "clone", "web", "--type=json", "-p", json.dumps([
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nginx:2"},
        {"op": "add", "path": "/spec/updateStrategy/partition", "value": 2},
    ]))  # fmt: skip
    wait_status(web, "observedGeneration", 2)
    wait_status(web, "updatedReadyReplicas", 1)
    at = ["--kubeconfig", str(web.kubeconfig), "--namespace", web.namespace]
    done = kruise(tmp_path, "explain", "cloneset/web", *at)
    assert (done.stderr, done.returncode) == ("", 0)
    head, *rows = done.stdout.splitlines()
    assert head == f"cloneset {web.namespace}/web: 0 writes due, 2 held"
    held = [row.split(maxsplit=3) for row in rows if row.startswith("held")]
    assert len(held) == 2
    pods = {name.removeprefix("pod/") for name in web.names("pods")}
    for _, pod, rule, why in held:
        assert pod in pods
        assert (rule, why.strip()) == ("partition", "partition 2 of 3 keeps the old revision")
    listed = json.loads(kruise(tmp_path, "explain", "cloneset/web", "-o", "json", *at).stdout)
    assert [reason["rule"] for reason in listed["reasons"] if reason["verdict"] == "held"] == ["partition"] * 2
    missing = kruise(tmp_path, "explain", "cloneset/other", *at)
    assert (missing.stderr, missing.returncode) == (f'kruise: cloneset "other" not found in namespace "{web.namespace}"\n', 1)
    for target, kind in ((web.names("pods")[0], "pod"), ("deployment/absent", "deployment")):
        unknown = kruise(tmp_path, "explain", target, *at)
        says = f'kruise: no controller plans the kind "{kind}"; there is one of cloneset\n'
        assert (unknown.stderr, unknown.returncode) == (says, 1)


def test_explain_without_the_definitions(tmp_path: Path) -> None:
    config = tmp_path / "config"
    with Cluster(nodes=0) as cluster:
        config.write_text(kubeconfig_text(cluster.serve()))
        cluster.client().delete("customresourcedefinition", "clonesets.apps.kruise.io")
        done = kruise(tmp_path, "explain", "cloneset/web", "--kubeconfig", str(config))
    says = "kruise: the server does not have the kind of cloneset/web: install the CRDs of the chart\n"
    assert (done.stderr, done.returncode) == (says, 1)


STEPS = ["create 20 pods", "partition 80%", "replace pod web-", "scale out to 25", "with a surge of 3", "roll back midway"]


@pytest.mark.slow
def test_the_demo_without_a_terminal(tmp_path: Path) -> None:
    done = kruise(tmp_path, "demo")
    assert (done.stderr, done.returncode) == ("", 0)
    assert "\x1b" not in done.stdout
    for step in STEPS:
        assert step in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 200


@pytest.mark.slow
def test_the_demo_in_a_narrow_terminal(tmp_path: Path) -> None:
    """The closing figures are words one can read, no column of single letters."""
    text = in_terminal(tmp_path, 44, "demo")
    closing = " ".join(text[text.rindex("What it took") :].split())
    assert re.search(r"roll back midway: 25 pods kept, 0 created, 0 deleted, \d+ containers restarted, [\d.]+ s", closing)


def in_terminal(folder: Path, columns: int, *arguments: str) -> str:
    """What the command leaves on a terminal of that width, without its control sequences."""
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}  # else they decide
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "kruise", *arguments], {**environment, "TERM": "xterm-256color"})
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    output = bytearray()
    try:
        while chunk := os.read(terminal, 65536):
            output += chunk
    except OSError:
        pass  # its end has been closed
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode()).replace("\r", "")
