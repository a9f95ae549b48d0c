"""GOV.UK Notify as its documentation says that it answers, on a free port of loopback."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from notifications_python_client.authentication import decode_jwt_token, get_token_issuer

SERVICE, SECRET = "26785a09-ab16-4eb0-8407-a37497a57506", "3d844edf-8d35-48ac-975b-e847b4f122b0"
KEY = f"mash_hub-{SERVICE}-{SECRET}"
EMAIL, TEXT, LETTER = (f"f33517ff-2a88-4f6e-b855-c550268ce08{n}" for n in "abc")
TEMPLATES = {"email": EMAIL, "sms": TEXT, "letter": LETTER}
ERRORS = {
    "ValidationError": (400, "phone_number Not enough digits"),
    "BadRequestError": (400, "Can't send to this recipient using a team-only API key"),
    "AuthError": (403, "Invalid token: API key not found"),
    "RateLimitError": (429, "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"),
    "TooManyRequestsError": (429, "Exceeded send limits (250,000) for today"),
    "Exception": (500, "Internal server error"),
}


@dataclass
class Notify:
    """What was sent to it, and what it is told to answer."""

    port: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)
    fails: str = ""
    """A kind of error of its documentation; 'hangs' takes the message and never answers."""
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, kind: str, to: str = "", **query: str) -> str:
        """A channel of this kind."""
        template = {"email": EMAIL, "text": TEXT, "letter": LETTER}[kind]
        more = "&".join(f"{name}={value}" for name, value in {"api": f"http://127.0.0.1:{self.port}", **query}.items())
        return f"govuknotify://{KEY}/{kind}/{template}{f'/{to}' if to else ''}?{more}"

    def became(self, status: str, place: int = -1) -> str:
        """A message has become this; what Notify calls it."""
        self.sent[place]["status"] = status
        return str(self.sent[place]["id"])

    def take(self, kind: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A message is posted."""
        if self.fails and self.fails != "hangs":
            status, message = ERRORS[self.fails]
            return status, {"status_code": status, "errors": [{"error": self.fails, "message": message}]}
        if body["template_id"] != TEMPLATES[kind]:
            return 400, {"status_code": 400, "errors": [{"error": "BadRequestError", "message": "Template not found"}]}
        self.sent.append({"id": str(uuid.uuid4()), "type": kind, "status": "created", **body})
        if self.fails == "hangs":
            self.released.wait(30)
        return 201, {"id": self.sent[-1]["id"], "reference": body.get("reference"), "content": {}, "template": {}, "uri": ""}

    def found(self, path: str) -> tuple[int, dict[str, Any]]:
        """A message is asked for, or those of a reference."""
        parts = urlsplit(path)
        if parts.path == "/v2/notifications":
            wanted = parse_qs(parts.query).get("reference", [None])[0]
            return 200, {"notifications": [each for each in self.sent if each.get("reference") == wanted], "links": {}}
        one = [each for each in self.sent if parts.path == f"/v2/notifications/{each['id']}"]
        missing = {"status_code": 404, "errors": [{"error": "NoResultFound", "message": "No result found"}]}
        return (200, one[0]) if one else (404, missing)


@contextmanager
def notify() -> Iterator[Notify]:
    """The service, running."""
    service = Notify()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: dict[str, Any]) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())
            except OSError:
                pass  # whoever asked has hung up

        def _known(self) -> bool:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            known = get_token_issuer(token) == SERVICE and decode_jwt_token(token, SECRET)
            return bool(known)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self._known() and all(isinstance(value, str) for value in body.get("personalisation", {}).values())
            self._answer(*service.take(self.path.rpartition("/")[2], body))

        def do_GET(self) -> None:
            assert self._known()
            self._answer(*service.found(self.path))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        service.released.set()
        server.shutdown()
        server.server_close()
