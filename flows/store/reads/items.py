"""The words of a case: its personal items, opened for whoever may read them; of the rest a signpost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.addresses import judged
from mash.config.permissions import may, may_read_words, reach
from mash.flows.store.details import secret_address
from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.reads.audits import audited_words
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.near_misses import near_miss_words
from mash.flows.store.reads.participants import takes_part
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import ITEMS, KEYS, REFERRALS
from mash.states.firewall import AGENCIES_OWN, product, view
from mash.states.messages import STAFF_ACTS
from mash.states.reading import REFERRER, UNKNOWN
from mash.states.referral import Referral
from mash.states.values import Actor

REDACTED = "redacted"
"""The kind of an item that stands for another one, as others may read it."""
FORMS = ("concern", "referrer", "submission", "subject", "household")
"""The kinds of items that are fields of what was sent, stored as a JSON object; the others are words."""
SOMEBODY = ("subject", "household")
"""The kinds of items that say where somebody lives."""
CHILDS_OWN = "record_child_voice"
"""What an item is that has a child's own words: stored as what its agency contributes, and walled off as that is."""
OF_CHILD = frozenset(kind for kind, act in STAFF_ACTS.items() if act.of_child)
"""What was said with acts that say of a child that they are known: who may not find people is not told that there is any."""
SECOND = "sign_off_decision"
"""What was said at a sign-off; where contacts added up, that there was one says so too."""
OF_THE_FIRST = ("record_decision", "weigh_contacts", "rate_referral", "rerate_referral")
"""What the first person wrote of contacts that add up, beside the decision itself."""
NOT_FOR_OTHERS = "Kept secret: ask the hub"
AUDIT, NEAR_MISS = "audit", "near_miss"
"""The kinds of what the hub writes of a case for itself: no item of it, and sealed by its key all the same."""
HUBS_OWN = "hub"
HELD = "held_by_agency"
"""What an item is to those who may not see what it is."""
_ITEMS = select(ITEMS).where(ITEMS.c.reference == bindparam("of")).order_by(ITEMS.c.created_at, ITEMS.c.id)
_OF_KIND = select(
    ITEMS.c.id,
    ITEMS.c.subject,
    ITEMS.c.sealed,
    select(REFERRALS.c.state).where(REFERRALS.c.reference == ITEMS.c.reference).scalar_subquery().label("state"),
    select(KEYS.c.wrapped).where(KEYS.c.reference == ITEMS.c.reference).scalar_subquery().label("wrapped"),
).where(ITEMS.c.reference == bindparam("of"), ITEMS.c.kind == bindparam("kind"))


async def read_items(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """The personal items of a case as far as somebody may read them: what was said, what their agency holds, and what others
    released (perhaps redacted); of the rest only a signpost that it exists."""
    rows, key = await items_shown(store, case.reference, by)
    sealed = {str(row.id): row for row in rows}

    def line(item: str, shown: str, kind: str, row: Row[Any] | None, agency: str, at: datetime) -> dict[str, Any]:
        content = opened_for(row, key, by) if row else None
        subject = sealed[item].subject if item in sealed else None
        where = {"item": item, "kind": kind, "subject": subject, "agency": agency, "at": at, "view": shown}
        return {**where, "content": content, "fields": _fields(kind, content)}

    lines, knows = [], may_read_words(by.role, REFERRER)
    for row in rows:
        of_child = row.kind in OF_CHILD or (row.kind == SECOND and case.referral.second_look)
        if of_child and not may(by.role, "find_people"):
            continue
        if row.kind not in (*AGENCIES_OWN, REDACTED) and case.referral.stands(str(row.id), row.subject):
            theirs = reads_whole(case.referral, row, sealed, by)
            shown = "whole" if theirs else "signpost"
            whose = row.owner_agency if knows or row.created_by not in (case.caller, REFERRER) else UNKNOWN
            lines.append(line(str(row.id), shown, row.kind, row if theirs else None, whose, row.created_at))
    for held in case.referral.held.values():
        shown = view(held, by.agency)
        original = sealed.get(held.item)
        readable = {"whole": held.item, "redacted": held.redacted or "", "signpost": ""}[shown]
        if readable not in sealed:  # released, but not to whoever only looks in through the broken glass
            shown = "signpost"
        kind = CHILDS_OWN if original and held.subject else original.kind if original else HELD
        lines.append(line(held.item, shown, kind, sealed.get(readable), held.agency, held.at))
    return sorted(lines, key=lambda line: (line["at"], line["item"]))


def reads_whole(referral: Referral, row: Row[Any], rows: Mapping[str, Row[Any]], by: Actor) -> bool:
    """Whether somebody reads what was said in an item that no agency owns: whoever gave it (of what was put right since, whoever
    gave what it stands for) and the roles that the table names, but for who writes their own view first. `rows` are the case's,
    by id."""
    first = rows.get(referral.first_of(str(row.id)), row)
    return first.created_by == by.id or (may_read_words(by.role, row.kind) and not _own_view_first(referral, row, by))


def _own_view_first(referral: Referral, row: Row[Any], by: Actor) -> bool:
    """Whether somebody writes a view of their own before they read these words: what was said for a decision on contacts that
    add up, while it waits for a second person."""
    proposed = referral.proposed
    if proposed is None or not proposed.adding_up or by.id == proposed.by or by.id in referral.second_views:
        return False
    decisive = proposed.words is not None and str(row.id) == proposed.words.item
    return decisive or row.kind in OF_THE_FIRST


def opened_for(row: Row[Any], key: AESGCM, by: Actor) -> str:
    """What an item says to somebody who reads it: where people live is left out if that is kept secret, but for the hub and
    whoever said so."""
    content = unseal(key, row.sealed, row.reference).decode()
    if row.kind not in SOMEBODY or row.created_by == by.id or reach(by.role) == "hub":
        return content
    fields = _fields(row.kind, content)
    if fields is None or not secret_address(fields):
        return content
    return json.dumps({name: NOT_FOR_OTHERS if name == "address" else value for name, value in fields.items()})


def _fields(kind: str, content: str | None) -> dict[str, Any] | None:
    """What an item says as fields; None where it is words."""
    try:
        found = json.loads(content) if content and kind in FORMS else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


async def information_product(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """What the agencies released about a case, in the versions that they released; for the rest, signposts."""
    rows, key = await items_shown(store, case.reference, by)
    sealed = {str(row.id): row.sealed for row in rows}
    return [
        {
            "agency": line.agency,
            "at": line.at,
            "content": unseal(key, sealed[line.item], case.reference).decode() if line.item in sealed else None,
            "signpost": None if line.item in sealed else "this agency holds information that it has not released: ask the agency",
        }
        for line in product(case.referral)
    ]


async def items_shown(store: Store, reference: str, by: Actor) -> tuple[Sequence[Row[Any]], AESGCM]:
    """The items that the database shows somebody, and the key that opens them."""
    async with store.transaction(by) as connection:
        key = AESGCM(await data_key(connection, store, reference))
        rows = (await connection.execute(_ITEMS, {"of": reference})).all()
        if reach(by.role) == "involved" and not await takes_part(connection, store, reference, by):
            # What was released is for those at the table, by what we wrote down.
            rows = [row for row in rows if row.owner_agency == by.agency or row.kind not in (*AGENCIES_OWN, REDACTED)]
        return rows, key


@dataclass(frozen=True)
class PlainItem:
    """An item in plain."""

    id: str
    kind: str
    subject: str | None
    agency: str
    at: datetime
    content: bytes


async def read_everything(connection: AsyncConnection, store: Store, case: Case) -> list[PlainItem]:
    """Every item of a case in plain, whoever it belongs to, and what auditors wrote of it and was written of near misses: for
    what the law asks to be answered from all of it."""
    key = AESGCM(await data_key(connection, store, case.reference))
    items = [
        PlainItem(str(row.id), row.kind, row.subject, row.owner_agency, row.created_at, unseal(key, row.sealed, case.reference))
        for row in (await connection.execute(_ITEMS, {"of": case.reference})).all()
    ]
    beside = {
        AUDIT: await audited_words(connection, store, case.reference),
        NEAR_MISS: await near_miss_words(connection, store, case.reference),
    }
    return items + [
        PlainItem(name, kind, None, HUBS_OWN, at, words.encode()) for kind, some in beside.items() for name, at, words in some
    ]


async def not_to_write(store: Store, reference: str) -> str | None:
    """By which case's warnings writing to whoever referred is not safe now: this one's, or those of another that the contact was
    split into, for one person made it. None where it is safe."""
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
    family = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.root == root)
    async with store.single.connect() as connection:
        rows = (await connection.execute(family.order_by(REFERRALS.c.reference != reference, REFERRALS.c.reference))).all()
    return next((str(row.reference) for row in rows if Referral.model_validate_json(row.state).not_to_write), None)


async def field_of(store: Store, reference: str, kind: str, name: str) -> str | None:
    """A field of what came with a referral, as text; None where there is none, or once the people have been erased."""
    async with store.single.connect() as connection:
        rows = (await connection.execute(_OF_KIND, {"of": reference, "kind": kind})).all()
    there = [row for row in rows if Referral.model_validate_json(row.state).stands(str(row.id), row.subject)]
    if not there:
        return None
    try:
        key = store.keyring.unwrap(there[0].wrapped, reference)
    except KeyDestroyed:
        return None
    value = json.loads(unseal(AESGCM(key), there[0].sealed, reference)).get(name)
    return str(value) if value else None


async def referrer_address(store: Store, reference: str) -> str | None:
    """The e-mail address the referrer gave, tidied; None when there is none that could be one, or when the people have been
    erased."""
    found = judged(await field_of(store, reference, "referrer", "email") or "")
    return found.address if found.can_be else None
