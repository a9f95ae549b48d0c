"""One meeting or strategy discussion: looked at, written down as it is held, and recorded."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.pages.case import MOST_FIELDS, MOST_OF_A_KEY
from mash.api.pages.filled import Filled
from mash.api.pages.meetings import left_over, recorded
from mash.api.pages.meetings import minutes as writing
from mash.api.pages.meetings.agenda import Agenda, Name, Reader, Which, agenda_of
from mash.api.pages.meetings.left_over import LeftOver, left_of
from mash.api.pages.meetings.minutes import Minutes
from mash.api.pages.meetings.shown import shown
from mash.api.pages.meetings.sitting import in_short, sitting_as
from mash.api.pages.meetings.table import Table, read_table, saved
from mash.api.pages.page import page
from mash.api.pages.refusals import answer_in_words, in_words
from mash.api.permitted import Permitted, demand
from mash.api.schemas.fields import Reference
from mash.flows.store.drafts import Answers
from mash.flows.store.minutes import MEETING, settle_minutes
from mash.flows.store.receipts import KeyReused
from mash.states.values import Actor

router = APIRouter(prefix="/meetings", include_in_schema=False)
Acting = Annotated[Actor, Depends(Permitted("give_command"))]
Speaks = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,60}$")]
Place = Annotated[str, Query(pattern=r"^(view|action|recorded|noted)?$")]


@router.get("/{name}/{reference}", response_class=HTMLResponse)
async def show(
    request: Request, name: Name, reference: Reference, by: Reader, day: Which = None, view: Speaks = "", at: Place = ""
) -> HTMLResponse:
    """One meeting: who is to come, what they answered, what is written down so far; and the next one."""
    agenda = await agenda_of(request, name, by, day)
    table = await read_table(request, reference, by)
    return await shown(request, agenda, table, by, Filled(), speaks=view, at=at)


@router.post("/{name}/{reference}", response_class=HTMLResponse)
async def write(request: Request, name: Name, reference: Reference, by: Acting, day: Which = None) -> Response:
    """Whatever was pressed, all that was written is saved first; then it goes on to the next view, or is recorded."""
    demand(by, "read_agenda")
    agenda = await agenda_of(request, name, by, day)
    table = await read_table(request, reference, by)
    sent = writing.filled(await request.form(max_files=0, max_fields=MOST_FIELDS))
    if sent.value("do") == "note":
        return await _noted(request, agenda, table, sent, by)
    if table.sitting is None or (sent.value("held") or table.which) != table.which:
        return await _of_another(request, agenda, table, sent, by)
    demand(by, table.sitting.kind)
    table = await saved(request.app.state.store, table, sent, by)
    pressed, _, whom = sent.value("do").partition(":")
    if pressed == "there" and not sent.errors:
        return page(request, "there.html", "Who is here", short=in_short(table.seats))
    if pressed == "record" and not sent.errors:
        return await _recorded(request, agenda, table, sent, by)
    if sent.errors:
        return await shown(request, agenda, table, by, sent, 422, speaks=sent.value("speaks"))
    goes_on = pressed == "speak"
    at = "action" if sent.value("action") and not goes_on else "view"
    onward = {"view": whom if goes_on else sent.value("speaks"), "at": at}
    return RedirectResponse(f"{agenda.path_of(reference)}&{urlencode(onward)}", 303)


async def _of_another(request: Request, agenda: Agenda, table: Table, sent: Filled, by: Actor) -> Response:
    """What was written for another sitting than the one that is held now: it stays with the one it was written for. Where that is
    over, what is in no record stands on the page, and can be added to the case."""
    which, referral, store = sent.value("held"), table.case.referral, request.app.state.store
    what = left_over.what_of(which)
    demand(by, left_over.RECORDS[what])
    waits = which == MEETING and not referral.meeting_held and referral.open
    if not waits:  # who came is as the record says
        sent = Filled({name: values for name, values in sent.values.items() if not name.startswith("came.")})
    theirs = replace(table, sitting=sitting_as(what, referral, table.profile), which=which, minutes=Minutes())
    if waits or which in table.over:
        theirs = await saved(store, theirs, sent, by)
    else:
        theirs = replace(theirs, minutes=writing.written(Minutes(), sent, theirs.known, table.now))
    found = await left_of(request, theirs, by, sent)
    if not found.text and not waits:
        await settle_minutes(store, table.case.reference, which, by, lambda answers: {})
        if sent.value("do") == "record":  # pressed twice
            return RedirectResponse(f"{agenda.path_of(table.case.reference)}&at=recorded", 303)
    why = left_over.is_kept(which) if waits else left_over.is_over(which, which in table.over, bool(found.text))
    left = replace(found, why=why, waits=waits, late=True)
    return await shown(request, agenda, table, by, Filled(), 409, left=[left])


async def _noted(request: Request, agenda: Agenda, table: Table, sent: Filled, by: Actor) -> Response:
    """What was left over becomes a note to the case; what somebody wrote meanwhile is left."""
    store, reference, which = request.app.state.store, table.case.reference, sent.value("held")
    left = LeftOver(which, sent.value("note"), left_over.came_later(which), sent.value("written"))
    note = recorded.given({"kind": "add_note"}, left.text, table.case.referral.version)
    if not left.text:
        note = "Write what is to be added to the case"
    if isinstance(note, str):
        sent.errors["note"] = note
        return await shown(request, agenda, table, by, sent, 422, left=[left])
    key = sent.value("key")[:MOST_OF_A_KEY]
    try:
        answer = await recorded.record(store, reference, note, (), by, key or secrets.token_urlsafe(16))
    except KeyReused as reused:
        sent.errors["note"] = in_words(reused)
        return await shown(request, agenda, table, by, sent, 409, left=[left])
    if answer.status >= 400:
        sent.errors["note"] = answer_in_words(answer.body, by, table.profile)
        return await shown(request, agenda, table, by, sent, answer.status, left=[left])

    def later(answers: Answers) -> Answers:
        at = Minutes.model_validate(answers).at
        return answers if at and at.isoformat() != left.written else {}

    if which in table.over:
        await settle_minutes(store, reference, which, by, later)
    return RedirectResponse(f"{agenda.path_of(reference)}&at=noted", 303)


async def _recorded(request: Request, agenda: Agenda, table: Table, sent: Filled, by: Actor) -> Response:
    """The record, or what is missing for it at the fields that it is about."""
    store, case, sitting, minutes = request.app.state.store, table.case, table.sitting, table.minutes
    assert sitting is not None  # asked by whoever calls
    speaks, referral = sent.value("speaks"), case.referral
    sent.errors |= recorded.lacking(sitting, table.seats, minutes, referral, table.now)
    if sent.errors:
        return await shown(request, agenda, table, by, sent, 422, speaks=speaks)
    command, words = recorded.command_of(sitting, table.seats, minutes, referral, table.profile, table.now)
    seen = int(sent.value("seen")) if sent.value("seen").isdecimal() else 1
    given = recorded.given(command, words, seen)
    if isinstance(given, str):
        sent.errors["text"] = given
        return await shown(request, agenda, table, by, sent, 422, speaks=speaks)
    key = sent.value("key")[:MOST_OF_A_KEY]
    try:
        answer = await recorded.record(store, case.reference, given, minutes.actions, by, key or secrets.token_urlsafe(16))
    except KeyReused as reused:
        sent.errors[""] = in_words(reused)
        return await shown(request, agenda, table, by, sent, 409, speaks=speaks)
    if answer.status < 400:

        def left(answers: Answers) -> Answers:
            rest = left_over.since(Minutes.model_validate(answers), minutes)
            return rest.model_dump(mode="json") if rest.came or rest.views or rest.actions or rest.why else {}

        await settle_minutes(store, case.reference, table.which, by, left)
        return RedirectResponse(f"{agenda.path_of(case.reference)}&at=recorded", 303)
    place = recorded.place_of(answer.body, sitting, table.seats, minutes, referral.rating)
    sent.errors[place] = answer_in_words(answer.body, by, table.profile)
    return await shown(request, agenda, table, by, sent, answer.status, speaks=speaks, seen=answer.body.get("version", 0))
