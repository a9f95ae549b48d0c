"""Audits of decisions: a sample is drawn by rule and seed, each of its cases has a short form, and what was found is kept."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData

from mash.api.pages import questions
from mash.api.pages.figures.learnt import IN_WORDS
from mash.api.pages.filled import Filled, checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.schemas.fields import Reference
from mash.api.text import plain
from mash.config.words import sentence
from mash.flows.store.audits import Finding, Wanted, close, draw, record
from mash.flows.store.reads.audits import WhyClosed, open_case, samples
from mash.states.auditing import MOST, QUESTIONS, RULES, Answer, Judgement, Rule, ShouldHave, decided_on
from mash.states.errors import Incomplete, ReasonNeeded
from mash.states.values import Actor

router = APIRouter(prefix="/audit", include_in_schema=False)
Auditor = Annotated[Actor, Depends(Permitted("audit_decisions"))]
Number = Annotated[int, Query(ge=0, le=2**62)]
LONGEST = 4_000
"""Characters of what an auditor writes."""
ANSWERS = tuple((each, {"cannot_tell": "Cannot be told"}.get(each, sentence(each))) for each in get_args(Answer))
SHOULD_HAVE = tuple((each, sentence(each)) for each in get_args(ShouldHave))
RULES_IN_WORDS = tuple((each, IN_WORDS[each]) for each in RULES)
GRADES = {"right": "Right", "not_right": "Not right", "cannot_tell": "Cannot be told"}
WHY_CLOSED = tuple((each, sentence(each)) for each in get_args(WhyClosed) if each != "all_audited")


class DrawGiven(BaseModel):
    """What is to be drawn, as a form has it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    rule: Rule
    since: date
    until: date
    size: Annotated[int, Field(ge=1, le=MOST)]
    seed: Annotated[int, Field(ge=0, le=2**62)]


class CloseGiven(BaseModel):
    """Which draw is closed, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    draw: Annotated[int, Field(ge=0, le=2**62)]
    why: WhyClosed


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Auditor) -> HTMLResponse:
    """The sample that is open, with its cases; or the form by which one is drawn. Earlier ones beneath."""
    return await _page(request, by, Filled({"seed": [str(secrets.randbelow(1_000_000))], "size": ["10"]}))


@router.post("", response_class=HTMLResponse)
async def give(request: Request, by: Auditor) -> Response:
    """Draw a sample."""
    given, filled = checked(DrawGiven, await request.form(max_files=0, max_fields=10))
    if given is None:
        return await _page(request, by, filled)
    try:
        await draw(request.app.state.store, Wanted(given.rule, given.since, given.until, given.size, given.seed), by)
    except Incomplete as refused:
        filled.errors["rule"] = f"{refused.reason[:1].upper()}{refused.reason[1:]}"
        return await _page(request, by, filled)
    return RedirectResponse("/audit", 303)


@router.post("/close", response_class=HTMLResponse)
async def end(request: Request, by: Auditor) -> Response:
    """Close the sample that is open before each of its cases is audited."""
    given, filled = checked(CloseGiven, await request.form(max_files=0, max_fields=10))
    if given is None:
        return await _page(request, by, filled)
    await close(request.app.state.store, given.draw, given.why, by)
    return RedirectResponse("/audit", 303)


async def _page(request: Request, by: Actor, filled: Filled) -> HTMLResponse:
    found = await samples(request.app.state.store, by)
    open_ = next((each for each in found if each.draw.closed_at is None), None)
    known: dict[str, Any] = {
        "open": open_,
        "closed": [each for each in found if each.draw.closed_at is not None],
        "rules_in_words": RULES_IN_WORDS,
        "rule_of": IN_WORDS,
        "grades": GRADES,
        "why_closed": WHY_CLOSED,
    }
    return page(request, "audits.html", "Audit of decisions", 422 if filled.errors else 200, filled=filled, **known)


@router.get("/cases/{reference}", response_class=HTMLResponse)
async def ask(request: Request, reference: Reference, by: Auditor, draw: Number = 0) -> HTMLResponse:
    """The short form of a case that was drawn, with what was found of it before."""
    return await _form(request, reference, draw, by, None)


@router.post("/cases/{reference}", response_class=HTMLResponse)
async def take(request: Request, reference: Reference, by: Auditor, draw: Number = 0) -> Response:
    """Keep what was found."""
    form = await request.form(max_files=0, max_fields=60)
    judgement, words, filled = _read(form)
    if judgement is not None and not filled.errors:
        seen = int(filled.value("seen")) if filled.value("seen").isdecimal() else 0
        try:
            await record(request.app.state.store, Finding(draw, reference, seen, judgement, words), by)
            return RedirectResponse("/audit", 303)
        except ReasonNeeded:
            filled.errors["words"] = questions.WHY
    return await _form(request, reference, draw, by, filled)


def _read(form: FormData) -> tuple[Judgement | None, str, Filled]:
    """What was filled in; or None, and what is wrong with it, beside what was chosen."""
    filled = Filled({name: [str(value) for value in form.getlist(name)] for name in form})
    answers: dict[str, Any] = {name: filled.value(name) for name in QUESTIONS}
    judgement, words = None, ""
    try:
        words = plain(filled.value("words").replace("\r\n", "\n").strip())
    except ValueError:
        filled.errors["words"] = questions.UNREADABLE
    if len(words) > LONGEST:
        filled.errors["words"] = questions.WRONG_ANYWHERE["string_too_long"].format(max_length=LONGEST)
    try:
        judgement = Judgement.model_validate({**answers, "should_have": tuple(filled.values.get("should_have", ()))})
    except ValidationError as wrong:
        for error in wrong.errors(include_input=False):
            place = str(error["loc"][0]) if error["loc"] else "should_have"
            filled.errors[place] = questions.wrong(error, place)
    return judgement, words, filled


async def _form(request: Request, reference: str, draw_id: int, by: Actor, filled: Filled | None) -> HTMLResponse:
    case, before = await open_case(request.app.state.store, draw_id, reference, by)
    last = before[0] if before else None
    if filled is None:
        known = {name: [getattr(last.judgement, name)] for name in QUESTIONS} if last else {}
        chosen: list[str] = [*last.judgement.should_have] if last else []
        filled = Filled({**known, "should_have": chosen, "words": [last.words or "" if last else ""]})
    more: dict[str, Any] = {
        "reference": reference,
        "draw": draw_id,
        "case": case.referral,
        "decided": decided_on(case.referral),
        "outcomes": sorted({each.outcome for each in case.referral.subjects.values() if each.outcome}),
        "before": before,
        "seen": filled.value("seen") or (last.version if last else 0),
        "asked": [(name, IN_WORDS[name]) for name in QUESTIONS],
        "answers": ANSWERS,
        "should_have": SHOULD_HAVE,
        "grades": GRADES,
        "longest": LONGEST,
    }
    return page(request, "audit_case.html", f"Audit {reference}", 422 if filled.errors else 200, filled=filled, **more)
