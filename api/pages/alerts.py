"""The link in an alert: GET shows it, POST takes it on or passes it on for whoever has signed in. Whoever has not says only that
it was seen: mail scanners follow links, and press buttons."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import AfterValidator, AwareDatetime, TypeAdapter, ValidationError

from mash.api.auth import same_origin, signed_in
from mash.api.pages import alerted
from mash.api.pages.page import page
from mash.api.pages.refusals import answer_in_words, in_words
from mash.api.problems import STATUS, NotSignedIn, answers
from mash.api.routes.cases import give
from mash.api.schemas.command import CommandGiven
from mash.api.schemas.fields import PLAIN
from mash.api.text import plain
from mash.config.permissions import may
from mash.flows.store.apply import act
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.look import look_at
from mash.flows.store.rotas import read_rota
from mash.notifications.links import AlertLink, read
from mash.states.acts.alerts import SEEN_FOR, AcknowledgeAlert, PassAlertOn, SeeAlert
from mash.states.errors import Refusal
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL, Clock, Referral
from mash.states.roles import may_pass_on, to_pass_on
from mash.states.values import Actor

router = APIRouter(tags=["alerts"])
HOLDS = "has the link of an alert"
"""What lets somebody look, whatever their role reaches."""
ON = "pass_on"
"""What the second button says."""
Token = Annotated[str, Path(json_schema_extra=PLAIN), AfterValidator(plain)]
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


@router.get("/alerts/{token}", response_class=HTMLResponse, responses=answers(400, 404, 410))
async def show(
    request: Request,
    token: Token,
    until: Annotated[str, Query(max_length=40, json_schema_extra=PLAIN), AfterValidator(plain)] = "",
    passed: Annotated[str, Query(max_length=60, json_schema_extra=PLAIN), AfterValidator(plain)] = "",
) -> HTMLResponse:
    """What is late by how much, what to do, and until when somebody has it. Looking changes nothing. `until` is what was chosen
    before somebody signed in; `passed` to whom somebody has just passed it on."""
    try:
        link = read(request.app.state.token_key, token)
        case = await look_at(request.app.state.store, link.reference, _whoever(link), "read_alert", holds=HOLDS)
    except Refusal as refusal:
        return page(request, "alert.html", refusal.title, STATUS[type(refusal)], text=in_words(refusal))
    return await _page(request, link, case, await _who(request), until, passed=passed)


@router.post(
    "/alerts/{token}",
    response_class=HTMLResponse,
    responses={303: {"description": "To the alert, as it is now"}, **answers(403, 404, 409, 410, 422)},
)
async def answer(request: Request, token: Token) -> Response:
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
    shown, due = (str(form.get(name) or "")[:40] for name in ("rung", "due"))
    command = PassAlertOn(clock=link.clock, rung=_rung(shown)) if passes else _taken(link, until)
    body = CommandGiven.model_validate({"command": command, "seen": 1})
    key = _pressed(token, shown, due, by) if passes else secrets.token_urlsafe(16)
    given = await give(request.app.state.store, link.reference, body, by, key)
    case = await look_at(request.app.state.store, link.reference, _whoever(link), "read_alert", holds=HOLDS)
    if given.status < 400:
        return RedirectResponse(f"/alerts/{token}{await _to(request, link, case) if passes else ''}", 303)
    return await _page(request, link, case, by, until, wrong=answer_in_words(given.body, by), status=given.status)


def _taken(link: AlertLink, until: str) -> AcknowledgeAlert:
    return AcknowledgeAlert(clock=link.clock, until=_moment(until))


def _rung(shown: str) -> int:
    """The rung that a page showed; -1, at which nobody is told, for a page that showed none."""
    return int(shown) if shown.isascii() and shown.isdigit() else -1


def _pressed(token: str, shown: str, due: str, by: Actor) -> str:
    """The key under which somebody passes an alert on, as it was shown to them: who presses twice has done it once."""
    return hashlib.sha256("\n".join((token, shown, due, by.id)).encode()).hexdigest()


async def _to(request: Request, link: AlertLink, case: Case) -> str:
    """To whom an alert was passed on just now, as the end of an address."""
    store, referral = request.app.state.store, case.referral
    profile = store.rules(referral)
    return f"?passed={alerted.told_last(referral, referral.clocks[link.clock], profile, store.time.now())}" if profile else ""


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
    link: AlertLink,
    case: Case,
    by: Actor | None,
    until: str,
    *,
    passed: str = "",
    wrong: str = "",
    status: int = 200,
) -> HTMLResponse:
    store, clock, referral = request.app.state.store, case.referral.clocks[link.clock], case.referral
    now, profile = store.time.now(), store.rules(referral) or store.hubs.get(link.hub)
    known: dict[str, Any] = {"hub_title": profile.title if profile else "", "open": link.reference, "by": by, "wrong": wrong}
    if not clock.running:
        return page(request, "alert.html", "It is done", status, text="Nothing waits for this any more.", **known)
    if profile is None:
        return page(request, "alert.html", link.reference, status, text=f"{clock.why}.", **known)
    theirs = by is not None and clock.acknowledged_by == by.id
    waits = link.clock in referral.alerts
    passes = not passed and _passes(link, referral, clock, profile, by, now)
    known |= {"passes": passes, **_about(link, referral, clock, profile, now, passes=passes)}
    known["passed"] = passed if passed in alerted.may_be_told(clock, profile) else ""
    headline = alerted.headline(referral, clock, profile, now)
    if not waits:
        title = f"{'You have' if theirs else 'Somebody has'} it" if clock.acknowledged_by else "Nobody need have it any more"
        return page(request, "alert.html", title, status, headline=headline, had=clock.acknowledged_by, theirs=theirs, **known)
    options = alerted.had_until(referral, profile, await read_rota(store, link.hub), link.role, by.id if by else "", now)
    known["options"] = options
    known["chosen"] = min(options, key=lambda each: abs(each.at - (_moment(until) or options[0].at))).at
    known["late"] = clock.due_at < now or referral.in_danger
    known["otherwise"] = alerted.otherwise(referral, clock, profile, link.role)
    return page(request, "alert.html", headline, status, **known)


def _passes(link: AlertLink, referral: Referral, clock: Clock, profile: Profile, by: Actor | None, now: datetime) -> bool:
    """Whether it is offered to pass an alert on: to whoever was told of it last, or has it, while somebody else stands above. Who
    has not signed in is taken for whom the alert was sent to."""
    who = by or _whoever(link)
    known = by is None or may(by.role, "pass_alert_on")
    return known and clock in to_pass_on(referral, profile, who, now) and may_pass_on(referral, clock, profile, who, clock.rung)


def _about(link: AlertLink, referral: Referral, clock: Clock, profile: Profile, now: datetime, *, passes: bool) -> dict[str, Any]:
    """What is said of an alert, whoever has it."""
    return {
        "rules": profile,
        "clock": clock,
        "rating": referral.rating,
        "place": profile.place(referral.rating),
        "danger": referral.in_danger,
        "what": alerted.thing(clock, profile),
        "answered": alerted.answered(referral),
        "warnings": [NOT_TO_TELL] if NOT_TO_TELL in referral.warnings else [],
        "tasks": list(alerted.tasks(link.reference, referral, clock, profile, link.role, now, passes=passes))[:2],
    }


def _moment(text: str) -> datetime | None:
    """A time that somebody chose; None for what is none."""
    try:
        return _MOMENT.validate_python(text) if text else None
    except ValidationError:
        return None


async def _who(request: Request) -> Actor | None:
    """Who has signed in; None where nobody has. Raises NotYours for what did not come from a page of ours."""
    try:
        return (await signed_in(request)).actor
    except NotSignedIn:
        return None


def _whoever(link: AlertLink) -> Actor:
    """Whoever follows a link: a person of the role, or what looks through their mail."""
    return Actor(id=f"link:{link.role}", role=link.role, agency="hub", hub=link.hub)
