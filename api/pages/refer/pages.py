"""The pages of a referral as somebody writes it: one for each thing, and one for each person of a list."""

from __future__ import annotations

import re
import secrets

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from mash.api.pages.refer import submission
from mash.api.pages.refer.draft import NOT_WRITTEN, find_mine, keep, on, read_form, remembering, shown, today, typed_in, unsent
from mash.api.pages.refer.steps import CHECK, ENTRY, LISTS, STEPS, Answers, Errors, List, Step, Typed, after, before
from mash.flows.store.drafts import NotWritten
from mash.states.errors import NotFound

# Served after the pages that have addresses of their own.
router = APIRouter(prefix="/refer", include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/{step}")
async def ask(request: Request, step: str) -> Response:
    """A page of the form. Raises NotFound for one that there is not."""
    asked = _step(step)
    if (mine := await find_mine(request)) is None:
        return RedirectResponse("/refer", 303)
    if mine.answers.sent:
        return RedirectResponse("/refer/sent", 303)
    if step == "people" and not mine.answers.people:
        return RedirectResponse("/refer/people/new", 303)
    return _step_page(request, asked, mine.answers, mine.answers.pages.get(step, {}))


@router.post("/{step}")
async def answer(request: Request, step: str) -> Response:
    """Keep what was typed; then on, or what is wrong with it."""
    asked, form = _step(step), await read_form(request)
    typed = {} if isinstance(asked, List) else typed_in(form, asked)
    removed, later, hubs = str(form.get("remove", "")), form.get("go") == "later", len(request.app.state.store.hubs)
    wrong = {} if isinstance(asked, List) else _wrong(request, form, asked, typed)

    def change(answers: Answers) -> Answers:
        changed = answers.with_entry(step, removed, {}) if isinstance(asked, List) else answers.with_page(step, typed)
        if wrong or later or removed or after(step, changed, hubs) != CHECK:
            return changed.model_copy(update={"at": f"/refer/{step}"})
        return changed.model_copy(update={"at": CHECK, "looked_over": True})

    try:
        mine = await keep(request, change)
    except NotWritten as why:
        return _step_page(request, asked, Answers(), typed, {"": str(why)}, NOT_WRITTEN[type(why)])
    if later:
        return on(request, mine, "/refer/save")
    if wrong:
        return remembering(request, _step_page(request, asked, mine.answers, typed, wrong, 422), mine)
    if removed:
        return on(request, mine, f"/refer/{step}")
    if typed.get("danger") == "yes":
        return on(request, mine, "/refer/call-999")
    return on(request, mine, after(step, mine.answers, hubs))


@router.get("/{step}/{entry}")
async def ask_person(request: Request, step: str, entry: str) -> Response:
    """The page of a person in a list, or of one to be added."""
    asked = _list(step)
    if (mine := await unsent(request)) is None:
        return RedirectResponse("/refer", 303)
    typed = next((each for each in mine.answers.entries(step) if each[ENTRY] == entry), {})
    return _person_page(request, asked, entry if typed else secrets.token_hex(8), mine.answers, typed)


@router.post("/{step}/{entry}")
async def answer_person(request: Request, step: str, entry: str) -> Response:
    """Keep what was typed of a person; then on to the list, or what is wrong with it."""
    if not re.fullmatch("[0-9a-f]{16}", entry):
        raise NotFound("there is no such page: start at /refer")
    asked, form = _list(step), await read_form(request)
    typed = typed_in(form, asked)

    def change(answers: Answers) -> Answers:
        changed = answers.with_entry(step, entry, typed)
        if len(changed.entries(step)) > asked.most:
            raise NotWritten(f"There is room for {asked.most} people here. Name the others where you say what worries you")
        return changed.model_copy(update={"at": f"/refer/{step}/{entry}"})

    try:
        mine = await keep(request, change)
    except NotWritten as why:
        return _person_page(request, asked, entry, Answers(), typed, {"": str(why)}, NOT_WRITTEN[type(why)])
    if form.get("go") == "later":
        return on(request, mine, "/refer/save")
    if wrong := _wrong(request, form, asked, typed):
        return remembering(request, _person_page(request, asked, entry, mine.answers, typed, wrong, 422), mine)
    nobody = step == "people" and not mine.answers.people
    return on(request, mine, after(step, mine.answers, len(request.app.state.store.hubs)) if nobody else f"/refer/{step}")


def _wrong(request: Request, form: FormData, step: Step, typed: Typed) -> Errors:
    """What keeps somebody on a page: what must be set right; else what may be a slip, until they have seen that said."""
    if faults := step.faults(typed):
        return faults
    slips = step.slips(typed, today(request))
    return {} if set(slips) <= set(str(form.get("passed", "")).split(",")) else slips


def _passed(step: Step, typed: Typed, errors: Errors | None) -> str:
    """What may be a slip and is said on a page: whoever sends it as it is means it."""
    return ",".join(errors) if errors and "" not in errors and not step.faults(typed) else ""


def _step(name: str) -> Step:
    if name not in STEPS:
        raise NotFound("there is no such page: start at /refer")
    return STEPS[name]


def _list(name: str) -> List:
    if name not in LISTS:
        raise NotFound("there is no such page: start at /refer")
    return LISTS[name]


def _step_page(
    request: Request, step: Step, answers: Answers, typed: Typed, errors: Errors | None = None, status: int = 200
) -> Response:
    back = before(step.name, answers, len(request.app.state.store.hubs))
    known = {"back": back, "step": step.name, "action": f"/refer/{step.name}", "passed": _passed(step, typed, errors)}
    if isinstance(step, List):
        named = [(each[ENTRY], submission.described(each)) for each in answers.entries(step.name)]
        return shown(request, "list", step.titled(answers.advice), answers, errors, status, typed, **known, named=named)
    return shown(request, step.name, step.titled(answers.advice), answers, errors, status, typed, **known)


def _person_page(
    request: Request, step: List, entry: str, answers: Answers, typed: Typed, errors: Errors | None = None, status: int = 200
) -> Response:
    title = step.advice_each if answers.advice and step.advice_each else step.each
    back = f"/refer/{step.name}"
    if step.name == "people" and not answers.people:
        back = before(step.name, answers, len(request.app.state.store.hubs))
    known = {"back": back, "action": f"/refer/{step.name}/{entry}", "passed": _passed(step, typed, errors)}
    return shown(request, f"{step.name}_person", title, answers, errors, status, typed, **known)
