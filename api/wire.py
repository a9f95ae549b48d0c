"""HTTP as it arrives, before a request has a beginning and an end: what uvicorn does not limit by itself."""

from __future__ import annotations

import asyncio
import json
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mash.api.guard import CSP, HEADERS, LONGEST_HEAD, NOTHING
from mash.api.problems import MEDIA
from mash.flows.installation.parts import KEPT_OPEN

HEAD_SECONDS = 10.0
"""For an address and all headers to arrive, counted from the opening of the connection or from the first byte of a further one.
uvicorn waits for ever."""
LIVE = "/live"
MOST_BYTES = 8_000_000
"""Of one request, framing and trailers included: a body in pieces of one byte is six times as long as what it carries."""


class Wire(HttpToolsProtocol):
    """A connection, closed when the head of a request is slow or endless. What is not HTTP is refused as problem details."""

    received = arriving = 0
    """Bytes of the request that is coming in, and of what has just come."""
    slow: TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connects, and is expected to say something."""
        super().connection_made(transport)  # type: ignore[arg-type]  # as uvicorn narrows it
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._head_is_there()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """We are to end: what streams without an end is cut off, and what is being answered is answered."""
        super().shutdown()
        if self.cycle is not None and self.scope["path"] == LIVE:
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        # At most: a request before it may end in the same piece.
        self.received = self.arriving
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Its address and headers are there."""
        self._head_is_there()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; llhttp, which reads them, takes headers and trailers of any length."""
        self.arriving = len(data)
        self.received += self.arriving
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.slow and self.received > 2 * LONGEST_HEAD:
            self._refuse(431, "The address or the headers are too long", f"they have at most {LONGEST_HEAD:,} bytes together")
        elif self.received > MOST_BYTES:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What was sent is not HTTP."""
        self._refuse(400, "The request is malformed", "this is not a request by HTTP/1.1")

    def _expect_head(self) -> None:
        self._head_is_there()
        self.slow = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _head_is_there(self) -> None:
        if self.slow:
            self.slow.cancel()
            self.slow = None

    def _too_slow(self) -> None:
        self._refuse(408, "The request took too long to arrive", f"send the headers within {HEAD_SECONDS:.0f} seconds")

    def _refuse(self, status: int, title: str, detail: str) -> None:
        """Answer and close, without a request that the application could answer. Nothing is said in the middle of an answer."""
        if self.cycle is None or self.cycle.response_complete:
            body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
            own = ((b"content-type", MEDIA.encode()), (b"content-length", str(len(body)).encode()), (b"connection", b"close"))
            lines = [STATUS_LINE[status], *(b"%b: %b\r\n" % header for header in (*own, *HEADERS, (CSP, NOTHING)))]
            self.transport.write(b"".join([*lines, b"\r\n", body]))
        self.transport.close()


def server_options(proxies: str) -> dict[str, Any]:
    """How uvicorn serves us: by this protocol; telling nobody what it is; believing these proxies, and no others, who calls."""
    believed = {"proxy_headers": bool(proxies), "forwarded_allow_ips": proxies}
    return {"http": Wire, "server_header": False, "ws": "none", "timeout_keep_alive": KEPT_OPEN, **believed}
