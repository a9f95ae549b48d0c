"""The line about an earlier contact that the partners on a case are told: put into words, held and released in one act."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.words import census, worded
from mash.flows.store.append import Applied, append, lock, standing
from mash.flows.store.store import Store
from mash.states.acts.shared import EarlierContactShared, RecordLineReleased, ShareEarlierContact, confirmed
from mash.states.clocks import day_of
from mash.states.referral import Referral
from mash.states.values import Actor

FEW = ("voluntary",)
"""Sources that are named to nobody outside the hub, as no member of the public is: who is 'somebody' may so be either."""


async def line_of(connection: AsyncConnection, referral: Referral, other: Row[Any], words: str) -> str:
    """What partners read of another contact about a child of a case, with the words of whoever shares it: when it came and from
    what kind of service, its need, rating and outcome. Nothing by which it, or a neighbour who made it, could be found."""
    there = (await standing(connection, other)).referral
    if there is None:
        raise ValueError("a referral that was begun has a state")
    matches = confirmed(referral, other.reference)
    source = "somebody who was worried" if there.of_public or there.source_agency in FEW else worded(there.source_agency)
    when = day_of(there.received_at)
    parts = [
        f"Another contact about the same child ({', '.join(match.subject for match in matches)} here), received on"
        f" {when.day} {when:%B %Y} from {source}.",
        f"Need: {census('primary_need', there.primary_need) if there.primary_need else 'not recorded'}.",
        f"Rating: {worded(there.rating) or 'not rated'}.",
        *(
            f"What came of it for {match.subject}: {_outcome(there, match.other)}."
            for match in matches
            if match.other in there.subjects
        ),
    ]
    return f"{' '.join(parts)}\n\n{words}"


def _outcome(there: Referral, subject: str | None) -> str:
    return worded(there.subjects[subject or ""].outcome) or "nothing decided yet"


async def release_line(
    connection: AsyncConnection, store: Store, shared: Applied, command: ShareEarlierContact, because: str, by: Actor
) -> Applied:
    """Release the line that was just put beside a case. The database lets an agency release what stands there, and nothing that
    comes with the release."""
    (item,) = [event.words.item for event in shared.events if isinstance(event, EarlierContactShared)]
    (row,) = await lock(connection, [shared.reference])
    released = await append(connection, store, row, RecordLineReleased(item=item, necessity=command.necessity), by, words=because)
    return replace(released, events=[*shared.events, *released.events])
