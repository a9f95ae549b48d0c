"""For whoever made a referral: what has become of it, by reference and code; and to say that they disagree."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from mash.api.auth import REFERRER_ROLE
from mash.api.pages.forms import Filled
from mash.api.pages.page import page
from mash.api.pages.refusals import in_words
from mash.api.problems import STATUS, Malformed, answers
from mash.api.referrals import begin_disagreement
from mash.api.schemas import LONGEST_WORDS
from mash.flows.store.queries import Case, read_case
from mash.flows.store.reading import family
from mash.flows.store.store import system_actor
from mash.notifications.links import is_status_code
from mash.notifications.wording import became_said
from mash.states.clocks import dated
from mash.states.commands import Actor
from mash.states.errors import NotFound, Refusal

router = APIRouter(prefix="/status", tags=["referrers"])
FORM = "application/x-www-form-urlencoded"
TITLE = "Check the progress of a referral"
WRONG = "We cannot find a referral with that reference and code. Check both and try again."
Fields = dict[str, list[str]]


def _taking(*further: str) -> dict[str, Any]:
    """The description of a form."""
    fields = {name: {"type": "string"} for name in ("reference", "code", *further)}
    return {"requestBody": {"content": {FORM: {"schema": {"type": "object", "properties": fields}}}}}


@router.get("", response_class=HTMLResponse)
async def ask(request: Request) -> HTMLResponse:
    """A form for the reference and the code. Neither belongs in an address: both are sent by the form."""
    return _ask_page(request, Filled())


@router.post("", response_class=HTMLResponse, responses=answers(404, 410, page=True), openapi_extra=_taking())
async def show(request: Request) -> HTMLResponse:
    """What has become of a referral: being considered, or decided and how, as far as whoever made it may know."""
    fields = await _form(request)
    try:
        case = await _case(request, fields)
    except Refusal as refusal:
        return _refused_page(request, fields, refusal)
    return await _case_page(request, case, Filled(fields))


@router.post(
    "/disagreements",
    response_class=HTMLResponse,
    responses=answers(400, 403, 404, 409, 410, 422, page=True),
    openapi_extra=_taking("words"),
)
async def disagree(request: Request) -> HTMLResponse:
    """Say that you disagree. The hub's procedure begins: somebody determines it within a time limit, and you are told."""
    fields = await _form(request)
    try:
        case = await _case(request, fields)
    except Refusal as refusal:
        return _refused_page(request, fields, refusal)
    words = fields["words"][0].strip()
    try:
        if not 0 < len(words) <= LONGEST_WORDS:
            raise Malformed(f"Enter why you disagree, in up to {LONGEST_WORDS:,} characters")
        by = Actor(id=case.caller, role=REFERRER_ROLE, agency=case.referral.source_agency, hub=case.hub)
        async with request.app.state.store.transaction(by) as connection:
            _, clock = await begin_disagreement(connection, request.app.state.store, case, by, words)
    except Refusal as refusal:
        wrong = {"words": in_words(refusal)}
        return await _case_page(request, case, Filled(fields, wrong), STATUS[type(refusal)])
    by_when = f"Someone who was not involved in the decision will review it by {dated(clock.due_at)}."
    said = ["Thank you.", by_when, "We will tell you the result."]
    return page(request, "status.html", f"{case.reference}: we have your disagreement", said=[" ".join(said)])


def _ask_page(request: Request, filled: Filled, status: int = 200) -> HTMLResponse:
    return page(request, "status.html", TITLE, status, filled=filled)


def _refused_page(request: Request, fields: Fields, refusal: Refusal) -> HTMLResponse:
    """The form again: the reference as it was typed; the code is a secret, and is typed anew."""
    filled = Filled({"reference": fields["reference"]}, {"reference": in_words(refusal)})
    return _ask_page(request, filled, STATUS[type(refusal)])


async def _case_page(request: Request, case: Case, filled: Filled, status: int = 200) -> HTMLResponse:
    """What has become of a case; and, where it can be disagreed with, the form to do so."""
    store = request.app.state.store
    known: dict[str, Any] = {
        "said": [
            sentence
            for part in await family(store, case.root, system_actor(case.hub))
            for sentence in became_said(part.reference, part.referral, store.hub(case.hub).decides_within)
        ],
        "disputable": "raise_disagreement" in case.referral.possible(),
        "longest": LONGEST_WORDS,
    }
    return page(request, "status.html", f"Your referral {case.reference}", status, filled=filled, **known)


async def _form(request: Request) -> Fields:
    try:
        form = await request.form(max_files=0, max_fields=10)
    except HTTPException:
        form = FormData()
    return {name: [str(form.get(name, ""))] for name in ("reference", "code", "words")}


async def _case(request: Request, fields: Fields) -> Case:
    """The referral. Raises NotFound alike for a wrong reference and for a wrong code."""
    reference, code = (fields[name][0][:60].strip() for name in ("reference", "code"))
    if not is_status_code(request.app.state.token_key, reference.upper(), code):
        raise NotFound(WRONG)
    return await read_case(request.app.state.store, reference.upper())
