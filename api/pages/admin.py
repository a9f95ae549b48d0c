"""Administration: the installation as whoever looks after it sees it. Nothing here is about people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.page import page
from mash.api.pages.words import counted
from mash.api.permitted import Permitted
from mash.config.channels import read_channels
from mash.config.describe import differences
from mash.config.permissions import roles
from mash.config.words import worded
from mash.flows.carrying.duty import gap_in_words, gaps_ahead
from mash.flows.store.reads.administration import ChannelHealth, channel_health, followed_profiles, keys_of, repairs
from mash.flows.store.reads.counts import open_by_stage
from mash.flows.store.reads.health import SILENT, read_health
from mash.flows.store.reads.returns import counts
from mash.flows.store.rotas import read_rota
from mash.flows.store.store import Store
from mash.flows.telling.addresses import Addresses
from mash.states.stages import awaiting
from mash.states.values import Actor

router = APIRouter(prefix="/admin", include_in_schema=False)
Administrator = Annotated[Actor, Depends(Permitted("look_after_installation"))]
Hub = Annotated[str, Query(max_length=60)]
WorkerState = Literal["responding", "stopped", "silent"]
"""A worker that was stopped on purpose is told from one that is missed."""


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Administrator) -> HTMLResponse:
    """How the parts are, the hub's profile, rota, channels and keys, what was repaired, and the ways into Prefect."""
    store, settings = request.app.state.store, request.app.state.settings
    profile, health = store.hub(by.hub), await read_health(store)
    stages = Counter[str]()
    for hub, stage, _, number in await open_by_stage(store):
        if hub == by.hub:
            stages[stage] += number
    workers = {part: (age, _state(age, pulse)) for part, (age, pulse) in health.workers.items()}
    channels, rota = await channel_health(store, by.hub), await _rota(store, by.hub)
    known: dict[str, Any] = {
        "wrong": list(health.wrong(settings)),
        "workers": workers,
        "profile": profile,
        "followed": await followed_profiles(store, by.hub),
        "hubs": {name: store.hub(name).title for name in store.hubs},
        "roles": _reached(request, by.hub, channels),
        "keys": await keys_of(store, by.hub),
        "repairs": await repairs(store, by.hub),
        "stages": [(stage, number, awaiting(stage)) for stage, number in stages.items()],
        "prefect": Addresses.of(settings),
        "wall_time": datetime.now(UTC),
        "dead": health.dead,
        "returns": await counts(store, by, nights=1),
        "remarks": list(_remarks(workers, channels, rota["gaps"])),
        **rota,
    }
    return page(request, "admin.html", "Administration", **known)


def _state(age: timedelta, pulse: dict[str, Any]) -> WorkerState:
    if age < SILENT:
        return "responding"
    return "stopped" if pulse.get("stopped") else "silent"


def _remarks(
    workers: dict[str, tuple[timedelta, WorkerState]], channels: dict[str, ChannelHealth], gaps: list[str]
) -> Iterator[str]:
    """What the page shows further down and somebody should look at, a sentence each. Where there is any, the page cannot say
    above it that nothing is wrong."""
    if silent := sum(state == "silent" for _, state in workers.values()):
        yield f"{counted(silent, 'worker')} stopped responding without having been stopped"
    if gaps:
        yield "there are times in the next 2 weeks when no one is on duty: see the rota"
    if failed := [label for label, found in channels.items() if not all(result.startswith("ok") for result in found.results)]:
        yield f"some messages to {', '.join(map(worded, failed))} did not go at the first try: see the channels"


@router.get("/profiles", response_class=HTMLResponse)
async def profiles(request: Request, by: Administrator, one: Hub = "", other: Hub = "") -> HTMLResponse:
    """In what two hubs of this installation differ, setting by setting."""
    store, directory = request.app.state.store, request.app.state.settings.profiles_dir
    hubs = {name: store.hub(name).title for name in store.hubs}
    one = one if one in hubs else by.hub
    other = other if other in hubs else next((name for name in hubs if name != one), one)
    known: dict[str, Any] = {
        "hubs": hubs,
        "one": one,
        "other": other,
        "rows": differences(one, other, directory) if one != other else [],
    }
    return page(request, "profiles.html", "Compare hubs", **known)


async def _rota(store: Store, hub: str) -> dict[str, Any]:
    """Who is on duty now, and the gaps of the next fortnight in words."""
    profile, rota, now = store.hub(hub), await read_rota(store, hub), store.time.now()
    on_duty = {role: rota.on_duty(role, now, profile.calendar) for role in rota.roles}
    return {"on_duty": on_duty, "gaps": [gap_in_words(gap) for gap in gaps_ahead(store, profile, rota)]}


def _reached(request: Request, hub: str, health: Any) -> list[dict[str, Any]]:
    """By which kinds of channels each role is reached, never by which address; and what became of what was tried."""
    channels = read_channels(request.app.state.settings.channels_file)
    rows = [{"name": role, "kinds": [c.scheme for c in channels.of_role(hub, role)], "health": None} for role in roles()]
    tried = [{"name": label, "kinds": [], "health": found} for label, found in health.items()]
    return [*(row for row in rows if row["kinds"]), *tried]
