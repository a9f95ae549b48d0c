"""My checks: what an agency is asked, why, on which lawful basis and by when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.board import MINE
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.config.words import agency_title
from mash.flows.store.reads.board import mark_of
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.checks import bases, checks_of, holding
from mash.states.acts.checks import CONFIRMATION
from mash.states.values import Actor

router = APIRouter(include_in_schema=False)


@router.get("/checks", response_class=HTMLResponse)
async def show(
    request: Request,
    by: Annotated[Actor, Depends(Permitted("read_checks"))],
    whose: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    """The checks that somebody's agency has not answered, those due soonest first; or those of them that they are to answer."""
    store = request.app.state.store
    mark = await mark_of(store, by)
    mine = whose == MINE
    cases = await checks_of(store, by, by.id if mine else None)
    why = await bases(store, by, [case.reference for case in cases])
    rows: list[dict[str, Any]] = [
        {
            "reference": case.reference,
            "rating": case.referral.rating,
            "check": case.referral.checks[by.agency],
            "due_at": _due(case, by.agency),
            "basis": why.get(case.reference),
            "markers": case.referral.warnings,
            "version": case.referral.version,
        }
        for case in cases
    ]
    rows.sort(key=lambda row: (row["due_at"] is None, row["due_at"]))
    title = f"Checks for {agency_title(store.hub(by.hub), by.agency)}"
    return page(request, "checks.html", title, mark=mark, mine=mine, held=await holding(store, by), rows=rows)


def _due(case: Case, agency: str) -> datetime | None:
    """When the running check of an agency is due, or its word on what was told by telephone; none once that clock has ended."""
    kinds = ("check", CONFIRMATION)
    return next((clock.due_at for clock in case.referral.running if clock.kind in kinds and clock.whose == agency), None)
