"""For whoever made a referral: what has become of it, by reference and code; and to say that they disagree."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from mash.api.auth import REFERRER_ROLE
from mash.api.pages.page import page
from mash.api.problems import STATUS, Malformed, answers
from mash.api.referrals import begin_disagreement
from mash.api.schemas import LONGEST_WORDS
from mash.flows.store.queries import Case, read_case
from mash.flows.store.reading import family
from mash.flows.store.store import system_actor
from mash.notifications.links import is_status_code
from mash.notifications.wording import became_said
from mash.states.clocks import local
from mash.states.commands import Actor
from mash.states.errors import NotFound, Refusal

router = APIRouter(prefix="/status", tags=["referrers"])
FORM = "application/x-www-form-urlencoded"
TITLE = "What has become of your referral?"
WRONG = "There is no referral with this reference and code: look at both again, in the message that you got."


def _taking(*further: str) -> dict[str, Any]:
    """The description of a form."""
    fields = {name: {"type": "string"} for name in ("reference", "code", *further)}
    return {"requestBody": {"content": {FORM: {"schema": {"type": "object", "properties": fields}}}}}


@router.get("", response_class=HTMLResponse)
async def ask(request: Request) -> HTMLResponse:
    """A form for the reference and the code. Neither belongs in an address: both are sent by the form."""
    return page(request, "status.html", TITLE)


@router.post("", response_class=HTMLResponse, responses=answers(404, 410, page=True), openapi_extra=_taking())
async def show(request: Request) -> HTMLResponse:
    """What has become of a referral: being considered, or decided and how, as far as whoever made it may know."""
    fields = await _form(request)
    try:
        case = await _case(request, fields)
    except Refusal as refusal:
        return page(request, "status.html", TITLE, STATUS[type(refusal)], problem=refusal.reason, fields=fields)
    said = [
        sentence
        for part in await family(request.app.state.store, case.root, system_actor(case.hub))
        for sentence in became_said(part.reference, part.referral)
    ]
    disputable = "raise_disagreement" in case.referral.possible()
    return page(request, "status.html", f"Your referral {case.reference}", said=said, fields=fields, disputable=disputable)


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
        words = str(fields.get("words", "")).strip()
        if not 0 < len(words) <= LONGEST_WORDS:
            raise Malformed(f"Say why you disagree, in at most {LONGEST_WORDS:,} characters.")
        by = Actor(id=case.caller, role=REFERRER_ROLE, agency=case.referral.source_agency, hub=case.hub)
        async with request.app.state.store.transaction(by) as connection:
            _, clock = await begin_disagreement(connection, request.app.state.store, case, by, words)
    except Refusal as refusal:
        return page(request, "status.html", TITLE, STATUS[type(refusal)], problem=refusal.reason, fields=fields)
    said = [f"Thank you. Somebody who did not decide looks at it again, by {local(clock.due_at)}. You will be told."]
    return page(request, "status.html", f"{case.reference}: we have your disagreement", said=said, fields=fields)


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=0, max_fields=10)
    except HTTPException:
        return FormData()


async def _case(request: Request, fields: FormData) -> Case:
    """The referral. Raises NotFound alike for a wrong reference and for a wrong code."""
    reference, code = (str(fields.get(name, ""))[:60].strip() for name in ("reference", "code"))
    if not is_status_code(request.app.state.token_key, reference.upper(), code):
        raise NotFound(WRONG)
    return await read_case(request.app.state.store, reference.upper())
