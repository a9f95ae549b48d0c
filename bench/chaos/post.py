"""A mail catcher that can be told to misbehave, as mail servers do."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal

from aiosmtpd.controller import Controller

from mash.flows.installation.stack import free_port

Mood = Literal["well", "refuses", "hangs", "fails after taking", "hangs up after taking"]
Messages = list[tuple[str, tuple[str, ...]]]
"""To whom each message went, and the titles it brought."""
FOLDED = re.compile(r"\d+ alerts")
"""What is in the title of a message that brings many."""


@dataclass
class MailServer:
    """A real SMTP server on loopback. What it took is `messages`; what it took and then would not own up to is `doubtful`: the
    sender has to believe that it did not go. Each is (address, titles): a message may bring several alerts."""

    port: int = field(default_factory=free_port)
    mood: Mood = "well"
    messages: Messages = field(default_factory=list)
    doubtful: Messages = field(default_factory=list)
    controller: Controller | None = None

    def open(self) -> None:
        """Listen; at the same port as before."""
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def close(self) -> None:
        """Refuse connections: nobody listens."""
        if self.controller:
            self.controller.stop()
            self.controller = None

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Hear from whom a message is."""
        if self.mood == "refuses":
            return "451 not now"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message, or do what servers do that are not well."""
        while self.mood == "hangs":  # noqa: ASYNC110  the mood changes in another thread, which an asyncio.Event does not hear
            await asyncio.sleep(0.05)
        lines = titles(envelope.content)
        took = self.messages if self.mood == "well" else self.doubtful
        took += [(to, lines) for to in envelope.rcpt_tos]
        if self.mood == "hangs up after taking":
            server.transport.abort()
        return "250 kept" if self.mood == "well" else "451 something went wrong here"


def titles(content: bytes) -> tuple[str, ...]:
    """What a mail brings: its subject; of a message of many alerts their titles, each in front of its link."""
    mail = message_from_bytes(content, EmailMessage, policy=default)
    subject = str(mail["Subject"]).strip()
    if not FOLDED.search(subject):
        return (subject,)
    body = mail.get_body(("plain",))
    text = body.get_content() if isinstance(body, EmailMessage) else ""
    return tuple(line.rpartition(": http")[0] for line in text.splitlines())
