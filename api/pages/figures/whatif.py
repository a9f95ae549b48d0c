"""Manager: what other limits would have made late, and what another hub has no place for; of the last weeks, by the log."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.whatif import IN_WORDS, PARTING, lines_of, stops_of
from mash.config.instead import instead_of, limits_of
from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.config.toml_lines import WrongFile
from mash.config.words import worded
from mash.flows.store import whatif
from mash.flows.store.store import Store
from mash.states.profile import Profile
from mash.states.values import Actor

router = APIRouter(prefix="/manager", include_in_schema=False)
Manager = Annotated[Actor, Depends(Permitted("read_figures"))]
WEEKS = 13
"""Of which is asked: a large hub's year takes both cores for some twenty seconds, which the command is for."""
_turn = asyncio.Lock()
"""One is reckoned at a time, whoever asks: the next waits."""


@router.get("/whatif", response_class=HTMLResponse)
async def show(
    request: Request,
    by: Manager,
    limit: Annotated[str, Query(max_length=120)] = "",
    value: Annotated[str, Query(max_length=60)] = "",
    profile: Annotated[str, Query(pattern=r"^[a-z0-9_-]{0,60}$")] = "",
) -> HTMLResponse:
    """The two questions; and the answer to the one that is asked."""
    store: Store = request.app.state.store
    own = store.hub(by.hub)
    folder = request.app.state.settings.profiles_dir
    hubs = {name: load_profile(name, folder) for name in available(folder)}
    limits = limits_of(own)
    known: dict[str, Any] = {
        "limits": [(name, _named(name, own), limits[name]) for name in limits],
        "hubs": {name: each.title for name, each in hubs.items() if name != by.hub},
        "limit": limit, "value": value, "profile": profile, "weeks": WEEKS, "in_words": IN_WORDS, "parting": PARTING,
    }  # fmt: skip
    since = store.time.now() - timedelta(weeks=WEEKS)
    if limit and value:
        known |= await _limits(store, by, own, limit, value, since)
    elif profile in hubs:
        async with _turn:
            found = await whatif.coverage_of(store, by, since, hubs[profile])
        known |= {"covered": found, "stops": stops_of(found.first, own)}
    return page(request, "whatif.html", "What if", **known)


async def _limits(store: Store, by: Actor, own: Profile, limit: str, value: str, since: Any) -> dict[str, Any]:
    setting = [f"{limit}={value}"]
    try:
        other = instead_of(own, setting)
        before = await whatif.profiles_since(store, by)
        instead = {digest: instead_of(each, setting) for digest, each in before.items()}
    except WrongFile as wrong:
        return {"wrong": wrong.problems[0].what}
    async with _turn:
        found = await whatif.limits_of(store, by, since, instead, other)
    stopped = sum(found.not_reckoned.values())
    lines = [line for line in lines_of(found, own) if line.difference or line.late]
    return {"reckoned": found, "stopped": stopped, "lines": lines, "stops": stops_of(found.not_reckoned, own)}


def _named(name: str, own: Profile) -> str:
    """A limit in words: of what, then whose."""
    parts = [part for part in name.split(".") if part not in ("length", "within")]
    return ", ".join(worded(part, own) for part in parts).capitalize()
