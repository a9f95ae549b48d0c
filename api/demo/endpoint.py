"""A real HTTP endpoint on loopback, for whoever is sent something: the demonstration's phones, and the tests' receivers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, bytes], tuple[int, dict[str, str]] | None]
"""Takes the path and the body of a request, and says the status and headers; None closes the connection without an answer."""


@contextmanager
def endpoint(answer: Answer) -> Iterator[int]:
    """Serve on a free port, which is given; it is over at the end."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply = answer(self.path.strip("/"), self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if reply is None:
                self.connection.close()
                return
            self.send_response(reply[0])
            for name, value in reply[1].items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
