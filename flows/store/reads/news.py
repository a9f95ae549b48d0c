"""What has happened on a board since somebody last looked at it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, text

from mash.config.permissions import may
from mash.flows.store.number_arrays import Numbers
from mash.flows.store.store import Store
from mash.states.log import RECORDED, Recorded
from mash.states.messages import EVENTS
from mash.states.reading import of_any_child
from mash.states.register import kind_of
from mash.states.values import Actor

A_LOOK = timedelta(minutes=2)
"""So long views after one another are one look: whoever goes from their own cases to all has not looked at these before."""
NO_NEWS = (
    "stage_entered",
    "clocks_started",
    "clocks_stopped",
    "clock_moved",
    "clock_warned",
    "clock_breached",
    "clock_escalated",
    "acknowledgement_ended",
    "alert_seen",
    "referrer_told",
    "profile_adopted",
    "presence_said",
    "subjects_concluded",
    "likely_known",
    "coming_of_age_said",
)
"""What comes of an act that is told already, or what a board says anyway: lateness, reminders, its stage."""
NOT_FOR_ALL = ("decision_proposed", "sign_off_refused", "alert_acknowledged")
"""What may be of a second look at contacts that add up, of which only those hear who may know that a child is known."""
_LOOK = text("""
    INSERT INTO board_look AS l (hub, person, begun_at, seen_at) VALUES (:hub, :person, :now, :now)
    ON CONFLICT (hub, person) DO UPDATE SET seen_at = excluded.seen_at,
        since = CASE WHEN l.begun_at > :goes_on THEN l.since ELSE l.seen_at END,
        begun_at = CASE WHEN l.begun_at > :goes_on THEN l.begun_at ELSE excluded.begun_at END
    RETURNING since""")
# Who did it is found in the text, which begins with when and by whom: to parse seven thousand of them takes 40 ms.
_CHANGED = text("""
    SELECT e.reference, max(e.sequence) AS sequence FROM event e JOIN referral r ON r.reference = e.reference
    WHERE e.hub = :hub AND e.at > :since AND e.kind <> ALL (CAST(:quiet AS text[])) AND r.is_open AND r.hub = :hub
        AND (CAST(:but AS text) IS NULL OR position(:but IN left(e.canonical, 400)) = 0)
    GROUP BY e.reference""")
_EVENTS = text("""
    SELECT e.reference, e.canonical FROM event e
    JOIN unnest(CAST(:references AS text[]), :sequences) n (reference, sequence)
        ON e.reference = n.reference AND e.sequence = n.sequence""").bindparams(bindparam("sequences", type_=Numbers()))


@dataclass(frozen=True)
class News:
    """Since when somebody has not looked, and the last event of each open case in which somebody else did something."""

    since: datetime | None
    last: dict[str, int]

    @property
    def references(self) -> frozenset[str]:
        """The cases that changed."""
        return frozenset(self.last)


async def look_at_board(store: Store, by: Actor) -> News:
    """Somebody looks at their board: what changed since they did before, but for what they did themselves."""
    now = store.time.now()
    view = {"hub": by.hub, "person": by.id, "now": now, "goes_on": now - A_LOOK}
    async with store.transaction(by) as connection:
        since = await connection.scalar(_LOOK, view)
    return News(since, await changed_since(store, by, since, but=by.id) if since else {})


async def changed_since(store: Store, by: Actor, since: datetime, but: str | None = None) -> dict[str, int]:
    """The open cases that somebody reaches and in which anybody, `but` one, did something since: by reference, the number of the
    last such event."""
    of_theirs = f'"by":{{"id":{json.dumps(but, ensure_ascii=False)},' if but else None
    asked = {"hub": by.hub, "since": since, "quiet": [*_quiet(by)], "but": of_theirs}
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_CHANGED, asked)).all()
    return {row.reference: row.sequence for row in rows}


def _quiet(by: Actor) -> tuple[str, ...]:
    """What is no news to somebody. Who may not find people does not hear that a child is known."""
    if may(by.role, "find_people"):
        return NO_NEWS
    return (*NO_NEWS, *NOT_FOR_ALL, *(kind_of(event) for event in EVENTS if event.of_child))


async def read_news(store: Store, by: Actor, news: News, references: Iterable[str]) -> dict[str, Recorded]:
    """By reference: what happened last in those of these cases that changed, as far as somebody may hear of it."""
    new = [reference for reference in references if reference in news.last]
    if not new:
        return {}
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_EVENTS, {"references": new, "sequences": [news.last[each] for each in new]})).all()
    found = {row.reference: RECORDED.validate_json(row.canonical) for row in rows}
    if may(by.role, "find_people"):
        return found
    return {reference: each.model_copy(update={"event": of_any_child(each.event)}) for reference, each in found.items()}
