"""My checks: about whom an agency is asked what, by when, and who has it; answered or handed over where they stand."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.pages.board import MINE
from mash.api.pages.page import page
from mash.api.pages.refusals import answer_in_words
from mash.api.pages.whom import Whom, whom
from mash.api.pages.words import person
from mash.api.permitted import Permitted, demand
from mash.api.routes.cases import give
from mash.api.schemas.command import CommandGiven
from mash.api.schemas.fields import Reference
from mash.api.text import REFERENCE
from mash.config.asks import asked_of
from mash.config.words import agency_title, worded
from mash.flows.store.colleagues import colleagues_of
from mash.flows.store.reads.board import mark_of
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.checks import Answered, answered_since, basis_of, cases_named, checks_of, holding, people_of
from mash.flows.store.store import Store
from mash.states.acts.checks import AllocateCheck, AnswerCheck
from mash.states.clocks import LONDON, day_of
from mash.states.values import Actor, Colleague

router = APIRouter(prefix="/checks", include_in_schema=False)
Reader = Annotated[Actor, Depends(Permitted("read_checks"))]
Acting = Annotated[Actor, Depends(Permitted("give_command"))]
Chosen = Annotated[str, Query(max_length=60)]
Done = Annotated[str, Query(max_length=60, pattern=f"^({REFERENCE})?$")]
NOT_KNOWN, HAND = "not_known", "hand"
"""What is open in a row: the confirmation that nothing is held, or to whom it is handed."""
DONE = {"answered": "Sent “not known to us” for {}.", "taken": "{} is with you.", "handed": "{} is handed over."}
"""What is said of a check once something was done about it."""
MOST_OF_A_KEY = 100
LISTED = 200
"""Answers of this week that are shown; all of them are counted."""


@router.get("", response_class=HTMLResponse)
async def show(
    request: Request,
    by: Reader,
    whose: Chosen = "",
    confirm: Chosen = "",
    hand: Chosen = "",
    done: Chosen = "",
    of: Done = "",
) -> HTMLResponse:
    """The checks that somebody's agency is to answer, those due soonest first; or those that they have themselves. One may be
    open, to be confirmed or handed over; of what was just done it is said."""
    opened = (NOT_KNOWN, confirm) if confirm else (HAND, hand) if hand else ("", "")
    return await _page(request, by, whose, opened, saved=(DONE.get(done, ""), of))


@router.get("/changed", response_class=HTMLResponse)
async def changed(request: Request, by: Reader, whose: Chosen = "", shown: Chosen = "") -> HTMLResponse:
    """Whether the list is another one than what is shown. Rows do not move under the hand: a link loads them."""
    now = _list_of(await checks_of(request.app.state.store, by, by.id if whose == MINE else None), by)
    return page(request, "checks_changed.html", "Checks", mine=whose == MINE, shown=shown, changed=now != shown)


@router.get("/answered", response_class=HTMLResponse)
async def answered(request: Request, by: Reader) -> HTMLResponse:
    """What somebody's agency answered this week, the latest first."""
    store = request.app.state.store
    async with store.one_look(by):
        found = (await answered_since(store, by, _monday(store.time.now())))[:LISTED]
        cases = await cases_named(store, list(dict.fromkeys(each.reference for each in found)), by)
        about = await _about(store, cases, by)
    title = "Answered this week"
    return page(request, "checks_answered.html", title, answers=found, about=about, agency=_agency(store, by))


@router.post("/{reference}/answer", response_class=HTMLResponse)
async def answer(request: Request, reference: Reference, by: Acting, whose: Chosen = "") -> Response:
    """Send that nothing is known of them: the answer of the form, without its words."""
    demand(by, "answer_check")
    command = AnswerCheck(agency=by.agency, known=False)
    return await _given(request, reference, by, command, whose, (NOT_KNOWN, reference), "answered")


@router.post("/{reference}/allocate", response_class=HTMLResponse)
async def allocate(request: Request, reference: Reference, by: Acting, whose: Chosen = "") -> Response:
    """Hand a check to a colleague, or take it."""
    demand(by, "allocate_check")
    to = str((await request.form(max_files=0, max_fields=10)).get("to") or "")
    if to not in dict(await _colleagues(request.app.state.store, by, reference="")):
        return await _page(request, by, whose, (HAND, reference), wrong="Choose a colleague of your agency.", status=422)
    command, done = AllocateCheck(agency=by.agency, to=to), "taken" if to == by.id else "handed"
    return await _given(request, reference, by, command, whose, (HAND, reference), done)


async def _given(
    request: Request,
    reference: str,
    by: Actor,
    command: AnswerCheck | AllocateCheck,
    whose: str,
    opened: tuple[str, str],
    done: str,
) -> Response:
    """Give a command by the same path as its form does; what is refused stands in the row."""
    form = await request.form(max_files=0, max_fields=10)
    key, seen = str(form.get("key") or "")[:MOST_OF_A_KEY], str(form.get("seen") or "1")
    key = key if key.isprintable() and key else secrets.token_urlsafe(16)
    body = CommandGiven.model_validate({"command": command, "seen": int(seen) if seen.isdecimal() and len(seen) < 7 else 1})
    answer = await give(request.app.state.store, reference, body, by, key)
    if answer.status < 400:
        mine = f"&whose={MINE}" if whose == MINE else ""
        return RedirectResponse(f"/checks?done={done}&of={reference}{mine}", 303)
    return await _page(request, by, whose, opened, wrong=answer_in_words(answer.body, by), status=answer.status)


async def _page(
    request: Request,
    by: Actor,
    whose: str,
    opened: tuple[str, str],
    *,
    saved: tuple[str, str] = ("", ""),
    wrong: str = "",
    status: int = 200,
) -> HTMLResponse:
    store = request.app.state.store
    mine, now = whose == MINE, store.time.now()
    what, reference = opened
    async with store.one_look(by):
        mark = await mark_of(store, by)
        cases = await checks_of(store, by, by.id if mine else None)
        there = {case.reference for case in cases}
        gone = await cases_named(store, [each for each in (saved[1],) if each and each not in there], by)
        about = await _about(store, [*cases, *gone], by)
        done = await answered_since(store, by, _monday(now))
        held = await holding(store, by)
        basis = await basis_of(store, by, reference) if what == NOT_KNOWN and reference in there else None
    known: dict[str, Any] = {
        "mark": mark,
        "mine": mine,
        "rows": _rows(store, cases, about, by),
        "agency": _agency(store, by),
        "open": reference if reference in there else "",
        "what": what,
        "basis": basis,
        "colleagues": await _colleagues(store, by, reference=reference, cases=cases) if what == HAND else [],
        "saved": saved[0].format(about[saved[1]].names) if saved[1] in about else "",
        "gone": bool(reference) and reference not in there,
        "wrong": wrong,
        "key": secrets.token_urlsafe(16),
        "shown": _list_of(cases, by),
        "held": held,
        **_counts(done),
    }
    return page(request, "checks.html", _title(cases, mine), status, **known)


def _title(cases: Sequence[Case], mine: bool) -> str:
    number = f"{len(cases)} check{'s' if len(cases) != 1 else ''}" if cases else "No checks"
    return f"{number} {'of yours ' if mine else ''}to answer"


def _rows(store: Store, cases: Sequence[Case], about: Mapping[str, Whom], by: Actor) -> list[dict[str, Any]]:
    asks = asked_of(store.hub(by.hub), by.agency)
    return [
        {
            "reference": case.reference,
            "rating": case.referral.rating,
            "whom": about[case.reference],
            "asks": asks,
            "check": case.referral.checks[by.agency],
            "due_at": case.referral.to_answer[by.agency].due_at,
            "warnings": case.referral.warnings,
            "several": len(case.referral.subjects) > 1,
            "version": case.referral.version,
        }
        for case in cases
    ]


async def _about(store: Store, cases: Sequence[Case], by: Actor) -> dict[str, Whom]:
    people, today = await people_of(store, cases, by), day_of(store.time.now())
    return {case.reference: whom(people.get(case.reference, ()), today) for case in cases}


async def _colleagues(store: Store, by: Actor, *, reference: str, cases: Sequence[Case] = ()) -> list[tuple[str, str]]:
    """To whom somebody may hand a check: those of their agency who are there, by login and in words, but whoever has it."""
    has_it = next((c.referral.checks[by.agency].allocated_to for c in cases if c.reference == reference), None)
    there = (each for each in await colleagues_of(store, by.hub) if each.agency == by.agency and not each.away_until)
    return list({each.login: _called(store, each, by) for each in there if each.login != has_it}.items())


def _called(store: Store, colleague: Colleague, by: Actor) -> str:
    """What a colleague is called where one is chosen; of whoever leads, that they do."""
    name, known = "You" if colleague.login == by.id else person(colleague.login), store.hub(by.hub).agencies.get(by.agency)
    return f"{name}, {worded(colleague.role)}" if known and colleague.role == known.lead else name


def _counts(done: Sequence[Answered]) -> dict[str, int]:
    return {
        "answered": len(done),
        "in_time": sum(not each.late for each in done),
        "not_known": sum(not each.known for each in done),
    }


def _agency(store: Store, by: Actor) -> str:
    return agency_title(store.hub(by.hub), by.agency)


def _list_of(cases: Sequence[Case], by: Actor) -> str:
    """What stands for a list as it is shown: another word once a row comes, goes, or says something else."""
    rows = (
        (c.reference, c.referral.to_answer[by.agency].due_at, c.referral.checks[by.agency].allocated_to, c.referral.rating)
        for c in cases
    )
    return hashlib.sha256(repr([*rows]).encode()).hexdigest()[:16]


def _monday(now: datetime) -> datetime:
    """When the week began in the hub."""
    today = day_of(now)
    return datetime.combine(today - timedelta(days=today.weekday()), time(), LONDON).astimezone(UTC)
