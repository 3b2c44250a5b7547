#!/usr/bin/env python3
"""A real Kubernetes control plane (etcd, kube-apiserver, on request kube-controller-manager) for tests, on free ports.

As a context manager::

    with ControlPlane(controller_manager=True) as plane:
        code, body = plane.call("GET", "/api/v1/namespaces")
        subprocess.run([plane.kubectl, "--kubeconfig", plane.kubeconfig, "get", "ns"])

as the pytest fixtures of ``fixtures.py``, or as a command that runs until it is killed::

    python3 tests/real/control_plane.py --kubeconfig /tmp/real.kubeconfig --kcm --crds charts/kruise/crds

Only the standard library is used; the executables come from ``build.sh``. Every process dies with this one, however it ends.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from certificates import Certificates

HERE = Path(__file__).resolve().parent
START_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0
START_ATTEMPTS = 3  # a port found free may be taken before it is used

ADMIN_TOKEN = "admin-token"
USERS = {  # token -> (user, groups)
    ADMIN_TOKEN: ("admin", ("system:masters",)),
    "admin-token-2": ("admin", ("system:masters",)),  # a second one, so that a token can be rotated
    "viewer-token": ("viewer", ()),  # may do nothing until a test binds it to a role
}
# Without nodes that report, these would taint and empty the simulated ones.
CONTROLLERS_OFF = ("node-lifecycle-controller", "taint-eviction-controller")


class ControlPlaneError(RuntimeError):
    """A process did not come up; the message carries the end of its log."""


@dataclass
class _Process:
    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


@dataclass
class ControlPlane:
    """Starts on ``start`` or on entering the context, stops on ``stop`` or on leaving it.

    :param controller_manager: run kube-controller-manager too (garbage collection, claim protection, namespaces).
    :param real_nodes: nodes report for themselves (tests/node): kube-scheduler and all controllers run too.
    :param etcd: ``"3.6"`` (built beside the API server) or ``"debian"`` (3.4 on the PATH, which cannot stream lists).
    :param audit: write one JSON line per request (user agent included) to ``audit_log``.
    :param audit_answers: the same, and with each write of a pod the pod as it was stored.
    :param crds: definitions served before kube-controller-manager starts, whose garbage collector learns of others after 30 s only.
    :param directory: where data, logs and credentials go; a temporary folder, removed on stop, when absent.
    """

    controller_manager: bool = False
    real_nodes: bool = False
    etcd: str = "3.6"
    audit: bool = False
    audit_answers: bool = False
    crds: Sequence[str | Path] = ()
    directory: Path | None = None
    api_server_flags: Sequence[str] = ()
    url: str = field(default="", init=False)
    _etcd_url: str = field(default="", init=False)
    _etcd_peer: int = field(default=0, init=False)
    _own_directory: bool = field(default=False, init=False)
    _processes: list[_Process] = field(default_factory=list, init=False)
    _bin: Path = field(default=Path(), init=False)
    _tls: ssl.SSLContext | None = field(default=None, init=False)

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> ControlPlane:
        """Returns when every process answers as ready; raises :class:`ControlPlaneError` otherwise."""
        self._bin = binaries(*(("kube-scheduler", "kubelet") if self.real_nodes else ()))
        if self.directory is None:
            self.directory = Path(tempfile.mkdtemp(prefix="kruise-real-"))
            self._own_directory = True
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self._make_credentials()
            for attempt in range(1, START_ATTEMPTS + 1):
                try:
                    self._start_processes()
                    break
                except ControlPlaneError:
                    self._stop_processes()
                    if attempt == START_ATTEMPTS:
                        raise
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self._stop_processes()
        if self._own_directory and self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # --- what tests use -----------------------------------------------------------------------------------------------

    @property
    def kubectl(self) -> str:
        return str(self._bin / "kubectl")

    @property
    def kubeconfig(self) -> str:
        """A kubeconfig with the admin's token."""
        return str(self.path("kubeconfig"))

    @property
    def ca_file(self) -> Path:
        return self.path("ca.crt")

    @property
    def client_certificate(self) -> tuple[Path, Path]:
        """Certificate and key of ``cert-admin``, a member of system:masters."""
        return self.path("client.crt"), self.path("client.key")

    @property
    def audit_log(self) -> Path:
        return self.path("audit.log")

    def path(self, name: str) -> Path:
        assert self.directory is not None, "the control plane was not started"
        return self.directory / name

    def write_kubeconfig(self, path: str | Path, user: dict[str, Any] | None = None, **cluster: Any) -> str:
        """Writes a kubeconfig (JSON, which is YAML) with one context; ``cluster`` adds or replaces fields of the cluster."""
        about_cluster = {"server": self.url, "certificate-authority-data": _base64(self.ca_file), **cluster}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "real",
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "user"}}],
            "clusters": [{"name": "real", "cluster": about_cluster}],
            "users": [{"name": "user", "user": {"token": ADMIN_TOKEN} if user is None else user}],
        }
        target = Path(path)
        target.touch(mode=0o600)
        target.write_text(json.dumps(config, indent=1) + "\n")
        return str(target)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        token: str = ADMIN_TOKEN,
        timeout_s: float = 30.0,
    ) -> tuple[int, Any]:
        """One request; the answer's body is decoded where it is JSON. ``body`` may be text, bytes or anything JSON can hold."""
        host = self.url.removeprefix("https://")
        connection = http.client.HTTPSConnection(host, context=self._tls, timeout=timeout_s)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        data = body
        if body is not None:
            headers["Content-Type"] = content_type
            data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(raw)
        except ValueError:
            return answer.status, raw.decode(errors="replace")

    def run_kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Runs kubectl as admin and returns what it prints; raises CalledProcessError with its stderr otherwise."""
        command = [self.kubectl, "--kubeconfig", self.kubeconfig, *arguments]
        return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True).stdout

    def install_crds(self, *paths: str | Path) -> None:
        """Applies CRD files or folders and waits until they are served."""
        files = [argument for path in paths for argument in ("-f", str(path))]
        names = self.run_kubectl("apply", "--server-side", "--force-conflicts", "-o", "name", *files).split()

        # Not with `kubectl wait`: it takes a definition that has no conditions yet for an error.
        def served(name: str) -> bool:
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + name.rpartition("/")[2]
            conditions = self.call("GET", path)[1].get("status", {}).get("conditions") or []
            return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)

        (server,) = (process for process in self._processes if process.name == "kube-apiserver")
        self._wait(server, lambda: all(map(served, names)))

    # --- how ----------------------------------------------------------------------------------------------------------

    def restart_api_server(self) -> None:
        """Kills the API server and starts it anew on the same port; returns when it is ready."""
        (old,) = (process for process in self._processes if process.name == "kube-apiserver")
        os.killpg(old.popen.pid, signal.SIGKILL)
        old.popen.wait(STOP_LIMIT_S)
        self._processes.remove(old)
        self._start_api_server(int(self.url.rpartition(":")[2]))

    def restart_etcd(self) -> None:
        """Kills etcd and starts it anew on the same data and port; returns when the API server is ready again."""
        etcd, server = (next(p for p in self._processes if p.name == name) for name in ("etcd", "kube-apiserver"))
        os.killpg(etcd.popen.pid, signal.SIGKILL)
        etcd.popen.wait(STOP_LIMIT_S)
        self._processes.remove(etcd)
        self._run_etcd()
        self._wait(server, self._api_server_ready)

    def compact_history(self) -> None:
        """Makes etcd forget every version but the present one; the API server's own cache forgets when it restarts."""
        revision = self._ask_etcd("/v3/maintenance/status", {})["header"]["revision"]
        self._ask_etcd("/v3/kv/compaction", {"revision": revision, "physical": True})

    def _ask_etcd(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._etcd_url.removeprefix("http://"), timeout=10)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise ControlPlaneError(f"etcd: {path} answered {response.status}: {text!r}")
            answer: dict[str, Any] = json.loads(text)
            return answer
        finally:
            connection.close()

    def _make_credentials(self) -> None:
        make = Certificates(self.path(""))
        make.authority("ca")
        make.signed("server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc")
        make.signed("client", "/O=system:masters/CN=cert-admin", "extendedKeyUsage=clientAuth")
        make.key_pair("service-account")
        lines = [f'{token},{user},{user}-uid,"{",".join(groups)}"' for token, (user, groups) in USERS.items()]
        self.path("tokens.csv").write_text("\n".join(lines) + "\n")
        rules: list[dict[str, Any]] = [{"level": "Metadata"}]
        if self.audit_answers:
            writes = ["create", "update", "patch", "delete"]
            pods = {"group": "", "resources": ["pods", "pods/*"]}
            rules.insert(0, {"level": "RequestResponse", "verbs": writes, "resources": [pods], "omitManagedFields": True})
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
        self.path("audit.yaml").write_text(json.dumps(policy) + "\n")
        self._tls = ssl.create_default_context(cafile=str(self.ca_file))

    def _start_processes(self) -> None:
        self._start_etcd()
        self._start_api_server(_free_port())
        if self.crds:
            self.install_crds(*self.crds)
        if self.controller_manager or self.real_nodes:
            self._start_controller_manager()
        if self.real_nodes:
            self._start_client("kube-scheduler", "/readyz")

    def _start_etcd(self) -> None:
        client, self._etcd_peer = _free_port(), _free_port()
        self._etcd_url = f"http://127.0.0.1:{client}"
        shutil.rmtree(self.path("etcd"), ignore_errors=True)
        self._run_etcd()

    def _run_etcd(self) -> None:
        url, peer = self._etcd_url, self._etcd_peer
        client = int(url.rpartition(":")[2])
        executable = self._bin / "etcd" if self.etcd == "3.6" else Path(shutil.which("etcd") or "/usr/bin/etcd")
        flags = [
            f"--data-dir={self.path('etcd')}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]
        process = self._spawn("etcd", executable, flags, environment={"ETCD_UNSUPPORTED_ARCH": os.uname().machine})
        self._wait(process, lambda: _http_ok("127.0.0.1", client, "/health"))

    def _start_api_server(self, port: int) -> None:
        flags = [
            f"--etcd-servers={self._etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={self.path('server.crt')}",
            f"--tls-private-key-file={self.path('server.key')}",
            f"--client-ca-file={self.ca_file}",
            f"--token-auth-file={self.path('tokens.csv')}",
            "--authorization-mode=RBAC",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.path('service-account.pub')}",
            f"--service-account-signing-key-file={self.path('service-account.key')}",
            "--disable-admission-plugins=ServiceAccount",
            "--profiling=false",
            *self.api_server_flags,
        ]
        if self.audit or self.audit_answers:
            flags += [f"--audit-log-path={self.audit_log}", f"--audit-policy-file={self.path('audit.yaml')}"]
            flags.append("--audit-log-maxsize=4096")  # MiB; a file begun anew would hide lines from who reads the first
        process = self._spawn("kube-apiserver", self._bin / "kube-apiserver", flags)
        self.url = f"https://127.0.0.1:{port}"
        self._wait(process, self._api_server_ready)
        self.write_kubeconfig(self.kubeconfig)

    def _api_server_ready(self) -> bool:
        code, _ = self.call("GET", "/readyz", timeout_s=2)
        # The namespace is made by the server itself, a moment after it is ready.
        return code == 200 and self.call("GET", "/api/v1/namespaces/default", timeout_s=2)[0] == 200

    def _start_controller_manager(self) -> None:
        off = () if self.real_nodes else CONTROLLERS_OFF
        self._start_client(
            "kube-controller-manager",
            "/healthz",
            f"--controllers={','.join(['*', *('-' + name for name in off)])}",
            f"--service-account-private-key-file={self.path('service-account.key')}",
            f"--root-ca-file={self.ca_file}",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )

    def _start_client(self, name: str, probe: str, *flags: str) -> None:
        """A part that works through the API server; it is ready when its own ``probe`` says so."""
        port = _free_port()
        common = [
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={self.path(name)}",
            "--profiling=false",
        ]
        process = self._spawn(name, self._bin / name, [*common, *flags])
        self._wait(process, lambda: _http_ok("127.0.0.1", port, probe, tls=True))

    def _spawn(self, name: str, executable: Path, flags: list[str], environment: dict[str, str] | None = None) -> _Process:
        log = self.path(f"{name}.log")
        # A group of its own keeps a terminal's Ctrl-C away from it; setpriv lets the kernel end it when this process dies.
        command = ["setpriv", "--pdeathsig", "KILL", "--", str(executable), *flags]
        with log.open("wb") as output:
            popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        process = _Process(name, popen, log)
        self._processes.append(process)
        return process

    def _wait(self, process: _Process, ready: Callable[[], bool]) -> None:
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit:
            if process.popen.poll() is not None:
                raise ControlPlaneError(f"{process.name} ended with status {process.popen.returncode}:\n{process.tail()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if ready():
                    return
            time.sleep(0.05)
        raise ControlPlaneError(f"{process.name} was not ready within {START_LIMIT_S:.0f} s:\n{process.tail()}")

    def _stop_processes(self) -> None:
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                # Nothing that they hold is worth an orderly end, and an orderly API server takes its time.
                os.killpg(process.popen.pid, signal.SIGKILL)
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.popen.wait(STOP_LIMIT_S)
        self._processes.clear()


def binaries(*more: str) -> Path:
    """The folder of the real executables, built on first use (minutes); ``more`` names some that not every test needs."""
    done = subprocess.run([str(HERE / "build.sh"), *more], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ControlPlaneError("tests/real/build.sh could not build the control plane; its reason stands above")
    return Path(done.stdout.strip().splitlines()[-1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _http_ok(host: str, port: int, path: str, tls: bool = False) -> bool:
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # a certificate that the process made for itself
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=2, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs a real Kubernetes control plane until it is killed.")
    parser.add_argument("--kubeconfig", required=True, help="where to write the admin's kubeconfig")
    parser.add_argument("--kcm", action="store_true", help="run kube-controller-manager too")
    parser.add_argument("--etcd", choices=("3.6", "debian"), default="3.6")
    parser.add_argument("--crds", action="append", default=[], help="CRD file or folder to install (may be repeated)")
    parser.add_argument("--directory", type=Path, help="keep data, logs and credentials here")
    options = parser.parse_args()

    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if ended.is_set():
            return
        ended.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    plane = ControlPlane(controller_manager=options.kcm, etcd=options.etcd, directory=options.directory, crds=options.crds)
    with contextlib.suppress(KeyboardInterrupt):
        try:
            plane.start()
            plane.write_kubeconfig(options.kubeconfig)
            print(f"ready: {plane.url} kubeconfig {options.kubeconfig}", flush=True)
            signal.pause()
        finally:
            plane.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
