"""Delivery receipts of GOV.UK Notify: whether a message that it took has arrived."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mash.api.problems import NotSignedIn
from mash.flows.store.confirmations import confirm
from mash.notifications.confirmed import UUID

router = APIRouter(include_in_schema=False)
SHORTEST = 10
"""Characters of a token that Notify takes."""


class DeliveryReceipt(BaseModel):
    """What Notify says of a message. To whom it went it says too: that is read by nobody here."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=f"^{UUID}$")]
    status: Annotated[str, Field(pattern="^[a-z-]{1,40}$")]


@router.post("/notify-receipts", status_code=204, response_class=Response)
async def receipt(request: Request, said: DeliveryReceipt) -> None:
    """Something became of a message. What is not ours is taken too: Notify would say it again and again otherwise."""
    _demand_token(request)
    await confirm(request.app.state.store, said.id, said.status)


def _demand_token(request: Request) -> None:
    """Raises NotSignedIn for whoever does not bring the token that Notify was given; also where it was given none."""
    token = request.app.state.settings.notify_token
    expected = token.get_secret_value() if token else ""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if len(expected) < SHORTEST or not secrets.compare_digest(given.encode(), expected.encode()):
        raise NotSignedIn("a delivery receipt brings the bearer token that GOV.UK Notify was given (MASH_NOTIFY_TOKEN)")
