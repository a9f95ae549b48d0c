"""What if: last quarter simulated against what happened; and, where that holds, months to come with something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from pydantic import ValidationError

from mash.api.pages.figures.drawing import CannotDraw, Drawable, Drawing
from mash.api.pages.figures.pictures import DOT, whole
from mash.api.pages.filled import Filled
from mash.api.pages.page import page
from mash.api.pages.words import duration
from mash.api.permitted import Permitted
from mash.config.words import sentence
from mash.flows.foresight.compare import LIMITS, Asked, Between, Expected, Report
from mash.flows.foresight.pace import weeks
from mash.flows.store.rotas import read_rota
from mash.flows.store.simulations import Standing, simulation_of
from mash.flows.store.store import Store
from mash.states.values import Actor

router = APIRouter(prefix="/simulation", include_in_schema=False)
Manager = Annotated[Actor, Depends(Permitted("simulate"))]
TITLE = "What if: a hub simulated"
MONTHS = (3, 6, 12)
EVERY = 5
"""Seconds after which a page asks anew how far it is, while runs go on."""
UNITS = {"per cent": "%", "hours": " h", "count": ""}
BUSY = "Another simulation is running, of this hub or another one here. It is one at a time: come back when it is done."


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Manager) -> HTMLResponse:
    """Where it stands, and the last report."""
    return await _page(request, by, Filled({"months": ["12"]}))


@router.get("/far", response_class=HTMLResponse)
async def how_far(request: Request, by: Manager) -> HTMLResponse:
    """How far it is: what a page asks anew while it runs, so that what is being filled in beside it stays."""
    standing = await simulation_of(request.app.state.store, by)
    return page(request, "simulation_far.html", TITLE, standing=standing, left=left(standing), every=EVERY)


@router.post("", response_class=HTMLResponse)
async def begin(request: Request, by: Manager) -> Response:
    """Simulate what was filled in."""
    form = await request.form(max_files=0, max_fields=20)
    filled = Filled({name: [str(value)[:60]] for name, value in form.items()})
    asked = _asked(filled)
    if asked and await request.app.state.simulating.begin(by, asked):
        return RedirectResponse("/simulation", 303)
    if asked:
        filled.errors["months"] = BUSY
    return await _page(request, by, filled)


def _asked(filled: Filled) -> Asked | None:
    """What is to be simulated: each line that was filled in is a what-if of its own. None where something is wrong."""
    scenarios = list[str]()
    if role := filled.value("role"):
        scenarios.append(f"staff {role} +1 {filled.value('day') or 'daily'}")
    if agency := filled.value("agency"):
        hours = filled.value("hours").strip() or "24"
        if not (hours.isdigit() and 1 <= int(hours) <= 240):
            filled.errors["hours"] = "Write how many hours later, such as 24"
        scenarios.append(f"reply {agency} +{hours}h")
    if rating := filled.value("rating"):
        length = filled.value("length").strip()
        if not length:
            filled.errors["length"] = "Write how long, such as 3 h or 1 working day"
        scenarios.append(f"limit {rating} {length}")
    if more := filled.value("more").strip().removesuffix("%"):
        sign, number = ("-", more[1:]) if more[:1] in "-−" else ("+", more.removeprefix("+"))
        if not (number.isdigit() and 1 <= int(number) <= (99 if sign == "-" else 300)):
            filled.errors["more"] = "Write by how many per cent, such as 20, or -10 for fewer"
        scenarios.append(f"contacts {sign}{number}%")
    months = filled.value("months")
    if not months.isdigit() or int(months) not in MONTHS:
        filled.errors["months"] = "Choose how many months"
    return None if filled.errors else Asked(int(months), scenarios=tuple(scenarios))


async def _page(request: Request, by: Actor, filled: Filled) -> HTMLResponse:
    store: Store = request.app.state.store
    standing = await simulation_of(store, by)
    report = _report(standing.report)
    known: dict[str, Any] = {"filled": filled, "standing": standing, "report": report, "dots": None, "number": number}
    known["limits"] = report.limits if report else LIMITS
    rules, roles = store.hub(by.hub), (await read_rota(store, by.hub)).roles
    known |= {"months": [(months, f"{months} months") for months in MONTHS], "roles": [(role, sentence(role)) for role in roles]}
    known["agencies"] = [(name, agency.title) for name, agency in rules.agencies.items()]
    known["ratings"] = [(name, rating.title) for name, rating in rules.ratings.items() if rating.response]
    if report:
        try:
            known["dots"] = await asyncio.to_thread(_drawn, request.app.state.figures.drawing, report)
        except CannotDraw:
            known["undrawn"] = True
    known |= {"every": EVERY, "left": left(standing), "times": [(each, times(each)) for each in MONTHS]}
    return page(request, "simulation.html", TITLE, 422 if filled.errors else 200, **known)


def left(standing: Standing) -> str:
    """How long a simulation that runs takes at most from now on, in whole minutes; empty while that is not known."""
    if not standing.begun_at or not standing.ready_at:
        return ""
    return duration(timedelta(minutes=max(1, ceil((standing.ready_at - datetime.now(UTC)) / timedelta(minutes=1)))))


def times(months: int) -> int:
    """How many times as long as last quarter alone it takes with one what-if over so many months, about."""
    asked = Asked(months)
    return round(weeks(asked, 3 * asked.runs) / weeks(asked, asked.runs))


def _report(document: str | None) -> Report | None:
    """The last report; None where there is none, or it is of another release."""
    try:
        return Report.model_validate_json(document) if document else None
    except ValidationError:
        return None


def number(value: float, kind: str, sign: bool = False) -> str:
    """A measure as it is written."""
    minus = "−" if value < 0 else "+" if sign and value > 0 else ""
    return f"{minus}{whole(abs(value))}{UNITS[kind]}"


def _drawn(drawing: Drawing, report: Report) -> Mapping[str, Sequence[Markup]]:
    """A picture for each row of each table: what happened beside where nine in ten runs lie; or by how much those differ."""
    wanted: dict[str, list[Drawable]] = {"compared": [_dot(each.runs, each.happened, each.within) for each in report.compared]}
    wanted |= {str(at): [_differs(each) for each in what_if.measures] for at, what_if in enumerate(report.what_ifs)}
    svg = iter(drawing.drawn([one for some in wanted.values() for one in some]))
    # Ours, and every word in them is escaped by what draws them.
    return {name: [Markup(next(svg)) for _ in some] for name, some in wanted.items()}  # noqa: S704  # nosec B704


def _dot(runs: Between | None, value: float | None, within: bool) -> Drawable:
    low, middle, high = (runs.low, runs.middle, runs.high) if runs else (None, None, None)
    shown = [each for each in (low, high, value) if each is not None]
    apart = (max(shown) - min(shown)) / 4 or 1.0
    row = {"value": value, "low": low, "high": high, "signal": not within}
    return "dot", {"row": row, "mean": middle, "extent": [min(shown) - apart, max(shown) + apart], "size": DOT}


def _differs(each: Expected) -> Drawable:
    """By how much it differs, around no difference; of what is as it is, the runs."""
    if each.differs is None:
        return _dot(each.runs, each.runs.middle, True)
    furthest = max(abs(each.differs.low), abs(each.differs.high)) * 1.25 or 1.0
    changed = each.differs.low > 0 or each.differs.high < 0
    row = {"value": each.differs.middle, "low": each.differs.low, "high": each.differs.high, "signal": changed}
    return "dot", {"row": row, "mean": 0.0, "extent": [-furthest, furthest], "size": DOT}
