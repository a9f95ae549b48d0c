"""A mail catcher: a real SMTP server on loopback that keeps what it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller

from mash.flows.installation.stack import free_port


class Mail(NamedTuple):
    """A message, as it came."""

    to: str
    subject: str
    text: str


@dataclass
class Mailbox:
    """The messages caught."""

    messages: list[Mail] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a message."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(("plain",))
        subject, text = str(mail["Subject"]).strip(), body.get_content() if body else ""
        self.messages += [Mail(to, subject, text) for to in envelope.rcpt_tos]
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
