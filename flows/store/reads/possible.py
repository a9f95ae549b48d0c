"""Who is named in other contacts who may be a person of a case, opened on request: the contacts that are possibly about the same
people, and those of brothers, sisters and adults, each by their own name there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from mash.flows.store.reads.case import Case
from mash.flows.store.reads.earlier import Contact
from mash.flows.store.reads.known import Match, likely_known
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.people import Named, beside, by_likeness, by_numbers, people_named
from mash.flows.store.store import Store
from mash.states.errors import NotFound
from mash.states.values import Actor


@dataclass(frozen=True)
class Possible(Named):
    """Another contact that is possibly about a person of a case."""

    of: str
    """Which subject of the case they may be."""
    why: tuple[str, ...]


async def possible(store: Store, case: Case, by: Actor) -> list[Possible]:
    """The possible matches of a case, opened because somebody asks: each is a look at that contact."""
    known = {match.pair for match in (*case.referral.matches, *case.referral.rejected)}
    async with store.transaction(by, of_system=True) as connection:
        found = [
            each
            for each in await likely_known(connection, store, case.reference)
            if each.subject and each.grade == "possible" and (each.subject, each.reference, each.other) not in known
        ]
    opened: list[Match] = []
    for each in found:
        with suppress(NotFound):
            there = await look_at(store, each.reference, by, "find_people")
            # Who has gone on in a linked referral is found there too.
            if not each.other or each.other in there.referral.subjects:
                opened.append(each)
    async with store.transaction(by) as connection:
        named = await people_named(connection, store, {case.reference, *(each.reference for each in opened)}, by)
    mine = {each.subject: each.who for each in named[case.reference].people} if case.reference in named else {}
    shown = []
    for match in opened:
        if naming := named.get(match.reference):
            row = match.row
            somebody = by_numbers(store.keyring.search, row.tokens, row.born, row.subject, naming.people)
            who, parts = beside(somebody, mine.get(match.subject))
            child = somebody.child if somebody else None
            of, why = match.subject or "", match.why
            shown.append(Possible(match.reference, match.other, who, parts, naming.referral, of, why, child=child))
    return shown


async def named_in(store: Store, case: Case, contacts: Sequence[Contact], by: Actor, *, the_same: bool) -> list[Named]:
    """Whom these contacts are about, by the names they have there; where they are to be `the_same` as the case's subject, beside
    what the case says of that one. The contacts were looked at."""
    async with store.transaction(by) as connection:
        named = await people_named(connection, store, {case.reference, *(each.reference for each in contacts)}, by)
    mine = {each.subject: each.who for each in named[case.reference].people} if case.reference in named else {}
    shown = []
    for each in contacts:
        if there := named.get(each.reference):
            asked = mine.get(each.subject) if the_same else None
            theirs = (person for person in there.people if person.subject == each.other)
            somebody = by_likeness(asked, each.other, there.people) if asked else next(theirs, None)
            who, parts = beside(somebody, asked)
            child = somebody.child if somebody else None
            shown.append(Named(each.reference, each.other, who, parts, there.referral, child=child))
    return shown
