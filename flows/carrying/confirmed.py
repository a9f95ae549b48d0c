"""Asking a delivery service what became of messages of which it has said nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import SecretStr

from mash.config.channels import Channel, Channels
from mash.flows.store.confirmations import confirm, unheard_of
from mash.flows.store.store import Store
from mash.notifications import sender

SCHEME = "govuknotify"
SOMEBODY = SecretStr("somebody@example.org")
"""To whom a channel goes does not matter where it is only asked."""


async def ask_what_became(store: Store, channels: Channels, mail_url: SecretStr | None) -> int:
    """Ask about each message that it is time to ask about, by each service until one knows it; how many have come to an end."""
    services = list(_services(channels, mail_url))
    ended = 0
    for name in await unheard_of(store) if services else ():
        for service in services:
            if status := await sender.became(service, name):
                ended += await confirm(store, name, status)
                break
    return ended


def _services(channels: Channels, mail_url: SecretStr | None) -> Iterator[Channel]:
    """A channel for each of Notify's keys."""
    orders = (order for hub in channels.hubs.values() for order in (*hub.roles.values(), *hub.people.values()))
    found = [channel for order in orders for channel in order if channel.scheme == SCHEME]
    if mail_url and mail_url.get_secret_value().startswith(f"{SCHEME}://"):
        found.append(Channel(url=mail_url, to=SOMEBODY))
    yield from {channel.fingerprint: channel for channel in found}.values()
