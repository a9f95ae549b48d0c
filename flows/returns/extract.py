"""The extracts of a hub, out of its log and the people's tables: what is found before a file is made, and the files."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import structlog

from mash.config import codes
from mash.config.version import VERSION
from mash.flows.returns import annex_a
from mash.flows.returns.children import NOWHERE, Known, erased_in, in_year, known, own_id
from mash.flows.returns.cin import Child, Conference, census
from mash.flows.returns.course import Case, Course
from mash.flows.returns.people import FIELDS, Written, merged
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


@dataclass
class Gathered:
    """A hub's children as the returns see them, and how many cannot be named any more."""

    profile: Profile
    people: list[Known] = field(default_factory=list)

    def erased(self, year: Year) -> int:
        """How many children of the year's returns have been erased since, of whom the log still says that they were."""
        return erased_in(self.people, year, self.profile.returns)

    def checks(self, year: Year) -> Checks:
        """What the year's return is checked against."""
        numbers = authorities(self.profile)
        places = frozenset(place for place in numbers if place)
        return Checks(year, self.profile.returns, self.profile.calendar, several=len({*numbers.values()}) > 1, places=places)


@dataclass(frozen=True)
class File:
    """A file that was made of one authority's children, and whom it is about."""

    name: str
    authority: str
    """Its number at the Department for Education; empty of Annex A where nothing says it."""
    content: bytes
    children: int
    references: tuple[str, ...]


async def gather(store: Store, by: Actor, since: date) -> Gathered:
    """Read what of a hub's log can say something of a return whose first day this is, as far as the database shows it to
    somebody."""
    gathered = Gathered(store.hub(by.hub))
    cases: dict[str, Case] = {}
    identities: dict[tuple[str, str], str] = {}
    details: dict[str, list[Written]] = defaultdict(list)
    erased = set[str]()
    async for some in stored(store, by, since, KINDS, FIELDS):
        for each, case in await asyncio.to_thread(_read, some):
            cases[each.reference] = case
            if each.erased:
                erased.add(each.reference)
            for subject, child in each.children.items():
                identities[each.reference, subject] = child
            for subject, fields in each.details.items():
                name = each.children.get(subject) or own_id(store.keyring.search, contact_of(each.reference), subject)
                details[name].append(Written(each.reference, subject, fields))
    people = {name: merged(some) for name, some in details.items()}
    numbers = authorities(gathered.profile)
    gathered.people = await asyncio.to_thread(known, cases, identities, people, store.keyring.search, erased, numbers)
    return gathered


def _read(some: Sequence[Stored]) -> list[tuple[Stored, Case]]:
    return [
        (each, Case(each.reference, each.referral, [RECORDED.validate_json(event) for event in each.events])) for each in some
    ]


def authorities(profile: Profile) -> dict[str, str]:
    """The number of a hub's authority at the Department for Education, by place; by '' of a case of no place. What the profile
    does not say is told by the authority's name in the hub's area, and in the place's title; a satellite that is named after no
    authority is the first one's. Empty where nothing tells it."""
    returns, names = profile.returns, _numbers()
    found = {name: returns.authorities.get(name) or _named(place.title, names) for name, place in profile.places.items()}
    first = returns.authority or _named(profile.area, names) or next((number for number in found.values() if number), "")
    of_first = {name for name, place in profile.places.items() if place.kind != "authority"}
    return {NOWHERE: first, **{name: number or (first if name in of_first else "") for name, number in found.items()}}


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


def chosen(profile: Profile, authority: str) -> tuple[str, ...]:
    """The numbers of the authorities whose files are to be made: all of the hub's, or the one that is said. Where nothing says
    which the hub's is, whoever asks says it. Raises Incomplete for one that is not the hub's, and while it is not known whose
    every place is: no child is returned by another authority than their own."""
    numbers = authorities(profile)
    ours = tuple(dict.fromkeys(number for number in numbers.values() if number))
    unknown = [name for name, number in numbers.items() if name and not number]
    if unknown and (ours or len(unknown) > 1):
        raise Incomplete(
            f"it is not known which authority this hub's place {', '.join(unknown)} is: say its number at the Department for"
            f" Education in the profile ([returns.authorities] {unknown[0]})"
        )
    if ours and authority and authority not in ours:
        raise Incomplete(f"authority {authority} is none of this hub's: expected one of {', '.join(ours)}")
    return (authority,) if authority else ours


def census_files(gathered: Gathered, year: Year, made_at: datetime, authority: str = "") -> list[File]:
    """The census' files, one for each authority of the hub, or of the one that is said. Raises Incomplete where it is not known
    which authority that is, and for one that is not the hub's."""
    profile = gathered.profile
    numbers = chosen(profile, authority)
    if not numbers:
        raise Incomplete(
            "which authority this hub's return is of is not known: say its number at the Department for Education"
            " ([returns] authority in its profile, or for this once)"
        )
    limit = Conference(profile.statutory["conference"], profile.calendar)
    children, _ = in_year(gathered.people, year, profile.returns)
    files = []
    for number in numbers:
        theirs = [child for child in children if (child.authority or number) == number]
        content = census(theirs, year, number, made_at, VERSION, limit)
        files.append(File(f"cin_{year.number}_{number}.xml", number, content, len(theirs), references_of(theirs)))
    return files


def references_of(children: Iterable[Child]) -> tuple[str, ...]:
    """The cases that a file is made of."""
    return tuple(dict.fromkeys(c.reference for child in children for episode in child.episodes for c in episode.courses))


def annex_files(gathered: Gathered, period: annex_a.Period, authority: str = "") -> list[File]:
    """Annex A's lists of a period as a workbook, one for each authority of the hub, or of the one that is said: one authority is
    inspected at a time. Raises Incomplete as for the census; where nothing says which authority it is, the name does not."""
    return [_annex_file(gathered, period, number) for number in chosen(gathered.profile, authority) or ("",)]


def _annex_file(gathered: Gathered, period: annex_a.Period, number: str) -> File:
    profile = gathered.profile

    def team(course: Course) -> str:
        place = profile.places.get(course.place or "")
        return place.title if place else profile.title

    people = [one for one in gathered.people if (one.authority or number) == number]
    rows = annex_a.lists(people, period, profile.returns, team)
    named = {row[0] for some in rows.values() for row in some}
    theirs = [one for one in people if one.id in named]
    references = tuple(dict.fromkeys(course.reference for one in theirs for course in one.courses))
    name = "_".join(filter(None, ("annex_a", number, str(period.first), str(period.last))))
    return File(f"{name}.xlsx", number, annex_a.workbook(rows), len(theirs), references)


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


async def _count(store: Store, hub: str, now: datetime, years: Sequence[Year]) -> None:
    gathered = await gather(store, system_actor(hub), min(year.start for year in years))
    for year in years:
        found = Counter(each.kind for each in await asyncio.to_thread(findings, gathered.people, gathered.checks(year)))
        await keep_count(store, hub, Count(now, year.number, found["error"], found["filled"], found["query"]))
