"""Manager: how the hub is doing, as pictures with their tables, and to take away."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, Response

from mash.api.pages.figures.pictures import drawn
from mash.api.pages.figures.reckoning import Tally
from mash.api.pages.figures.tables import Beside, Figure, as_csv_cell, figures_of
from mash.api.pages.page import page
from mash.api.pages.words import ratings_of
from mash.api.permitted import Permitted
from mash.flows.store.reads.figures import acknowledged_after, came_in, decided, second_looks, states
from mash.flows.store.reads.workload import workload
from mash.flows.store.store import Store
from mash.states.errors import NotFound
from mash.states.values import Actor

router = APIRouter(prefix="/manager", include_in_schema=False)
Manager = Annotated[Actor, Depends(Permitted("read_figures"))]
PERIODS = (4, 13, 26, 52)
"""Weeks."""
FRESH = 60.0
"""Seconds for which figures are shown again: each picture of a page asks for them."""
Weeks = Annotated[int, Query()]
Name = Annotated[str, Path(pattern=r"^[a-z-]{1,30}$")]


@dataclass
class Cache:
    """Figures that were reckoned lately, by hub and weeks: when, and what. Each hub's are reckoned one at a time."""

    found: dict[tuple[str, int], tuple[float, list[Figure]]] = field(default_factory=dict)
    reckoning: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Manager, weeks: Weeks = 13) -> HTMLResponse:
    """Every figure of the last weeks."""
    store = request.app.state.store
    figures = await _figures(request.app, by, weeks)
    known: dict[str, Any] = {"figures": figures, "weeks": _period(weeks), "periods": PERIODS}
    known |= {"workload": await workload(store, by), "ratings": ratings_of(store.hub(by.hub))}
    return page(request, "manager.html", f"{store.hub(by.hub).title}: how we are doing", **known)


@router.get("/{name}.svg")
async def picture(request: Request, name: Name, by: Manager, weeks: Weeks = 13) -> Response:
    """A figure as a picture."""
    figure = await _one(request.app, by, weeks, name)
    if not figure.rows:
        raise NotFound("there is nothing to show yet")
    return Response(await asyncio.to_thread(drawn, figure), media_type="image/svg+xml")


@router.get("/{name}.csv")
async def table(request: Request, name: Name, by: Manager, weeks: Weeks = 13) -> Response:
    """A figure's table, for a spreadsheet: of now, so that it is not older than the page, whichever process showed that; and
    without small numbers of people, as files are passed on."""
    figure = await _one(request.app, by, weeks, name, fresh=0)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(figure.heads)
    writer.writerows([as_csv_cell(cell) for cell in row] for row in figure.taken_away)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    # With a byte order mark: without it, Excel takes each dash for three letters.
    return Response(written.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


async def _one(app: Any, by: Actor, weeks: int, name: str, fresh: float = FRESH) -> Figure:
    for figure in await _figures(app, by, weeks, fresh):
        if figure.name == name:
            return figure
    raise NotFound("there is no such figure")


def _period(weeks: int) -> int:
    return weeks if weeks in PERIODS else PERIODS[1]


async def _figures(app: Any, by: Actor, weeks: int, fresh: float = FRESH) -> list[Figure]:
    """The figures, whose reckoning began at most so many seconds before they were asked for."""
    cache: Cache = app.state.figures
    which = (by.hub, _period(weeks))
    oldest = time.monotonic() - fresh
    async with cache.reckoning[by.hub]:
        if which not in cache.found or cache.found[which][0] < oldest:
            cache.found[which] = (time.monotonic(), await _reckoned(app.state.store, by, weeks))
    return cache.found[which][1]


async def _reckoned(store: Store, by: Actor, weeks: int) -> list[Figure]:
    tally = Tally(_period(weeks), store.time.now())
    # Side by side: of a year, the alerts take the database half as long as the states take us.
    acknowledged, _ = await asyncio.gather(acknowledged_after(store, by, tally.first), _add_up(tally, store, by))
    came = await came_in(store, by, tally.same_child.unseen)
    beside = Beside(await decided(store, by, tally.midnight), acknowledged, came, await second_looks(store, by, tally.first))
    titles = {name: agency.title for name, agency in store.hub(by.hub).agencies.items()}
    return await asyncio.to_thread(figures_of, tally, beside, titles)


async def _add_up(tally: Tally, store: Store, by: Actor) -> None:
    async for some in states(store, by, tally.since):
        await asyncio.to_thread(tally.add_all, some)
