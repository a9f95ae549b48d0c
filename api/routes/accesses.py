"""For information governance: who looked at this child, and what did this person look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mash.api.permitted import Permitted
from mash.api.problems import FINDING
from mash.api.schemas.fields import REFERENCE, Moment
from mash.flows.store.reads.accesses import MOST, accesses_of, accesses_to
from mash.flows.store.store import Store
from mash.states.values import Actor, Login

router = APIRouter(prefix="/accesses", tags=["information governance"], responses=FINDING)


class AccessQuestion(BaseModel):
    """Whose accesses are asked for: those to a case or those of a person. It is sent as a body: an address is kept in logs."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"reference": "MASH-26-000001"}]},
    )

    reference: Annotated[str, Field(max_length=60, pattern=f"^{REFERENCE}$")] | None = None
    person: Login | None = Field(default=None, description="A login.")
    since: Moment | None = None
    before: str | None = Field(
        default=None, pattern=r"^[0-9]{1,18}$", description="To read on: what the last answer gave as `earlier`."
    )

    @model_validator(mode="after")
    def one_of_them(self) -> AccessQuestion:
        """Either is asked for."""
        if (self.reference is None) == (self.person is None):
            raise ValueError("expected either a reference or a person")
        return self


class AccessLine(BaseModel):
    """Somebody looked at a case, or at what a person looked (`about`): who, in which role, at what, and what let them. The same
    again within an hour is counted."""

    at: datetime
    last_at: datetime
    times: int
    person: str
    role: str
    agency: str
    reference: str | None
    about: str | None
    action: str
    why: str


class AccessReport(BaseModel):
    """Who looked."""

    accesses: list[AccessLine]
    earlier: str | None = Field(description="What to give as `before` to read on; null at the end.")


@router.post("", operation_id="read_accesses")
async def accesses(
    request: Request, asked: AccessQuestion, by: Annotated[Actor, Depends(Permitted("read_accesses"))]
) -> AccessReport:
    """Who looked at a case, its linked referrals included, or what a person looked at; the latest first, a thousand at once."""
    return await looked(request.app.state.store, asked, by)


async def looked(store: Store, asked: AccessQuestion, by: Actor) -> AccessReport:
    """What is asked for."""
    before = int(asked.before) if asked.before else None
    if asked.reference:
        rows = await accesses_to(store, asked.reference, by, asked.since, before)
    else:
        rows = await accesses_of(store, asked.person or "", by, asked.since, before)
    lines = [AccessLine.model_validate(row, from_attributes=True) for row in rows[:MOST]]
    return AccessReport(accesses=lines, earlier=str(rows[MOST - 1].first) if len(rows) > MOST else None)
