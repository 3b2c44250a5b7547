"""A machine within the machine, for processes that think they own one: namespaces and control groups of their own.

    with Sandbox() as sandbox:
        sandbox.run(["ip", "addr"])                 # sees only its own network
        sandbox.connect("10.89.0.2", 8080)          # a socket of that network, in this process

Inside, ``/var/lib``, ``/var/log`` and ``/run`` are empty and private, ``/sys/fs/cgroup`` shows a subtree as the whole, and the
kernel's settings that a kubelet writes are plain files. Whatever was started inside ends with the sandbox: its first process is
the init of a process namespace, and with that the kernel ends all the others and drops mounts and network.

The sandbox ends with the process that opened it, even when that one is killed: a *guard* process (this file as a command) waits
for the end of the pipe between the two, ends what is inside, and removes control groups and folder. Where the guard itself was
killed, the next guard removes what it left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

PREFIX = "kruise-node-"
START_LIMIT_S = 20.0
STOP_LIMIT_S = 20.0
CLONE_NEWNET = 0x40000000
CGROUPS = Path("/sys/fs/cgroup")


class SandboxError(RuntimeError):
    """The machine does not allow it; the message tells which step and what it answered."""


# --- as seen by tests ---------------------------------------------------------------------------------------------------------


class Sandbox:
    """Opens on entering the context; the folder goes with it."""

    def __init__(self) -> None:
        self._guard: subprocess.Popen[str] | None = None
        self.init = 0  # the process number of what is 1 inside
        self._processes: list[subprocess.Popen[bytes]] = []
        self.folder = Path()

    def __enter__(self) -> Sandbox:
        self._guard = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a terminal's Ctrl-C is for this process; the guard acts when it has ended
        )
        assert self._guard.stdout is not None
        words = self._guard.stdout.readline().split()
        if len(words) != 2:
            _, why = self._guard.communicate(timeout=STOP_LIMIT_S)
            raise SandboxError(why.strip() or f"the guard ended with status {self._guard.returncode}")
        self.init, self.folder = int(words[0]), Path(words[1])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._guard is not None:
            self._guard.communicate(timeout=STOP_LIMIT_S)  # closes its input
            self._guard = None
        for process in self._processes:
            process.wait(STOP_LIMIT_S)

    def spawn(self, command: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
        """Starts a process inside; it leads a process group, so ``os.killpg`` reaches it."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                self._inside(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def run(self, command: Sequence[str | Path], limit_s: float = 60.0) -> str:
        """Runs a command inside and returns what it prints."""
        done = subprocess.run(self._inside(command), check=False, capture_output=True, text=True, timeout=limit_s)
        if done.returncode != 0:
            raise SandboxError(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def connect(self, address: str, port: int, limit_s: float = 5.0) -> socket.socket:
        """A connection from within the sandbox's network."""
        made = self._socket()
        made.settimeout(limit_s)
        try:
            made.connect((address, port))
        except OSError:
            made.close()
            raise
        return made

    def listen(self, port: int) -> socket.socket:
        """A listener on the sandbox's own 127.0.0.1."""
        made = self._socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen()
        return made

    def _socket(self) -> socket.socket:
        """A socket stays in the network where it was made; a thread that enters it and ends leaves the others where they are."""
        made: list[socket.socket | OSError] = []

        def make() -> None:
            try:
                with Path(f"/proc/{self.init}/ns/net").open("rb") as namespace:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                made.append(socket.socket())
            except OSError as error:
                made.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        return made[0]

    def _inside(self, command: Sequence[str | Path]) -> list[str]:
        assert self._guard is not None, "the sandbox is not open"
        enter = 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec "$@"'
        groups = [str(group / "cgroup.procs") for group in _groups(self._guard.pid)]
        nsenter = ["nsenter", f"--target={self.init}", "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--"]
        return ["sh", "-c", enter, "sh", *groups, "--", *nsenter, *map(str, command)]


# --- the guard ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hierarchy:
    """One tree of control groups: where it is mounted here, the options to mount it elsewhere, and our own place in it."""

    mount: Path
    type: str
    options: str
    own: str


def _hierarchies() -> list[Hierarchy]:
    """Those that are mounted below /sys/fs/cgroup; of version 2 the pure layout alone, as the hybrid one has no controllers in it."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own[controllers] = path
    found = []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, options, *_ = line.split()
        if kind == "cgroup2" and Path(mount) == CGROUPS:
            found.append(Hierarchy(CGROUPS, kind, "", "/"))  # only the root may have both processes and groups with controllers
        elif kind == "cgroup" and Path(mount).is_relative_to(CGROUPS):
            for controllers, path in own.items():
                if controllers and set(controllers.split(",")) <= set(options.split(",")):
                    named = "none," if controllers.startswith("name=") else ""
                    found.append(Hierarchy(Path(mount), kind, named + controllers, path))
    return found


def _groups(guard: int) -> list[Path]:
    """The sandbox's own group in each hierarchy; of version 2 a leaf, as processes and sub-groups don't go together there."""
    return [
        each.mount / each.own.lstrip("/") / f"{PREFIX}{guard}" / ("init" if each.type == "cgroup2" else "")
        for each in _hierarchies()
    ]


def _make_groups() -> list[Path]:
    groups = _groups(os.getpid())
    for group in groups:
        group.mkdir(parents=True)
        for name in ("cpuset.cpus", "cpuset.mems"):  # version 1 takes no process while they are empty
            if (group / name).exists() and group.name != "init":
                (group / name).write_text((group.parent / name).read_text())
        if group.name == "init":
            for parent in (CGROUPS, group.parent):
                controllers = (parent / "cgroup.controllers").read_text().split()
                (parent / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))
    return groups


def _remove_groups(guard: int) -> None:
    for each in _hierarchies():
        top = each.mount / each.own.lstrip("/") / f"{PREFIX}{guard}"
        limit = time.monotonic() + STOP_LIMIT_S
        while top.exists():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):  # a group may stay busy for a moment after its last process
                    Path(folder).rmdir()
            if time.monotonic() > limit:
                print(f"sandbox: {top} could not be removed", file=sys.stderr)
                break
            if top.exists():
                time.sleep(0.02)


def _remove_leftovers() -> None:
    """Of guards that were killed themselves. A folder carries its guard's number, and so do the groups."""
    names = {path.name for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}[0-9]*")}
    for each in _hierarchies():
        names |= {path.name for path in (each.mount / each.own.lstrip("/")).glob(f"{PREFIX}[0-9]*")}
    for name in names:
        number = name.removeprefix(PREFIX)
        if number.isdigit() and not _is_guard(int(number)):
            _remove_groups(int(number))
            shutil.rmtree(Path(tempfile.gettempdir()) / name, ignore_errors=True)


def _is_guard(number: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(__file__).name.encode() in Path(f"/proc/{number}/cmdline").read_bytes()
    return False


def _guard() -> None:
    _remove_leftovers()
    folder = Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o755)
    process: subprocess.Popen[str] | None = None
    try:
        groups = _make_groups()
        mounts = [f"{each.mount.relative_to(CGROUPS)}:{each.type}:{each.options}" for each in _hierarchies()]
        process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL", "--"),
                *("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child=KILL"),
                *("bash", str(Path(__file__).with_name("enter.sh")), str(folder), *mounts),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: [(group / "cgroup.procs").write_text(str(os.getpid())) for group in groups],
        )
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise SandboxError("the namespaces could not be set up; the command and its error stand above")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        print(children[0], folder, flush=True)
        sys.stdin.read()  # until the opener is done, or gone
        os.kill(int(children[0]), signal.SIGKILL)
    finally:
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_LIMIT_S)
        _remove_groups(os.getpid())
        shutil.rmtree(folder, ignore_errors=True)


def _main() -> int:
    def end(*_: Any) -> None:
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, end)
    try:
        _guard()
    except (OSError, SandboxError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
