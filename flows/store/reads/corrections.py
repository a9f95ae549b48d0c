"""What was put right on a case, with what stood there before: for whoever may read it. To others the log says that it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from mash.config.words import decoded
from mash.flows.store.details import FIELDS, NOTHING, in_one_piece
from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.items import items_shown, opened_for, reads_whole
from mash.flows.store.store import Store
from mash.states.acts.birth import BirthRecorded
from mash.states.acts.corrections import DetailsCorrected, ReferrerCorrected, SubjectAdded, SubjectRemoved
from mash.states.log import Recorded
from mash.states.values import Actor


@dataclass(frozen=True)
class Corrected:
    """A field that says something else: what stood there, and what does now; '' for nothing."""

    field: str
    was: str
    now: str


async def read_corrections(store: Store, case: Case, by: Actor, story: Iterable[Recorded]) -> dict[int, tuple[Corrected, ...]]:
    """By the number of its event: what was put right, added or removed, as far as somebody may read it."""
    events = {each.sequence: each.event for each in story if isinstance(each.event, _OF_PEOPLE)}
    if not events:
        return {}
    try:
        rows, key = await items_shown(store, case.reference, by)
    except KeyDestroyed:
        return {}
    items = {str(row.id): row for row in rows}

    def fields(item: str | None) -> dict[str, Any]:
        row = items.get(item or "")
        if row is None or not reads_whole(case.referral, row, items, by):
            return {}
        content = json.loads(opened_for(row, key, by))
        return content if isinstance(content, dict) else {}

    found = {}
    for sequence, event in events.items():
        was, now = _items(event, items, case)
        before, after = fields(was), fields(now)
        if now and not after:
            continue  # not theirs to read: that nothing stands there would be said of what does
        names = getattr(event, "fields", None) or [name for name in {**before, **after} if name in _NAMES]
        told = [Corrected(name, _text(name, before.get(name)), _text(name, after.get(name))) for name in names]
        found[sequence] = tuple(each for each in told if each.was != each.now)
    return {sequence: fields for sequence, fields in found.items() if fields}


_OF_PEOPLE = (DetailsCorrected, ReferrerCorrected, SubjectAdded, SubjectRemoved, BirthRecorded)
_NAMES = {name for names in FIELDS.values() for name in names}


def _items(event: Any, items: Mapping[str, Row[Any]], case: Case) -> tuple[str | None, str | None]:
    """Where it is stored what stood there before an event, and what does after it."""
    if isinstance(event, DetailsCorrected | ReferrerCorrected | BirthRecorded):
        return event.instead_of, event.details.item
    if isinstance(event, SubjectAdded):
        return None, event.details.item
    superseded = case.referral.superseded
    return next((item for item, row in items.items() if row.subject == event.subject and item not in superseded), None), None


def _text(field: str, value: Any) -> str:
    """A stored value as one line."""
    if field == "name":
        return in_one_piece(value)
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part not in NOTHING)
    if isinstance(value, list):
        return "; ".join(decoded(field, each) for each in value)
    return "" if value in NOTHING else decoded(field, value)
