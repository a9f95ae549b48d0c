"""For information governance: who looked at this child, and what did this person look at."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from mash.api.permitted import Permitted
from mash.api.problems import FINDING
from mash.api.schemas.fields import DAY, PLAIN, Moment
from mash.api.text import REFERENCE, plain
from mash.flows.store.reads.accesses import MOST, Span, accesses_across, accesses_of, accesses_to
from mash.flows.store.reads.search import cases_of_child
from mash.flows.store.store import Store
from mash.states.clocks import LONDON
from mash.states.values import Actor, Login

router = APIRouter(prefix="/accesses", tags=["information governance"], responses=FINDING)


WHICH = ("reference", "person", "name", "questions")
"""What can be asked about, one of them at a time."""


def _from(value: Any) -> Any:
    """A day is its beginning in the hub."""
    if isinstance(value, str) and re.match(DAY, value):
        try:
            return datetime.combine(date.fromisoformat(value), time(0), LONDON).isoformat()
        except ValueError:
            return value
    return value


def _to(value: Any) -> Any:
    """A day counts to its end."""
    begins = _from(value)
    if begins is value:
        return value
    return (datetime.fromisoformat(begins).replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=LONDON).isoformat()


DAYS: Any = {"description": "A moment, or a day such as 2026-11-23: from its beginning, and to its end."}
From = Annotated[Moment, BeforeValidator(_from, json_schema_input_type=str), Field(json_schema_extra=DAYS)]
To = Annotated[Moment, BeforeValidator(_to, json_schema_input_type=str), Field(json_schema_extra=DAYS)]


class AccessQuestion(BaseModel):
    """Whose accesses are asked for: those to a case, those to every case of a child, or those of a person; or
    what other hubs asked. It is sent as a body: an address is kept in logs."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"reference": "MASH-26-000001"}]},
    )

    reference: Annotated[str, Field(max_length=60, pattern=f"^{REFERENCE}$")] | None = None
    person: Login | None = Field(default=None, description="A login.")
    name: Annotated[str, Field(min_length=2, max_length=200, json_schema_extra=PLAIN), AfterValidator(plain)] | None = Field(
        default=None, description="A child's name: every contact of the hub that names them, spelt a little differently too."
    )
    born: Annotated[str, Field(max_length=10, description="Their date of birth, YYYY-MM-DD, if it is known.")] = ""
    questions: Literal["of_other_hubs"] | None = Field(
        default=None, description="What other hubs of this installation asked yours: whether it may know somebody."
    )
    since: From | None = None
    until: To | None = None
    before: str | None = Field(
        default=None, pattern=r"^[0-9]{1,18}$", description="To read on: what the last answer gave as `earlier`."
    )

    @field_validator("until")
    @classmethod
    def after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        """Refuse an end before the beginning."""
        if until and (since := info.data.get("since")) and until <= since:
            raise PydanticCustomError("ends_before", "expected an end after the beginning: nothing lies between them")
        return until

    @model_validator(mode="after")
    def one_of_them(self) -> AccessQuestion:
        """One is asked for."""
        if sum(getattr(self, name) is not None for name in WHICH) != 1:
            raise ValueError("expected one of a reference, a person, a child's name, and what other hubs asked")
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
    shown: list[str] | None = Field(description="The cases, where their people were shown beside one another: on a board.")
    about: str | None
    action: str
    why: str


class AccessReport(BaseModel):
    """Who looked."""

    accesses: list[AccessLine]
    earlier: str | None = Field(description="What to give as `before` to read on; null at the end.")
    cases: list[str] = Field(
        description="The contacts this is about, where a case or a child was asked for: whether it is the child, people judge."
    )


@router.post("", operation_id="read_accesses")
async def accesses(
    request: Request, asked: AccessQuestion, by: Annotated[Actor, Depends(Permitted("read_accesses"))]
) -> AccessReport:
    """Who looked at a case, its linked referrals included, or at any case of a child, or what a person looked at; the latest
    first, a thousand at once. Or which other hubs asked yours whether it may know somebody."""
    return await looked(request.app.state.store, asked, by)


async def looked(store: Store, asked: AccessQuestion, by: Actor) -> AccessReport:
    """What is asked for."""
    span = Span(asked.since, asked.until, int(asked.before) if asked.before else None)
    cases = [asked.reference] if asked.reference else []
    if asked.name:
        cases = await cases_of_child(store, asked.name, asked.born, by)
    if asked.questions:
        rows = await accesses_across(store, by, span)
    elif asked.person:
        rows = await accesses_of(store, asked.person, by, span)
    else:
        rows = await accesses_to(store, cases, by, span)
    lines = [AccessLine.model_validate(row, from_attributes=True) for row in rows[:MOST]]
    return AccessReport(accesses=lines, earlier=str(rows[MOST - 1].first) if len(rows) > MOST else None, cases=cases)
