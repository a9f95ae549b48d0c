"""Who has how many cases, for whoever allocates them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from mash.api.permitted import Permitted
from mash.api.problems import ASKING
from mash.api.schemas.answers import WorkloadNow
from mash.flows.store.reads.workload import workload
from mash.states.values import Actor

router = APIRouter(prefix="/workload", tags=["staff"], responses=ASKING)


@router.get("", operation_id="read_workload", response_model=WorkloadNow)
async def now(request: Request, by: Annotated[Actor, Depends(Permitted("read_workload"))]) -> dict[str, Any]:
    """How many open cases each person of your hub has, by login, with the most urgent rating among them: everybody to whom a case
    can be allocated, and whoever has one."""
    store = request.app.state.store
    return {"at": store.time.now(), **asdict(await workload(store, by))}
