"""For whoever made a referral: what has become of it, by reference and code; and to say that they disagree."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from mash.api.auth import REFERRER_ROLE, holder
from mash.api.pages.filled import Filled
from mash.api.pages.page import page
from mash.api.pages.refusals import answer_in_words, in_words
from mash.api.problems import STATUS, Malformed, answers
from mash.api.routes.referrals import begin_disagreement
from mash.api.schemas.contact import DisagreementGiven
from mash.api.schemas.fields import LONGEST_WORDS
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.reads.look import look_at_family
from mash.notifications.links import is_status_code
from mash.notifications.wording import status_in_words
from mash.states.clocks import dated
from mash.states.entitled import possible
from mash.states.errors import NotFound, Refusal
from mash.states.referral import Referral
from mash.states.values import Actor

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


@router.post("", response_class=HTMLResponse, responses=answers(404, 410), openapi_extra=_taking())
async def show(request: Request) -> HTMLResponse:
    """What has become of a referral: being considered, or decided and how, as far as whoever made it may know."""
    fields = await _form(request)
    try:
        case, parts = await _looked_at(request, fields, "read_own_referral")
    except Refusal as refusal:
        return _refused_page(request, fields, refusal)
    return _case_page(request, case, parts, Filled(fields))


@router.post(
    "/disagreements",
    response_class=HTMLResponse,
    responses=answers(400, 403, 404, 409, 410, 422),
    openapi_extra=_taking("words", "key"),
)
async def disagree(request: Request) -> HTMLResponse:
    """Say that you disagree, once however often it is sent with the same key. The hub's procedure begins: somebody determines it
    within a time limit, and you are told."""
    fields = await _form(request)
    try:
        case, parts = await _looked_at(request, fields, "disagree_with_decision")
    except Refusal as refusal:
        return _refused_page(request, fields, refusal)
    by = Actor(id=case.caller, role=REFERRER_ROLE, agency=case.referral.source_agency, hub=case.hub)
    # Apart from the keys of the system that made the referral: whoever has its code uses up none of them.
    key = f"status:{fields['key'][0][:100] or secrets.token_urlsafe(16)}"
    try:
        answer = await begin_disagreement(request.app.state.store, case, by, _disagreement_of(fields), key)
    except Refusal as refusal:
        wrong = {"words": in_words(refusal)}
        return _case_page(request, case, parts, Filled(fields, wrong), STATUS[type(refusal)])
    if answer.status >= 400:
        return _case_page(request, case, parts, Filled(fields, {"words": answer_in_words(answer.body)}), answer.status)
    by_when = dated(datetime.fromisoformat(answer.body["determined_by"]))
    thanks = f"Thank you. Someone who was not involved in the decision will review it by {by_when}. We will tell you the result."
    return page(request, "status.html", f"{case.reference}: we have your disagreement", sentences=[thanks])


def _disagreement_of(fields: Fields) -> DisagreementGiven:
    try:
        return DisagreementGiven(words=fields["words"][0].strip())
    except ValidationError:
        raise Malformed(
            f"Enter why you disagree, in up to {LONGEST_WORDS:,} characters, and without what was pasted beside the text"
        ) from None


def _ask_page(request: Request, filled: Filled, status: int = 200) -> HTMLResponse:
    return page(request, "status.html", TITLE, status, filled=filled)


def _refused_page(request: Request, fields: Fields, refusal: Refusal) -> HTMLResponse:
    """The form again: the reference as it was typed; the code is a secret, and is typed anew."""
    filled = Filled({"reference": fields["reference"]}, {"reference": in_words(refusal)})
    return _ask_page(request, filled, STATUS[type(refusal)])


def _case_page(request: Request, case: Case, parts: list[Case], filled: Filled, status: int = 200) -> HTMLResponse:
    """What has become of a case; and, where it can be disagreed with, the form to do so."""
    store = request.app.state.store
    hub = store.hub(case.hub)
    known: dict[str, Any] = {
        "in_danger": hub.in_danger if any(_in_danger(part.referral) for part in parts) else "",
        "sentences": [
            sentence
            for part in parts
            for sentence in status_in_words(part.reference, part.referral, hub.decides_within, store.rules(part.referral))
        ],
        "signpost": hub.signpost if any(part.referral.stage == "not_taken" for part in parts) else "",
        "disputable": "raise_disagreement" in possible(case.referral),
        "longest": LONGEST_WORDS,
        "key": secrets.token_urlsafe(16),
    }
    return page(request, "status.html", f"Your referral {case.reference}", status, filled=filled, **known)


def _in_danger(referral: Referral) -> bool:
    """Whether the page says first what to do in danger: until something is decided that may be said."""
    return referral.in_danger or (referral.immediate_danger and referral.held_back)


async def _form(request: Request) -> Fields:
    try:
        form = await request.form(max_files=0, max_fields=10)
    except HTTPException:
        form = FormData()
    return {name: [str(form.get(name, ""))] for name in ("reference", "code", "words", "key")}


async def _looked_at(request: Request, fields: Fields, action: str) -> tuple[Case, list[Case]]:
    """The referral, and all that it was split into; whoever has the code looks at each. Raises NotFound alike for a wrong
    reference and for a wrong code."""
    store = request.app.state.store
    reference, code = (fields[name][0][:60].strip() for name in ("reference", "code"))
    if not is_status_code(request.app.state.token_key, reference.upper(), code):
        raise NotFound(WRONG)
    case = await read_case(store, reference.upper())
    return case, await look_at_family(store, case.reference, holder(case), action, holds="has its code")
