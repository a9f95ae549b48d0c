"""One case: its story, its clocks and what may be done now; and each act as a small form."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.pages import corrections, forms, questions
from mash.api.pages.filled import Filled, first_text, read
from mash.api.pages.items import about, in_parts
from mash.api.pages.next import HELD_BY, acts_beside, next_of
from mash.api.pages.page import page, problem_page
from mash.api.pages.product import as_pdf
from mash.api.pages.refusals import answer_in_words, in_words, place_of
from mash.api.pages.sets_off import sets_off
from mash.api.pages.summary import SAFE_CONTACT, Person, heading_of, lives_with, people_of, safe_contact_of, worry_of
from mash.api.pages.words import button, named
from mash.api.permitted import Permitted, demand
from mash.api.routes.cases import give, whole
from mash.api.schemas.fields import LONGEST_WORDS, Reference
from mash.config.commands import COMMANDS
from mash.config.permissions import may, reach
from mash.config.words import TO_CHECK, in_words_of, listed, worded
from mash.flows.store.colleagues import colleagues_of
from mash.flows.store.reads.board import mark_of, next_of_board
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
from mash.states.clocks import LONDON
from mash.states.errors import NotFound
from mash.states.log import Recorded
from mash.states.messages import STAFF_ACTS
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL, Referral
from mash.states.register import kind_of
from mash.states.roles import REFERRER
from mash.states.values import SYSTEM, Actor, Colleague

router = APIRouter(prefix="/case/{reference}", include_in_schema=False)
Reader = Annotated[Actor, Depends(Permitted("read_case"))]
Acting = Annotated[Actor, Depends(Permitted("give_command"))]
Kind = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]
GLASS, RELEASES = "break_glass", "release_information"
FIRST_LINES = 3
"""Lines of the story that stand on the case before anybody opens it."""
CHANGED_BY = {"rate_referral": "rerate_referral", "rerate_referral": "rerate_referral", "allocate_case": "allocate_case",
    "convene_meeting": "convene_meeting", "record_sharing_basis": "record_sharing_basis", "record_marker": "record_marker",
    "schedule_strategy_discussion": "schedule_strategy_discussion", "record_decision": "withdraw_decision",
    "record_categories": "record_categories", "identify_subject": "withdraw_identity"}  # fmt: skip
"""By which act somebody changes what they have just done."""
MOST_FIELDS, MOST_OF_A_KEY = 400, 100


@router.get("", response_class=HTMLResponse)
async def show(
    request: Request,
    reference: Reference,
    by: Reader,
    done: Annotated[str, Query(max_length=60)] = "",
    tab: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """A case on one screen: who and what is known, and what happens next."""
    try:
        seen = await _seen(request, reference, by, tab)
    except NotFound as refusal:
        glass = f"/case/{reference}/{GLASS}" if may(by.role, GLASS) else ""
        return page(request, "problem.html", refusal.title, 404, text=in_words(refusal), glass=glass)
    known = seen | _saved(seen, done, by)
    return page(request, "case.html", f"{seen['heading']}: {seen['case']['stage_name']}", **known)


async def _seen(request: Request, reference: str, by: Actor, tab: str = "") -> dict[str, Any]:
    """All of a case that its page shows to somebody; of what stands behind tabs, how much there is, and what is open."""
    store = request.app.state.store
    async with store.one_look(by):
        mark = await mark_of(store, by, reference)
        found = await look_at(store, reference, by, "read_case")
        seen = await whole(store, found, by)
        story = await read_story(store, found, by) if may(by.role, "read_story") else []
        corrected = await read_corrections(store, found, by, story) if tab == "story" else {}
        others = await earlier(store, found, by)
        # Partners go on with their checks. In what order a board has its cases follows clocks that they may not know of.
        following = await next_of_board(store, by, found) if may(by.role, "find_people") else None
    lines = lines_of(story, store.rules(found.referral))
    tabs = _tabs(seen, lines, may(by.role, "read_story"))
    people = people_of(seen["items"], found.referral, store.time.now())
    return {
        "found": found,
        "reference": reference,
        "mark": mark,
        "case": seen,
        **_whom(seen, found.referral, people, by),
        **_course(store, seen, found.referral, people, by),
        "following": following,
        "look_first": [each for each in (others.likely if others else ()) if each.open][:1],
        "earlier": others,
        "tabs": tabs,
        "tab": tab if tab in {key for key, *_ in tabs} else tabs[0][0],
        "story": lines,
        "whole_story": tab == "story",
        "shown_of_story": len(lines) if tab == "story" else FIRST_LINES,
        "of_referrer": _from_referrer(story),
        "corrected": corrected,
        "run": _run(request, found),
    }


def _whom(seen: Mapping[str, Any], r: Referral, people: Sequence[Person], by: Actor) -> dict[str, Any]:
    """Who a case is about, how they are safely reached, and what is told of them."""
    return {
        "heading": heading_of(people),
        "people": people,
        "called": {person.subject: person.name for person in people},
        "lives": lives_with(seen["items"]),
        "safe": safe_contact_of(seen["items"], r),
        "hub_reads": reach(by.role) == "hub",
        "warned": [each for each in seen["markers"] if each not in (SAFE_CONTACT, NOT_TO_TELL)],
        "worry": worry_of(seen["items"]),
        "accused": [sid for sid, subject in r.subjects.items() if subject.accused],
        "to_be_seen": [sid for sid, subject in r.subjects.items() if subject.to_be_seen],
        "to_check": [flag for flag in r.flags if flag in TO_CHECK],
        "to_hand_over": [flag for flag in r.flags if flag.endswith(WITHOUT_HAND_OVER)],
        "sector": r.source_agency,
        "forms": FORMS,
        "items": in_parts(seen["items"]),
        "finds": may(by.role, "find_people"),
        "product": bool(seen["held"]) and may(by.role, "read_information_product"),
    }


def _course(store: Store, seen: Mapping[str, Any], r: Referral, people: Sequence[Person], by: Actor) -> dict[str, Any]:
    """What comes next on a case, what else may be done, and what runs."""
    rules, now = store.rules(r), store.time.now()
    ahead = next_of(r, rules, seen["possible"], people, now)
    acts, more_acts = acts_beside(seen["possible"], ahead.act)
    return {
        "next": ahead,
        "held_by": HELD_BY,
        "acts": acts,
        "more_acts": more_acts,
        "owed": listed(list(dict.fromkeys(worded(name) for owed in seen["census_owed"].values() for name in owed))),
        "for_census": COMMANDS[corrections.CHOOSES].census,
        "mine": bool(r.worker and r.worker.login == by.id),
        "after_that": _after_that(seen["clocks"]),
        "clocks": _by_urgency(seen["clocks"]),
        "held_back": r.held_back,
        "late_partners": r.late_partners(now),
        "added": r.added,
        "ask_again": r.to_ask_again,
        "rules": rules,
        "hub_titles": {name: profile.title for name, profile in store.hubs.items()},
    }


def _tabs(seen: Mapping[str, Any], story: Sequence[Line], reads_story: bool) -> list[tuple[str, str, int | None]]:
    """What there is to open, by its name in the address, its title and how much it holds."""
    counted = [
        ("story", "Story", len(story) if reads_story else 0),
        ("answers", "Answers", len(seen["checks"])),
        ("clocks", "Clocks", len(seen["clocks"])),
        ("told", "Who was told", len(seen["alerts_sent"])),
        ("sent", "What was said", len(seen["items"])),
        ("people", "People", len(seen["subjects"])),
    ]
    return [*((key, name, number) for key, name, number in counted if number), ("facts", "Details", None)]


def _by_urgency(clocks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The running clocks, due soonest first; then those that have ended, the latest first."""
    running = sorted((each for each in clocks if each["running"]), key=lambda each: each["due_at"])
    return [*running, *reversed([each for each in clocks if not each["running"]])]


def _after_that(clocks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What is due next after what is due now."""
    running = [each for each in _by_urgency(clocks) if each["running"]]
    return next((each for each in running[1:] if each["due_at"] > running[0]["due_at"]), None)


def _saved(seen: Mapping[str, Any], done: str, by: Actor) -> dict[str, Any]:
    """What somebody has just done, as the page says it, and by which act they change it."""
    if done not in STAFF_ACTS:
        return {"done": ""}
    mine = next((line for line in seen["story"] if line.by.id == by.id), None)
    at = f" at {mine.at.astimezone(LONDON):%H:%M}" if mine else ""
    rated = seen["case"]["rating"] if done in forms.RATED else None
    what = f"Rated {worded(rated)}" if rated else in_words_of(COMMANDS[done].done, seen["rules"])
    change = CHANGED_BY.get(done, "")
    return {"done": done, "saved": f"{what}{at}.", "change": change if change in seen["case"]["possible"] else ""}


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
        person = (await _correction(store, kind, case, by, filled)).person
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
        sent = Filled({name: [str(form[name])] for name in ("item", "asks") if name in form})
        correction = await _correction(store, kind, case, by, sent)
        other_form = sent.value("asks") and correction.census is None  # nothing is asked for the census any more
        if correction.person and (other_form or not any(name.startswith(forms.DETAIL) for name in form)):
            asks = f"&asks={corrections.FOR_CENSUS}" if correction.census is not None else ""
            return RedirectResponse(f"/case/{reference}/{kind}?item={correction.person.item}{asks}", 303)
        asked = corrections.asked_of(asked, correction, form)
    body, filled = read(kind, asked, form, by)
    key = filled.value("key")[:MOST_OF_A_KEY]
    key = key if key.isprintable() and key else secrets.token_urlsafe(16)
    if body is None:
        return await _form_page(request, reference, kind, by, case, filled, 422, key=key)
    try:
        answer = await give(store, reference, body, by, key)
    except KeyReused as reused:
        filled.errors[""] = in_words(reused)
        return await _form_page(request, reference, kind, by, case, filled, 409)
    if answer.status < 400:
        onward = filled.value("onward")
        return RedirectResponse(onward if onward.startswith("/meetings/") else f"/case/{reference}?done={kind}#done", 303)
    said = answer_in_words(answer.body, by, store.rules(case.referral) if case else None)
    filled.errors[place_of(answer.body, asked, first_text(kind))] = said
    if not (version := answer.body.get("version")) or case is None:
        return await _form_page(request, reference, kind, by, case, filled, answer.status)
    since = await _since(store, case, by, body.seen)
    return await _form_page(request, reference, kind, by, case, filled, answer.status, seen=version, since=since)


async def _correction(store: Store, kind: str, case: Case, by: Actor, filled: Filled) -> corrections.Correction:
    """The form by which somebody of a case is put right, as what was filled in says whose."""
    return corrections.Correction.of(kind, await read_items(store, case, by), case.referral, filled, store.time.now())


async def _colleagues(store: Store, kind: str, by: Actor) -> tuple[Colleague, ...]:
    """Who works here, for a form that names somebody."""
    names = any(kind == each for each, _ in forms.NAMES_SOMEBODY) or forms.OF_SECOND[0] in STAFF_ACTS[kind].command.model_fields
    return await colleagues_of(store, by.hub) if names else ()


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
    """The form in the place of what happens next, with what was filled in. A key stands for one answer: whatever was answered by
    is not sent again under it."""
    store = request.app.state.store
    shown = await _seen(request, reference, by) if case else {}
    items = shown["case"]["items"] if case else []
    known_by = shown.get("called", {}), await _colleagues(store, kind, by)
    rules = _rules(store, kind, case, by)
    asked = forms.fields_of(kind, case.referral if case else None, rules, by, *known_by)
    some = None
    if case and kind in corrections.KINDS:
        correction = corrections.Correction.of(kind, items, case.referral, filled, store.time.now())
        asked = corrections.asked_of(asked, correction)
        some = COMMANDS[kind].census if correction.census is not None else None
    filled.errors = {field: named(text, known_by[0]) for field, text in filled.errors.items()}
    own = (item for item in items if item["agency"] == by.agency and item["view"] == "whole")
    known: dict[str, Any] = {
        "reference": reference,
        "kind": kind,
        "fields": [field for field in asked if field.name != forms.LATER],
        "happened": next((field for field in asked if field.name == forms.LATER), None),
        "filled": filled,
        "own_items": list(own) if kind == RELEASES else [],
        "help": in_words_of(some.help if some else COMMANDS[kind].help, rules),
        "act_title": some.button if some else button(kind, rules),
        "texts": COMMANDS[kind].texts,
        "why": COMMANDS[kind].why,
        "rules": rules,
        "redacted": questions.REDACTED if kind == RELEASES else "",
        # What somebody had in view when they began to fill it in; or what they are shown now that it is not so any more.
        "seen": seen or filled.value("seen") or (case.referral.version if case else 1),
        "key": key or secrets.token_urlsafe(16),
        "since": since,
        "aside": [field for field in asked if field.name in forms.OF_SECOND],
        "quorum": _quorum(rules, kind),
        "sets_off": sets_off(case, rules, by, store.time.now()) if case and kind in forms.RATED else {},
        "longest": LONGEST_WORDS,
    }
    return page(request, "act.html" if case else "glass.html", known["act_title"], status, **(shown | known))


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


def _run(request: Request, case: Case) -> str:
    """The address of the case's flow run in Prefect, for whoever looks after the installation too."""
    session, settings = request.state.session, request.app.state.settings
    if case.flow_run_id is None or not any(may(each.role, "look_after_installation") for each in session.positions):
        return ""
    return Addresses.of(settings).run(case.flow_run_id)
