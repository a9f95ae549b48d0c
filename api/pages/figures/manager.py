"""Manager: how the hub is doing, in five figures; each leads to its chart, its table, and the table to take away."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from mash.api.pages.figures.drawing import CannotDraw, Drawable, Drawing
from mash.api.pages.figures.groups import ages, ethnicities
from mash.api.pages.figures.headlines import Headline, by_agency, headlines_of
from mash.api.pages.figures.learnt import learnt
from mash.api.pages.figures.pictures import Dots, Series
from mash.api.pages.figures.reckoning import Tally
from mash.api.pages.figures.tables import WITHHELD_IN_WORDS, Beside, Figure, figures_of
from mash.api.pages.figures.work import work
from mash.api.pages.page import page
from mash.api.pages.words import ratings_of
from mash.api.permitted import Permitted
from mash.flows.store.reads.added_up import added_up
from mash.flows.store.reads.audits import counted
from mash.flows.store.reads.described import described
from mash.flows.store.reads.figures import began_at, decided, erased_since
from mash.flows.store.reads.near_misses import near_misses_counted
from mash.flows.store.reads.same_child import AGAIN, Known, confirmed_before
from mash.flows.store.reads.workload import Workload, workload
from mash.flows.store.store import Store
from mash.flows.store.sums import add_up_some
from mash.flows.telling.cells import as_csv_cell
from mash.states.errors import NotFound
from mash.states.values import Actor

router = APIRouter(prefix="/manager", include_in_schema=False)
Manager = Annotated[Actor, Depends(Permitted("read_figures"))]
PERIODS, USUAL = (13, 26, 52), 26
"""Weeks."""
SHOWN = 8
"""The latest rows of a table by week, before somebody asks for all."""
Weeks = Annotated[int, Query()]
Name = Annotated[str, Path(pattern=r"^[a-z-]{1,30}$")]
DESCRIBED = {"ethnicity": ethnicities, "age": ages}
"""Figures that are read from what is sealed, and only when somebody asks for them; with how they are made."""


@dataclass(frozen=True)
class Found:
    """A hub's figures of some weeks: the five, and those behind them by what they are about."""

    first: Sequence[Headline]
    groups: Mapping[str, Sequence[Figure]]
    until: str
    """The last day of these weeks, in words."""

    def figure(self, name: str) -> Figure | None:
        """One of them by its name; None where there is none."""
        every = [*(each.figure for each in self.first), *(each for group in self.groups.values() for each in group)]
        return next((each for each in every if each.name == name), None)


@dataclass
class Reckoned:
    """What was reckoned last, by hub, weeks and what is in it: when that began, and what it came to. Of each hub and of what
    is in it, one is reckoned at a time. And what draws it."""

    found: dict[tuple[str, int, str], tuple[float, Any]] = field(default_factory=dict)
    reckoning: defaultdict[tuple[str, str], asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    drawing: Drawing = field(default_factory=Drawing)


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Manager, weeks: Weeks = USUAL, figure: str = "") -> HTMLResponse:
    """The five figures of the last weeks, and one figure with all that it says."""
    drawing: Drawing = request.app.state.figures.drawing
    begun = asyncio.create_task(asyncio.to_thread(drawing.begin))  # beside the figures: its start takes as long as they do
    found = await _figures(request.app, by, weeks)
    # Whoever has chosen none sees what chance does not explain.
    stands_out = next((each for each in found.first if each.told.stands_out), found.first[0])
    chosen = await _one(request.app, by, weeks, figure or stands_out.figure.name, found)
    headline = next((each for each in found.first if each.figure.name == chosen.name), None)
    beside = found.figure(headline.beside) if headline and headline.beside else None
    known: dict[str, Any] = {"found": found, "figure": chosen, "beside": beside, "weeks": _period(weeks), "periods": PERIODS}
    try:
        await begun
        known |= await asyncio.to_thread(_drawn, drawing, found.first, chosen, beside)
    except CannotDraw:
        known |= {"lines": {}, "charts": {}, "dots": {}, "undrawn": True}
    known |= {"latest": SHOWN, "withheld": WITHHELD_IN_WORDS}
    return page(request, "manager.html", "How we are doing", **known)


@router.get("/{name}.svg")
async def picture(request: Request, name: Name, by: Manager, weeks: Weeks = USUAL) -> Response:
    """Where a figure's picture stood by itself once: the page that has it, for whoever kept its address."""
    if name not in DESCRIBED:  # what is sealed is read once, by the page
        await _one(request.app, by, weeks, name)
    return RedirectResponse(f"/manager?figure={name}&weeks={_period(weeks)}", 308)


@router.get("/{name}.csv")
async def table(request: Request, name: Name, by: Manager, weeks: Weeks = USUAL) -> Response:
    """A figure's table, for a spreadsheet, without small numbers of people: files are passed on. Its last line says so."""
    figure = await _one(request.app, by, weeks, name)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(figure.heads)
    writer.writerows([as_csv_cell(cell) for cell in row] for row in figure.taken_away)
    if figure.taken_away != figure.rows:
        writer.writerow([WITHHELD_IN_WORDS, *("" for _ in figure.heads[1:])])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    # With a byte order mark: without it, Excel takes each dash for three letters.
    return Response(written.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


def _drawn(drawing: Drawing, first: Sequence[Headline], chosen: Figure, beside: Figure | None) -> dict[str, Any]:
    """The drawings of a page, by the figure that they are of: the five in a line, charts as (wide, for a phone), dots by row."""
    lines = {each.figure.name: each.figure.drawn.line for each in first if isinstance(each.figure.drawn, Series)}
    shown = [each for each in (chosen, beside) if each and each.drawn]
    dots = {each.name: each.drawn.drawn for each in shown if isinstance(each.drawn, Dots)}
    charts = {each.name: each.drawn.drawings for each in shown if each.drawn and not isinstance(each.drawn, Dots)}
    wanted: list[Drawable] = [*lines.values(), *(one for some in dots.values() for one in some)]
    wanted += [one for each in charts.values() for one in (each.wide, each.phone)]
    # Ours, and every word in them is escaped by what draws them.
    svg = iter([Markup(each) for each in drawing.drawn(wanted)])  # noqa: S704  # nosec B704
    return {
        "lines": {name: next(svg) for name in lines},
        "dots": {name: [next(svg) for _ in some] for name, some in dots.items()},
        "charts": {name: (next(svg), next(svg)) for name in charts},
    }


async def _one(app: Any, by: Actor, weeks: int, name: str, found: Found | None = None) -> Figure:
    if name in DESCRIBED:
        return DESCRIBED[name](await _now(app, by, weeks, "described"))
    if figure := (found or await _figures(app, by, weeks)).figure(name):
        return figure
    raise NotFound("there is no such figure")


def _period(weeks: int) -> int:
    return weeks if weeks in PERIODS else USUAL


async def _figures(app: Any, by: Actor, weeks: int) -> Found:
    found: Found = await _now(app, by, weeks, "figures")
    return found


async def _now(app: Any, by: Actor, weeks: int, what: str) -> Any:
    """What is reckoned now. Who asks while it is reckoned for somebody else waits for that, and for what they ask themselves only
    where that was begun before they did."""
    reckoned: Reckoned = app.state.figures
    which = (by.hub, _period(weeks), what)
    asked = time.monotonic()
    async with reckoned.reckoning[by.hub, what]:
        if which not in reckoned.found or reckoned.found[which][0] < asked:
            reckoned.found[which] = (time.monotonic(), await _RECKONED[what](app.state.store, by, weeks))
        return reckoned.found[which][1]


async def _reckoned(store: Store, by: Actor, weeks: int) -> Found:
    tally = Tally(_period(weeks), store.time.now())
    # Side by side: the database takes as long for who is whose child as the sums take us.
    async with asyncio.TaskGroup() as group:
        read = group.create_task(_read_beside(store, by, tally))
        confirmed = group.create_task(confirmed_before(store, by, tally.first))
        group.create_task(_add_up(tally, store, by))
    (beside, workers, audited), known = read.result(), confirmed.result()
    await asyncio.to_thread(_join, tally, known, await erased_since(store, by, tally.first.astimezone(UTC) - AGAIN))
    rules = store.hub(by.hub)
    return await asyncio.to_thread(_put_together, tally, beside, rules, work(workers, ratings_of(rules)), audited)


async def _read_beside(store: Store, by: Actor, tally: Tally) -> tuple[Beside, Workload, list[Figure]]:
    beside = Beside(await decided(store, by, tally.midnight), await began_at(store, by))
    audited = learnt(await counted(store, by), await near_misses_counted(store, by))
    return beside, await workload(store, by), audited


def _join(tally: Tally, known: Mapping[str, Known], gone: Sequence[str]) -> None:
    tally.same_child.join(known)
    tally.same_child.erase(gone)


def _put_together(tally: Tally, beside: Beside, rules: Any, workers: Figure, audited: list[Figure]) -> Found:
    titles = {name: agency.title for name, agency in rules.agencies.items()}
    rating = rules.stages.get("triage") if rules.triage.stage else None
    groups = figures_of(tally, beside, titles)
    groups["Work and time"] += [workers, by_agency(tally, titles)]
    groups["Audits and near misses"] = audited
    until = tally.mondays[-1] - timedelta(days=1)
    return Found(headlines_of(tally, beside, rating and rating.length), groups, f"{until:%a} {until.day} {until:%b %Y}")


async def _described(store: Store, by: Actor, weeks: int) -> Any:
    return await described(store, by, Tally(_period(weeks), store.time.now()).first)


async def _add_up(tally: Tally, store: Store, by: Actor) -> None:
    # What was changed of days that were added up is added up anew, and kept for who looks next.
    await add_up_some(store, by.hub, tally.since.date())
    async for sums in added_up(store, by, tally.since, tally.first, tally.now):
        await asyncio.to_thread(tally.take_all, sums)


_RECKONED = {"figures": _reckoned, "described": _described}
