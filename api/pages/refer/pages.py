"""The pages of a referral as somebody writes it: one for each part, and one for each person it is about.

What is typed is kept first, and a page is then asked for anew, also where something is wrong with it: a browser has no form in
its history that it could send again for whoever uses the device next."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.pages.refer.answers import ASKED, ENTRY, KEPT, Answers, Typed, name_of, rows_shown
from mash.api.pages.refer.doubts import Doubt, Errors, noted, tokens
from mash.api.pages.refer.draft import (
    NOT_WRITTEN,
    find_mine,
    keep,
    marked,
    on,
    read_form,
    shown,
    today,
    typed_in,
    unsent,
)
from mash.api.pages.refer.steps import (
    CHECK,
    MOST_PEOPLE,
    NO_MORE_PEOPLE,
    ORDER,
    PEOPLE,
    STEPS,
    Step,
    address_of,
    after,
    after_person,
    before,
    before_person,
    faults_on,
    person_at,
)
from mash.flows.store.drafts import NotWritten
from mash.states.errors import NotFound

# Served after the pages that have addresses of their own.
router = APIRouter(prefix="/refer", include_in_schema=False, default_response_class=HTMLResponse)
WHO_ELSE = "Who else is it about?"
NO_PAGE = "there is no such page: start at /refer"
AGAIN, REMOVE = "again", "remove"
"""What buttons say that keep a page and show it again, with more room; and that take a person out."""


@router.post("/look/{step}")
async def look(request: Request, step: str) -> Response:
    """What may be a slip in what stands in a page's fields now, while somebody types. Nothing of it is kept."""
    asked, form = _step(step), await read_form(request)
    doubts = asked.doubts(typed_in(form, asked), today(request))
    found = {group: _first(doubts, fields) for group, fields in asked.looked_at.items()}
    return shown(request, "look", "", Answers(), found=found, ticked=marked(form, KEPT))


def _first(doubts: dict[str, Doubt], fields: Iterable[str]) -> Doubt | None:
    return next((doubts[name] for name in fields if name in doubts), None)


@router.get("/{step}")
async def ask(request: Request, step: str) -> Response:
    """A page of the form. Raises NotFound for one that there is not."""
    asked = _step(step)
    if (mine := await find_mine(request)) is None:
        return RedirectResponse("/refer", 303)
    if mine.answers.sent:
        return RedirectResponse("/refer/sent", 303)
    if asked is PEOPLE:
        return RedirectResponse(address_of(step, mine.answers), 303)
    return _step_page(request, asked, mine.answers)


@router.post("/{step}")
async def answer(request: Request, step: str) -> Response:
    """Keep what was typed; then on, or back to the page with what is wrong with it."""
    asked, form = _step(step), await read_form(request)
    if asked is PEOPLE:
        raise NotFound(NO_PAGE)
    typed, here, go = typed_in(form, asked), f"/refer/{step}", str(form.get("go", ""))

    def change(answers: Answers) -> Answers:
        now = noted(typed, answers.page(step), marked(form, ASKED), marked(form, KEPT))
        held, now = _held_back(request, asked, now, answers.with_page(step, now))
        changed = answers.with_page(step, now)
        if held or go or after(step, changed) != CHECK:
            return changed.model_copy(update={"at": here, "tried": here if held and not go else ""})
        return changed.model_copy(update={"at": CHECK, "tried": "", "looked_over": True})

    try:
        mine = await keep(request, change)
    except NotWritten as why:
        return _step_page(request, asked, Answers(), typed, str(why), NOT_WRITTEN[type(why)])
    if go == "later":
        return on(request, mine, "/refer/save")
    if go == AGAIN:
        return on(request, mine, f"{here}#{list(rows_shown(mine.answers.page(step)))[-1][0]}")
    if mine.answers.tried == here:
        return on(request, mine, here)
    if typed.get("danger") == "yes":
        return on(request, mine, "/refer/call-999")
    return on(request, mine, after(step, mine.answers))


@router.get("/{step}/{entry}")
async def ask_person(request: Request, step: str, entry: str) -> Response:
    """The page of a person, or of one to be added: that begins with the address and school of the one before.
    Raises NotFound for what has no such pages."""
    if step != PEOPLE.name:
        raise NotFound(NO_PAGE)
    if (mine := await unsent(request)) is None:
        return RedirectResponse("/refer", 303)
    typed = mine.answers.person(entry)
    return _person_page(request, entry if typed else secrets.token_hex(8), mine.answers, typed)


@router.post("/{step}/{entry}")
async def answer_person(request: Request, step: str, entry: str) -> Response:
    """Keep what was typed of a person; then on, or back to the page with what is wrong with it."""
    if step != PEOPLE.name or not re.fullmatch("[0-9a-f]{16}", entry):
        raise NotFound(NO_PAGE)
    form = await read_form(request)
    typed, here, go = typed_in(form, PEOPLE), person_at(entry), str(form.get("go", ""))

    def change(answers: Answers) -> Answers:
        if go == REMOVE:
            left = answers.without_person(entry)
            return left.model_copy(update={"at": address_of(PEOPLE.name, left), "tried": ""})
        now = noted(typed, answers.person(entry) or {}, marked(form, ASKED), marked(form, KEPT))
        held, now = _held_back(request, PEOPLE, now, answers)
        changed = answers.with_person(entry, now)
        if len(changed.people) > MOST_PEOPLE:
            raise NotWritten(NO_MORE_PEOPLE)
        return changed.model_copy(update={"at": here, "tried": here if held and not go else ""})

    try:
        mine = await keep(request, change)
    except NotWritten as why:
        return _person_page(request, entry, Answers(), typed, str(why), NOT_WRITTEN[type(why)])
    if go == "later":
        return on(request, mine, "/refer/save")
    if go == REMOVE:
        return on(request, mine, CHECK if mine.answers.looked_over else address_of(PEOPLE.name, mine.answers))
    if mine.answers.tried == here and mine.answers.person(entry):
        return on(request, mine, here)
    return on(request, mine, after_person(entry, mine.answers, typed.get("more") == "yes"))


def _held_back(request: Request, step: Step, typed: Typed, answers: Answers) -> tuple[bool, Typed]:
    """Whether somebody stays on a page: something must be set right, or may be a slip and was not pointed out before. With what
    was typed, in which that it was pointed out is noted."""
    doubts = {each.token for each in step.doubts(typed, today(request)).values()}
    fresh = doubts - tokens(typed, ASKED)
    wrong = faults_on(step, typed, answers, len(request.app.state.store.hubs))
    return bool(wrong or fresh), noted(typed, {}, doubts | tokens(typed, ASKED), tokens(typed, KEPT))


def _step(name: str) -> Step:
    if name not in STEPS:
        raise NotFound(NO_PAGE)
    return STEPS[name]


def _pointed_out(request: Request, step: Step, typed: Typed, answers: Answers, here: str) -> tuple[Errors, dict[str, Doubt]]:
    """What is said on a page of what is typed there: to whoever was held back on it, or has come back to it from the end."""
    if answers.tried != here and not answers.looked_over:
        return {}, {}
    doubts = step.doubts(typed, today(request))
    wrong = faults_on(step, typed, answers, len(request.app.state.store.hubs))
    return {**{name: each.text for name, each in doubts.items() if name not in wrong}, **wrong}, doubts


def _step_page(
    request: Request, step: Step, answers: Answers, typed: Typed | None = None, refused: str = "", status: int = 200
) -> Response:
    here, typed = f"/refer/{step.name}", answers.page(step.name) if typed is None else typed
    wrong, doubts = _pointed_out(request, step, typed, answers, here)
    known: dict[str, Any] = {"back": before(step.name, answers), "action": here, "rows": list(rows_shown(typed))}
    return _page(request, step.name, step, answers, {"": refused} if refused else wrong, status, typed, doubts, known)


def _person_page(
    request: Request, entry: str, answers: Answers, typed: Typed | None = None, refused: str = "", status: int = 200
) -> Response:
    here, there = person_at(entry), answers.person(entry) is not None
    copied = {} if typed is not None else answers.copied
    wrong, doubts = _pointed_out(request, PEOPLE, typed, answers, here) if typed is not None else ({}, {})
    last = not there or answers.people[-1][ENTRY] == entry
    first = not answers.people or answers.people[0][ENTRY] == entry
    known: dict[str, Any] = {
        "back": before_person(entry, answers),
        "action": here,
        "there": there,
        "asks_for_more": last and not answers.looked_over,
        "copied_from": name_of(answers.people[-1]) if copied else "",
        "first": first,
    }
    given = typed if typed is not None else copied
    return _page(request, "person", PEOPLE, answers, {"": refused} if refused else wrong, status, given, doubts, known)


def _page(
    request: Request,
    template: str,
    step: Step,
    answers: Answers,
    wrong: Errors,
    status: int,
    typed: Typed,
    doubts: dict[str, Doubt],
    known: dict[str, Any],
) -> Response:
    part = {"part": ORDER.index(step.name) + 1, "parts_in_all": len(ORDER), "step": step.name}
    only_doubts = bool(doubts) and wrong.keys() <= doubts.keys()
    title = step.titled(answers.advice) if known.get("first", True) else WHO_ELSE
    return shown(request, template, title, answers, wrong, status, typed, doubts, passed=only_doubts, **part, **known)
