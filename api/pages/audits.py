"""Audits of decisions: a sample is drawn by rule and seed, each of its cases has a short form, and what was found is kept."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData

from mash.api.pages import questions
from mash.api.pages.figures.learnt import QUESTIONS_IN_WORDS, RULES_IN_WORDS
from mash.api.pages.filled import Filled, checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.schemas.fields import Day, Reference
from mash.api.text import plain
from mash.config.words import capitalised, sentence
from mash.flows.store.audits import Audit, record
from mash.flows.store.reads.audits import MOST_DRAWS, WhyClosed, open_case, samples
from mash.flows.store.samples import Wanted, close, draw, finish
from mash.states.auditing import MOST, QUESTIONS, Answer, Judgement, Rule, ShouldHave, decided_on
from mash.states.errors import Incomplete, ReasonNeeded, VersionConflict
from mash.states.values import Actor

router = APIRouter(prefix="/audit", include_in_schema=False)
Auditor = Annotated[Actor, Depends(Permitted("audit_decisions"))]
Number = Annotated[int, Query(ge=0, le=2**62)]
LONGEST = 4_000
"""Characters of what an auditor writes."""
QUICKER = (
    "Someone has recorded an audit of this case since you opened it. Theirs is beneath; what you wrote is still here. Send it"
    " again to put yours beside theirs, as a correction"
)
ANSWERS = tuple((each, {"cannot_tell": "Cannot be told"}.get(each, sentence(each))) for each in get_args(Answer))
SHOULD_HAVE = tuple((each, sentence(each)) for each in get_args(ShouldHave))
GRADES = {"right": "Right", "not_right": "Not right", "cannot_tell": "Cannot be told"}
WHY_CLOSED = tuple((each, sentence(each)) for each in get_args(WhyClosed) if each != "all_audited")


class DrawGiven(BaseModel):
    """What is to be drawn, as a form has it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    rule: Rule
    since: Day
    until: Day
    size: Annotated[int, Field(ge=1, le=MOST)]


class CloseGiven(BaseModel):
    """Which draw is closed, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    draw: Annotated[int, Field(ge=0, le=2**62)]
    why: WhyClosed


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Auditor, before: Annotated[int | None, Query(ge=0, le=2**62)] = None) -> HTMLResponse:
    """The sample that is open, with its cases; or the form by which one is drawn. Earlier ones beneath."""
    return await _page(request, by, Filled({"size": ["10"]}), before)


@router.post("", response_class=HTMLResponse)
async def give(request: Request, by: Auditor) -> Response:
    """Draw a sample."""
    given, filled = checked(DrawGiven, await request.form(max_files=0, max_fields=10))
    if given is None:
        return await _page(request, by, filled)
    try:
        async with request.app.state.drawing:  # one at a time: it reads a hub's states
            await draw(request.app.state.store, Wanted(given.rule, given.since, given.until, given.size), by)
    except Incomplete as refused:
        filled.errors["rule"] = capitalised(refused.reason)
        return await _page(request, by, filled)
    return RedirectResponse("/audit", 303)


@router.post("/close", response_class=HTMLResponse)
async def end(request: Request, by: Auditor) -> Response:
    """Close the sample that is open before each of its cases is audited."""
    given, filled = checked(CloseGiven, await request.form(max_files=0, max_fields=10))
    if given is None:
        return await _page(request, by, filled)
    try:
        await close(request.app.state.store, given.draw, given.why, by)
    except Incomplete as refused:
        filled.errors["why"] = capitalised(refused.reason)
        return await _page(request, by, filled)
    return RedirectResponse("/audit", 303)


async def _page(request: Request, by: Actor, filled: Filled, before: int | None = None) -> HTMLResponse:
    await finish(request.app.state.store, by)
    listed = await samples(request.app.state.store, by, before)
    found = listed[:MOST_DRAWS]
    open_ = next((each for each in found if each.draw.closed_at is None), None)
    known: dict[str, Any] = {
        "open": open_,
        "closed": [each for each in found if each.draw.closed_at is not None],
        "earlier": found[-1].draw.id if len(listed) > MOST_DRAWS else None,
        "reading_on": before is not None,
        "rules_in_words": tuple(RULES_IN_WORDS.items()),
        "rule_of": RULES_IN_WORDS,
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
    """Keep what was found. Where that cannot be, the form is shown again with what was typed: nobody writes it twice."""
    form = await request.form(max_files=0, max_fields=60)
    judgement, words, filled = _read(form)
    if judgement is not None and not filled.errors:
        try:
            await record(request.app.state.store, Audit(draw, reference, _seen(filled), judgement, words), by)
            return RedirectResponse("/audit", 303)
        except ReasonNeeded:
            filled.errors["words"] = questions.WHY
        except VersionConflict:
            filled.errors["words"] = QUICKER
            filled.values.pop("seen")
        except Incomplete as refused:
            filled.errors["words"] = capitalised(refused.reason)
    return await _form(request, reference, draw, by, filled)


def _seen(filled: Filled) -> int:
    """Which version somebody had in view; of what is no number, none."""
    typed = filled.value("seen")
    return int(typed) if re.fullmatch(r"[0-9]{1,6}", typed) else 0


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
    case = await open_case(request.app.state.store, draw_id, reference, by)
    referral, last = case.case.referral, case.before[0] if case.before else None
    if filled is None:
        known: dict[str, list[str]] = {name: [getattr(last.judgement, name)] for name in QUESTIONS} if last else {}
        chosen: list[str] = [*last.judgement.should_have] if last else []
        filled = Filled({**known, "should_have": chosen, "words": [last.words or "" if last else ""]})
    more: dict[str, Any] = {
        "reference": reference,
        "draw": draw_id,
        "case": referral,
        "first_rating": case.first_rating,
        "decided_by": case.decided_by,
        "decided": decided_on(referral),
        "outcomes": sorted({each.outcome for each in referral.subjects.values() if each.outcome}),
        "before": case.before,
        "seen": filled.value("seen") or (last.version if last else 0),
        "asked": tuple(QUESTIONS_IN_WORDS.items()),
        "answers": ANSWERS,
        "should_have": SHOULD_HAVE,
        "grades": GRADES,
        "longest": LONGEST,
    }
    return page(request, "audit_case.html", f"Audit {reference}", 422 if filled.errors else 200, filled=filled, **more)
