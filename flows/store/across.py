"""The question to the other hubs of an installation whether one of them may know somebody. Each of them is looked through as the
software looks through it for a contact of its own, and what crosses is its name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.acting import signer_of
from mash.flows.store.append import standing
from mash.flows.store.reads.known import look_for, named_items, sought
from mash.flows.store.store import Store, as_json, system_actor
from mash.flows.store.writes import Item
from mash.states.acts.across import AskOtherHubs
from mash.states.clocks import dated
from mash.states.entitled import hindrance
from mash.states.errors import Incomplete, NotYours
from mash.states.values import Actor, Heard

_AGAIN = text("SELECT may_ask_again(:document, :signature)")


async def hear(connection: AsyncConnection, store: Store, row: Row[Any], command: AskOtherHubs, by: Actor) -> Heard:
    """What the other hubs answer about a subject of a locked referral. Raises the Refusal that the act would meet, before anybody
    is asked; NotYours for whoever has asked as often as one may, which says when to ask again; and Incomplete for somebody whose
    name nobody knows."""
    referral = (await standing(connection, row)).referral
    if referral is None:
        raise ValueError("a referral that was begun has a state")
    profile = await store.profile(connection, referral.profile)
    if refusal := hindrance(referral, profile, by, command.kind, command):
        raise refusal
    others = store.hubs_beside(by.hub)
    # Whom it is about comes first: of a large family not everybody is looked for.
    items = sorted(await named_items(connection, store, row.reference), key=lambda item: item.subject != command.subject)
    if others and not any(person.subject == command.subject for person in sought(store.keyring.search, by.hub, items)):
        raise Incomplete("nothing is known of this person to ask by: expected a name")
    await _take_turn(connection, store, by)
    return Heard(asked=others, may_know=tuple([hub for hub in others if await _may_know(store, hub, items, command.subject)]))


async def _take_turn(connection: AsyncConnection, store: Store, by: Actor) -> None:
    """Raises NotYours for whoever has asked as often as one may. Of several at once each waits for the one before, or all would
    count the same."""
    limits = store.hub(by.hub).firewall
    document = as_json({"an_hour": limits.questions_an_hour, "a_day": limits.questions_a_day})
    signed = {"document": document, "signature": signer_of(connection).sign("ask", document)}
    again: datetime | None = await connection.scalar(_AGAIN, signed)
    if again is not None:
        raise NotYours(
            f"as many questions have been asked of the other hubs as may be: ask again from {dated(again)}, or ring them now",
            again_at=again.isoformat(),
        )


async def _may_know(store: Store, hub: str, items: list[Item], subject: str) -> bool:
    """Whether a contact of a hub is likely about a person who is named in another hub's. What is possible alone counts for
    nothing: nobody there could open it and see."""
    people = sought(store.keyring.search, hub, items)
    async with store.transaction(system_actor(hub)) as connection:
        found = await look_for(connection, hub, "", people)
    return any(each.grade == "likely" and people[each.place].subject == subject for each in found)
