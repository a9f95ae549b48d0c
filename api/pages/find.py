"""Find somebody, or a case by its reference: also cases that are closed."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.pages.forms import Filled, checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.routes.people import PersonQuestion
from mash.api.schemas.fields import Reference
from mash.api.text import REFERENCE
from mash.flows.store.reads.look import look_at, possible
from mash.flows.store.reads.search import Found, find, known_elsewhere
from mash.states.values import Actor

router = APIRouter(prefix="/people", include_in_schema=False)
Finder = Annotated[Actor, Depends(Permitted("find_people"))]


@router.get("", response_class=HTMLResponse)
async def ask(request: Request, by: Finder, reference: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Who is looked for; or on to the case whose reference was typed in."""
    wanted = reference.strip().upper()
    if re.fullmatch(REFERENCE, wanted):
        return RedirectResponse(f"/case/{wanted}", 303)
    filled = Filled({"reference": [reference]})
    if wanted:
        filled.errors["reference"] = "Enter a reference such as MASH-26-000001"
    return _page(request, filled, None)


@router.post("", response_class=HTMLResponse)
async def look(request: Request, by: Finder) -> Response:
    """Whose names are like the one that was given. It is sent as a body: no name in an address."""
    asked, filled = checked(PersonQuestion, await request.form(max_files=0, max_fields=10))
    return _page(request, filled, await find(request.app.state.store, asked.name, asked.born, by) if asked else None)


@router.get("/in/{reference}", response_class=HTMLResponse)
async def known(request: Request, reference: Reference, by: Finder) -> HTMLResponse:
    """Who is called like the people in a case: repeats, brothers and sisters, the same incident told twice."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "find_people")
    links = "link_referral" in await possible(store, case, by)
    people, later = await known_elsewhere(store, case, by)
    shown: dict[str, Any] = {
        "reference": reference,
        "people": people,
        "later": later,
        "linked": case.referral.links,
        "warnings": case.referral.warnings,
    }
    return page(request, "known.html", f"{reference}: previous contacts", links=links, **shown)


def _page(request: Request, filled: Filled, found: list[Found] | None) -> HTMLResponse:
    return page(request, "find.html", "Find someone", 422 if filled.errors else 200, filled=filled, found=found)
