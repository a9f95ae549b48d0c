"""Where everybody comes in: staff are led to what they do first, others to making a referral or asking after one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.auth import staff
from mash.api.pages.page import page, ways_of
from mash.api.problems import NotSignedIn

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
async def start(request: Request) -> Response:
    """The ways in, or the first page of whoever is signed in."""
    try:
        by = await staff(request)
    except NotSignedIn:
        return page(request, "start.html", "Safeguarding hub")
    return RedirectResponse(ways_of(by)[0][0], 303)
