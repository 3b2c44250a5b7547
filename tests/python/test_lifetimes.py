"""Threads, forks, Ctrl-C and things that are gone: nothing hangs, nothing crashes, each answer says what is wrong."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kruise

from .objects import DELAYS, clone_set, config_map


def in_thread(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Runs the call on a thread of its own; the list gets its result, or what it raised."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(call())
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, result


def joined(thread: threading.Thread) -> None:
    thread.join(timeout=20)
    assert not thread.is_alive()


def test_what_is_closed_says_so() -> None:
    cluster = kruise.Cluster(delays=DELAYS)
    client = cluster.client()
    manager = kruise.Manager(cluster).start()
    watch = client.watch("cm")
    client.create(config_map("a"))
    next(watch)
    cluster.close()
    cluster.close()
    calls: list[Callable[[], Any]] = [
        lambda: client.get("cm", "a"),
        lambda: list(watch),
        lambda: list(client.watch("cm")),
        cluster.now,
        cluster.serve,
        lambda: cluster.kubelets.slow(2),
        lambda: manager.ready,
        manager.start,
    ]
    for call in calls:
        with pytest.raises(kruise.KruiseError, match="the cluster is closed"):
            call()
    manager.stop()
    with kruise.Cluster(virtual=True) as other:
        stopped = kruise.Manager(other)
        with pytest.raises(kruise.KruiseError, match="not running"):
            stopped.plan("clone", "web")


def test_a_watch_is_closed_from_another_thread(cluster: kruise.Cluster) -> None:
    watch = cluster.client().watch("cm", selector="app=nobody")
    thread, result = in_thread(lambda: list(watch))
    watch.close()
    watch.close()
    joined(thread)
    assert result == [[]]
    assert repr(watch).endswith("closed>")


def test_a_waiting_watch_ends_with_its_cluster() -> None:
    cluster = kruise.Cluster(delays=DELAYS)
    client = cluster.client()
    client.create(config_map("a"))
    watch = client.watch("cm", selector="app=web")
    next(watch)
    thread, result = in_thread(lambda: list(watch))
    cluster.close()
    joined(thread)
    assert isinstance(result[0], kruise.KruiseError)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_watch_that_is_dropped_is_closed(tmp_path: Path) -> None:
    with kruise.Cluster(delays=DELAYS) as cluster:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(kruise.cluster.kubeconfig(cluster.serve()))
        client = kruise.Client(kubeconfig=kubeconfig)
        client.create(config_map("a"))

        def watch_once() -> None:
            for _ in client.watch("cm", selector="app=web"):
                break

        watch_once()
        gc.collect()
        before = open_files()
        for _ in range(30):
            watch_once()
        gc.collect()
        assert open_files() <= before + 10, "each watch that was dropped left something open"


def test_many_threads_share_a_client(cluster: kruise.Cluster) -> None:
    client = cluster.client()

    def work(worker: int) -> int:
        for i in range(20):
            client.create(config_map(f"w{worker}-{i}"))
        return len([one for one in client.list("cm", selector="app=web") if one["metadata"]["name"].startswith(f"w{worker}-")])

    threads = [in_thread(lambda worker=worker: work(worker)) for worker in range(6)]  # type: ignore[misc]
    for thread, _ in threads:
        joined(thread)
    assert [result for _, result in threads] == [[20]] * 6


def test_threads_take_turns_in_virtual_time() -> None:
    with kruise.Cluster(virtual=True, delays=DELAYS) as cluster, kruise.Manager(cluster):
        client = cluster.client()
        client.create(clone_set(replicas=30))
        runner, ran = in_thread(lambda: cluster.run_for(120))
        writers = [in_thread(lambda n=n: [client.create(config_map(f"{n}-{i}")) for i in range(30)]) for n in "abc"]  # type: ignore[misc]
        for thread, _ in (*writers, (runner, ran)):
            joined(thread)
        assert ran == [None]
        assert len(client.list("cm", selector="app=web")) == 90
        cluster.run_until(lambda: client.get("clone", "web")["status"]["readyReplicas"] == 30, timeout=600)


def test_an_observer_sees_writes_and_must_not_call_back(cluster: kruise.Cluster) -> None:
    client = cluster.client()
    seen: list[str] = []
    refused: list[str] = []

    def observer(event: kruise.WriteEvent) -> None:
        seen.append(f"{event.type} {event.plural}/{event.name}")
        try:
            client.get("cm", "a")
        except kruise.KruiseError as error:
            refused.append(str(error))

    cluster.observe_writes(observer)
    client.create(config_map("a"))
    cluster.observe_writes(None)
    client.create(config_map("b"))
    assert "ADDED configmaps/a" in seen
    assert "ADDED configmaps/b" not in seen
    assert len(refused) == len(seen)
    assert "must not call the cluster" in refused[0]


FORK = """
import os, sys, kruise
cluster = kruise.Cluster()
client = cluster.client()
manager = kruise.Manager(cluster).start()
watch = client.watch("pods")
child = os.fork()
if child == 0:
    refused = 0
    for call in (lambda: client.get("cm", "a"), lambda: next(watch), cluster.now, lambda: manager.ready, manager.stop, cluster.close):
        try:
            call()
        except kruise.KruiseError as error:
            refused += "forked" in str(error)
    with kruise.Cluster() as own:
        own.client().create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    del client, cluster, manager, watch
    sys.exit(refused)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
manager.stop()
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_forked_child_is_told_and_makes_its_own() -> None:
    done = python(FORK)
    assert (done.returncode, done.stdout) == (0, "6\n"), done.stderr


CTRL_C = """
import signal, sys, kruise
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it
cluster = kruise.Cluster()
client = cluster.client()
virtual = kruise.Cluster(virtual=True)
what = {
    "watch": lambda: list(client.watch("pods")),
    "wait": lambda: client.wait("clone", "web", lambda web: False, timeout=60),
    "run_for": lambda: virtual.run_for(10_000_000_000),
    "run_until": lambda: virtual.run_until(lambda: False, timeout=10_000_000_000),
}[sys.argv[1]]
try:
    print("waits", flush=True)
    what()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("what", ["watch", "wait", "run_for", "run_until"])
def test_ctrl_c_ends_what_blocks(what: str) -> None:
    with subprocess.Popen([sys.executable, "-c", CTRL_C, what], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        os.kill(process.pid, signal.SIGINT)
        assert process.stdout.read() == "interrupted\n"
        assert process.wait(timeout=20) == 0


def test_nothing_needs_closing_at_exit() -> None:
    done = python("import kruise; c = kruise.Cluster(); m = kruise.Manager(c).start(); w = c.client().watch('pods')")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_gil_is_free_while_a_call_blocks(cluster: kruise.Cluster) -> None:
    watch = cluster.client().watch("cm", selector="app=nobody")
    thread, _ = in_thread(lambda: list(watch))
    for _ in range(100_000):  # runs on, whatever the other thread waits for
        pass
    assert thread.is_alive()
    watch.close()
    joined(thread)
