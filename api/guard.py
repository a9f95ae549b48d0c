"""What every request passes before the application: how much is asked, how large it is, how long it takes to arrive; and what
every answer carries."""

from __future__ import annotations

import asyncio
import re
import time

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mash.api.limits import ByPlace, Known, Rate, digest_of, place_of
from mash.api.measured import Measured
from mash.api.problems import Malformed, TooLarge, TooLong, TooMany, TooSlow, answer_for, reply
from mash.config.settings import Settings
from mash.states.errors import Refusal

LARGEST_BODY = 1_000_000
"""Bytes; the longest referral of the sources is a few thousand."""
LONGEST_HEAD = 16_384
"""Bytes of an address and all headers together."""
TOO_LARGE = f"send at most {LARGEST_BODY:,} bytes"
WRONG_PER_MINUTE = 30
"""Wrong keys, codes and links from one place. Each is of 80 bits or more: this is to notice, and to keep the work small."""
HEALTH = "/health"
HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""A name or an address, perhaps with a port."""
SIGNED_IN = "signed_in"
"""In a request's state: the hash of the key, or of a session's secret, that was accepted."""
SESSION_COOKIE, SCREEN_COOKIE = "mash", "mash-wall"
"""The cookies by which callers are known."""
SIGN_IN = "/sign-in/"
SECRET_PATHS = ("/status", "/alerts/", SIGN_IN, "/refer/return", "/wall/key")
"""Where a secret is asked for that is not in the headers."""

WHO = "who"
"""In a request's state: what a log may say of who called."""
REPORTED = (401, 403, 408, 413, 429, 431)
OFTEN = (408, 413, 429, 431)
"""Reported once a minute of each place: a flood of requests is not to be one of lines."""
log = structlog.stdlib.get_logger("mash.api")

Headers = tuple[tuple[bytes, bytes], ...]
HEADERS: Headers = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
CSP = b"content-security-policy"
NOTHING = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of every answer that brings none of its own, as pages do."""
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Guard:
    """A plain ASGI middleware, around everything else: what it refuses costs nothing more."""

    def __init__(self, app: ASGIApp, settings: Settings, measured: Measured) -> None:
        self.app, self.measured = app, measured
        self.of_known = Rate(settings.requests_per_minute)
        self.of_others = ByPlace(settings.anonymous_requests_per_minute)
        self.wrong = ByPlace(min(WRONG_PER_MINUTE, settings.anonymous_requests_per_minute))
        self.reports = Rate(1)
        self.known = Known()
        self.body_seconds = settings.body_seconds
        secure = settings.base_url.startswith("https:")
        self.headers = (*HEADERS, HSTS) if secure else HEADERS
        self.cookies = tuple(cookie_called(name, secure) for name in (SESSION_COOKIE, SCREEN_COOKIE))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head, began = _Head(scope, self.cookies), time.perf_counter()
        scope.setdefault("state", {})

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._learn(head, message["status"], scope["state"])
                self._report(head, message["status"], scope)
                self.measured.count(scope, message["status"], time.perf_counter() - began)
                _mark(message, self.headers)
            await send(message)

        try:
            if wait := self._wait(head):
                raise TooMany(f"send again in {wait} seconds", retry_after=wait)
            _check(head, scope)
            if head.length or head.chunked:
                receive = _replay(await self._whole(receive), receive)
        except Refusal as refusal:
            answer = reply(answer_for(refusal))
            # The rest of the body is not read.
            answer.headers["Connection"] = "close"
            await answer(scope, receive, sent)
            return
        except ConnectionResetError:
            return
        await self.app(scope, receive, sent)

    def _wait(self, head: _Head) -> int:
        """How many seconds the caller has to wait; where it is none, the request counts."""
        now = time.monotonic()
        known = next((digest for digest in head.shown if self.known(digest, now)), "")
        # Of links and codes a key says nothing: whoever has one may guess them all the same.
        guesses = bool(head.secret or (head.shown and not known))
        guessed = self.wrong.wait(head.place, now) if guesses else 0
        # Monitors ask for health, and whatever starts us: it is theirs as if they had a key.
        if own := head.place.near if head.path == HEALTH else known:
            if not (wait := max(guessed, self.of_known.wait(own, now))):
                self.of_known.take(own, now)
        elif not (wait := max(guessed, self.of_others.wait(head.place, now))):
            self.of_others.take(head.place, now)
        if guesses and not wait:
            # Counted before it is looked at: of many that come at once, no more are looked at than of as many one after another.
            head.guesses = True
            self.wrong.take(head.place, now)
        return wait

    def _learn(self, head: _Head, status: int, state: dict[str, object]) -> None:
        """See by the answer whether a secret was right."""
        if accepted := state.get(SIGNED_IN):
            self.known.add(str(accepted), time.monotonic())
        elif status == 401:
            for digest in head.shown:
                self.known.discard(digest)
        # Signing in has limits of its own, by login and place.
        wrong = (status == 401 and not head.path.startswith(SIGN_IN)) or (status == 404 and head.secret)
        if head.guesses and not wrong:
            head.guesses = False
            self.wrong.give_back(head.place)

    def _report(self, head: _Head, status: int, scope: Scope) -> None:
        """Have the log say who was refused, and what: by role and session, without a person, a value or an address of theirs."""
        if status not in REPORTED:
            return
        now = time.monotonic()
        if status in OFTEN:
            if self.reports.wait(head.place.near, now):
                return
            self.reports.take(head.place.near, now)
        route = getattr(scope.get("route"), "path", None)
        log.warning(
            "refused", kind="access", status=status, method=scope["method"], route=route,
            network=head.place.network, **scope["state"].get(WHO, {}),
        )  # fmt: skip

    async def _whole(self, receive: Receive) -> bytes:
        """The body, once it is there; until then a request holds no connection to the database and no place in line.

        Raises TooLarge, TooSlow, or ConnectionResetError when the caller has gone.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(self.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise ConnectionResetError
                    body += message.get("body", b"")
                    if len(body) > LARGEST_BODY:
                        raise TooLarge(TOO_LARGE)
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise TooSlow(f"send the whole of a request within {self.body_seconds:g} seconds") from None


def bearer_of(authorization: str) -> str | None:
    """The key, or the session's secret, that a header shows."""
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def cookie_called(name: str, secure: bool, path: str = "/") -> str:
    """What a cookie of ours is called: the prefix has browsers take it from us alone, and by https alone. Of one for a path they
    hold to the second only (RFC 6265bis, 4.1.3)."""
    prefix = "__Host-" if path == "/" else "__Secure-"
    return f"{prefix}{name}" if secure else name


class _Head:
    """What is looked at in a request before its body: one walk through the headers."""

    __slots__ = ("chunked", "guesses", "hosts", "length", "path", "place", "secret", "shown", "size")

    def __init__(self, scope: Scope, cookies: tuple[str, ...]) -> None:
        self.path: str = scope["path"]
        self.length, self.chunked, self.guesses = 0, False, False
        self.hosts: list[bytes] = []
        self.size = len(scope["raw_path"]) + len(scope["query_string"])
        authorization, with_cookies = "", False
        for name, value in scope["headers"]:
            self.size += len(name) + len(value)
            if name == b"authorization":
                authorization = authorization or value.decode("latin-1")
            elif name == b"cookie":
                with_cookies = True
            elif name == b"host":
                self.hosts.append(value)
            elif name == b"content-length":
                # The server has refused one that is no number.
                self.length = int(value)
            elif name == b"transfer-encoding":
                self.chunked = True
        # What is shown itself, as whoever asks who calls finds it: in other words around it, it is no other caller's.
        bearer = bearer_of(authorization)
        jar = HTTPConnection(scope).cookies if with_cookies and not bearer else {}
        secrets = (bearer,) if bearer else (jar.get(name) for name in cookies)
        self.shown = tuple(digest_of(secret.encode()) for secret in secrets if secret)
        self.place = place_of(scope["client"][0] if scope["client"] else "")
        self.secret = self.path.startswith(SECRET_PATHS)


def _check(head: _Head, scope: Scope) -> None:
    """Raises a refusal of what cannot be a request to us."""
    if head.size > LONGEST_HEAD:
        raise TooLong(f"an address and headers have at most {LONGEST_HEAD:,} bytes together")
    if head.length > LARGEST_BODY:
        raise TooLarge(TOO_LARGE)
    if len(head.hosts) != 1 or not HOST.fullmatch(head.hosts[0]):
        # Two servers that each take another one of two for it are led to different places (RFC 9112, 3.2).
        raise Malformed("send one Host header, with the name of this server and nothing else")
    if b"%00" in scope["raw_path"] or b"%00" in scope["query_string"]:
        raise Malformed("an address has no zero byte")


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body as one message, then what else the connection says."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message


def _mark(message: Message, headers: Headers) -> None:
    """Put what every answer carries into its head."""
    names = {name for name, _ in message["headers"]}
    message["headers"] = [*message["headers"], *(header for header in headers if header[0] not in names)]
    if CSP not in names:
        message["headers"].append((CSP, NOTHING))
