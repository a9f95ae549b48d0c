"""Sending through Apprise: with the channels of ours, the only importers of it. Knows channels, not people."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import re
from contextvars import ContextVar
from copy import copy
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import apprise
from apprise.attachment.memory import AttachMemory
from apprise.common import NotifyFormat

from mash.config.channels import ANY, Channel, Channels
from mash.notifications.asked import BESIDE, fault
from mash.notifications.govuk_notify import GovukNotify
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


_KNOWN: dict[str, Any] = {}
"""What was made of the URLs of channels of ours that are right: as many as there are in the file of channels."""
_HEARD = _Heard()
"""The one there is: several that begin to send at the same moment each add it, and it hears everything once."""


@cache
def _ready() -> None:
    """Have Apprise say what it logs to nobody but us."""
    logging.getLogger("notifications_python_client").setLevel(logging.CRITICAL)  # it logs what was answered, word for word
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(_HEARD)
    # Apprise asks for the kinds of files at its first attachment; of threads that ask at the same moment some are told of none.
    mimetypes.init()


def check_channels(channels: Channels) -> list[str]:
    """What is wrong with the channels, by hub, role or person, and place in the list: what Apprise does not understand, and whose
    addresses it would lose or change. None of them is named."""
    return [
        f"[{hub}] {'people.' if of is found.people else ''}{name}, entry {place}: {wrong}"
        for hub, found in channels.hubs.items()
        for of in (found.roles, found.people)
        for name, order in of.items()
        for place, channel in enumerate(order, 1)
        if (wrong := check_channel(channel))
    ] + [f"[{hub}] {ANY} cannot be a person" for hub, found in channels.hubs.items() if ANY in found.people]


def check_channel(channel: Channel) -> str:
    """What is wrong with one channel, in words that name no address; '' for one that is right."""
    plugin, wrong = _made(channel)
    if wrong and isinstance(plugin, Mail) and channel.to is None:
        return f"{wrong}: {BESIDE}"
    return wrong


async def send(channel: Channel, message: Message, reference: str = "", *, again: bool = False) -> Tried:
    """Try to send by one channel. Never raises for a channel that fails: Apprise answers False, without raising, for a dead
    endpoint and for an address it does not understand, and so do we, with what it logged. `reference` is the same for each try
    of a message; `again` says that there was one before."""
    return await asyncio.to_thread(_send, channel, message, reference, again)


async def became(channel: Channel, sent_as: str) -> str | None:
    """What has become of a message that a service took for delivery; None where it does not say, or the channel is no such
    service."""
    plugin, wrong = _made(channel)
    return await asyncio.to_thread(plugin.became, sent_as) if isinstance(plugin, GovukNotify) and not wrong else None


OURS: dict[str, type[Any]] = {
    "mailto": Mail, "mailtos": Mail, "hook": Webhook, "hooks": Webhook, "govuknotify": GovukNotify
}  # fmt: skip
"""Channels that change nothing of themselves when they send, so that what was made of a URL once serves again; some of Apprise's
take recipients out of their lists, or keep a login there. By the beginning of their URLs."""


def _of_url(url: str) -> tuple[Any, str]:
    """Apprise's channel of a URL, for one use, and what is wrong with it."""
    if (known := _KNOWN.get(url)) is not None:
        return copy(known), ""
    _ready()
    lines: list[str] = []
    _LINES.set(lines)  # of this thread's or task's own context
    plugin = _instantiated(url)
    if plugin is None:
        return None, "Apprise does not understand this URL"
    if wrong := fault(url, plugin, lines):
        return plugin, wrong
    if isinstance(plugin, tuple(OURS.values())):
        _KNOWN[url] = copy(plugin)
    return plugin, ""


def _instantiated(url: str) -> Any:
    """Apprise's channel of a URL; None where there is none. One of ours is made as Apprise would, but without asking it which
    channels there are: to know, it imports all of its own, 181 modules and the libraries of each."""
    ours = OURS.get(url.partition("://")[0].strip().lower())
    if ours is None:
        return apprise.Apprise.instantiate(url, asset=_ASSET)
    try:
        found = ours.parse_url(url)
        return ours(**{**found, "tag": set(), "asset": _ASSET}) if found else None
    except Exception as wrong:  # whatever a channel makes of what stands in its URL, it is no channel then
        logging.getLogger("apprise").error("%s", type(wrong).__name__)
        return None


def _made(channel: Channel) -> tuple[Any, str]:
    """Apprise's channel with the addresses it was asked for, and what is wrong with it. Those that stand beside the URL are set
    as they are: no parser of URLs sees them."""
    plugin, wrong = _of_url(channel.url.get_secret_value())
    if wrong:
        return plugin, wrong
    if isinstance(plugin, GovukNotify):
        if channel.to and plugin.kind == "email":
            plugin.to = channel.to.get_secret_value()
        return plugin, plugin.wrong()
    if (channel.to or channel.reply_to) and not isinstance(plugin, Mail):
        return plugin, "`to` and `reply_to` are for mail: expected a mailto:// or mailtos:// URL"
    if channel.to:
        plugin.targets = [(False, channel.to.get_secret_value())]
    if channel.reply_to:
        plugin.reply_to = {channel.reply_to.get_secret_value()}
    return plugin, ""


def _send(channel: Channel, message: Message, reference: str, again: bool) -> Tried:
    plugin, wrong = _made(channel)
    if wrong:
        return Tried(False, wrong)
    lines: list[str] = []
    _LINES.set(lines)
    if isinstance(plugin, Mail):
        plugin.html = message.html
    if isinstance(plugin, GovukNotify):
        plugin.reference, plugin.asked_before = reference, again
    channels = apprise.Apprise(asset=_ASSET)
    channels.add(plugin)
    attached = (
        AttachMemory(content=message.invitation, name="meeting.ics", mimetype="text/calendar") if message.invitation else None
    )
    taken = bool(channels.notify(title=message.title, body=message.body, body_format=NotifyFormat.TEXT, attach=attached))
    url = channel.url.get_secret_value()
    result = "; ".join(("ok" if taken else "failed", *(scrubbed(line, url) for line in lines)))[:LONGEST_RESULT]
    sent_as = getattr(plugin, "sent_as", None) if taken else None
    return Tried(taken, result, getattr(plugin, "retry_after", None), sent_as, getattr(plugin, "final", False))


def scrubbed(line: str, url: str) -> str:
    """A line that Apprise logged, without addresses and without any part of the channel's own."""
    line = _PRIVATE.sub("(address)", " ".join(line.split()))
    parts = {unquote(part) for part in re.split(r"[/:@?&=]+", urlsplit(url)._replace(scheme="").geturl())}
    for part in sorted((part for part in parts if len(part) > 3), key=len, reverse=True):
        line = line.replace(part, "(secret)")
    return line
