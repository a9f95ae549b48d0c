"""The link in an alert: GET shows it, only POST acknowledges it (mail scanners follow links)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.page import page
from mash.api.pages.refusals import in_words
from mash.api.problems import STATUS, answers
from mash.flows.store.apply import act
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.notices import recipient_of
from mash.flows.store.store import Store
from mash.notifications.links import AlertLink, read
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.errors import Refusal
from mash.states.stages import STAGE_TITLES
from mash.states.values import Actor

router = APIRouter(tags=["alerts"])
HOLDS = "has the link of an alert"
"""What lets somebody look, whatever their role reaches."""


@router.get("/alerts/{token}", response_class=HTMLResponse, responses=answers(404, 410, page=True))
async def show(request: Request, token: str) -> HTMLResponse:
    """What the alert is about, and a button. Looking changes nothing."""
    try:
        link = read(request.app.state.token_key, token)
        case = await look_at(request.app.state.store, link.reference, _whoever(link), "read_alert", holds=HOLDS)
    except Refusal as refusal:
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal))
    clock = case.referral.clocks[link.clock]
    if link.clock not in case.referral.alerts:
        by = f" {clock.acknowledged_by} has acknowledged it." if clock.acknowledged_by else ""
        text = f"This alert no longer needs acknowledging.{by}"
        return page(request, "alert.html", f"{link.reference}: nothing to acknowledge", text=text)
    text = f"{clock.why}. Acknowledge it if you are dealing with it."
    return page(request, "alert.html", f"{link.reference}: {STAGE_TITLES[case.referral.stage]}", text=text, ask=True)


@router.post("/alerts/{token}", response_class=HTMLResponse, responses=answers(403, 404, 409, 410, 422, page=True))
async def acknowledge(request: Request, token: str) -> HTMLResponse:
    """Acknowledge: the ladder stops climbing. Doing it twice does no harm."""
    try:
        link = read(request.app.state.token_key, token)
        by = await _holder(request.app.state.store, link)
        await look_at(request.app.state.store, link.reference, by, "acknowledge_alert", holds=HOLDS)
        await act(request.app.state.store, link.reference, AcknowledgeAlert(clock=link.clock), by, of_system=True)
    except Refusal as refusal:
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal))
    text = "You have acknowledged this alert. The others who were alerted are told so, and no one else will be alerted for now."
    return page(request, "alert.html", f"{link.reference}: acknowledged", text=text)


def _whoever(link: AlertLink) -> Actor:
    """Whoever follows a link: a person of the role, or what looks through their mail."""
    return Actor(id=f"link:{link.role}", role=link.role, agency="hub", hub=link.hub)


async def _holder(store: Store, link: AlertLink) -> Actor:
    """Whoever acknowledges by a link: the one who was told, or whoever has the role."""
    person = await recipient_of(store, link.notice)
    return _whoever(link).model_copy(update={"id": person}) if person else _whoever(link)
