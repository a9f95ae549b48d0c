"""How the pipeline is, for people and for monitors."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from mash.api.problems import NotSignedIn
from mash.config.settings import Settings
from mash.flows.installation.places import room
from mash.flows.store.away import DATABASE_AWAY, passing, to_mend
from mash.flows.store.reads.health import read_health

router = APIRouter(tags=["health"])
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
        default={},
        description="Seconds since each step of the night, the backup, and the list for paper, was last done; null: never.",
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


@router.post("/prefect-events", include_in_schema=False)
async def reported() -> None:
    """Refuse what automations report that earlier versions made in Prefect, whatever key they bring: the worker removes them."""
    raise NotSignedIn("Prefect reports nothing here any more: delete its automations whose names begin with 'mash:'")
