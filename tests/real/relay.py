"""A TCP relay before a real API server whose connections can die without a sign, as behind a router that forgot them."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

from control_plane import ControlPlane


class Relay:
    """Passes bytes as they are (so TLS and HTTP/2 are the server's own); ``url`` is where it listens."""

    def __init__(self, plane: ControlPlane) -> None:
        host, _, port = plane.url.removeprefix("https://").rpartition(":")
        self._upstream = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self._frozen = 0  # connections up to this number pass nothing any more
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def freeze(self) -> None:
        """From now on nothing passes on the connections of this moment; they stay open."""
        self._frozen = self.connections

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream)
                self.connections += 1
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, target, self.connections), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if number > self._frozen:
                    target.sendall(data)
            if number > self._frozen:
                target.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
