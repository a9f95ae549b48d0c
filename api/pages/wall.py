"""The wall display: what is open and how long there is left, to be read from five metres, and nothing about people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.auth import cookie_name, same_origin, set_cookie, signed_in
from mash.api.guard import SCREEN_COOKIE, SIGNED_IN
from mash.api.pages.board_rows import GROUPS, group_of, row_of
from mash.api.pages.filled import Filled
from mash.api.pages.page import page
from mash.api.pages.refusals import in_words
from mash.api.pages.words import ratings_of
from mash.api.permitted import Permitted
from mash.api.problems import STATUS, NotSignedIn
from mash.flows.store.api_keys import WALL, find_api_key
from mash.flows.store.reads.board import Chosen, board_counts, in_order
from mash.states.errors import NotYours
from mash.states.values import Actor

router = APIRouter(prefix="/wall", include_in_schema=False)
COOKIE_SECONDS = 366 * 24 * 3600
SHOWN = 10
"""Cases: as many as fit a screen."""
EVERY = 30
"""Seconds after which the screen is shown anew, without scripts too."""
TITLE = "Wall display"


async def watcher(request: Request) -> Actor:
    """Whoever watches: a screen, by its own key, or somebody who is signed in. Raises NotSignedIn."""
    key = request.cookies.get(cookie_name(request, SCREEN_COOKIE))
    if key and (row := await find_api_key(request.app.state.store, key)) and WALL in row.scopes:
        request.scope["state"][SIGNED_IN] = row.hash
        return Actor(id=row.caller, role="wall_display", agency="hub", hub=row.hub)
    try:
        # The page renews itself, and cannot say that it does: no header goes with that.
        return (await signed_in(request, by_itself=True)).actor
    except NotSignedIn:
        raise NotSignedIn("sign in; or give this screen its own key, at /wall/key") from None


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Annotated[Actor, Depends(Permitted("watch_wall", watcher))]) -> Response:
    """How many are open and late, and the most pressing cases."""
    store = request.app.state.store
    profile, now = store.hub(by.hub), store.time.now()
    async with store.one_look(by):
        danger, others = await in_order(store, by, Chosen(later=True), SHOWN)
        counts = await board_counts(store, by)
    rows = [(case, "danger") for case in danger] + [(case, group_of(case.referral, now)) for case in others]
    known: dict[str, Any] = {
        "counts": counts,
        "ratings": ratings_of(profile),
        "group_names": GROUPS,
        "rows": [row_of(case, group, store.rules(case.referral), (), None, now) for case, group in rows],
    }
    answer = page(request, "wall.html", profile.title, by=by, **known)
    answer.headers["Refresh"] = str(EVERY)
    return answer


@router.get("/key", response_class=HTMLResponse)
async def ask(request: Request) -> Response:
    """Where a screen is given its key, once."""
    return page(request, "wall_key.html", TITLE, filled=Filled())


@router.post("/key", response_class=HTMLResponse)
async def keep(request: Request) -> Response:
    """The screen keeps its key, if it is one for screens."""
    form = await request.form(max_files=0, max_fields=5)
    key = str(form.get("key", "")).strip()[:200]
    try:
        same_origin(request)
        row = await find_api_key(request.app.state.store, key)
        if row is None or WALL not in row.scopes:
            raise NotSignedIn("that is not a wall display key, or it has expired or been revoked")
    except (NotSignedIn, NotYours) as refusal:
        return page(request, "wall_key.html", TITLE, STATUS[type(refusal)], filled=Filled(errors={"key": in_words(refusal)}))
    answer = RedirectResponse("/wall", 303)
    set_cookie(request, answer, key, SCREEN_COOKIE, COOKIE_SECONDS)
    return answer
