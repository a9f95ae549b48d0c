"""A mail catcher: a real SMTP server on loopback that keeps what it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller

from mash.flows.stack import free_port


@dataclass
class Mailbox:
    """The messages caught, as (to, subject)."""

    messages: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a message."""
        subject = str(message_from_bytes(envelope.content)["Subject"])
        self.messages += [(to, subject) for to in envelope.rcpt_tos]
        return "250 kept"

    def serve(self) -> tuple[Controller, int]:
        """Start the server on a free port; the caller stops it."""
        port = free_port()
        controller = Controller(self, hostname="127.0.0.1", port=port)
        controller.start()
        return controller, port
