"""Sending through Apprise: with the channels of ours, the only importers of it. Knows channels, not people."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import re
from contextvars import ContextVar
from functools import cache
from urllib.parse import quote, unquote, urlsplit

import apprise
from apprise.attachment.memory import AttachMemory
from apprise.common import NotifyFormat
from apprise.manager_plugins import NotificationManager

from mash.config.channels import ANY, Channels
from mash.notifications.mail import Mail
from mash.notifications.notices import Tried
from mash.notifications.webhook import Webhook
from mash.notifications.wording import Message

LONGEST_RESULT = 200
# By itself Apprise calls a send failed after a minute, and leaves its thread sending: what failed would be sent twice.
_ASSET = apprise.AppriseAsset(service_timeout=0)
_LINES: ContextVar[list[str]] = ContextVar("lines")
_PRIVATE = re.compile(r"\w+://\S+|[^\s@<>]+@[^\s@<>]+|\+?\d[\d ()-]{5,}\d")
"""Addresses of the web, of mail, and of telephones."""


class _Heard(logging.Handler):
    """Keeps what Apprise logs during a try; the rest goes nowhere: it would name channels' addresses, which are secrets."""

    def emit(self, record: logging.LogRecord) -> None:
        if (lines := _LINES.get(None)) is not None and record.levelno >= logging.WARNING:
            lines.append(record.getMessage())


@cache
def _ready() -> None:
    """Have Apprise use our channels, and say what it logs to nobody but us."""
    manager = NotificationManager()
    manager.add(Mail, schemas=("mailto", "mailtos"), force=True)
    manager.add(Webhook, schemas=("hook", "hooks"), force=True)
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(_Heard())
    # Apprise asks for the kinds of files at its first attachment; of threads that ask at the same moment some are told of none.
    mimetypes.init()


def mail_to(mail_url: str, address: str, reply_to: str | None = None) -> str:
    """The Apprise URL that writes to one address through the hub's mail server."""
    reply = f"&reply={quote(reply_to)}" if reply_to else ""
    return f"{mail_url}{'&' if '?' in mail_url else '?'}to={quote(address)}{reply}"


def check_channels(channels: Channels) -> list[str]:
    """What Apprise does not understand of the channels, by hub, role or person, and place in the list."""
    _ready()
    return [
        f"[{hub}] {'people.' if of is found.people else ''}{name}, entry {place}: Apprise does not understand this URL"
        for hub, found in channels.hubs.items()
        for of in (found.roles, found.people)
        for name, order in of.items()
        for place, channel in enumerate(order, 1)
        if apprise.Apprise.instantiate(channel.url.get_secret_value()) is None
    ] + [f"[{hub}] {ANY} cannot be a person" for hub, found in channels.hubs.items() if ANY in found.people]


async def send(url: str, message: Message) -> Tried:
    """Try to send by one channel. Never raises for a channel that fails: Apprise answers False, without raising, for a dead
    endpoint and for an address it does not understand, and so do we, with what it logged."""
    _ready()
    return await asyncio.to_thread(_send, url, message)


def _send(url: str, message: Message) -> Tried:
    lines: list[str] = []
    _LINES.set(lines)  # of this thread's own context
    plugin = apprise.Apprise.instantiate(url, asset=_ASSET)
    if plugin is None:
        return Tried(False, "Apprise does not understand this URL")
    if isinstance(plugin, Mail):
        plugin.html = message.html
    channel = apprise.Apprise(asset=_ASSET)
    channel.add(plugin)
    attached = (
        AttachMemory(content=message.invitation, name="meeting.ics", mimetype="text/calendar") if message.invitation else None
    )
    taken = bool(channel.notify(title=message.title, body=message.body, body_format=NotifyFormat.TEXT, attach=attached))
    result = "; ".join(("ok" if taken else "failed", *(scrubbed(line, url) for line in lines)))[:LONGEST_RESULT]
    return Tried(taken, result, getattr(plugin, "retry_after", None))


def scrubbed(line: str, url: str) -> str:
    """A line that Apprise logged, without addresses and without any part of the channel's own."""
    line = _PRIVATE.sub("(address)", " ".join(line.split()))
    parts = {unquote(part) for part in re.split(r"[/:@?&=]+", urlsplit(url)._replace(scheme="").geturl())}
    for part in sorted((part for part in parts if len(part) > 3), key=len, reverse=True):
        line = line.replace(part, "(secret)")
    return line
