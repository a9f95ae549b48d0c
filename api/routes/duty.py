"""Who is on duty, for staff."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from mash.api.permitted import Permitted
from mash.api.problems import ASKING
from mash.api.schemas.answers import DutyRota
from mash.api.schemas.fields import Moment
from mash.flows.carrying.duty import gaps_ahead
from mash.flows.store.rotas import read_rota
from mash.states.values import Actor

router = APIRouter(prefix="/rota", tags=["staff"], responses=ASKING)


@router.get("", operation_id="read_rota", response_model=DutyRota)
async def rota(
    request: Request, by: Annotated[Actor, Depends(Permitted("read_rota"))], at: Moment | None = None
) -> dict[str, Any]:
    """Who is on duty at your hub (now, or `at`), by login, until when and why; and the gaps of the next fortnight."""
    store = request.app.state.store
    profile, duties = store.hub(by.hub), await read_rota(store, by.hub)
    when = at.astimezone() if at else store.time.now()
    return {
        "at": when,
        "on_duty": {role: duties.on_duty(role, when, profile.calendar) for role in duties.roles},
        "gaps": gaps_ahead(store, profile, duties),
    }
