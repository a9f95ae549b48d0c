"""What became of the tries to deliver a notice: it has arrived, turns to its next channels, waits, or is given up."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from mash.flows.store.append import lock, standing
from mash.flows.store.apply import apply
from mash.flows.store.outbox import LONGEST_WAIT, Claimed
from mash.flows.store.store import Store, as_json, system_actor
from mash.flows.store.tables import NOTICES, REFERRALS
from mash.flows.store.trouble import tell_administrators
from mash.flows.store.writes import QUEUED, queued
from mash.notifications.confirmed import UNTIL_LATER
from mash.notifications.notices import REFERRER, URGENT, Tried
from mash.notifications.notices.occasion import Occasion
from mash.notifications.notices.referrer import undelivered
from mash.states.acts.informing import RecordTold

LAST_ROUND = 9
"""With the back-off below, the last round is about forty minutes after the first."""
SAID_EVERY = timedelta(hours=6)
A_DAYS_ALLOWANCE = timedelta(hours=25)
"""For so long, as the domain's time runs, rounds are not counted in which a receiver asked to be left alone."""
TELLING = {
    "acknowledgement": RecordTold(what="acknowledgement"),
    "outcome": RecordTold(what="outcome"),
    "withdrawal": RecordTold(what="withdrawal"),
}
"""What it means for a referral that its referrer got a notice of these kinds."""


@dataclass(frozen=True)
class Sent:
    """A message that was tried to send: the notices in it, and what became of it by each of their channels, or once where there
    is none."""

    notices: list[Claimed]
    tried: list[Tried]

    @property
    def taken(self) -> bool:
        """Whether one of the channels took it."""
        return any(each.taken for each in self.tried)

    @property
    def tells(self) -> bool:
        """Whether it has told a referrer something that the referral's log says. What a service took that says later whether it
        arrived (`confirmations`) has told nobody yet."""
        first = self.notices[0]
        arrived = any(each.taken and each.sent_as is None for each in self.tried)
        return arrived and first.role == REFERRER and bool(first.reference) and first.kind in TELLING


async def record(store: Store, sent: Sent, arrived: Callable[[Sent], Awaitable[None]] | None = None) -> None:
    """Write down what became of a message. Of one that was taken, and of which no log has anything to say, `arrived` does it, if
    it is given: with others."""
    if not sent.taken:
        for notice in sent.notices:
            await _record_failed(store, notice, sent.tried)
    elif sent.tells:
        await _record_told(store, sent)
    elif arrived:
        await arrived(sent)
    else:
        await _record_arrived(store, [sent])


async def record_arrived(store: Store, several: Sequence[Sent]) -> list[Exception | None]:
    """Write down that messages were taken, of which no log has anything to say: many cost little more than one. Returns for each
    what kept it from being written, if anything did. It may be said twice."""
    with suppress(DBAPIError):
        await _record_arrived(store, several)
        return [None] * len(several)
    # One of them it was, or a moment's trouble: none keeps the others from being written.
    said = await asyncio.gather(*(_record_arrived(store, [sent]) for sent in several), return_exceptions=True)
    return [each if isinstance(each, Exception) else None for each in said]


async def _record_arrived(store: Store, several: Sequence[Sent]) -> None:
    async with store.single.connect() as connection:
        await connection.execute(_ARRIVED, _arrived(store, several))


async def _record_told(store: Store, sent: Sent) -> None:
    """A message told a referrer. The referral's log says so with it, and its clock stops: a worker that dies between the two
    would leave a referrer to be told who has been."""
    notice, by = sent.notices[0], system_actor(sent.notices[0].hub)
    if notice.reference is None:
        raise ValueError("what tells a referrer is of a referral")
    async with store.transaction(by, of_one_case=True) as connection:
        # Withdrawn while it was on its way, it went where it was not to go: another one goes where they are.
        lock = select(REFERRALS.c.reference).where(REFERRALS.c.reference == notice.reference).with_for_update()
        await connection.execute(lock)
        if await connection.scalar(select(NOTICES.c.status).where(NOTICES.c.id == notice.id)) != "withdrawn":
            await apply(connection, store, notice.reference, TELLING[notice.kind], by)
        await connection.execute(_ARRIVED, _arrived(store, [sent]))


def _arrived(store: Store, several: Sequence[Sent]) -> dict[str, Any]:
    """The values of what is written of messages that were taken."""
    rows = [
        {
            "id": one.id,
            "step": one.step + 1,
            "step_at": one.created_at + one.next_after if one.next_after is not None and one.kind in URGENT else None,
        }
        for sent in several
        for one in sent.notices
    ]
    return {
        "tried": _results(several),
        "rows": as_json(rows),
        "at": store.time.now(),
        "urgent": list(URGENT),
    }


_TRIED = """
    WITH tried AS (
        UPDATE delivery d SET finished_at = t.at, result = t.result, sent_as = t.sent_as
        FROM json_to_recordset(CAST(:tried AS json)) AS t (id bigint, at timestamptz, result text, sent_as text)
        WHERE d.id = t.id)"""
# Withdrawn meanwhile, it has arrived all the same, and goes no further: whoever it reached is told so. What was written down
# already stays as it is: whoever did not hear that it was writes it again.
_ARRIVED = text(f"""{_TRIED},
    rows AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r (id bigint, step integer, step_at timestamptz)),
    locked AS (  -- in the order in which whoever ends their cause locks them: two must not wait for each other
        SELECT id FROM notice WHERE id IN (SELECT id FROM rows) ORDER BY id FOR UPDATE),
    arrived AS (
    UPDATE notice n SET status = 'delivered', delivered_at = coalesce(n.delivered_at, :at), next_try_at = NULL, step = r.step,
        step_at = CASE WHEN n.status = 'queued' THEN r.step_at END
    FROM rows r JOIN locked USING (id) WHERE n.id = r.id AND n.status <> 'delivered'
    RETURNING n.kind, n.role, n.person, n.ended)
    INSERT INTO notice ({QUEUED}, person)
    SELECT {", ".join("e." + name if name != "role" else "a.role" for name in QUEUED.split(", "))}, a.person
    FROM arrived a, json_populate_record(NULL::notice, CAST(a.ended AS json)) e
    WHERE a.ended IS NOT NULL AND a.kind = ANY (CAST(:urgent AS text[])) AND (e.kind = 'all_clear' OR a.role <> e.role)""")  # noqa: S608  constants of ours
_FAILED = text(f"""{_TRIED}
    UPDATE notice SET status = :status, next_try_at = :again, step = :step, tries = :rounds
    WHERE id = :id AND status = 'queued'""")  # noqa: S608  constants of ours


def _results(several: Sequence[Sent]) -> str:
    """The results of the tries in the ledger: a channel's is the same for all notices in the message, and so is the instant at
    which it ended, which no other message has: messages are counted by it."""
    wall = datetime.now(UTC)
    return as_json(
        [
            {"id": delivery, "at": wall + place * timedelta.resolution, "result": each.result, "sent_as": each.sent_as}
            for place, sent in enumerate(several)
            for notice in sent.notices
            for delivery, each in zip(notice.deliveries, sent.tried, strict=True)
        ]
    )


async def _record_failed(store: Store, notice: Claimed, tried: list[Tried]) -> None:
    """No channel took it: turn to the next ones at once, or try again later, or give up and tell the administrators."""
    # Whoever asks to be left alone is not tried in vain: a day's allowance comes back at midnight.
    asks = max((each.retry_after or 0 for each in tried), default=0)
    waits = bool(asks) and not notice.more and store.time.now() - notice.created_at < A_DAYS_ALLOWANCE
    gave_up = notice.tries >= LAST_ROUND or (bool(tried) and all(each.final for each in tried))
    last = gave_up and not notice.more and not waits
    wait = timedelta(seconds=min(600, 5 * 2 ** (notice.tries - 1)) * (0.8 + secrets.randbelow(400) / 1000))
    again = timedelta(0) if notice.more else min(max(wait, timedelta(seconds=asks)), LONGEST_WAIT - timedelta(minutes=1))
    values = {
        "tried": _results([Sent([notice], tried)]),
        "id": notice.id,
        "status": "dead" if last else "queued",
        "again": None if last else datetime.now(UTC) + again,
        # All have been tried: from the first again, or where it has arrived already, by these.
        "rounds": notice.tries - 1 if notice.more or waits else notice.tries,
        "step": notice.step + 1 if notice.more else notice.step if notice.arrived else 0,
    }
    async with store.single.connect() as connection:
        await connection.execute(_FAILED, values)
    results = "; ".join(f"{label}: {each.result}" for label, each in zip(notice.labels, tried, strict=False))
    if waits and asks >= UNTIL_LATER and notice.kind != "system":
        what, detail = "a receiver takes no more for now", f"Notice {notice.id} ({notice.kind}) waits until it does. {results}"
        await tell_administrators(store, notice.hub, what, detail, at_most_every=SAID_EVERY)
    if last and notice.role == REFERRER and notice.reference:
        await have_them_told(store, notice.reference, notice.hub, notice.kind)
    if last and notice.kind != "system":
        await tell_administrators(
            store,
            notice.hub,
            "a notice could not be delivered",
            f"Notice {notice.id} ({notice.kind}) to {notice.person or notice.role} failed in {notice.tries} rounds"
            f"{f': {results}' if results else ''}.",
            avoid=[channel.fingerprint for _, channel in notice.channels],
        )


async def have_them_told(store: Store, reference: str, hub: str, kind: str) -> None:
    """What was written to a referrer reached them nowhere: whoever owns its clock is asked to tell them by another way."""
    async with store.transaction(system_actor(hub)) as connection:
        (row,) = await lock(connection, [reference])
        referral = (await standing(connection, row)).referral
        if referral is None or referral.erased:
            return
        now, rules = store.time.now(), await store.profile(connection, referral.profile)
        drafts = list(undelivered(Occasion(reference, referral, referral, rules, now), kind))
        if drafts:
            await connection.execute(insert(NOTICES), [queued(draft, now) for draft in drafts])
