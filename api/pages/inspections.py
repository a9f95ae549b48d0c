"""Inspectors' questions, a page each: who looked at this child, all contacts about this child, and every override of consent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from mash.api.pages.filled import Filled, checked
from mash.api.pages.page import page
from mash.api.pages.words import named
from mash.api.permitted import Permitted
from mash.api.routes.accesses import From, To
from mash.api.text import REFERENCE
from mash.config.permissions import may
from mash.config.words import capitalised, sentence
from mash.flows.store.reads.accesses import MOST, Span
from mash.flows.store.reads.inspections import Child, contacts_of_child, looks_at_child, overridden
from mash.flows.store.store import Store
from mash.states.auditing import AskedFor
from mash.states.errors import Incomplete, NotFound
from mash.states.values import Actor

T = TypeVar("T")
router = APIRouter(prefix="/inspect", include_in_schema=False)
Answerer = Annotated[Actor, Depends(Permitted("answer_inspectors"))]
Governor = Annotated[Actor, Depends(Permitted("read_accesses"))]
FOR_WHOM = tuple((each, sentence(each)) for each in get_args(AskedFor))

TITLES = {
    "": "Inspectors’ questions",
    "looks": "Who looked at this child?",
    "contacts": "All contacts about this child",
    "overridden": "Every case where consent was overridden",
}
"""What each page is called."""


class OfPeriod(BaseModel):
    """From when to when, and for whom."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    since: From | None = None
    until: To | None = None
    asked_for: AskedFor
    before: str | None = Field(default=None, pattern=r"^[0-9]{1,18}$")

    @property
    def span(self) -> Span:
        """The period, as looks are asked for."""
        return Span(self.since, self.until, int(self.before) if self.before else None)


class OfChild(OfPeriod):
    """A child, by one of the contacts about them; where it is about several, as that case calls them."""

    reference: Annotated[str, Field(max_length=60, pattern=f"^{REFERENCE}$")]
    subject: Annotated[str, Field(max_length=60, pattern="^[A-Za-z0-9_.:/-]*$")] = ""

    @property
    def child(self) -> Child:
        """Whom it is about."""
        return Child(self.reference, self.subject)


@router.get("", response_class=HTMLResponse)
async def questions(request: Request, by: Answerer) -> HTMLResponse:
    """The questions, each leading to its page."""
    return _page(request, by, Filled())


@router.get("/looks", response_class=HTMLResponse)
async def ask_looks(request: Request, by: Governor) -> HTMLResponse:
    """Which child's looks."""
    return _page(request, by, Filled(), "looks")


@router.get("/contacts", response_class=HTMLResponse)
async def ask_contacts(request: Request, by: Answerer) -> HTMLResponse:
    """Which child's contacts."""
    return _page(request, by, Filled(), "contacts")


@router.get("/overridden", response_class=HTMLResponse)
async def ask_overrides(request: Request, by: Answerer) -> HTMLResponse:
    """Of which period."""
    return _page(request, by, Filled(), "overridden")


@router.post("/looks", response_class=HTMLResponse)
async def looks(request: Request, by: Governor) -> HTMLResponse:
    """Who looked at this child."""
    found, filled = await _asked_of_child(request, lambda store, of: looks_at_child(store, of.child, of.asked_for, by, of.span))
    if found is None:
        return _page(request, by, filled, "looks")
    contacts, rows = found
    earlier = rows[MOST - 1].first if len(rows) > MOST else None
    about = sorted({each.reference for each in contacts})
    return _page(request, by, filled, "looks", whom=contacts[0], about=about, looks=rows[:MOST], earlier=earlier)


@router.post("/contacts", response_class=HTMLResponse)
async def contacts(request: Request, by: Answerer) -> HTMLResponse:
    """All contacts about this child."""
    found, filled = await _asked_of_child(request, lambda store, of: contacts_of_child(store, of.child, of.asked_for, by))
    return _page(request, by, filled, "contacts", **({} if found is None else {"contacts": found}))


async def _asked_of_child(request: Request, answer: Callable[[Store, OfChild], Awaitable[T]]) -> tuple[T | None, Filled]:
    """What is answered of the child that a form names; None where it is not to be found, or one of several is to be chosen."""
    asked, filled = checked(OfChild, await request.form(max_files=0, max_fields=10))
    try:
        return (await answer(request.app.state.store, asked) if asked else None), filled
    except NotFound as refused:
        filled.errors["reference"] = capitalised(refused.reason)
    except Incomplete as refused:
        filled.errors["subject"] = capitalised(named(refused.reason, {}))
    return None, filled


@router.post("/overridden", response_class=HTMLResponse)
async def overrides(request: Request, by: Answerer) -> HTMLResponse:
    """Every case where consent was overridden."""
    asked, filled = checked(OfPeriod, await request.form(max_files=0, max_fields=10))
    found = await overridden(request.app.state.store, asked.asked_for, by, asked.span) if asked else None
    return _page(request, by, filled, "overridden", overridden=found)


def _page(request: Request, by: Actor, filled: Filled, question: str = "", **found: Any) -> HTMLResponse:
    more: dict[str, Any] = {"question": question, "for_whom": FOR_WHOM, "governs": may(by.role, "read_accesses"), **found}
    return page(request, "inspections.html", TITLES[question], 422 if filled.errors else 200, filled=filled, **more)
