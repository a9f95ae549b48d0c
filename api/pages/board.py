"""The board: what is open at a hub, and how long there is left."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.page import page
from mash.api.pages.words import ratings_of
from mash.api.permitted import Permitted
from mash.api.routes.cases import board
from mash.config.permissions import may
from mash.flows.store.reads.board import board_counts, mark_of, to_be_accepted, to_inform
from mash.states.acts.handing_over import OfferHandOver
from mash.states.acts.informing import InformReferrer
from mash.states.register import kind_of
from mash.states.stages import OPEN
from mash.states.values import Actor

router = APIRouter(include_in_schema=False)
A_PAGE = 50
MINE = "mine"
INFORM = kind_of(InformReferrer)
HAND_OVER = kind_of(OfferHandOver)
Filter = Annotated[str, Query(max_length=60)]


@router.get("/board", response_class=HTMLResponse)
async def show(
    request: Request,
    by: Annotated[Actor, Depends(Permitted("read_board"))],
    stage: Filter = "",
    rating: Filter = "",
    late: Filter = "",
    whose: Filter = "",
    after: Filter = "",
) -> HTMLResponse:
    """Every open case that somebody reaches; what they filter by stands in the address."""
    store = request.app.state.store
    mark = await mark_of(store, by)
    profile, lateness = store.hub(by.hub), {"true": True, "false": False}.get(late)
    found = await board(request, by, stage or None, rating or None, lateness, whose == MINE, A_PAGE + 1, after)
    cases = found["cases"]
    filters = {"stage": stage, "rating": rating, "late": late, "whose": whose if whose == MINE else ""}
    chosen = {name: value for name, value in filters.items() if value}
    onward = {**chosen, "after": cases[A_PAGE - 1]["reference"]} if len(cases) > A_PAGE else None
    known: dict[str, Any] = {
        "mark": mark,
        "cases": cases[:A_PAGE],
        "counts": await board_counts(store, by),
        "undelivered": found["undelivered"],
        "to_inform": await to_inform(store, by) if may(by.role, INFORM) else [],
        "to_be_accepted": await to_be_accepted(store, by) if may(by.role, HAND_OVER) else [],
        "stages": OPEN,
        "stage": stage,
        "ratings": ratings_of(profile),
        "chosen_rating": rating,
        "late": lateness,
        "mine": whose == MINE,
        "address": f"/board?{urlencode({**chosen, **({'after': after} if after else {})})}",
        "further": f"/board?{urlencode(onward)}" if onward else "",
    }
    return page(request, "board.html", f"{profile.title}: open cases", **known)
