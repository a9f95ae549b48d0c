"""Who looked: for information governance."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.filled import Filled, checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.routes.accesses import AccessQuestion, AccessReport, looked
from mash.states.values import Actor

router = APIRouter(prefix="/looked", include_in_schema=False)
Governor = Annotated[Actor, Depends(Permitted("read_accesses"))]


@router.get("", response_class=HTMLResponse)
async def ask(request: Request, by: Governor) -> HTMLResponse:
    """At which case, or who."""
    return _page(request, Filled(), None)


@router.post("", response_class=HTMLResponse)
async def tell(request: Request, by: Governor) -> HTMLResponse:
    """Who looked at a case, or what a person looked at."""
    asked, filled = checked(AccessQuestion, await request.form(max_files=0, max_fields=10))
    return _page(request, filled, await looked(request.app.state.store, asked, by) if asked else None)


def _page(request: Request, filled: Filled, found: AccessReport | None) -> HTMLResponse:
    return page(request, "looked.html", "Who looked", 422 if filled.errors else 200, filled=filled, found=found)
