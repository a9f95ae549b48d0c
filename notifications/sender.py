"""Sending through Apprise: the only importer of it. Knows channels, not people."""

from __future__ import annotations

import logging
from urllib.parse import quote

import apprise
from apprise.attachment.memory import AttachMemory

from mash.notifications import mail
from mash.notifications.wording import Message

# Apprise logs the address of a channel when it fails; addresses are secrets, results are ours to record.
logging.getLogger("apprise").setLevel(logging.CRITICAL)

Channels = dict[str, dict[str, list[str]]]


class NoticeNotDelivered(Exception):
    """No channel took the message; says how many were tried, never their addresses."""


def channels_for(channels: Channels, hub: str, role: str) -> list[str]:
    """The Apprise URLs of a role at a hub; '*' stands for any hub or any role."""
    for of_hub in (channels.get(hub, {}), channels.get("*", {})):
        for name in (role, "*"):
            if urls := of_hub.get(name):
                return urls
    return []


def mail_to(mail_url: str, address: str) -> str:
    """The Apprise URL that writes to one address through the hub's mail server."""
    return f"{mail_url}{'&' if '?' in mail_url else '?'}to={quote(address)}"


def check_channels(channels: Channels) -> list[str]:
    """What is wrong with the channels, by hub, role and place in the list; empty when Apprise understands them all."""
    mail.register()
    return [
        f"[{hub}] {role}, entry {place}: Apprise does not understand this URL"
        for hub, roles in channels.items()
        for role, urls in roles.items()
        for place, url in enumerate(urls, 1)
        if apprise.Apprise.instantiate(url) is None
    ]


async def send(urls: list[str], message: Message) -> str:
    """Send by every channel; returns what each said ('mailto ok, json failed'). Raises NoticeNotDelivered when none took it.

    Apprise answers False, without raising, for a dead endpoint and for no address at all.
    """
    if not urls:
        raise NoticeNotDelivered("no channel is configured for this role")
    attached = (
        AttachMemory(content=message.invitation, name="meeting.ics", mimetype="text/calendar") if message.invitation else None
    )
    mail.register()
    said = []
    for url in urls:
        channel = apprise.Apprise()
        taken = channel.add(url) and await channel.async_notify(title=message.title, body=message.body, attach=attached)
        said.append((url.split(":", 1)[0], bool(taken)))
    result = ", ".join(f"{scheme} {'ok' if taken else 'failed'}" for scheme, taken in said)
    if not any(taken for _, taken in said):
        raise NoticeNotDelivered(result)
    return result
