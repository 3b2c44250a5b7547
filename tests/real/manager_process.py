"""kruise-manager as a process under test, and what one asks of it."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from built import built

# Shorter than in production, so that a test of a lost leader takes seconds; the proportions are the same.
QUICK_ELECTION = (
    "--leader-election-lease-duration=4s",
    "--leader-election-renew-deadline=3s",
    "--leader-election-retry-period=500ms",
)


def wait(what: str, holds: Callable[[], bool], limit_s: float = 30) -> float:
    """Returns how many seconds it took; the condition lies in other processes and can only be asked for."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < limit_s, f"not within {limit_s} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - start


_given_ports: set[int] = set()


def free_port() -> int:
    """One that no other process of the tests was given: who was may not have bound it yet."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in _given_ports:
            _given_ports.add(port)
            return port


class ManagerProcess:
    """Starts at once; ends with the ``with`` block at the latest."""

    def __init__(self, kubeconfig: str, folder: Path, *flags: str, namespace: str = "default") -> None:
        self.probes, self.metrics = free_port(), free_port()
        self.log = folder / f"manager-{self.probes}.log"
        with self.log.open("wb") as output:
            self.popen = subprocess.Popen(
                [
                    built("kruise-manager"),
                    f"--kubeconfig={kubeconfig}",
                    f"--leader-election-namespace={namespace}",
                    f"--health-probe-addr=127.0.0.1:{self.probes}",
                    f"--metrics-addr=127.0.0.1:{self.metrics}",
                    *flags,
                ],
                stderr=output,
            )

    def __enter__(self) -> ManagerProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            print(f"--- {self.log}\n{self.text()}")
        with contextlib.suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.probes, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()

    def ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def page(self) -> str:
        return self.get("/metrics", self.metrics)[1]

    def value(self, series: str) -> float | None:
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.page(), re.MULTILINE)
        return float(found.group(1)) if found else None

    def leads(self) -> bool:
        return self.value("kruise_manager_is_leader") == 1

    def resident_mib(self) -> float:
        return (self.value("process_resident_memory_bytes") or 0) / (1 << 20)

    def kill(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def wait_exit(self, limit_s: float) -> int:
        return self.popen.wait(limit_s)
