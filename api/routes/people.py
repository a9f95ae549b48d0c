"""Whether somebody is known: people by name, as the hub's staff may look for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mash.api.permitted import Permitted
from mash.api.problems import ASKING
from mash.api.schemas.answers import PersonMatch, PersonMatches
from mash.api.schemas.fields import PLAIN
from mash.api.text import plain
from mash.flows.store.reads.search import find
from mash.states.values import Actor

router = APIRouter(prefix="/people", tags=["staff"], responses=ASKING)


class PersonQuestion(BaseModel):
    """Whom somebody looks for. It is sent as a body: no name in an address."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"name": "Isla Example", "born": "2015-12-20"}]},
    )

    name: Annotated[str, Field(min_length=2, max_length=200, json_schema_extra=PLAIN), AfterValidator(plain)]
    born: Annotated[str, Field(max_length=10, description="YYYY-MM-DD, if it is known.")] = ""


@router.post("/search", operation_id="find_people")
async def search(
    request: Request, asked: PersonQuestion, by: Annotated[Actor, Depends(Permitted("find_people"))]
) -> PersonMatches:
    """The people of your hub's cases whose names are like this one, spelt a little differently too; the likest first. Each that
    is shown to you is recorded as an access to their case."""
    found = await find(request.app.state.store, asked.name, asked.born, by)
    return PersonMatches(
        people=[
            PersonMatch(
                reference=each.reference,
                subject=each.subject,
                name=each.name,
                alike=round(each.alike, 2),
                born=each.born,
                received_at=each.received_at,
                stage=each.stage,
                warnings=list(each.warnings),
            )
            for each in found
        ]
    )
