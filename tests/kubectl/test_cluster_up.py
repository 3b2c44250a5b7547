"""`kruise cluster up` as a user meets it: what it prints, its kubeconfig, its end, and what it says when it cannot."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from http.client import IncompleteRead
from pathlib import Path

import pytest

from .cluster_process import ClusterUp, kruise
from .kubectl import Kubectl

OTHERS = """\
# my clusters
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod
  cluster: {server: https://prod.example:6443}
users:
- name: admin
  user: {token: secret}
contexts:
- name: prod
  context: {cluster: prod, user: admin}
"""


def test_it_serves_and_ends_by_a_signal(tmp_path: Path) -> None:
    with ClusterUp(tmp_path, "--nodes", "4") as cluster:
        assert "4 simulated nodes" in cluster.printed["cluster"]
        assert cluster.printed["kubeconfig"] == "kruise.kubeconfig"
        assert cluster.printed["try"].startswith("kubectl --kubeconfig kruise.kubeconfig get nodes")
        assert (tmp_path / "kruise.kubeconfig").stat().st_mode & 0o077 == 0
        kubectl = Kubectl(kubeconfig=tmp_path / "kruise.kubeconfig", home=tmp_path)
        assert kubectl.names("nodes") == [f"node/node-{number}" for number in range(4)]
        assert cluster.stop() == 0
        assert cluster.process.stdout
        assert cluster.process.stdout.read() == "ended; its objects are gone\n"
        assert "Traceback" not in cluster.errors()
        assert kubectl.run("get", "nodes").status == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_open_watch_does_not_keep_it(tmp_path: Path, number: signal.Signals) -> None:
    with ClusterUp(tmp_path, "--nodes", "0", "--no-manager") as cluster, cluster.connection() as watch:
        watch.request("GET", "/api/v1/configmaps?watch=true")
        answer = watch.getresponse()
        assert cluster.stop(number) == 0
        with contextlib.suppress(IncompleteRead):
            answer.read()


def test_the_contexts_of_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(OTHERS)
    path.chmod(0o640)
    with ClusterUp(tmp_path, "--nodes", "1", "--kubeconfig", "config") as cluster:
        assert cluster.printed["kubeconfig"] == "config (context kruise, beside 1 other)"
        assert "--context kruise" in cluster.printed["try"]
    with ClusterUp(tmp_path, "--nodes", "1", "--kubeconfig", "config") as cluster:  # the old entry leads nowhere any more
        kubectl = Kubectl(kubeconfig=path, home=tmp_path)
        assert kubectl("config", "get-contexts", "-o", "name").split() == ["kruise", "prod"]
        assert kubectl("config", "current-context") == "prod\n"
        assert kubectl("config", "view", "--raw", "-o", "jsonpath={.users[?(@.name=='admin')].user.token}") == "secret"
        assert kubectl("--context", "kruise", "get", "nodes", "-o", "name") == "node/node-0\n"
        assert path.read_text().startswith("# my clusters\n")
        assert path.stat().st_mode & 0o777 == 0o640
        assert cluster.url in path.read_text()


def test_two_at_once(tmp_path: Path) -> None:
    """Each with files of its own; one that would take the other's place is refused."""
    with ClusterUp(tmp_path, "--nodes", "1") as first:
        port = first.url.rpartition(":")[2]
        refusals = {
            ("--nodes", "1"): f"--kubeconfig kruise.kubeconfig: it leads to a cluster that is running at {first.url}; "
            "end that, or name another file",
            (
                "--kubeconfig",
                "second",
                "--port",
                port,
            ): f"--port {port}: cannot listen on 127.0.0.1:{port}: Address already in use",
        }
        for flags, why in refusals.items():
            done = kruise(tmp_path, "cluster", "up", *flags)
            assert (done.stderr, done.returncode) == (f"kruise: {why}\n", 1)
        assert not (tmp_path / "second").exists()
        with ClusterUp(tmp_path, "--nodes", "2", "--kubeconfig", "second") as second:
            counts = [len(cluster.call("GET", "/api/v1/nodes")[1]["items"]) for cluster in (first, second)]
            assert counts == [1, 2]


def test_a_port_of_another_service(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (tmp_path / "kruise.kubeconfig").write_text(
            OTHERS.replace("prod", "kruise").replace("https://kruise.example:6443", f"http://127.0.0.1:{port}")
        )
        done = kruise(tmp_path, "cluster", "up", "--port", str(port))
    assert (done.stderr, done.returncode) == (
        f"kruise: --port {port}: cannot listen on 127.0.0.1:{port}: Address already in use\n",
        1,
    )


def _file(name: str, text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(text)

    return write


def _nothing(folder: Path) -> None:
    del folder


FAILURES = {
    # name: (what is there, the flags, what stderr says, the status)
    "nodes-negative": (_nothing, ["--nodes", "-1"], "kruise cluster up: Invalid value for '--nodes'", 2),
    "nodes-word": (_nothing, ["--nodes", "three"], "kruise cluster up: Invalid value for '--nodes'", 2),
    "nodes-many": (_nothing, ["--nodes", "100000"], "kruise cluster up: Invalid value for '--nodes'", 2),
    "port-high": (_nothing, ["--port", "70000"], "kruise cluster up: Invalid value for '--port'", 2),
    "flag-unknown": (_nothing, ["--bogus"], "kruise cluster up: No such option: --bogus", 2),
    "flag-without-value": (_nothing, ["--port"], "kruise: Option '--port' requires an argument", 2),
    "argument": (_nothing, ["now"], "kruise cluster up: Got unexpected extra argument", 2),
    "config-no-folder": (_nothing, ["--kubeconfig", "none/config"], "kruise: --kubeconfig none/config: there is no folder", 1),
    "config-is-folder": (_nothing, ["--kubeconfig", "."], "kruise: --kubeconfig .: Is a directory", 1),
    "config-not-yaml": (_file("c", "a: [b"), ["--kubeconfig", "c"], "kruise: --kubeconfig c: it exists and is not YAML", 1),
    "config-text": (_file("c", "my notes"), ["--kubeconfig", "c"], "kruise: --kubeconfig c: it exists and is no kubeconfig", 1),
    "config-foreign": (_file("c", '{"a": 1}'), ["--kubeconfig", "c"], "kruise: --kubeconfig c: it exists and is no kubeconfig", 1),
    "config-other-kruise": (
        _file("c", OTHERS.replace("prod", "kruise")),
        ["--kubeconfig", "c"],
        'kruise: --kubeconfig c: its cluster "kruise" is another one, https://kruise.example:6443; name another file',
        1,
    ),
    "state-no-folder": (_nothing, ["--state", "none/s"], "kruise: --state: state file ", 1),
    "state-is-folder": (_nothing, ["--state", "."], "kruise: --state: state file ", 1),
    "state-foreign": (_file("s", "my notes"), ["--state", "s"], "kruise: --state: state file ", 1),
    "state-json": (_file("s", '{"kind":"List","items":[]}\n'), ["--state", "s"], "kruise: --state: state file ", 1),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_what_cannot_be_is_one_line_and_touches_nothing(tmp_path: Path, case: str) -> None:
    prepare, flags, says, status = FAILURES[case]
    prepare(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = kruise(tmp_path, "cluster", "up", *flags)
    assert done.stderr.startswith(says)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == (2 if status == 2 else 1), done.stderr
    assert done.stdout == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_written() -> None:
    """As another user, where this one may do anything. What is imported later may lie where that one may not read."""
    script = "import os, kruise.cli, kruise.cli.serve, ruamel.yaml; os.geteuid() or os.seteuid(65534); kruise.cli.main()"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", script, "cluster", "up", "--kubeconfig", f"{folder}/config"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        Path(folder).chmod(0o755)
    assert done.stderr == f"kruise: --kubeconfig {folder}/config: the folder {folder} is not writable\n"
    assert done.returncode == 1
