"""The two servers that are compared."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

from built import built
from control_plane import ADMIN_TOKEN, ControlPlane
from sequence import Server


@contextlib.contextmanager
def real_server() -> Iterator[Server]:
    """A fresh etcd and kube-apiserver. No controllers: what is compared is the API, not who reacts to it."""
    with ControlPlane() as plane:
        yield Server(plane.url, ADMIN_TOKEN, plane.ca_file)


@contextlib.contextmanager
def embedded_server() -> Iterator[Server]:
    """A fresh embedded cluster without nodes."""
    with subprocess.Popen([built("kruise-cluster")], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url.startswith("http"):
                raise RuntimeError(f"kruise-cluster did not start: {url!r}")
            yield Server(url)
        finally:
            process.terminate()
