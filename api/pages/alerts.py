"""The link in an alert: GET shows it, POST says that it was seen. Who has it signs in: mail scanners follow links, and press
buttons."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from mash.api.auth import same_origin
from mash.api.pages.page import page
from mash.api.pages.refusals import in_words
from mash.api.problems import STATUS, answers
from mash.config.words import stage_title
from mash.flows.store.apply import act
from mash.flows.store.reads.look import look_at
from mash.notifications.links import AlertLink, read
from mash.states.acts.alerts import SEEN_FOR, SeeAlert
from mash.states.errors import NotFound, Refusal
from mash.states.referral import NOT_TO_TELL
from mash.states.values import Actor

router = APIRouter(tags=["alerts"])
HOLDS = "has the link of an alert"
"""What lets somebody look, whatever their role reaches."""
SEEN_MINUTES = int(SEEN_FOR.total_seconds() // 60)


@router.get("/alerts/{token}", response_class=HTMLResponse, responses=answers(404, 410, page=True))
async def show(request: Request, token: str) -> HTMLResponse:
    """What the alert is about, a way to sign in and take it, and a button that says it was seen. Looking changes nothing."""
    try:
        link = read(request.app.state.token_key, token)
        store = request.app.state.store
        case = await look_at(store, link.reference, _whoever(link), "read_alert", holds=HOLDS)
    except Refusal as refusal:
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal))
    clock = case.referral.clocks[link.clock]
    if link.clock not in case.referral.alerts:
        by = f" {clock.acknowledged_by} has acknowledged it." if clock.acknowledged_by else ""
        text = f"This alert no longer needs acknowledging.{by}"
        return page(request, "alert.html", f"{link.reference}: nothing to acknowledge", text=text)
    ask = not case.referral.immediate_danger and clock.seen_rung < clock.rung
    title, take = f"{link.reference}: {stage_title(case.referral.stage, store.rules(case.referral))}", link.reference
    silence = [NOT_TO_TELL] if NOT_TO_TELL in case.referral.warnings else []
    known: dict[str, Any] = {"ask": ask, "take": take, "minutes": SEEN_MINUTES, "warnings": silence}
    return page(request, "alert.html", title, text=f"{clock.why}.", **known)


@router.post("/alerts/{token}", response_class=HTMLResponse, responses=answers(403, 404, 409, 410, 422, page=True))
async def see(request: Request, token: str) -> HTMLResponse:
    """Say that it was seen: the ladder rests a little, once for each of its rungs. In immediate danger it does not."""
    try:
        link = read(request.app.state.token_key, token)
        same_origin(request)
        by = _whoever(link)
        await look_at(request.app.state.store, link.reference, by, "see_alert", holds=HOLDS)
        await act(request.app.state.store, link.reference, SeeAlert(clock=link.clock), by, of_system=True)
    except Refusal as refusal:
        take = "" if isinstance(refusal, NotFound) else link.reference
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal), take=take)
    text = f"Recorded that this alert was seen. For {SEEN_MINUTES} minutes no one else is alerted; then the next person is."
    return page(request, "alert.html", f"{link.reference}: seen", text=text, take=link.reference)


def _whoever(link: AlertLink) -> Actor:
    """Whoever follows a link: a person of the role, or what looks through their mail."""
    return Actor(id=f"link:{link.role}", role=link.role, agency="hub", hub=link.hub)
