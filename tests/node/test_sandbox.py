"""The sandbox ends with whoever opened it, however that ends, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from manager_process import wait

from .sandbox import PREFIX, Sandbox, SandboxError

pytestmark = pytest.mark.usefixtures("real_node")
OPENER = """
import subprocess, sys, time
from pathlib import Path
from node.sandbox import Sandbox
with Sandbox() as sandbox:
    sandbox.spawn(["sh", "-c", "mount -t tmpfs tmpfs /var/lib && mkdir -p /sys/fs/cgroup/memory/inner && sleep 12345"], sandbox.folder / "out")
    print(sandbox.folder, flush=True)
    sys.stdin.read()
"""


def leftovers(folder: Path) -> list[str]:
    """What is there of that sandbox: processes, control groups, files."""
    # Not by a glob, which fails where a folder goes while it looks.
    groups = [f"{at}/{folder.name}" for at, names, _ in os.walk("/sys/fs/cgroup") if folder.name in names]
    processes = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in status.read_bytes() or f"{folder.name}/" in (status.parent / "cgroup").read_text():
                processes.append(status.parent.name)
        except OSError:  # it has just ended
            continue
    return groups + processes + ([str(folder)] if folder.exists() else [])


@pytest.fixture
def opener() -> subprocess.Popen[str]:
    """A process with a sandbox in which another sleeps; its first line names the folder."""
    return subprocess.Popen(
        [sys.executable, "-c", OPENER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_opener_is_ended(opener: subprocess.Popen[str], number: signal.Signals) -> None:
    with opener:
        assert opener.stdout is not None
        folder = Path(opener.stdout.readline().strip())
        assert folder.name.startswith(PREFIX)
        wait("all of it is there", lambda: len(leftovers(folder)) > 3)
        os.killpg(opener.pid, number)
    wait("all of it is gone", lambda: not leftovers(folder))


def test_what_a_killed_guard_leaves_is_removed_by_the_next(opener: subprocess.Popen[str]) -> None:
    with opener:
        assert opener.stdout is not None
        folder = Path(opener.stdout.readline().strip())
        guard = int(folder.name.removeprefix(PREFIX))
        os.kill(guard, signal.SIGKILL)
        opener.kill()
    wait("its processes end with it", lambda: not [each for each in leftovers(folder) if each.isdigit()])
    assert folder.exists()
    with Sandbox():
        assert not leftovers(folder)


def test_it_is_a_machine_of_its_own() -> None:
    settings = Path("/proc/sys/vm/overcommit_memory").read_text()
    with Sandbox() as sandbox:
        assert sandbox.run(["cat", "/proc/1/comm"]).strip() == "sleep"
        assert sandbox.run(["ls", "/var/lib", "/run"]).split() == ["/run:", "/var/lib:"]
        assert "lo" in sandbox.run(["ls", "/sys/class/net"]).split()
        sandbox.run(["sh", "-c", "echo 2 >/proc/sys/vm/overcommit_memory && touch /var/lib/mine && ip link add b0 type bridge"])
        assert (sandbox.folder / "lib/mine").exists()
        with sandbox.listen(4242), sandbox.connect("127.0.0.1", 4242), pytest.raises(SandboxError, match="status 1"):
            sandbox.run(["false"])
    assert Path("/proc/sys/vm/overcommit_memory").read_text() == settings
    assert not Path("/sys/class/net/b0").exists()
