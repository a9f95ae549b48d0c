"""The children of a hub's returns, each with their episodes: one census child is one person, across contacts where somebody has
confirmed that, and else the subject of one contact."""

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

LENGTH = 20
"""Letters and digits of an id: as many as the census takes (rules 1570, 1580)."""


@dataclass(frozen=True)
class Known:
    """What the hub's tables say of a person: who they are, and by which subjects of which contacts they stand in the log."""

    id: str
    person: Person
    courses: tuple[Course, ...]
    erased: bool = False
    """Whether their details were erased with the key of their contacts: they are counted, and named in no file."""


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
) -> list[Known]:
    """Everybody of these cases who counts as a child. `identities` has the id of who is confirmed, by reference and subject;
    `people` what is recorded, by id; `erased` the references whose people were erased."""
    found: dict[str, list[Course]] = defaultdict(list)
    for course in courses(cases):
        found[identities.get((course.reference, course.subject)) or own_id(key, course.root, course.subject)].append(course)
    gone = set(erased)
    return [
        Known(name, people.get(name, NOBODY), tuple(some), all(course.reference in gone for course in some))
        for name, some in found.items()
    ]


def in_year(people: Iterable[Known], year: Year, rule: Returns) -> tuple[list[Child], dict[str, list[LeftOut]]]:
    """The children of the year's return, and what is left out of it, by the child's id."""
    children: list[Child] = []
    left: dict[str, list[LeftOut]] = {}
    for one in people:
        found: list[Episode] = []
        for episode in episodes(one.courses, rule):
            there, out = as_of(episode, year)
            if there:
                found.append(_died(there, one.person))
                left.setdefault(one.id, []).extend(out)
        if found and not one.erased:
            children.append(Child(one.id, one.person, tuple(found)))
    return children, {name: out for name, out in left.items() if out}


def _died(episode: Episode, person: Person) -> Episode:
    """An episode that ended once the child had died was closed by that (RC2)."""
    over = episode.closed is not None and person.died is not None and person.died <= episode.closed
    return replace(episode, reason="RC2") if over else episode


def with_episodes(child: Child, some: Iterable[Episode]) -> Child:
    """The same child with these episodes alone: those of one authority."""
    return replace(child, episodes=tuple(some))
