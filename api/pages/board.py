"""The board: what is open at a hub, and how long there is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from mash.api.auth import BY_ITSELF
from mash.api.pages.board_rows import GROUPS, Row, group_of, row_of
from mash.api.pages.news import in_short
from mash.api.pages.page import page
from mash.api.pages.words import ratings_of
from mash.api.permitted import Permitted
from mash.config.permissions import may
from mash.flows.store.reads.board import Chosen, Waiting, board_groups, closed_and_waiting, in_order
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.initials import who_is_in
from mash.flows.store.reads.look import note_list
from mash.flows.store.reads.news import News, changed_since, look_at_board, read_news
from mash.flows.store.store import Store
from mash.flows.store.trouble import undelivered
from mash.states.acts.handing_over import OfferHandOver
from mash.states.acts.informing import InformReferrer
from mash.states.profile import Profile
from mash.states.register import kind_of
from mash.states.stages import OPEN
from mash.states.values import Actor

router = APIRouter(include_in_schema=False)
READ = "read_board"
A_PAGE = 50
MINE = "mine"
WHOSE = {MINE: "Mine", "team": "My team", "": "All"}
"""Whose cases a board shows, by what its address says."""
INFORM = kind_of(InformReferrer)
HAND_OVER = kind_of(OfferHandOver)
Filter = Annotated[str, Query(max_length=60)]
Looking = Annotated[Actor, Depends(Permitted(READ))]


@router.get("/board", response_class=HTMLResponse)
async def show(
    request: Request,
    by: Looking,
    stage: Filter = "",
    rating: Filter = "",
    agency: Filter = "",
    late: Filter = "",
    whose: Filter = "",
    later: Filter = "",
    changed: Filter = "",
    after: Filter = "",
) -> HTMLResponse:
    """Every open case that somebody reaches; what they filter by stands in the address. Who it is about is shown to whoever looks
    themselves, and written down with that; what a page asks for by itself is about nobody."""
    store, itself = request.app.state.store, BY_ITSELF in request.headers
    profile, lateness = store.hub(by.hub), {"true": True, "false": False}.get(late)
    chosen = Chosen(whose if whose in WHOSE else "", stage, rating, agency, lateness, later=bool(later))
    async with store.one_look(by):
        news = News(None, {}) if itself else await look_at_board(store, by)
        if changed and news.since:
            chosen = replace(chosen, only=news.references, later=True)
        # With the mark first: what happens from here on is told of.
        groups = await board_groups(store, by, chosen)
        danger, others = await in_order(store, by, chosen, A_PAGE + 1, after)
        cases = [*danger, *others]
        rows = await _rows(store, by, [*danger[:A_PAGE], *others[: A_PAGE - len(danger[:A_PAGE])]], len(danger), news, itself)
        waits = await closed_and_waiting(store, by)
    dead = await undelivered(store, by.hub)
    filters = {"stage": stage, "rating": rating, "agency": agency, "late": late if lateness is not None else ""}
    narrowed = {name: value for name, value in filters.items() if value}
    view = {"whose": chosen.whose, "later": later and "shown", "changed": changed and "since"}
    here = {**narrowed, **{name: value for name, value in view.items() if value}}
    known: dict[str, Any] = {
        "mark": groups.mark,
        "groups": groups,
        "sections": _sections(rows, groups, first=not after, later=chosen.later),
        "news": news,
        "whose": [(key, name, _address({**here, "whose": key})) for key, name in WHOSE.items()],
        "chosen": chosen,
        "narrowed": narrowed,
        "all_of_them": _address({"whose": chosen.whose}),
        "undelivered": dead.total(),
        "waits": _told(waits, by),
        "stages": OPEN,
        "ratings": ratings_of(profile),
        "agencies": _agencies(profile),
        "address": _address(here),
        "news_address": _address({"whose": chosen.whose, "changed": "since"}),
        "later_address": _address({**here, "later": "shown"}),
        "shown": int(store.time.now().timestamp()),
        "further": _address({**here, "after": cases[A_PAGE - 1].reference}) if len(cases) > A_PAGE else "",
    }
    return page(request, "board.html", "Board", **known)


@router.get("/board/changed", response_class=HTMLResponse)
async def tell_changed(request: Request, by: Looking, since: Annotated[int, Query(ge=0, le=10**11)]) -> HTMLResponse:
    """How many cases have changed since a page was shown, in seconds since 1970: for that page, which stays as it is."""
    store = request.app.state.store
    changed = await changed_since(store, by, datetime.fromtimestamp(since, UTC))
    return page(request, "board_changed.html", "Board", number=len(changed), shown=since, at=datetime.fromtimestamp(since, UTC))


def _address(query: dict[str, str]) -> str:
    chosen = urlencode({name: value for name, value in query.items() if value})
    return f"/board?{chosen}" if chosen else "/board"


async def _rows(store: Store, by: Actor, cases: list[Case], in_danger: int, news: News, itself: bool) -> list[Row]:
    """The rows of these cases, of which the first are in immediate danger; that their people are shown is written down."""
    now = store.time.now()
    people = {} if itself else await who_is_in(store, by, cases)
    await note_list(store, [case.reference for case in cases if people.get(case.reference)], by, READ)
    happened = await read_news(store, by, news, (case.reference for case in cases))
    rows = []
    for place, case in enumerate(cases):
        group = "danger" if place < in_danger else group_of(case.referral, now)
        rules = store.rules(case.referral)
        row = row_of(case, group, rules, people.get(case.reference, ()), by, now)
        if last := happened.get(case.reference):
            row = replace(row, news=in_short(last, rules, now), news_at=last.at)
        rows.append(row)
    return rows


def _sections(rows: list[Row], groups: Any, *, first: bool, later: bool) -> list[dict[str, Any]]:
    """The groups with their rows; the later ones closed, unless they are asked for, on the first page."""
    found = [
        {"name": name, "title": GROUPS[name], "number": getattr(groups, name), "rows": [*some]}
        for name, some in groupby(rows, lambda row: row.group)
    ]
    if first and groups.later and not later:
        found.append({"name": "later", "title": GROUPS["later"], "number": groups.later, "rows": []})
    return found


def _told(waits: Waiting, by: Actor) -> Waiting:
    """What waits of closed cases, for whoever can see to it."""
    return Waiting(
        waits.to_inform if may(by.role, INFORM) else (),
        waits.to_be_accepted if may(by.role, HAND_OVER) else (),
    )


def _agencies(profile: Profile) -> dict[str, str]:
    """The agencies of a hub that are asked, by name and title."""
    return {name: agency.title for name, agency in sorted(profile.agencies.items(), key=lambda each: each[1].title)}
