"""Mail through the hub's server: with and without TLS, to a server that can be trusted and one that cannot, or that refuses."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hub import PATIENCE, free_port
from pydantic import SecretStr

from mash.config.channels import Channel
from mash.notifications.sender import send
from mash.notifications.wording import Message

ALERT = Message(
    title="MASH-26-000001 waits for a rating", lines=("Rate it.",), links=(("Rate it", "https://mash.example.org/cases/1"),)
)


class Server:
    """Takes mail, unless it is told to refuse."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.mails: list[bytes] = []
        self.refuse = False
        self.connected: set[Any] = set()
        self.busy = False
        """Whether it refuses before it hears anything of what a mail says."""
        self.most = 1000
        """Mails by one connection that are taken."""

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        session.mails = getattr(session, "mails", 0) + 1
        if session.mails > self.most:
            return "421 too many by one connection"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 go on"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.connected.add(session.peer)
        if self.refuse:
            return "451 not now"
        self.mails.append(envelope.content)
        self.subjects += [line for line in envelope.content.decode().splitlines() if line.startswith("Subject")]
        return "250 taken"


class Spoken(SMTP):
    """How it is spoken with."""

    async def smtp_DATA(self, arg: str) -> None:
        if self.event_handler.busy:
            await self.push("451 busy")
        else:
            await super().smtp_DATA(arg)


class Listening(Controller):
    """What listens for it."""

    def factory(self) -> SMTP:
        return Spoken(self.handler, **self.SMTP_kwargs)


@contextmanager
def listening(tls: ssl.SSLContext | None, port: int = 0) -> Iterator[tuple[Server, int]]:
    """A mail server on a free port of loopback, encrypted when a context is given."""
    server, port = Server(), port or free_port()
    more = {"tls_context": tls, "require_starttls": True} if tls else {}
    controller = Listening(server, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield server, port
    finally:
        controller.stop()


@pytest.fixture
def untrusted(tmp_path: Path) -> ssl.SSLContext:
    """The context of a server whose certificate nobody vouches for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    chain = tmp_path / "chain.pem"
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return context


def address(scheme: str, port: int, **more: str) -> Channel:
    """The channel of a role: where its mail server is, and to whom."""
    query = "&".join(f"{name}={value}" for name, value in {"from": "mash@example.org", "to": "duty@example.org", **more}.items())
    return Channel(url=SecretStr(f"{scheme}://127.0.0.1:{port}/?{query}"))


async def test_a_mail_arrives() -> None:
    with listening(None) as (server, port):
        assert (await send(address("mailto", port), ALERT)).result == "ok"
        assert server.subjects == ["Subject: MASH-26-000001 waits for a rating"]


async def test_a_mail_says_the_same_as_text_and_as_html_and_where_a_reply_goes() -> None:
    invited = ALERT.model_copy(update={"invitation": b"BEGIN:VCALENDAR"})
    with listening(None) as (server, port):
        to = {"to": SecretStr("ref@school.example.org"), "reply_to": SecretStr("mash@hub.example.org")}
        assert (await send(address("mailto", port).model_copy(update=to), invited)).taken
        mail = message_from_bytes(server.mails[0], policy=policy.default)
    assert mail["Reply-To"] == "mash@hub.example.org" and mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text and html and text.get_content().split() == ALERT.body.split()
    assert 'href="https://mash.example.org/cases/1"' in html.get_content() and "Rate it." in html.get_content()
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("meeting.ics", "text/calendar")


async def test_a_server_that_refuses_or_is_not_there_has_taken_nothing() -> None:
    with listening(None) as (server, port):
        server.refuse = True
        assert (await send(address("mailto", port), ALERT)).result == "failed; mail server answers 451"
    assert (await send(address("mailto", port), ALERT)).result == "failed; mail server: ConnectionRefusedError"


async def test_a_mail_that_is_refused_before_its_words_are_said_leaves_nothing_in_the_way_of_the_next() -> None:
    with listening(None) as (server, port):
        assert (await send(address("mailto", port), ALERT)).taken
        server.busy = True
        assert (await send(address("mailto", port), ALERT)).result == "failed; mail server answers 451"
        server.busy = False
        assert (await send(address("mailto", port), ALERT)).taken
        assert (len(server.mails), len(server.connected)) == (2, 1)


async def test_mails_that_follow_one_another_go_by_one_connection_and_none_is_lost_where_the_server_ends_it() -> None:
    with listening(None) as (server, port):
        for _ in range(3):
            assert (await send(address("mailto", port), ALERT)).taken
        assert (len(server.mails), len(server.connected)) == (3, 1)
    with listening(None, port) as (server, _):
        assert (await send(address("mailto", port), ALERT)).result == "ok"
        assert len(server.mails) == 1


async def test_a_server_that_takes_few_mails_by_one_connection_gets_each_of_them_once() -> None:
    with listening(None) as (server, port):
        server.most = 2
        for _ in range(7):
            assert (await send(address("mailto", port), ALERT)).result == "ok"
        assert (len(server.mails), len(server.connected)) == (7, 4)


async def test_a_server_that_cannot_be_trusted_gets_nothing_unless_the_channel_says_so(untrusted: ssl.SSLContext) -> None:
    with listening(untrusted) as (server, port):
        # In this order: that one channel does not ask must not loosen what the others ask.
        assert (await send(address("mailtos", port, mode="starttls", verify="no"), ALERT)).taken
        assert not (await send(address("mailtos", port, mode="starttls"), ALERT)).taken
        assert len(server.subjects) == 1


FIRST = """
import asyncio, sys
from mash.config.channels import Channel
from mash.notifications.sender import send
from mash.notifications.wording import Message

message = Message(title="MASH meeting", lines=("Tuesday.",), links=(), invitation=b"BEGIN:VCALENDAR\\r\\nEND:VCALENDAR")

async def all_at_once():
    return await asyncio.gather(*(send(Channel(url=f"{sys.argv[1]}&to=agency{n}@example.org"), message) for n in range(12)))

print(sum(tried.taken for tried in asyncio.run(all_at_once())))
nowhere = Channel(url="mailto://127.0.0.1:1/?from=mash@example.org&to=agency@example.org")
print(asyncio.run(send(nowhere, message)).result.count("mail server"))
"""


def test_the_first_invitations_of_a_process_all_go_although_they_go_at_once_and_what_fails_then_is_said_once() -> None:
    with listening(None) as (server, port):
        url = f"mailto://127.0.0.1:{port}/?from=mash@example.org"
        done = subprocess.run([sys.executable, "-c", FIRST, url], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.stdout, len(server.mails)) == ("12\n1\n", 12), done.stderr
