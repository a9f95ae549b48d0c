"""The extracts of a hub, out of its log and the people's tables: what is found before a file is made, and the files."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from mash.config import codes
from mash.config.version import VERSION
from mash.flows.returns import annex_a
from mash.flows.returns.children import Known, in_year, known, own_id, with_episodes
from mash.flows.returns.cin import Child, Conference, census
from mash.flows.returns.course import Case, Course
from mash.flows.returns.episodes import Episode
from mash.flows.returns.people import FIELDS, merged
from mash.flows.returns.reading import KINDS
from mash.flows.returns.rules import Checks, findings
from mash.flows.returns.year import Year, in_the_making
from mash.flows.store.reads.look import note_shown, why_of
from mash.flows.store.reads.returns import Count, Stored, keep_count, stored
from mash.flows.store.store import Store, system_actor
from mash.states.accumulation import contact_of
from mash.states.clocks import day_of
from mash.states.errors import Incomplete
from mash.states.log import RECORDED
from mash.states.profile import Profile
from mash.states.values import Actor

log = structlog.stdlib.get_logger("mash.returns")
NOWHERE = ""
"""The authority of a case of which nobody has said whose it is."""


@dataclass
class Gathered:
    """A hub's children as the returns see them, and how many cannot be named any more."""

    profile: Profile
    people: list[Known] = field(default_factory=list)
    erased: int = 0
    """How many children's details were erased, of whom the log still says that they were."""

    def checks(self, year: Year) -> Checks:
        """What the year's return is checked against."""
        numbers = authorities(self.profile)
        places = frozenset(place for place in numbers if place)
        return Checks(year, self.profile.returns, self.profile.calendar, several=len({*numbers.values()}) > 1, places=places)


@dataclass(frozen=True)
class File:
    """A file that was made, and whom it is about."""

    name: str
    content: bytes
    children: int
    references: tuple[str, ...]


async def gather(store: Store, by: Actor) -> Gathered:
    """Read the whole of a hub's log for its returns, as far as the database shows it to somebody."""
    gathered = Gathered(store.hub(by.hub))
    cases: dict[str, Case] = {}
    identities: dict[tuple[str, str], str] = {}
    details: dict[str, list[tuple[datetime, Mapping[str, Any]]]] = defaultdict(list)
    erased = set[str]()
    async for some in stored(store, by, KINDS, FIELDS):
        for each, case in await asyncio.to_thread(_read, some):
            cases[each.reference] = case
            if each.erased:
                erased.add(each.reference)
            for subject, child in each.children.items():
                identities[each.reference, subject] = child
            for subject, fields in each.details.items():
                name = each.children.get(subject) or own_id(store.keyring.search, contact_of(each.reference), subject)
                details[name].append((each.referral.received_at, fields))
    people = {name: merged(fields for _, fields in sorted(some, key=lambda one: one[0])) for name, some in details.items()}
    gathered.people = await asyncio.to_thread(known, cases, identities, people, store.keyring.search, erased)
    gathered.erased = sum(one.erased for one in gathered.people)
    return gathered


def _read(some: Sequence[Stored]) -> list[tuple[Stored, Case]]:
    return [
        (each, Case(each.reference, each.referral, [RECORDED.validate_json(event) for event in each.events])) for each in some
    ]


def authorities(profile: Profile) -> dict[str, str]:
    """The number of a hub's authority at the Department for Education, by place; by '' of a case of no place. What the profile
    does not say is told by the authority's name in the hub's area, and in the place's title. Empty where nothing tells it."""
    returns, names = profile.returns, _numbers()
    found = {name: returns.authorities.get(name) or _named(place.title, names) for name, place in profile.places.items()}
    first = returns.authority or _named(profile.area, names) or next((number for number in found.values() if number), "")
    return {NOWHERE: first, **{name: number or first for name, number in found.items()}}


def _numbers() -> dict[str, str]:
    """Authorities by name, the longest first: their number."""
    of_three = {name: number for number, name in codes.authorities().items() if len(number) == 3}
    return dict(sorted(of_three.items(), key=lambda each: -len(each[0])))


def _named(text: str, names: Mapping[str, str]) -> str:
    """The number of the authority that a text names first."""
    found = ((match.start(), -len(name), number) for name, number in names.items() if (match := _whole(name, text)))
    return min(found, default=(0, 0, ""))[2]


def _whole(name: str, text: str) -> re.Match[str] | None:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)


def census_files(gathered: Gathered, year: Year, made_at: datetime, authority: str = "") -> list[File]:
    """The census' files, one for each authority of the hub. Raises Incomplete where it is not known which authority that is.
    `authority` is said by whoever asks, of a hub of one whose profile does not say it."""
    profile = gathered.profile
    numbers = {place: authority or number for place, number in authorities(profile).items()}
    if not all(numbers.values()):
        raise Incomplete(
            "which authority this hub's return is of is not known: say its number at the Department for Education"
            " ([returns] authority in its profile, or --authority)"
        )
    limit = Conference(profile.statutory["conference"], profile.calendar)
    children, _ = in_year(gathered.people, year, profile.returns)
    files = []
    for number in dict.fromkeys(numbers.values()):
        theirs = [*_of(number, children, numbers)]
        content = census(theirs, year, number, made_at, VERSION, limit)
        files.append(File(f"cin_{year.number}_{number}.xml", content, len(theirs), references_of(theirs)))
    return files


def _of(number: str, children: Iterable[Child], numbers: Mapping[str, str]) -> Iterable[Child]:
    """The children of one authority, with those of their episodes that are its."""
    for child in children:
        theirs = [episode for episode in child.episodes if _authority(episode, numbers) == number]
        if theirs:
            yield with_episodes(child, theirs)


def _authority(episode: Episode, numbers: Mapping[str, str]) -> str:
    place = episode.courses[0].place
    return numbers.get(place or NOWHERE, numbers[NOWHERE])


def references_of(children: Iterable[Child]) -> tuple[str, ...]:
    """The cases that a file is made of."""
    return tuple(dict.fromkeys(c.reference for child in children for episode in child.episodes for c in episode.courses))


def annex_file(gathered: Gathered, period: annex_a.Period) -> File:
    """Annex A's lists of a period, as a workbook."""
    profile = gathered.profile

    def team(course: Course) -> str:
        place = profile.places.get(course.place or "")
        return place.title if place else profile.title

    rows = annex_a.lists(gathered.people, period, profile.returns, team)
    named = {row[0] for some in rows.values() for row in some}
    theirs = [one for one in gathered.people if one.id in named]
    references = tuple(dict.fromkeys(course.reference for one in theirs for course in one.courses))
    name = f"annex_a_{period.first}_{period.last}.xlsx"
    return File(name, annex_a.workbook(rows), len(theirs), references)


async def note_extract(store: Store, files: Iterable[File], by: Actor, action: str) -> None:
    """Write down, as one look, whose cases left in files; and that somebody made them, where they are of nobody."""
    references = tuple(dict.fromkeys(name for file in files for name in file.references))
    async with store.transaction(by) as connection:
        await note_shown(connection, store, references, by, action, why_of(by))


class NotCounted(Exception):
    """At some hubs the findings could not be counted; says at which. At the others they were."""


async def count_findings(store: Store) -> None:
    """Keep how many findings are open at each hub, of each year whose return is being made. Raises NotCounted where that has
    failed at a hub, once the others are done."""
    now, years, failed = datetime.now(UTC), in_the_making(day_of(store.time.now())), []
    for hub in store.hubs:
        try:
            await _count(store, hub, now, years)
        except Exception as error:
            failed.append(hub)
            log.error("findings of the returns were not counted", hub=hub, error=type(error).__name__)
    if failed:
        raise NotCounted(", ".join(failed))


async def _count(store: Store, hub: str, now: datetime, years: Iterable[Year]) -> None:
    gathered = await gather(store, system_actor(hub))
    for year in years:
        found = Counter(each.kind for each in await asyncio.to_thread(findings, gathered.people, gathered.checks(year)))
        await keep_count(store, hub, Count(now, year.number, found["error"], found["filled"], found["query"]))
