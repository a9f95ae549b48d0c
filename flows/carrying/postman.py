"""Carrying notices from the outbox to whoever is on duty, by their channels, in words."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from mash.config.channels import FILE, Channel, read_channels
from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.carrying.pulse import Pulse
from mash.flows.carrying.together import Together
from mash.flows.store import deliveries, outbox
from mash.flows.store.apply import act
from mash.flows.store.deliveries import Sent
from mash.flows.store.reads.items import not_to_write, referrer_address
from mash.flows.store.rotas import read_rotas
from mash.flows.store.store import Store, system_actor
from mash.notifications import links, sender
from mash.notifications.digest import folded
from mash.notifications.notices import LATE, REFERRER, URGENT, Tried
from mash.notifications.preview import check_own
from mash.notifications.rota import Rota
from mash.notifications.routing import Recipient, held_now, of_person, of_role, recipients, steps_of
from mash.notifications.wording import Message, digest, message_for
from mash.states.acts.sharing import RecordMarker
from mash.states.clocks import local

ROTA_READ_EVERY = 1.0
"""Seconds after which a change of the rota is known to every worker."""
SOMEBODY = SecretStr("somebody@example.org")
MOST_RECORDED = 20
"""Messages that are written down at once: one statement locks the rows of all their notices."""
TWICE = "You may get this twice: the first sending was cut off."


def check_alerts(settings: Settings) -> None:
    """Find out whether alerts can be sent. Raises SettingsError for a channel that Apprise does not understand, and for words
    that cannot be used; it says no address."""
    if wrong := sender.check_channels(read_channels(settings.channels_file)):
        raise SettingsError(f"{FILE}: {'; '.join(wrong)}")
    if settings.mail_url and (why := sender.check_channel(Channel(url=settings.mail_url, to=SOMEBODY))):
        raise SettingsError(f"MASH_MAIL_URL: {why}")
    check_own(settings.templates_dir, settings.hub_names)


class Postman:
    """Sends what waits in the outbox."""

    def __init__(self, settings: Settings, store: Store, pulse: Pulse) -> None:
        self.settings, self.store, self.pulse = settings, store, pulse
        self.channels = read_channels(settings.channels_file)
        self.arriving = Together[Sent, None](lambda several: deliveries.record_arrived(store, several), MOST_RECORDED)
        self.rotas: Mapping[str, Rota] = {}
        self.read_at = float("-inf")

    async def send_next(self) -> bool:
        """Send what is next; whether there was anything."""
        claimed = await outbox.claim(self.store, self._route)
        batches = folded(claimed)
        wrong: list[BaseException] = []
        for red in (True, False):  # what is red has gone before the rest goes; what goes wrong with one holds up no other
            sends = (self._send(batch) for batch in batches if (batch[0].urgency < LATE) == red)
            wrong += [each for each in await asyncio.gather(*sends, return_exceptions=True) if isinstance(each, BaseException)]
        if wrong:
            raise wrong[0]
        return bool(claimed)

    async def hand_over(self) -> None:
        """At a change of shift, tell whoever comes on duty of the alerts that nobody has."""

        @cache  # a storm's ten thousand alerts are of a few roles
        def holders(hub: str, recipient: str, by_day: bool) -> tuple[tuple[str, str | None], ...]:
            if (profile := self.store.hubs.get(hub)) is None:
                return ((recipient, None),)
            now = self.store.time.now()
            if by_day and not profile.calendar.is_open(now):
                return ()  # it waits for the day
            role = held_now(profile, recipient, now)
            if (rota := self.rotas.get(hub)) is None or role not in rota.roles:
                return ((role, None),)
            return tuple((role, duty.person) for duty in rota.on_duty(role, now, profile.calendar))

        await self._read_rotas()
        await outbox.hand_over(self.store, holders)

    async def _read_rotas(self) -> None:
        if time.monotonic() - self.read_at > ROTA_READ_EVERY:
            self.rotas, self.read_at = await read_rotas(self.store), time.monotonic()

    async def _route(self, row: outbox.Entry) -> tuple[Recipient, ...]:
        """To whom a notice goes now: whoever is on duty; whoever had the alert that is over; the referrer; or nobody any more."""
        if row.role == REFERRER:
            return await self._referrer(row)
        if row.person and (row.kind in ("all_clear", "taken") or row.delivered_at):
            return (of_person(self.channels, row.hub, row.role, row.person),)
        if whom := json.loads(row.facts).get("whom"):
            return (of_person(self.channels, row.hub, row.role, whom),)
        profile = self.store.hubs.get(row.hub)
        if profile is None:  # not served any more: what is left to say is said to the role
            return (of_role(self.channels, row.hub, row.role),)
        await self._read_rotas()
        found = recipients(self.channels, self.rotas, profile.calendar, row.hub, row.role, self.store.time.now())
        # It stays with the one it was given to, as long as they are on duty.
        found = tuple(sorted(found, key=lambda each: each.person != row.person)) if row.person else found
        return tuple(each.avoiding(outbox.to_avoid(row)) for each in found)

    async def _referrer(self, row: outbox.Entry) -> tuple[Recipient, ...]:
        """The referrer, by the address they gave; nobody once writing to them has become unsafe: a person tells them."""
        if warned := await not_to_write(self.store, row.reference):
            if warned != row.reference:
                words = f"{warned}, of the same contact, warns of writing to whoever referred."
                command = RecordMarker(marker="do_not_write")
                await act(self.store, row.reference, command, system_actor(row.hub), words=words, of_system=True)
            return ()
        address, url = await referrer_address(self.store, row.reference), self.settings.mail_url
        if not address or url is None:
            return (Recipient(person=None, steps=()),)
        channel = Channel(url=url, to=SecretStr(address), reply_to=self.channels.reply_to(row.hub))
        return (Recipient(person=None, steps=steps_of(REFERRER, (channel,))),)

    async def _send(self, notices: list[outbox.Claimed]) -> None:
        """Send notices for one recipient: one by itself, or many as one message. One that cannot be worded holds up no other."""
        messages = []
        for notice in notices:
            try:
                messages.append((notice, self._message(notice)))
            except Exception as error:
                failed = Tried(False, f"cannot be put into words: {type(error).__name__}")
                await deliveries.record(self.store, Sent([notice], [failed] * len(notice.deliveries)))
        if messages:
            notices = [notice for notice, _ in messages]
            await self._send_message(notices, self._together(notices, [message for _, message in messages]))

    async def _send_message(self, notices: list[outbox.Claimed], message: Message) -> None:
        again = any(notice.again or notice.tries > 1 for notice in notices)
        named = _named(notices)
        sends = (sender.send(channel, message, named, again=again) for _, channel in notices[0].channels)
        tried = list(await asyncio.gather(*sends))
        self.pulse.sent.update("taken" if each.taken else "failed" for each in tried)
        sent = Sent(notices, tried or [Tried(False, "no channel is configured")])
        await deliveries.record(self.store, sent, self.arriving.ask)

    def _together(self, notices: list[outbox.Claimed], messages: list[Message]) -> Message:
        own = self.settings.templates_dir
        of_one = len({notice.reference for notice in notices}) == 1
        known = {"about": notices[0].reference} if of_one else _away(notices)
        message = messages[0] if len(messages) == 1 else digest(messages, hub=notices[0].hub, own=own, **known)
        if any(notice.again for notice in notices):
            return message.model_copy(update={"lines": (TWICE, *message.lines)})
        return message

    def _message(self, notice: outbox.Claimed) -> Message:
        more: dict[str, Any] = {}
        if notice.role == REFERRER and notice.reference:
            code = links.status_code(self._token_key, notice.reference)
            more = {"status_code": code, "reply_to": bool(self.channels.reply_to(notice.hub))}
        own, now, link = self.settings.templates_dir, self.store.time.now(), self._link(notice)
        try:
            return message_for(notice.kind, notice.reference, notice.facts, now, link, hub=notice.hub, own=own, **more)
        except Exception:
            # A hub's own words that fail with these facts: ours must do.
            return message_for(notice.kind, notice.reference, notice.facts, now, link, **more)

    @property
    def _token_key(self) -> str:
        return self.settings.token_key.get_secret_value() if self.settings.token_key else ""

    def _link(self, notice: outbox.Claimed) -> str:
        base = self.settings.base_url
        if notice.role == REFERRER:
            return f"{base}/status"
        if notice.kind in URGENT and notice.clock and notice.reference and self._token_key:
            link = links.AlertLink(
                reference=notice.reference, hub=notice.hub, clock=notice.clock, role=notice.role, notice=notice.id
            )
            return f"{base}/alerts/{links.sign(self._token_key, link)}"
        return f"{base}/case/{notice.reference}" if notice.reference else f"{base}/admin"


def _named(notices: list[outbox.Claimed]) -> str:
    """What we call a message: the same for each try of the same notices, and nobody's name."""
    numbers = ",".join(str(notice.id) for notice in notices)
    return f"mash-{notices[0].id}-{sha256(numbers.encode()).hexdigest()[:12]}"


def _away(notices: list[outbox.Claimed]) -> dict[str, Any]:
    """How many of the alerts are of clocks that ran out while the pipeline was away, and between when and when."""
    due = sorted(notice.facts["due_at"] for notice in notices if notice.facts.get("away"))
    if len(due) < len(notices) / 2:
        return {}
    first, last = (local(datetime.fromisoformat(at)) for at in (due[0], due[-1]))
    return {"mass": len(due), "first": first, "last": last}
