"""A mail catcher: a real SMTP server on loopback that keeps what it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller

from mash.flows.installation.stack import free_port
from mash.flows.store.time import HubTime


class Mail(NamedTuple):
    """A message, as it came."""

    to: str
    subject: str
    text: str
    at: datetime | None = None
    """When it came, in the hub's time; None where the mailbox does not know that."""
    attached: tuple[str, ...] = ()
    """The names of the files that came with it."""


@dataclass
class Mailbox:
    """The messages caught, in the order in which they came."""

    messages: list[Mail] = field(default_factory=list)
    time: HubTime | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a message."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(("plain",))
        subject, text = str(mail["Subject"] or "").strip(), body.get_content() if body else ""
        attached = tuple(part.get_filename() or "a file without a name" for part in mail.iter_attachments())
        at = self.time.now() if self.time else None
        self.messages += [Mail(to, subject, text, at, attached) for to in envelope.rcpt_tos]
        return "250 kept"

    def about(self, reference: str) -> list[Mail]:
        """The messages that speak of a referral."""
        return [mail for mail in list(self.messages) if reference in mail.subject or reference in mail.text]

    def serve(self) -> tuple[Controller, int]:
        """Start the server on a free port; the caller stops it."""
        port = free_port()
        controller = Controller(self, hostname="127.0.0.1", port=port)
        controller.start()
        return controller, port
