#!/usr/bin/env python3
"""A real node: containerd and a kubelet in a sandbox of their own, registered with a real control plane.

    with ControlPlane(real_nodes=True) as plane, Node(plane) as node:
        ...                                            # pods are scheduled, started, probed; their images come from images.py
        node.get(pod["status"]["podIP"], "/version")   # asked from within the node's network

or as a command that runs until it is killed, to try things on::

    python3 tests/node/real_node.py --kubeconfig /tmp/node.kubeconfig --crds charts/kruise/crds
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for folder in ("tests", "tests/real"):  # where pytest looks too
    if str(ROOT / folder) not in sys.path:
        sys.path.append(str(ROOT / folder))

from control_plane import ControlPlane, binaries  # noqa: E402
from manager_process import wait  # noqa: E402
from node.images import PAUSE, Image, build_app, versions, write_archive  # noqa: E402
from node.sandbox import Sandbox, SandboxError  # noqa: E402

START_LIMIT_S = 60.0
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
NETWORK = "10.89.0"  # /24, in the sandbox only
PLUGINS = ("/usr/lib/cni", "/opt/cni/bin")
COMMANDS = ("containerd", "ctr", "runc", "ip", "nsenter", "unshare", "setpriv", "cc")
Json = Any


class NodeError(RuntimeError):
    """A part of the node did not come up; the message carries the end of its log."""


def missing() -> str:
    """What a real node needs and this machine lacks; empty where all is there."""
    if os.geteuid() != 0:
        return "a real node needs root (containers, namespaces and control groups are made)"
    commands = [name for name in COMMANDS if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None]
    if commands:
        return f"a real node needs {', '.join(commands)} (scripts/packages.txt)"
    if _plugins() is None:
        return f"a real node needs the CNI plugins (containernetworking-plugins), in {' or '.join(PLUGINS)}"
    try:
        with Sandbox():
            return ""
    except (SandboxError, OSError) as error:
        return f"a real node needs namespaces and control groups of its own, which this machine refuses: {error}"


class Node:
    """Starts on entering the context; is ready, with its images, then."""

    def __init__(self, plane: ControlPlane, images: list[Image], name: str = "node-a") -> None:
        self.plane = plane
        self.name = name
        self._images = images
        self._stack = contextlib.ExitStack()
        self._kubelet: subprocess.Popen[bytes] | None = None
        self.sandbox = Sandbox()

    def __enter__(self) -> Node:
        with self._stack:
            self._stack.enter_context(self.sandbox)
            self._stack.enter_context(_relay(self.sandbox, self.plane))
            self._make_network()
            self._start_containerd()
            self._import_images()
            self.start_kubelet()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    # --- what tests use -----------------------------------------------------------------------------------------------

    def path(self, name: str) -> Path:
        """In the node's folder, which ends with it. ``lib`` is the node's /var/lib, ``log`` its /var/log."""
        return self.sandbox.folder / name

    def get(self, address: str, path: str, port: int = 8080) -> tuple[int, str]:
        """One HTTP request from within the node's network, as a probe sends it."""
        connection = http.client.HTTPConnection(address, port)
        connection.sock = self.sandbox.connect(address, port)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def kill_kubelet(self) -> None:
        """At once, as when its machine's service manager kills it; the containers go on."""
        assert self._kubelet is not None
        os.killpg(self._kubelet.pid, signal.SIGKILL)
        self._kubelet.wait()
        self._kubelet = None

    def start_kubelet(self) -> None:
        """Returns when it reports the node as ready; its lease tells that the report is this kubelet's."""
        lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{self.name}"
        before = self.plane.call("GET", lease)[1]
        self._kubelet = self._start_kubelet()

        def ready() -> bool:
            code, node = self.plane.call("GET", f"/api/v1/nodes/{self.name}")
            conditions = {each["type"]: each["status"] for each in node["status"]["conditions"]} if code == 200 else {}
            # Taints tell that the controller-manager has seen it too.
            return (
                conditions.get("Ready") == "True"
                and not node["spec"].get("taints")
                and self.plane.call("GET", lease)[1] != before
            )

        self._wait("kubelet", self._kubelet, ready)

    # --- how ----------------------------------------------------------------------------------------------------------

    def _make_network(self) -> None:
        plugins = _plugins()
        assert plugins is not None
        network = {
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "cni0",
                    "isGateway": True,
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[{"subnet": f"{NETWORK}.0/24"}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
            ],
        }
        self.path("cni").mkdir()
        self.path("cni/pods.conflist").write_text(json.dumps(network))
        for command in ("link add cni0 type bridge", f"addr add {NETWORK}.1/24 dev cni0", "link set cni0 up"):
            self.sandbox.run(["ip", *command.split()])

    def _start_containerd(self) -> None:
        cri = '[plugins."io.containerd.grpc.v1.cri"'
        config = f"""version = 2
{cri}]
  sandbox_image = "{PAUSE.name}"
  restrict_oom_score_adj = true
{cri}.cni]
  bin_dir = "{_plugins()}"
  conf_dir = "{self.path("cni")}"
{cri}.containerd]
  snapshotter = "{self._snapshotter()}"
"""
        self.path("containerd.toml").write_text(config)
        process = self.sandbox.spawn(["containerd", "--config", self.path("containerd.toml")], self.path("containerd.log"))

        def serves() -> bool:
            with contextlib.suppress(SandboxError):
                return "io.containerd.grpc.v1" in self._ctr("plugins", "list")
            return False

        self._wait("containerd", process, serves)

    def _snapshotter(self) -> str:
        """Overlays where the file system below takes them (not an overlay itself), else plain copies."""
        self.path("lib/overlay").mkdir()
        folders = ",".join(f"{kind}dir={self.path('lib/overlay')}/{kind}" for kind in ("lower", "upper", "work"))
        script = (
            f"cd {self.path('lib/overlay')} && mkdir lower upper work at && mount -t overlay overlay -o {folders} at && umount at"
        )
        try:
            self.sandbox.run(["sh", "-c", script])
        except SandboxError:
            return "native"
        return "overlayfs"

    def _ctr(self, *arguments: str) -> str:
        return self.sandbox.run(["ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", *arguments])

    def _import_images(self) -> None:
        archive = self.path("images.tar")
        write_archive(build_app(self.sandbox.folder), [PAUSE, *self._images], archive)
        self._ctr("images", "import", str(archive))
        names = {image.name for image in (PAUSE, *self._images)}
        have = set(self._ctr("images", "list", "-q").split())
        assert names <= have, f"not imported: {names - have}"

    def _start_kubelet(self) -> subprocess.Popen[bytes]:
        config = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": "127.0.0.1",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "failSwapOn": False,
            "makeIPTablesUtilChains": False,
            "clusterDNS": ["10.0.0.10"],  # answered by nobody; without one each pod is warned about
            "volumePluginDir": "/var/lib/volume-plugins",
            "resolvConf": "",
            # The machine's disk and memory are not the node's: nothing is evicted or collected for them.
            "evictionHard": {
                "memory.available": "0%",
                "nodefs.available": "0%",
                "nodefs.inodesFree": "0%",
                "imagefs.available": "0%",
            },
            "imageGCHighThresholdPercent": 100,
            "localStorageCapacityIsolation": False,
            "oomScoreAdj": 0,  # a negative one takes a capability that machines in machines lack
            "nodeStatusUpdateFrequency": "2s",
        }
        self.path("kubelet.yaml").write_text(json.dumps(config))
        command = [
            str(binaries("kubelet") / "kubelet"),
            f"--config={self.path('kubelet.yaml')}",
            f"--kubeconfig={self.path('kubeconfig')}",
            f"--hostname-override={self.name}",
            f"--node-ip={NETWORK}.1",
            "--v=2",
        ]
        return self.sandbox.spawn(command, self.path("kubelet.log"))

    def _wait(self, name: str, process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
        with contextlib.suppress(AssertionError):
            wait(f"{name} is ready", lambda: process.poll() is not None or ready(), START_LIMIT_S)
            if process.poll() is None:
                return
        lines = self.path(f"{name}.log").read_text(errors="replace").splitlines()[-20:]
        raise NodeError(f"{name} {'was not ready in time' if process.poll() is None else 'ended'}:\n" + "\n".join(lines))


def _plugins() -> str | None:
    return next((folder for folder in PLUGINS if (Path(folder) / "bridge").exists()), None)


@contextlib.contextmanager
def _relay(sandbox: Sandbox, plane: ControlPlane) -> Iterator[None]:
    """The API server's address inside the sandbox, with the kubeconfig that names it."""
    host, _, port = plane.url.removeprefix("https://").rpartition(":")
    listener = sandbox.listen(int(port))
    plane.write_kubeconfig(sandbox.folder / "kubeconfig")
    opened: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                opened.append(client)
                try:
                    server = socket.create_connection((host, int(port)))
                except OSError:  # the API server is down: so is the connection
                    client.close()
                    continue
                opened.append(server)
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=pass_on, args=(source, target), daemon=True).start()

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        for each in (listener, *opened):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs a real control plane and a real node until it is killed.")
    parser.add_argument(
        "--check", action="store_true", help="tell what this machine lacks for it, and end (status 1 if anything)"
    )
    parser.add_argument("--kubeconfig", default="node.kubeconfig", help="where to write the admin's kubeconfig")
    parser.add_argument("--crds", action="append", default=[], help="CRD file or folder to install (may be repeated)")
    options = parser.parse_args()
    if lacks := missing():
        print(lacks, file=sys.stderr)
        return 1
    if options.check:
        return 0

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    images = versions("registry.example/web", 3) + versions("registry.example/log", 1)
    with contextlib.suppress(KeyboardInterrupt), ControlPlane(real_nodes=True) as plane, Node(plane, images) as node:
        if options.crds:
            plane.install_crds(*options.crds)
        plane.write_kubeconfig(options.kubeconfig)
        print(f"ready: {plane.url} kubeconfig {options.kubeconfig} folder {node.path('')}", flush=True)
        print(f"inside: nsenter --all --target {node.sandbox.init} bash", flush=True)
        print(f"images: {' '.join(image.name for image in images)}", flush=True)
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
