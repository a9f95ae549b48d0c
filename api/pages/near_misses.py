"""Near misses: anybody of the hub's staff records what nearly went wrong, and managers read it. No blame."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mash.api.pages.filled import Filled, checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.text import REFERENCE, plain
from mash.config.permissions import may
from mash.config.words import capitalised, sentence
from mash.flows.store.erasure import Horizon
from mash.flows.store.near_misses import WhyRemoved, record_near_miss, remove_near_miss
from mash.flows.store.reads.near_misses import KINDS, MOST, Kind, near_misses
from mash.states.errors import Incomplete, NotFound
from mash.states.values import Actor

router = APIRouter(prefix="/near-misses", include_in_schema=False)
Staff = Annotated[Actor, Depends(Permitted("record_near_miss"))]
Manager = Annotated[Actor, Depends(Permitted("read_near_misses"))]
Governor = Annotated[Actor, Depends(Permitted("remove_near_miss"))]
LONGEST = 4_000
WHY_REMOVED = tuple((each, sentence(each)) for each in get_args(WhyRemoved))
KINDS_IN_WORDS = tuple((each, sentence(each)) for each in KINDS)


class NearMissGiven(BaseModel):
    """What nearly went wrong, as a form has it. `once` is a random number of the form."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: Kind
    words: Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(plain)]
    reference: Annotated[str, Field(max_length=60, pattern=f"^{REFERENCE}$")] | None = None
    once: Annotated[str, Field(pattern="^[a-f0-9]{32}$")]


class RemovalGiven(BaseModel):
    """What was written of which near miss is removed, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    number: Annotated[int, Field(ge=1, le=2**62)]
    why: WhyRemoved


@router.get("", response_class=HTMLResponse)
async def ask(request: Request, by: Staff, recorded: Annotated[bool, Query()] = False) -> HTMLResponse:
    """The form."""
    return _page(request, by, Filled(), recorded=recorded)


@router.post("", response_class=HTMLResponse)
async def take(request: Request, by: Staff) -> Response:
    """Keep what nearly went wrong."""
    given, filled = checked(NearMissGiven, await request.form(max_files=0, max_fields=10))
    if given is not None:
        try:
            store = request.app.state.store
            await record_near_miss(store, given.kind, given.words, f"{by.hub} {given.once}", by, given.reference)
            return RedirectResponse("/near-misses?recorded=true", 303)
        except (NotFound, Incomplete) as refused:
            filled.errors["reference"] = capitalised(refused.reason)
    return _page(request, by, filled)


@router.get("/recorded", response_class=HTMLResponse)
async def read(request: Request, by: Manager, before: Annotated[int | None, Query(ge=0, le=2**62)] = None) -> HTMLResponse:
    """What was recorded, the latest first."""
    listed = await near_misses(request.app.state.store, by, before)
    found, more = listed[:MOST], len(listed) > MOST
    earlier = found[-1].id if more else None
    return page(request, "near_misses_recorded.html", "Near misses that were recorded", found=found, earlier=earlier)


@router.get("/remove", response_class=HTMLResponse)
async def ask_to_remove(request: Request, by: Governor) -> HTMLResponse:
    """Which near miss, and why: whoever reads it says its number."""
    return _removal(request, Filled())


@router.post("/remove", response_class=HTMLResponse)
async def remove(request: Request, by: Governor) -> Response:
    """Remove what was written of a near miss, for good."""
    given, filled = checked(RemovalGiven, await request.form(max_files=0, max_fields=10))
    if given is None:
        return _removal(request, filled)
    try:
        horizon = await remove_near_miss(request.app.state.store, given.number, given.why, by)
    except NotFound as refused:
        filled.errors["number"] = capitalised(refused.reason)
        return _removal(request, filled)
    return _removal(request, Filled(), horizon)


def _removal(request: Request, filled: Filled, removed: Horizon | None = None) -> HTMLResponse:
    title = "Remove what a near miss says"
    known: dict[str, Any] = {"why_removed": WHY_REMOVED, "removed": removed}
    return page(request, "near_misses_remove.html", title, 422 if filled.errors else 200, filled=filled, **known)


def _page(request: Request, by: Actor, filled: Filled, *, recorded: bool = False) -> HTMLResponse:
    known: dict[str, Any] = {
        "kinds": KINDS_IN_WORDS,
        "once": filled.value("once") or secrets.token_hex(16),
        "reads": may(by.role, "read_near_misses"),
        "recorded": recorded,
        "longest": LONGEST,
    }
    return page(request, "near_misses.html", "Record a near miss", 422 if filled.errors else 200, filled=filled, **known)
