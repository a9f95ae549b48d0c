"""One case: its story, its clocks and what may be done now; and each act as a small form."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.pages import corrections, forms, questions
from mash.api.pages.forms import Filled
from mash.api.pages.items import about, in_parts, names_of
from mash.api.pages.page import page, problem_page
from mash.api.pages.product import as_pdf
from mash.api.pages.refusals import answer_in_words, in_words
from mash.api.pages.words import button
from mash.api.permitted import Permitted, demand
from mash.api.routes.cases import give, whole
from mash.api.schemas.fields import LONGEST_WORDS, Reference
from mash.config.commands import COMMANDS
from mash.config.permissions import may
from mash.config.words import TO_CHECK, in_words_of
from mash.flows.store.colleagues import colleagues_of
from mash.flows.store.reads.board import mark_of
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.corrections import read_corrections
from mash.flows.store.reads.earlier import earlier
from mash.flows.store.reads.items import FORMS, information_product, read_items
from mash.flows.store.reads.look import look_at, possible, read_story
from mash.flows.store.receipts import KeyReused
from mash.flows.store.store import Store
from mash.flows.telling.addresses import Addresses
from mash.flows.telling.story import Line, lines_of
from mash.states.acts.upkeep import AdoptProfile
from mash.states.ages import WITHOUT_HAND_OVER
from mash.states.errors import NotFound
from mash.states.log import Recorded
from mash.states.messages import STAFF_ACTS
from mash.states.profile import Profile
from mash.states.register import kind_of
from mash.states.roles import REFERRER
from mash.states.values import SYSTEM, Actor, Colleague

router = APIRouter(prefix="/case/{reference}", include_in_schema=False)
Reader = Annotated[Actor, Depends(Permitted("read_case"))]
Acting = Annotated[Actor, Depends(Permitted("give_command"))]
Kind = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]
GLASS, RELEASES = "break_glass", "release_information"
BESIDE = (
    "rate_referral", "rerate_referral", "record_decision", "sign_off_decision", "write_second_view", "weigh_contacts",
    "convene_meeting", "record_meeting", "record_strategy_discussion", "conclude_consultation",
    "conclude_enquiries", "record_conference", "complete_assessment",
)  # fmt: skip
"""Acts beside whose form the child's other contacts stand."""
NEXT = 4
"""A command that is possible in no more stages than this is what a case waits for there."""
MOST_FIELDS, MOST_OF_A_KEY = 400, 100


@router.get("", response_class=HTMLResponse)
async def show(request: Request, reference: Reference, by: Reader, done: Annotated[str, Query(max_length=60)] = "") -> Response:
    """All of a case that somebody may see, and what they may do about it."""
    store = request.app.state.store
    try:
        async with store.one_look(by):
            mark = await mark_of(store, by, reference)
            found = await look_at(store, reference, by, "read_case")
            seen = await whole(store, found, by)
            story = await read_story(store, found, by) if may(by.role, "read_story") else []
            corrected = await read_corrections(store, found, by, story)
            others = await earlier(store, found, by)
    except NotFound as refusal:
        glass = f"/case/{reference}/{GLASS}" if may(by.role, GLASS) else ""
        return page(request, "problem.html", refusal.title, 404, text=in_words(refusal), glass=glass)
    now, later = _possible(seen["possible"])
    known: dict[str, Any] = {
        "mark": mark,
        "case": seen,
        "accused": [sid for sid, subject in found.referral.subjects.items() if subject.accused],
        "to_be_seen": [sid for sid, subject in found.referral.subjects.items() if subject.to_be_seen],
        "to_check": [flag for flag in found.referral.flags if flag in TO_CHECK],
        "to_hand_over": [flag for flag in found.referral.flags if flag.endswith(WITHOUT_HAND_OVER)],
        "reference": reference,
        "held_back": found.referral.held_back,
        "late_partners": found.referral.late_partners(store.time.now()),
        "next": now,
        "also": later,
        "earlier": others,
        "added": found.referral.added,
        "sector": found.referral.source_agency,
        "of_referrer": _from_referrer(story),
        "forms": FORMS,
        "names": names_of(seen["items"]),
        "items": in_parts(seen["items"]),
        "hub_titles": {name: profile.title for name, profile in store.hubs.items()},
        "story": lines_of(story, store.rules(found.referral)),
        "rules": store.rules(found.referral),
        "corrected": corrected,
        "ask_again": found.referral.to_ask_again,
        "done": done if done in STAFF_ACTS else "",
        "finds": may(by.role, "find_people"),
        "run": _run(request, found),
    }
    return page(request, "case.html", f"{reference}: {seen['stage_name']}", **known)


@router.get("/product.pdf")
async def product(
    request: Request, reference: Reference, by: Annotated[Actor, Depends(Permitted("read_information_product"))]
) -> Response:
    """The information product of a meeting on paper: of what agencies hold, from released items only."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_information_product")
    lines = await information_product(store, case, by)
    content = as_pdf(
        store.rules(case.referral) or store.hub(by.hub),
        case,
        lines,
        store.time.now(),
        by,
        about(await read_items(store, case, by)),
    )
    headers = {"Content-Disposition": f'inline; filename="{reference}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/{kind}", response_class=HTMLResponse)
async def ask(request: Request, reference: Reference, kind: Kind, by: Acting) -> Response:
    """The form of one act."""
    _demand(by, kind)
    case = await _looked(request, reference, kind, by)
    store = request.app.state.store
    if case and kind not in await possible(store, case, by):
        text = f"“{button(kind, _rules(store, kind, case, by))}” is not possible now, or not for you."
        return problem_page(request, "Not possible now", text, 409)
    filled = Filled({name: [value] for name, value in request.query_params.items()})
    if case and kind in corrections.KINDS:
        person = corrections.chosen(kind, await _people(request, case, by), filled.value("item"))
        filled = corrections.filled_with(person, filled) if person else filled
    return await _form_page(request, reference, kind, by, case, filled)


@router.post("/{kind}", response_class=HTMLResponse)
async def act(request: Request, reference: Reference, kind: Kind, by: Acting) -> Response:
    """Act. What is wrong stands beside the field, and what was typed is still there."""
    _demand(by, kind)
    case = await _looked(request, reference, kind, by)
    store = request.app.state.store
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    asked = forms.fields_of(
        kind, case.referral if case else None, _rules(store, kind, case, by), by, None, await _colleagues(store, kind, by)
    )
    if case and kind in corrections.KINDS:
        known, item = await _people(request, case, by), str(form.get("item") or "")
        person = corrections.chosen(kind, known, item)
        if person and not any(name.startswith(forms.DETAIL) for name in form):
            return RedirectResponse(f"/case/{reference}/{kind}?item={person.item}", 303)
        asked = corrections.asked_of(kind, asked, known, person)
    body, filled = forms.read(kind, asked, form, by)
    key = filled.value("key")[:MOST_OF_A_KEY]
    key = key if key.isprintable() and key else secrets.token_urlsafe(16)
    if body is None:
        return await _form_page(request, reference, kind, by, case, filled, 422, key=key)
    try:
        answer = await give(store, reference, body, by, key)
    except KeyReused as reused:
        filled.errors[forms.first_text(kind)] = in_words(reused)
        return await _form_page(request, reference, kind, by, case, filled, 409)
    if answer.status < 400:
        onward = filled.value("onward")
        return RedirectResponse(onward if onward.startswith("/meetings/") else f"/case/{reference}?done={kind}", 303)
    filled.errors[forms.first_text(kind)] = answer_in_words(answer.body, by, store.rules(case.referral) if case else None)
    if not (version := answer.body.get("version")) or case is None:
        return await _form_page(request, reference, kind, by, case, filled, answer.status)
    since = await _since(store, case, by, body.seen)
    return await _form_page(request, reference, kind, by, case, filled, answer.status, seen=version, since=since)


async def _people(request: Request, case: Case, by: Actor) -> list[corrections.Person]:
    """Whose details somebody may put right on a case."""
    return corrections.people(await read_items(request.app.state.store, case, by), case.referral.subjects)


async def _colleagues(store: Store, kind: str, by: Actor) -> tuple[Colleague, ...]:
    """Who works here, for a form that names somebody."""
    return await colleagues_of(store, by.hub) if any(kind == names for names, _ in forms.NAMES_SOMEBODY) else ()


def _demand(by: Actor, kind: str) -> None:
    if kind not in STAFF_ACTS:
        raise NotFound("there is no such act")
    demand(by, kind)


async def _looked(request: Request, reference: str, kind: str, by: Actor) -> Case | None:
    """The case that is acted on; none for whoever has still to break the glass."""
    return None if kind == GLASS else await look_at(request.app.state.store, reference, by, "read_case")


async def _since(store: Store, case: Case, by: Actor, seen: int) -> list[Line]:
    """What people did on a case since somebody saw it."""
    story = await read_story(store, case, by) if may(by.role, "read_story") else []
    acts = [each for each in story if each.sequence > seen and each.by.role != SYSTEM]
    return lines_of(acts, store.rules(case.referral))


async def _form_page(
    request: Request,
    reference: str,
    kind: str,
    by: Actor,
    case: Case | None,
    filled: Filled,
    status: int = 200,
    *,
    key: str = "",
    seen: int = 0,
    since: Sequence[Line] = (),
) -> HTMLResponse:
    """The form, with what was filled in. A key stands for one answer: whatever was answered by is not sent again under it."""
    store = request.app.state.store
    by_name = set(STAFF_ACTS[kind].command.model_fields) & set(forms.OF_EACH)
    items = await read_items(store, case, by) if case and (kind in (RELEASES, *BESIDE) or by_name) else []
    others = await earlier(store, case, by) if case and kind in BESIDE else None
    known_by = names_of(items), await _colleagues(store, kind, by)
    rules = _rules(store, kind, case, by)
    asked = forms.fields_of(kind, case.referral if case else None, rules, by, *known_by)
    if case and kind in corrections.KINDS:
        known_people = await _people(request, case, by)
        person = corrections.chosen(kind, known_people, filled.value("item"))
        asked = corrections.asked_of(kind, asked, known_people, person)
    own = (item for item in items if item["agency"] == by.agency and item["view"] == "whole")
    known: dict[str, Any] = {
        "reference": reference,
        "kind": kind,
        "fields": asked,
        "filled": filled,
        "held": list(own) if kind == RELEASES else [],
        "help": in_words_of(COMMANDS[kind].help, rules),
        "texts": COMMANDS[kind].texts,
        "rules": rules,
        "redacted": questions.REDACTED if kind == RELEASES else "",
        # What somebody had in view when they began to fill it in; or what they are shown now that it is not so any more.
        "seen": seen or filled.value("seen") or (case.referral.version if case else 1),
        "key": key or secrets.token_urlsafe(16),
        "since": since,
        "case": case,
        "warnings": case.referral.warnings if case else (),
        "held_back": case is not None and case.referral.held_back,
        "earlier": others,
        "names": names_of(items),
        "quorum": _quorum(rules, kind),
        "longest": LONGEST_WORDS,
    }
    return page(request, "act.html", button(kind, rules), status, **known)


def _rules(store: Store, kind: str, case: Case | None, by: Actor) -> Profile:
    """The rules that a form offers its choices by: those that decide on what is chosen. Adopting is of those in force."""
    own = store.rules(case.referral) if case and kind != kind_of(AdoptProfile) else None
    return own or store.hub(by.hub)


def _quorum(profile: Profile, kind: str) -> tuple[str, ...]:
    """Who must take part in what is recorded."""
    needed = {"record_meeting": profile.meeting.quorum, "record_strategy_discussion": profile.strategy_discussion.quorum}
    return needed.get(kind, ())


def _from_referrer(story: Sequence[Recorded]) -> frozenset[str]:
    """The items that came from whoever referred: with the contact, or later, to disagree."""
    theirs = [each.event for each in story if each.by.role == REFERRER]
    words = (item for event in theirs for item in (getattr(event, "words", None), *getattr(event, "held", ())))
    return frozenset(each.item for each in words if each is not None)


def _possible(kinds: list[str]) -> tuple[list[str], list[str]]:
    """What a case waits for at its stage, and what may be done at any."""
    own = [kind for kind in kinds if len(STAFF_ACTS[kind].stages or ()) <= NEXT]
    return own, [kind for kind in kinds if kind not in own]


def _run(request: Request, case: Case) -> str:
    """The address of the case's flow run in Prefect, for whoever looks after the installation too."""
    session, settings = request.state.session, request.app.state.settings
    if case.flow_run_id is None or not any(may(each.role, "look_after_installation") for each in session.positions):
        return ""
    return Addresses.of(settings).run(case.flow_run_id)
