"""Meetings: the day's agenda, and one case at a time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.routes.cases import brief
from mash.api.routes.gatherings import gathering, gatherings
from mash.api.schemas.fields import CODE, Day, Reference
from mash.config.permissions import may
from mash.flows.store.reads.agenda import convened
from mash.flows.store.reads.earlier import earlier
from mash.flows.store.reads.items import information_product
from mash.flows.store.reads.look import look_at, possible
from mash.states.clocks import LONDON, day_of
from mash.states.errors import NotFound
from mash.states.values import Actor

router = APIRouter(prefix="/meetings", include_in_schema=False)
Reader = Annotated[Actor, Depends(Permitted("read_agenda"))]
CONVENED = "convened"
"""The agenda of the meetings that were called for single cases."""
AHEAD = timedelta(days=7)
Which = Annotated[Day | None, Query()]
Name = Annotated[str, Path(pattern=CODE)]


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Reader) -> HTMLResponse:
    """The regular gatherings and when each is next; and the meetings convened for single cases, from today on."""
    store = request.app.state.store
    today = _midnight(day_of(store.time.now()))
    ahead = [
        (case.reference, case.referral.meeting_at, case.referral.warnings)
        for case in await convened(store, by, today, today + AHEAD)
    ]
    return page(request, "meetings.html", "Meetings", gatherings=await gatherings(request, by), ahead=ahead)


@router.get("/{name}", response_class=HTMLResponse)
async def day(request: Request, name: Name, by: Reader, day: Which = None) -> HTMLResponse:
    """The agenda of a gathering, the next one unless a day is given."""
    found = await _agenda(request, name, by, day)
    shown = {"at": found["at"], "cases": found["cases"], "name": name, "query": _query(found["at"])}
    return page(request, "agenda.html", found["title"], **shown)


@router.get("/{name}/{reference}", response_class=HTMLResponse)
async def one(request: Request, name: Name, reference: Reference, by: Reader, day: Which = None) -> HTMLResponse:
    """One case of the agenda: what was released about it, what may be recorded now, and the next one."""
    store = request.app.state.store
    agenda = await _agenda(request, name, by, day)
    references = [case["reference"] for case in agenda["cases"]]
    case = await look_at(store, reference, by, "read_agenda")
    place = references.index(reference) if reference in references else -1
    here = f"/meetings/{name}/{reference}{_query(agenda['at'])}"
    product = may(by.role, "read_information_product")
    known: dict[str, Any] = {
        "reference": reference,
        "case": brief(case, store.rules(case.referral)),
        "agenda": f"/meetings/{name}{_query(agenda['at'])}",
        "place": place + 1,
        "number": len(references),
        "next": f"/meetings/{name}/{references[place + 1]}{_query(agenda['at'])}" if place + 1 < len(references) else "",
        "quorum": store.hub(by.hub).meeting.quorum,
        "earlier": await earlier(store, case, by),
        "contributions": await information_product(store, case, by) if product else [],
        "possible": await possible(store, case, by),
        "onward": quote(here, safe=""),
    }
    return page(request, "meeting.html", f"{agenda['title']}: {reference}", **known)


async def _agenda(request: Request, name: str, by: Actor, day: Day | None) -> dict[str, Any]:
    """What is discussed, and when."""
    store = request.app.state.store
    if name != CONVENED:
        return await gathering(request, name, by, day)
    if day is None:
        day = day_of(store.time.now())
    since = _midnight(day)
    cases = await convened(store, by, since, since + timedelta(days=1))
    return {"title": "Meetings about one case", "at": since, "cases": [brief(case, store.rules(case.referral)) for case in cases]}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), LONDON)


def _query(at: datetime | None) -> str:
    if at is None:
        raise NotFound("this meeting has no next date")
    return f"?day={at.astimezone(LONDON):%Y-%m-%d}"
