"""How the pipeline is, for people and for monitors; and what Prefect's automations report of it."""

from __future__ import annotations

import asyncio
import hmac
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from mash.api.problems import NotSignedIn
from mash.config.settings import Settings
from mash.flows.installation.places import room
from mash.flows.store.away import DATABASE_AWAY, passing, to_mend
from mash.flows.store.reads.health import read_health
from mash.flows.store.trouble import tell_administrators
from mash.notifications.links import PREFECT, service_key

router = APIRouter(tags=["health"])
NOTICE_EVERY = timedelta(minutes=30)
PATIENCE = 10.0
"""Seconds that the database has to answer: a monitor that hears nothing knows less than one that hears what is wrong."""
AGAIN = "10"
"""Seconds after which it is worth asking again."""
LITTLE_ROOM = 200_000_000
"""Bytes; with less than this the disk is as good as full."""


class Readiness(BaseModel):
    """How the installation is."""

    status: Literal["ok", "trouble", "down"] = Field(description="`down`: no referral can be accepted.")
    live: bool = Field(default=True, description="This process answers.")
    ready: bool = Field(description="Something can be written: referrals are accepted.")
    wrong: list[str] = Field(description="What is wrong, a sentence each, with what to do.")
    ages: dict[str, int | None] = Field(
        default={}, description="Seconds since each step of the night, and the backup, was last done; null: never."
    )


@router.get("/health", response_model=Readiness, responses={503: {"model": Readiness, "description": "No referral is accepted"}})
async def health(request: Request) -> JSONResponse:
    """Whether referrals are accepted (`ready`), which is proven by writing something, and what is wrong otherwise. Asks for no
    key. It answers 503 only when no referral can be accepted."""
    app = request.app.state
    little = _room_in_words(app.settings)
    try:
        async with asyncio.timeout(PATIENCE):
            await app.proof.renew()
            found = await read_health(app.store)
    except DATABASE_AWAY as error:
        why = passing(error) or to_mend(error) or f"the database does not do what it is asked ({type(error).__name__})"
        down = Readiness(status="down", ready=False, wrong=[f"{why}. No referral is accepted", *little])
        return JSONResponse(down.model_dump(), 503, {"Retry-After": AGAIN})
    wrong = [*found.wrong(app.settings), *little]
    ages = {step: _seconds(each.age) if each.done else None for step, each in found.nights.items()}
    return JSONResponse(Readiness(status="trouble" if wrong else "ok", ready=True, wrong=wrong, ages=ages).model_dump())


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())


def _room_in_words(settings: Settings) -> list[str]:
    free, _ = room(settings)
    full = f"the disk of MASH_DATA_DIR is nearly full: {free / 1e6:,.0f} MB are left"
    return [full] if free < LITTLE_ROOM else []


class Reported(BaseModel):
    """What one of Prefect's automations reports."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    what: Literal["failed", "crashed", "worker gone"]
    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,80}$")] = ""


SENTENCES = {
    "failed": ("a flow run failed", "Its referral goes on: the worker takes the run up again."),
    "crashed": ("a flow run crashed", "Its referral goes on: the worker takes the run up again."),
    "worker gone": ("Prefect sees no worker", "Clocks and notices stand still unless another worker is alive: see /health."),
}


@router.post("/prefect-events", status_code=202, include_in_schema=False)
async def reported(request: Request, report: Reported, authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
    """Take what one of Prefect's automations reports, and tell the administrators; at most every half hour of the same."""
    expected = f"Bearer {service_key(request.app.state.token_key, PREFECT)}"
    if not hmac.compare_digest(authorization.encode(), expected.encode()):
        raise NotSignedIn("this address is for Prefect's automations")
    store = request.app.state.store
    what, detail = SENTENCES[report.what]
    for hub in store.hubs:
        named = f"{report.run}. " if report.run else ""
        await tell_administrators(store, hub, what, f"{named}{detail}", at_most_every=NOTICE_EVERY * store.time.rate)
    return {"told": list(store.hubs)}
