"""An HTTP proxy before a real API server that can be down, or answer a share of the requests with errors."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import ssl
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from control_plane import ControlPlane

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class FaultProxy:
    """Plain HTTP on ``url``; ``down`` closes every connection, new and old; ``error_share`` of the requests get 429, 500 or 503,
    those whose path contains ``forbidden`` 403. ``damage_share`` of the answers are carried out and then damaged.
    """

    DAMAGES = ("a page", "bytes", "cut", "broken")

    def __init__(self, plane: ControlPlane, seed: int = 1) -> None:
        self.down = False
        self.error_share = 0.0
        self.errors = 0
        self.forbidden = ""
        self.damage_share = 0.0
        self.damaged: Counter[str] = Counter()
        self.random = random.Random(seed)
        proxy = self
        host = plane.url.removeprefix("https://")
        tls = ssl.create_default_context(cafile=str(plane.ca_file))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if proxy.down:
                    self.close_connection = True
                    return
                if proxy.forbidden and proxy.forbidden in self.path:
                    self.refuse(403)
                    return
                if proxy.random.random() < proxy.error_share:
                    self.refuse(proxy.random.choice([429, 500, 503]))
                    return
                upstream = http.client.HTTPSConnection(host, context=tls, timeout=3600)
                try:
                    headers = {key: value for key, value in self.headers.items() if key.lower() not in {"host", *HOP_BY_HOP}}
                    upstream.request(self.command, self.path, body or None, headers)
                    self.forward(upstream.getresponse())
                finally:
                    upstream.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def refuse(self, code: int) -> None:
                proxy.errors += 1
                reason = {403: "Forbidden", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}[code]
                text = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason})
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                if code == 429:
                    self.send_header("Retry-After", "1")
                self.end_headers()
                self.wfile.write(text.encode())

            def damage(self, response: http.client.HTTPResponse) -> None:
                """Of a watch the first events only, so that it begins well."""
                what = proxy.random.choice(proxy.DAMAGES)
                proxy.damaged[what] += 1
                body = {"a page": b"<html><body>Bad gateway</body></html>", "bytes": proxy.random.randbytes(300)}.get(what)
                self.send_response(200 if body else response.status)
                self.send_header("Content-Type", "text/html" if what == "a page" else "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                if body is None:
                    piece = response.read1(65536)
                    body = piece[: max(len(piece) * 2 // 3, 1)] or b"{"
                self.wfile.write(b"%x\r\n%b\r\n" % (len(body), body))
                if what == "broken":
                    self.close_connection = True
                else:
                    self.wfile.write(b"0\r\n\r\n")

            def forward(self, response: http.client.HTTPResponse) -> None:
                if proxy.random.random() < proxy.damage_share:
                    self.damage(response)
                    return
                self.send_response(response.status)
                for key, value in response.getheaders():
                    if key.lower() not in HOP_BY_HOP:
                        self.send_header(key, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while piece := response.read1(65536):
                    if proxy.down:
                        self.close_connection = True
                        return
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

            def handle(self) -> None:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    super().handle()

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.down = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
