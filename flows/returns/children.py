"""The children of a hub's returns, each with their episodes: one census child is one person, across contacts where somebody has
confirmed that, and else the subject of one contact. A return is one authority's: in a hub of two a child may be in both, with the
episodes of each."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mash.flows.returns.cin import Child
from mash.flows.returns.course import Case, Course
from mash.flows.returns.episodes import Episode, episodes
from mash.flows.returns.people import NOBODY, Person
from mash.flows.returns.reading import courses
from mash.flows.returns.year import LeftOut, Year, as_of
from mash.states.profile import Returns

NOWHERE = ""
"""The place of a case of which nobody has said where it is."""
NOWHERE_KNOWN: Mapping[str, str] = {NOWHERE: ""}
"""The authorities of a hub of which nothing says which they are."""
LENGTH = 20
"""Letters and digits of an id: as many as the census takes (rules 1570, 1580)."""


@dataclass(frozen=True)
class Known:
    """What the hub's tables say of a person: who they are, and by which subjects of which contacts of one authority they stand in
    the log."""

    id: str
    person: Person
    courses: tuple[Course, ...]
    erased: bool = False
    """Whether their details were erased with the key of their contacts: they are counted, and named in no file."""
    authority: str = ""
    """Its number at the Department for Education; empty where it is not known whose the contacts are."""
    adult: tuple[Course, ...] = ()
    """The contacts in which they are taken for an adult of whose age nothing is known: these are in no file."""


def own_id(key: bytes, root: str, subject: str) -> str:
    """The id of a subject whom nobody has confirmed to be a person of other contacts: keyed, so that nobody who has the file
    finds the contact by it; the same each time."""
    digest = hmac.digest(key, f"LAchildID:{root} {subject}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode()[:LENGTH]


def known(
    cases: Mapping[str, Case],
    identities: Mapping[tuple[str, str], str],
    people: Mapping[str, Person],
    key: bytes,
    erased: Iterable[str] = (),
    numbers: Mapping[str, str] = NOWHERE_KNOWN,
) -> list[Known]:
    """Everybody of these cases who counts as a child, by the authority whose they are. `identities` has the id of who is
    confirmed, by reference and subject; `people` what is recorded, by id; `erased` the references whose people were erased;
    `numbers` each place's authority."""
    found: dict[tuple[str, str], list[Course]] = defaultdict(list)
    for course in courses(cases):
        name = identities.get((course.reference, course.subject)) or own_id(key, course.root, course.subject)
        found[name, authority_of(course, numbers)].append(course)
    gone = set(erased)
    return [
        Known(
            name,
            people.get(name, NOBODY),
            tuple(course for course in some if not course.taken_for_an_adult),
            all(course.reference in gone for course in some),
            authority,
            tuple(course for course in some if course.taken_for_an_adult),
        )
        for (name, authority), some in found.items()
    ]


def authority_of(course: Course, numbers: Mapping[str, str]) -> str:
    """The number of the authority whose a contact is, by its place; of a contact of no place, or of one that the hub does not
    have any more, its first one's."""
    return numbers.get(course.place or NOWHERE, numbers[NOWHERE])


def in_year(people: Iterable[Known], year: Year, rule: Returns) -> tuple[list[Child], list[LeftOut]]:
    """The children of the year's returns, and what is left out of them. Who was erased is in none."""
    children: list[Child] = []
    left: list[LeftOut] = []
    for one in people:
        if not one.erased:
            some, out = _episodes_in(one, year, rule)
            left += out
            children += [Child(one.id, one.person, tuple(some), one.authority)] if some else []
    return children, left


def _episodes_in(one: Known, year: Year, rule: Returns) -> tuple[list[Episode], list[LeftOut]]:
    found: list[Episode] = []
    left: list[LeftOut] = []
    for episode in episodes(one.courses, rule, year.end):
        there, out = as_of(episode, year)
        if there:
            found.append(_died(there, one.person))
            left += out
    return found, left


def erased_in(people: Iterable[Known], year: Year, rule: Returns) -> int:
    """How many children would be in the year's returns, and are not, as their details were erased."""
    return len({one.id for one in people if one.erased and _episodes_in(one, year, rule)[0]})


def _died(episode: Episode, person: Person) -> Episode:
    """An episode that ended once the child had died was closed by that (RC2), and so was a plan (rule 8920)."""
    died = person.died
    if died is None or episode.closed is None or episode.closed < died:
        return episode
    plans = (replace(plan, end=died) if plan.end and plan.start < died < plan.end else plan for plan in episode.plans)
    return replace(episode, reason="RC2", plans=tuple(plans))
