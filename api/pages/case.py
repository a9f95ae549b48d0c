"""One case: its story, its clocks and what may be done now; and each act as a small form."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.cases import give, whole
from mash.api.pages import forms, questions
from mash.api.pages.forms import Filled
from mash.api.pages.items import in_parts, names_of
from mash.api.pages.page import page, problem_page
from mash.api.pages.product import as_pdf
from mash.api.pages.refusals import in_words, said_of
from mash.api.permitted import Permitted, demand
from mash.api.schemas import LONGEST_WORDS, Reference
from mash.config.command_words import COMMAND_WORDS
from mash.config.permissions import may
from mash.flows.store.queries import Case
from mash.flows.store.reading import information_product, look_at, read_items, read_story
from mash.flows.story import lines_of
from mash.states.commands import Actor
from mash.states.errors import NotFound
from mash.states.machine import COMMANDS
from mash.states.profile import Profile

router = APIRouter(prefix="/case/{reference}", include_in_schema=False)
Reader = Annotated[Actor, Depends(Permitted("read_case"))]
Acting = Annotated[Actor, Depends(Permitted("give_command"))]
Kind = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]
GLASS, RELEASES, DECIDES = "break_glass", "release_information", "record_decision"
NEXT = 4
"""A command that is possible in no more stages than this is what a case waits for there."""
MOST_FIELDS = 400


@router.get("", response_class=HTMLResponse)
async def show(request: Request, reference: Reference, by: Reader, done: Annotated[str, Query(max_length=60)] = "") -> Response:
    """All of a case that somebody may see, and what they may do about it."""
    store = request.app.state.store
    try:
        found = await look_at(store, reference, by, "read_case")
    except NotFound as refusal:
        glass = f"/case/{reference}/{GLASS}" if may(by.role, GLASS) else ""
        return page(request, "problem.html", refusal.title, 404, text=in_words(refusal), glass=glass)
    seen = await whole(store, found, by)
    story = await read_story(store, found, by) if may(by.role, "read_story") else []
    now, later = _possible(seen["possible"])
    known: dict[str, Any] = {
        "case": seen,
        "reference": reference,
        "late_partners": found.referral.late_partners(store.time.now()),
        "next": now,
        "also": later,
        "names": names_of(seen["items"]),
        "said": in_parts(seen["items"]),
        "story": lines_of(story, store.hub(by.hub)),
        "done": done if done in COMMANDS else "",
        "finds": may(by.role, "find_people"),
        "run": _run(request, found),
    }
    return page(request, "case.html", f"{reference}: {seen['stage_name']}", **known)


@router.get("/product.pdf")
async def product(
    request: Request, reference: Reference, by: Annotated[Actor, Depends(Permitted("read_information_product"))]
) -> Response:
    """The information product of a meeting on paper, from released items only."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_information_product")
    lines = await information_product(store, case, by)
    content = as_pdf(store.hub(by.hub), case, lines, store.time.now(), by)
    headers = {"Content-Disposition": f'inline; filename="{reference}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/{kind}", response_class=HTMLResponse)
async def ask(request: Request, reference: Reference, kind: Kind, by: Acting) -> Response:
    """The form of one act."""
    _demand(by, kind)
    case = await _looked(request, reference, kind, by)
    if case and kind not in case.referral.possible():
        return problem_page(request, "Not possible now", f"“{COMMAND_WORDS[kind].button}” is not possible at this stage.", 409)
    filled = Filled({name: [value] for name, value in request.query_params.items()})
    return await _form_page(request, reference, kind, by, case, filled)


@router.post("/{kind}", response_class=HTMLResponse)
async def act(request: Request, reference: Reference, kind: Kind, by: Acting) -> Response:
    """Act. What is wrong stands beside the field, and what was typed is still there."""
    _demand(by, kind)
    case = await _looked(request, reference, kind, by)
    store = request.app.state.store
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    asked = forms.fields_of(kind, case.referral if case else None, store.hub(by.hub), by)
    given, filled = forms.read(kind, asked, form, by)
    if given is None:
        return await _form_page(request, reference, kind, by, case, filled, 422)
    answer = await give(store, reference, given, by, filled.value("key")[:100] or secrets.token_urlsafe(16))
    if answer.status >= 400:
        filled.errors["words"] = said_of(answer.body, by)
        return await _form_page(request, reference, kind, by, case, filled, answer.status)
    onward = filled.value("onward")
    return RedirectResponse(onward if onward.startswith("/meetings/") else f"/case/{reference}?done={kind}", 303)


def _demand(by: Actor, kind: str) -> None:
    if kind not in forms.KINDS or kind not in COMMANDS:
        raise NotFound("there is no such act")
    demand(by, kind)


async def _looked(request: Request, reference: str, kind: str, by: Actor) -> Case | None:
    """The case that is acted on; none for whoever has still to break the glass."""
    return None if kind == GLASS else await look_at(request.app.state.store, reference, by, "read_case")


async def _form_page(
    request: Request, reference: str, kind: str, by: Actor, case: Case | None, filled: Filled, status: int = 200
) -> HTMLResponse:
    store = request.app.state.store
    items = await read_items(store, case, by) if case and kind in (RELEASES, DECIDES) else []
    asked = forms.fields_of(kind, case.referral if case else None, store.hub(by.hub), by, names_of(items))
    own = (item for item in items if item["agency"] == by.agency and item["view"] == "whole")
    known: dict[str, Any] = {
        "reference": reference,
        "kind": kind,
        "fields": asked,
        "filled": filled,
        "held": list(own) if kind == RELEASES else [],
        "help": COMMAND_WORDS[kind].help,
        "words_asked": questions.WORDS.get(kind, questions.REASON),
        "redacted": questions.REDACTED if kind == RELEASES else "",
        # What somebody had in view when they began to fill it in, whatever happened meanwhile.
        "seen": filled.value("seen") or (case.referral.version if case else 1),
        "key": filled.value("key") if status == 422 and filled.value("key") else secrets.token_urlsafe(16),
        "case": case,
        "quorum": _quorum(store.hub(by.hub), kind),
        "longest": LONGEST_WORDS,
    }
    return page(request, "act.html", COMMAND_WORDS[kind].button, status, **known)


def _quorum(profile: Profile, kind: str) -> tuple[str, ...]:
    """Who must take part in what is recorded."""
    needed = {"record_meeting": profile.meeting.quorum, "record_strategy_discussion": profile.strategy_discussion.quorum}
    return needed.get(kind, ())


def _possible(kinds: list[str]) -> tuple[list[str], list[str]]:
    """What a case waits for at its stage, and what may be done at any."""
    own = [kind for kind in kinds if len(COMMANDS[kind]) <= NEXT]
    return own, [kind for kind in kinds if kind not in own]


def _run(request: Request, case: Case) -> str:
    """The address of the case's flow run in Prefect, for whoever looks after the installation too."""
    session, settings = request.state.session, request.app.state.settings
    if case.flow_run_id is None or not any(may(each.role, "look_after_installation") for each in session.positions):
        return ""
    return f"{settings.prefect_api_url.removesuffix('/api')}/runs/flow-run/{case.flow_run_id}"
