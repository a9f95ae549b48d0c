"""Meetings: what is held today and next, and the day's agenda, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.routes.cases import brief
from mash.api.routes.gatherings import gatherings
from mash.api.schemas.fields import CODE, Day
from mash.flows.store.reads.agenda import agenda, convened, held_next_at, read_subjects, without_time
from mash.flows.store.reads.case import Case
from mash.flows.telling.who import in_few_words
from mash.states.clocks import LONDON, day_of
from mash.states.errors import NotFound
from mash.states.values import Actor

router = APIRouter(prefix="/meetings", include_in_schema=False)
Reader = Annotated[Actor, Depends(Permitted("read_agenda"))]
CONVENED = "convened"
"""The agenda of the meetings that were called for single cases."""
WHERE = "/meetings"
"""What stands in the bar as where somebody is, at each of these pages."""
AHEAD = timedelta(days=7)
LONG_AGO = timedelta(days=366)
"""How far back what was to be held and is not recorded stands on today's agenda."""
Which = Annotated[Day | None, Query()]
Name = Annotated[str, Path(pattern=CODE)]


@dataclass(frozen=True)
class Agenda:
    """What is discussed, in its order, and on which day; `at` is when a gathering begins, where it is one's."""

    name: str
    title: str
    day: date
    at: datetime | None
    cases: Sequence[Case]

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"/meetings/{self.name}?day={self.day:%Y-%m-%d}"

    def path_of(self, reference: str) -> str:
        """Where one of its cases stands."""
        return f"/meetings/{self.name}/{reference}?day={self.day:%Y-%m-%d}"


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Reader) -> HTMLResponse:
    """What is held today for single cases, and in the days to come; and the regular gatherings with when each is next."""
    store = request.app.state.store
    tomorrow = day_of(store.time.now()) + timedelta(days=1)
    today = await agenda_of(request, CONVENED, by, None)
    later = await convened(store, by, _midnight(tomorrow), _midnight(tomorrow) + AHEAD)
    days = [(day, Agenda(CONVENED, "", day, None, on)) for day, on in _by_day(later)]
    known: dict[str, Any] = {
        "gatherings": await gatherings(request, by),
        "today": await lines_of(request, today, by),
        "later": [(day, await lines_of(request, each, by)) for day, each in days],
    }
    return page(request, "meetings.html", "Meetings", **known)


@router.get("/{name}", response_class=HTMLResponse)
async def day(request: Request, name: Name, by: Reader, day: Which = None) -> HTMLResponse:
    """The agenda of a gathering, the next one unless a day is given; or of the meetings about one case on a day."""
    found = await agenda_of(request, name, by, day)
    return page(request, "agenda.html", found.title, here=WHERE, agenda=found, lines=await lines_of(request, found, by))


async def agenda_of(request: Request, name: str, by: Actor, day: date | None) -> Agenda:
    """What is discussed; of today's meetings also what was to be held before and is not recorded, and what has no time yet."""
    store = request.app.state.store
    if name != CONVENED:
        return await _gathering(request, name, by, day)
    now = store.time.now()
    on = day or day_of(now)
    if on != day_of(now):
        cases = await convened(store, by, _midnight(on), _midnight(on + timedelta(days=1)))
        return Agenda(name, "Meetings", on, None, cases)
    timed = await convened(store, by, now - LONG_AGO, _midnight(on + timedelta(days=1)))
    return Agenda(name, "Today’s meetings", on, None, [*await without_time(store, by), *timed])


async def lines_of(request: Request, found: Agenda, by: Actor) -> list[dict[str, Any]]:
    """A line for each case of an agenda: when, who it is about, and how urgent it is."""
    store = request.app.state.store
    called = await called_on(request, found.cases, by)
    return [
        {
            "path": found.path_of(case.reference),
            "at": held_next_at(case.referral) if found.at is None else None,
            "who": called[case.reference],
            "discussion": case.referral.stage == "strategy_discussion",
            "case": brief(case, store.rules(case.referral)),
        }
        for case in found.cases
    ]


async def called_on(request: Request, cases: Sequence[Case], by: Actor) -> dict[str, str]:
    """Who cases are about in a list, by initials and age: 'L.F., 8 and J.F., 5'."""
    store = request.app.state.store
    today, people = day_of(store.time.now()), await read_subjects(store, cases, by)
    return {case.reference: in_few_words(people.get(case.reference, []), today) for case in cases}


async def _gathering(request: Request, name: str, by: Actor, day: date | None) -> Agenda:
    store = request.app.state.store
    profile, after = store.hub(by.hub), store.time.now()
    if name not in profile.gatherings:
        raise NotFound(f"{profile.title} has no such gathering; it has: {', '.join(profile.gatherings) or 'none'}")
    found = profile.gatherings[name]
    if day is not None:
        after = datetime.combine(day, found.at, LONDON) - timedelta(seconds=1)
    at = profile.calendar.next_time(found.at, found.days, after)
    return Agenda(name, found.title, day_of(at), at, await agenda(store, by, profile, found, at))


def _by_day(cases: Sequence[Case]) -> list[tuple[date, list[Case]]]:
    """Cases whose time is set, by the day on which they are discussed."""
    days: dict[date, list[Case]] = {}
    for case in cases:
        if at := held_next_at(case.referral):
            days.setdefault(day_of(at), []).append(case)
    return list(days.items())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), LONDON)
