"""The link in an alert: GET shows it, POST takes it on or passes it on for whoever has signed in. Whoever has not says only that
it was seen: mail scanners follow links, and press buttons."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from mash.api.auth import same_origin, signed_in
from mash.api.pages import alerted
from mash.api.pages.page import page
from mash.api.pages.refusals import answer_in_words, in_words
from mash.api.problems import STATUS, NotSignedIn, answers
from mash.api.routes.cases import give
from mash.api.schemas.command import CommandGiven
from mash.flows.store.apply import act
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.look import look_at
from mash.flows.store.rotas import read_rota
from mash.notifications.links import AlertLink, read
from mash.states.acts.alerts import SEEN_FOR, AcknowledgeAlert, PassAlertOn, SeeAlert
from mash.states.errors import Refusal
from mash.states.referral import NOT_TO_TELL, Clock
from mash.states.roles import next_rung
from mash.states.values import Actor

router = APIRouter(tags=["alerts"])
HOLDS = "has the link of an alert"
"""What lets somebody look, whatever their role reaches."""
ON = "pass_on"
"""What the second button says."""
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


@router.get("/alerts/{token}", response_class=HTMLResponse, responses=answers(404, 410, page=True))
async def show(request: Request, token: str, until: Annotated[str, Query(max_length=40)] = "") -> HTMLResponse:
    """What is late by how much, what to do, and until when somebody has it. Looking changes nothing. `until` is what was chosen
    before somebody signed in."""
    try:
        link = read(request.app.state.token_key, token)
        case = await look_at(request.app.state.store, link.reference, _whoever(link), "read_alert", holds=HOLDS)
    except Refusal as refusal:
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal))
    return await _page(request, token, link, case, await _who(request), until)


@router.post(
    "/alerts/{token}",
    response_class=HTMLResponse,
    responses={303: {"description": "To the alert, as it is now"}, **answers(403, 404, 409, 410, 422, page=True)},
)
async def answer(request: Request, token: str) -> Response:
    """Say that somebody has it until a time, or pass it on. Without a sign-in it is only seen: the ladder rests a little, once
    for each of its rungs, and in immediate danger not at all."""
    try:
        link = read(request.app.state.token_key, token)
    except Refusal as refusal:
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal))
    try:
        same_origin(request)
        by = await _who(request)
    except Refusal as refusal:
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal), open=link.reference)
    form = await request.form(max_files=0, max_fields=10)
    until, passes = str(form.get("until") or "")[:40], form.get("act") == ON
    if by is None:
        return await _seen(request, token, link, until, passes)
    command = PassAlertOn(clock=link.clock) if passes else AcknowledgeAlert(clock=link.clock, until=_moment(until))
    body = CommandGiven.model_validate({"command": command, "seen": 1})
    given = await give(request.app.state.store, link.reference, body, by, secrets.token_urlsafe(16))
    if given.status < 400:
        return RedirectResponse(f"/alerts/{token}", 303)
    wrong = answer_in_words(given.body, by)
    case = await look_at(request.app.state.store, link.reference, _whoever(link), "read_alert", holds=HOLDS)
    return await _page(request, token, link, case, by, until, wrong=wrong, status=given.status)


async def _seen(request: Request, token: str, link: AlertLink, until: str, passes: bool) -> HTMLResponse:
    """What whoever holds the link has said without a sign-in, and that it is theirs once they have signed in."""
    store, by = request.app.state.store, _whoever(link)
    onward = quote(f"/alerts/{token}{f'?until={quote(until)}' if until else ''}", safe="")
    known: dict[str, Any] = {"sign_in": f"/sign-in?onward={onward}", "open": link.reference}
    if passes:
        return page(request, "alert.html", "Sign in to pass it on", 403, text="Until then the alert goes on.", **known)
    try:
        await look_at(store, link.reference, by, "see_alert", holds=HOLDS)
        await act(store, link.reference, SeeAlert(clock=link.clock), by, of_system=True)
    except Refusal as refusal:
        return page(request, "alert.html", "Sign in: then it is yours", STATUS[type(refusal)], text=in_words(refusal), **known)
    rests = store.time.now() + SEEN_FOR
    return page(request, "alert.html", "Sign in: then it is yours", rests=rests, **known)


async def _page(
    request: Request,
    token: str,
    link: AlertLink,
    case: Case,
    by: Actor | None,
    until: str,
    *,
    wrong: str = "",
    status: int = 200,
) -> HTMLResponse:
    store, clock, referral = request.app.state.store, case.referral.clocks[link.clock], case.referral
    now, profile = store.time.now(), store.rules(referral) or store.hubs.get(link.hub)
    known: dict[str, Any] = {
        "hub_title": profile.title if profile else "",
        "open": link.reference,
        "wrong": wrong,
        "places": {name: profile.place(name) for name in profile.ratings} if profile else {},
        "warnings": [NOT_TO_TELL] if NOT_TO_TELL in referral.warnings else [],
        "passes": profile is not None and clock.running and clock.rung >= 0 and next_rung(clock, profile) is not None,
    }
    if link.clock not in referral.alerts or profile is None:
        theirs = by is not None and clock.acknowledged_by == by.id
        known["passes"] = known["passes"] and theirs
        return page(request, "alert.html", _over(clock, theirs), status, by=by, had=clock, theirs=theirs, **known)
    role, person = link.role, by.id if by else ""
    options = alerted.had_until(referral, profile, await read_rota(store, link.hub), role, person, now)
    known |= {
        "rating": referral.rating,
        "late": clock.due_at < now or referral.in_danger,
        "clock": clock,
        "what": alerted.thing(clock, profile),
        "answered": alerted.answered(referral),
        "tasks": list(alerted.tasks(link.reference, referral, clock, profile, role, now))[:2],
        "options": options,
        "chosen": min(options, key=lambda each: abs(each.at - (_moment(until) or options[0].at))).at,
        "otherwise": alerted.otherwise(referral, clock, profile),
    }
    return page(request, "alert.html", alerted.headline(referral, clock, profile, now), status, by=by, **known)


def _moment(text: str) -> datetime | None:
    """A time that somebody chose; None for what is none."""
    try:
        return _MOMENT.validate_python(text) if text else None
    except ValidationError:
        return None


def _over(clock: Clock, theirs: bool) -> str:
    if not clock.running:
        return "It is done"
    if clock.acknowledged_by:
        return "You have it" if theirs else "Somebody has it"
    return "Nothing is late any more"


async def _who(request: Request) -> Actor | None:
    """Who has signed in; None where nobody has. Raises NotYours for what did not come from a page of ours."""
    try:
        return (await signed_in(request)).actor
    except NotSignedIn:
        return None


def _whoever(link: AlertLink) -> Actor:
    """Whoever follows a link: a person of the role, or what looks through their mail."""
    return Actor(id=f"link:{link.role}", role=link.role, agency="hub", hub=link.hub)
