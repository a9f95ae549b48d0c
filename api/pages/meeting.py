"""The page of one meeting or strategy discussion: what is known beforehand, the minutes as they are written, and the record."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.pages import forms, left_over, recorded
from mash.api.pages import minutes as writing
from mash.api.pages.case import MOST_FIELDS, MOST_OF_A_KEY
from mash.api.pages.forms import Filled
from mash.api.pages.left_over import LeftOver
from mash.api.pages.meetings import WHERE, Agenda, Name, Reader, Which, agenda_of, called_on
from mash.api.pages.minutes import Minutes
from mash.api.pages.page import page
from mash.api.pages.refusals import answer_in_words, in_words
from mash.api.pages.sitting import (
    NOT_HERE,
    Seat,
    Sitting,
    answered,
    at_time,
    in_short,
    in_the_way,
    seats,
    sitting_as,
    sitting_of,
    unsaid,
)
from mash.api.pages.summary import SAFE_CONTACT, heading_of, people_of, safe_contact_of
from mash.api.permitted import Permitted, demand
from mash.api.routes.cases import brief
from mash.api.schemas.fields import Reference
from mash.config.permissions import may
from mash.config.words import agency_title, sentence
from mash.flows.store.colleagues import colleagues_of
from mash.flows.store.drafts import Answers, NotWritten
from mash.flows.store.minutes import MEETING, discussions, read_minutes, settle_minutes, write_minutes
from mash.flows.store.reads.agenda import held_next_at
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.earlier import earlier
from mash.flows.store.reads.items import information_product, read_items
from mash.flows.store.reads.look import look_at, possible
from mash.flows.store.reads.notices import read_notices
from mash.flows.store.receipts import KeyReused
from mash.flows.store.store import Store
from mash.states.acts.actions import owners
from mash.states.clocks import day_of
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL
from mash.states.values import Actor

router = APIRouter(prefix="/meetings", include_in_schema=False)
Acting = Annotated[Actor, Depends(Permitted("give_command"))]
Speaks = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,60}$")]
Place = Annotated[str, Query(pattern=r"^(view|action|recorded|noted)?$")]
ACTS = (
    "convene_meeting",
    "schedule_strategy_discussion",
    "cancel_meeting",
    "call_strategy_discussion",
    "record_decision",
    "add_note",
)
"""What is done beside a meeting, in the order of the work."""
CUT = 60
"""Words of what an agency released that stand above its field; the rest is behind a link."""


@dataclass(frozen=True)
class Table:
    """A meeting with all that is around it: the case, what is to be held, and what has been written down."""

    case: Case
    profile: Profile
    sitting: Sitting | None
    which: str
    """Which of the case's it is; empty where none is to be held."""
    over: tuple[str, ...]
    """Which of them are over, the latest last."""
    minutes: Minutes
    notices: Sequence[Any]
    doers: dict[str, tuple[str, str | None]]
    now: datetime

    @property
    def seats(self) -> list[Seat]:
        """Who is to come, and what is said of each so far."""
        if self.sitting is None:
            return []
        referral, said = self.case.referral, self.minutes
        return seats(self.sitting, referral, self.profile, self.notices, said.came, said.more)

    @property
    def known(self) -> dict[str, Any]:
        """What may be chosen on the form."""
        ways = self.sitting.ways if self.sitting else {}
        others = (*self.profile.agencies, *self.profile.invited, *(self.sitting.expected if self.sitting else ()))
        return {"ways": ways, "could_come": tuple(dict.fromkeys(others)), "doers": self.doers}


@router.get("/{name}/{reference}", response_class=HTMLResponse)
async def show(
    request: Request, name: Name, reference: Reference, by: Reader, day: Which = None, view: Speaks = "", at: Place = ""
) -> HTMLResponse:
    """One meeting: who is to come, what they answered, what is written down so far; and the next one."""
    agenda = await agenda_of(request, name, by, day)
    table = await _table(request, reference, by)
    return await _page(request, agenda, table, by, Filled(), speaks=view, at=at)


@router.post("/{name}/{reference}", response_class=HTMLResponse)
async def write(request: Request, name: Name, reference: Reference, by: Acting, day: Which = None) -> Response:
    """Whatever was pressed, all that was written is saved first; then it goes on to the next view, or is recorded."""
    demand(by, "read_agenda")
    agenda = await agenda_of(request, name, by, day)
    table = await _table(request, reference, by)
    sent = writing.filled(await request.form(max_files=0, max_fields=MOST_FIELDS))
    if sent.value("do") == "note":
        return await _noted(request, agenda, table, sent, by)
    if table.sitting is None or (sent.value("held") or table.which) != table.which:
        return await _of_another(request, agenda, table, sent, by)
    demand(by, table.sitting.kind)
    table = await _saved(request.app.state.store, table, sent, by)
    pressed, _, whom = sent.value("do").partition(":")
    if pressed == "there" and not sent.errors:
        return page(request, "there.html", "Who is here", short=in_short(table.seats))
    if pressed == "record" and not sent.errors:
        return await _recorded(request, agenda, table, sent, by)
    if sent.errors:
        return await _page(request, agenda, table, by, sent, 422, speaks=sent.value("speaks"))
    goes_on = pressed == "speak"
    at = "action" if sent.value("action") and not goes_on else "view"
    onward = {"view": whom if goes_on else sent.value("speaks"), "at": at}
    return RedirectResponse(f"{agenda.path_of(reference)}&{urlencode(onward)}", 303)


async def _table(request: Request, reference: str, by: Actor) -> Table:
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_agenda")
    profile = store.rules(case.referral) or store.hub(by.hub)
    sitting, notices, minutes = sitting_of(case.referral, profile), [], Minutes()
    called = await discussions(store, reference, by)
    which = "" if sitting is None else called[-1] if sitting.what != MEETING else MEETING
    over = (*((MEETING,) if case.referral.meeting_held else ()), *(each for each in called if each != which))
    if sitting:
        minutes = Minutes.model_validate(await read_minutes(store, reference, which, by))
        notices = list(await read_notices(store, case, by))
    can = {name: _owner(name, profile) for name in owners(profile)}
    doers = writing.doers_of(can, profile, await colleagues_of(store, by.hub))
    return Table(case, profile, sitting, which, over, minutes, notices, doers, store.time.now())


async def _saved(store: Store, table: Table, sent: Filled, by: Actor) -> Table:
    """The table with what was sent in its minutes; what was not understood is said in `sent`, and nothing else is lost."""
    kept: list[Minutes] = []

    def change(before: dict[str, Any]) -> dict[str, Any]:
        sent.errors.clear()
        after = writing.written(Minutes.model_validate(before), sent, table.known, table.now)
        if sent.value("do") == "all" and table.sitting:
            came = {seat.name: table.sitting.mode for seat in unsaid(replace(table, minutes=after).seats)}
            after = after.model_copy(update={"came": {**after.came, **came}})
        kept.append(after.model_copy(update={"by": by.id, "at": table.now}))
        return kept[-1].model_dump(mode="json")

    try:
        await write_minutes(store, table.case.reference, table.which, by, change)
    except NotWritten as problem:
        sent.errors["text"] = f"{problem}."
        return table
    return replace(table, minutes=kept[-1])


async def _of_another(request: Request, agenda: Agenda, table: Table, sent: Filled, by: Actor) -> Response:
    """What was written for another sitting than the one that is held now: it stays with the one it was written for. Where that is
    over, what is in no record stands on the page, and can be added to the case."""
    which, referral, store = sent.value("held"), table.case.referral, request.app.state.store
    what = left_over.what_of(which)
    demand(by, left_over.RECORDS[what])
    waits = which == MEETING and not referral.meeting_held and referral.open
    if not waits:  # who came is as the record says
        sent = Filled({name: values for name, values in sent.values.items() if not name.startswith("came.")})
    theirs = replace(table, sitting=sitting_as(what, referral, table.profile), which=which, minutes=Minutes())
    if waits or which in table.over:
        theirs = await _saved(store, theirs, sent, by)
    else:
        theirs = replace(theirs, minutes=writing.written(Minutes(), sent, theirs.known, table.now))
    found = await _left(request, theirs, by, sent)
    if not found.text and not waits:
        await settle_minutes(store, table.case.reference, which, by, lambda answers: {})
        if sent.value("do") == "record":  # pressed twice
            return RedirectResponse(f"{agenda.path_of(table.case.reference)}&at=recorded", 303)
    why = left_over.is_kept(which) if waits else left_over.is_over(which, which in table.over, bool(found.text))
    left = replace(found, why=why, waits=waits, late=True)
    return await _page(request, agenda, table, by, Filled(), 409, left=[left])


async def _left(request: Request, table: Table, by: Actor, sent: Filled) -> LeftOver:
    """What is in the minutes of a table, or was just sent, and in no record."""
    items = await read_items(request.app.state.store, table.case, by)
    said = [item["content"] for item in items if item["content"] and not item["fields"]]
    minutes = left_over.unrecorded(table.minutes, said, table.profile)
    written = table.minutes.at.isoformat() if table.minutes.at else ""
    text = left_over.words_of(minutes, sent, table.profile)
    return LeftOver(table.which, text, left_over.came_later(table.which), written)


async def _found_later(request: Request, table: Table, by: Actor) -> list[LeftOver]:
    """What is left over of the sittings that are over: of the meeting, and of the latest strategy discussion."""
    store, reference = request.app.state.store, table.case.reference
    found = []
    for which in dict.fromkeys((*table.over[:1], *table.over[-1:])):
        minutes = Minutes.model_validate(await read_minutes(store, reference, which, by))
        found.append(await _left(request, replace(table, which=which, minutes=minutes), by, Filled()))
    return [each for each in found if each.text]


async def _noted(request: Request, agenda: Agenda, table: Table, sent: Filled, by: Actor) -> Response:
    """What was left over becomes a note to the case; what somebody wrote meanwhile is left."""
    store, reference, which = request.app.state.store, table.case.reference, sent.value("held")
    left = LeftOver(which, sent.value("note"), left_over.came_later(which), sent.value("written"))
    note = recorded.given({"kind": "add_note"}, left.text, table.case.referral.version)
    if not left.text:
        note = "Write what is to be added to the case"
    if isinstance(note, str):
        sent.errors["note"] = note
        return await _page(request, agenda, table, by, sent, 422, left=[left])
    key = sent.value("key")[:MOST_OF_A_KEY]
    try:
        answer = await recorded.record(store, reference, note, (), by, key or secrets.token_urlsafe(16))
    except KeyReused as reused:
        sent.errors["note"] = in_words(reused)
        return await _page(request, agenda, table, by, sent, 409, left=[left])
    if answer.status >= 400:
        sent.errors["note"] = answer_in_words(answer.body, by, table.profile)
        return await _page(request, agenda, table, by, sent, answer.status, left=[left])

    def later(answers: Answers) -> Answers:
        at = Minutes.model_validate(answers).at
        return answers if at and at.isoformat() != left.written else {}

    if which in table.over:
        await settle_minutes(store, reference, which, by, later)
    return RedirectResponse(f"{agenda.path_of(reference)}&at=noted", 303)


async def _recorded(request: Request, agenda: Agenda, table: Table, sent: Filled, by: Actor) -> Response:
    """The record, or what is missing for it at the fields that it is about."""
    store, case, sitting, minutes = request.app.state.store, table.case, table.sitting, table.minutes
    assert sitting is not None  # asked by whoever calls
    speaks, referral = sent.value("speaks"), case.referral
    sent.errors |= recorded.lacking(sitting, table.seats, minutes, referral, table.now)
    if sent.errors:
        return await _page(request, agenda, table, by, sent, 422, speaks=speaks)
    command, words = recorded.command_of(sitting, table.seats, minutes, referral, table.profile, table.now)
    seen = int(sent.value("seen")) if sent.value("seen").isdecimal() else 1
    given = recorded.given(command, words, seen)
    if isinstance(given, str):
        sent.errors["text"] = given
        return await _page(request, agenda, table, by, sent, 422, speaks=speaks)
    key = sent.value("key")[:MOST_OF_A_KEY]
    try:
        answer = await recorded.record(store, case.reference, given, minutes.actions, by, key or secrets.token_urlsafe(16))
    except KeyReused as reused:
        sent.errors[""] = in_words(reused)
        return await _page(request, agenda, table, by, sent, 409, speaks=speaks)
    if answer.status < 400:

        def left(answers: Answers) -> Answers:
            rest = left_over.since(Minutes.model_validate(answers), minutes)
            return rest.model_dump(mode="json") if rest.came or rest.views or rest.actions or rest.why else {}

        await settle_minutes(store, case.reference, table.which, by, left)
        return RedirectResponse(f"{agenda.path_of(case.reference)}&at=recorded", 303)
    place = recorded.place_of(answer.body, sitting, table.seats, minutes, referral.rating)
    sent.errors[place] = answer_in_words(answer.body, by, table.profile)
    return await _page(request, agenda, table, by, sent, answer.status, speaks=speaks, seen=answer.body.get("version", 0))


async def _page(
    request: Request,
    agenda: Agenda,
    table: Table,
    by: Actor,
    sent: Filled,
    status: int = 200,
    *,
    speaks: str = "",
    at: str = "",
    seen: int = 0,
    left: Sequence[LeftOver] = (),
) -> HTMLResponse:
    """The page as it stands now. A key stands for one answer: whatever was answered by it is not sent again under it."""
    store, case, referral = request.app.state.store, table.case, table.case.referral
    items = await read_items(store, case, by)
    acts = await possible(store, case, by)
    people = people_of(items, referral, table.now)
    if not left and (table.sitting is None or at == "recorded"):
        left = await _found_later(request, table, by)
    known: dict[str, Any] = {
        **await _place(request, agenda, case, by),
        "reference": case.reference,
        "case": {**brief(case, store.rules(referral)), "orders": referral.orders},
        "earlier": await earlier(store, case, by),
        "rules": table.profile,
        "heading": heading_of(people),
        "called": {person.subject: person.name for person in people},
        "safe": safe_contact_of(items, referral),
        "hub_reads": True,
        "warned": [each for each in referral.warnings if each not in (SAFE_CONTACT, NOT_TO_TELL)],
        "filled": sent,
        "sitting": table.sitting,
        "acts": [kind for kind in ACTS if kind in acts],
        "product": bool(referral.held) and may(by.role, "read_information_product"),
        "at": at,
        "here": WHERE,
        "at_time": lambda moment: at_time(moment, table.now),
        "here_path": agenda.path_of(case.reference),
        "left_over": left,
        "may_note": "add_note" in acts,
        "key": secrets.token_urlsafe(16),
    }
    if table.sitting is None:
        words = [item for item in items if item["kind"] in ("record_meeting", "record_strategy_discussion")]
        tasks = {item["item"]: item["content"] for item in items if item["view"] == "whole"}
        known |= {"recorded_items": words, "actions": referral.actions, "tasks": tasks}
        known |= {"doer": lambda name: _owner(name, table.profile)}
        return page(request, "meeting.html", f"Meeting, {case.reference}", status, **known)
    known |= {"seen": seen or sent.value("seen") or referral.version, "held": table.which}
    known |= await _form(request, table, by, sent, speaks, acts)
    return page(request, "meeting.html", f"{table.sitting.title}, {case.reference}", status, **known)


async def _form(request: Request, table: Table, by: Actor, sent: Filled, speaks: str, acts: Sequence[str]) -> dict[str, Any]:
    """What the form of the minutes shows."""
    store, referral, sitting, profile = request.app.state.store, table.case.referral, table.sitting, table.profile
    assert sitting is not None  # asked by whoever calls
    some, minutes = table.seats, table.minutes
    # Whom nobody has said anything of may speak too: a discussion begins before its table is filled in.
    speakers = list(dict.fromkeys((*(seat.name for seat in some if seat.came not in NOT_HERE), *minutes.views)))
    open_ones = [name for name in speakers if name not in minutes.views]
    speaks = speaks if speaks in table.known["could_come"] else next(iter(open_ones), "")
    after = speakers[speakers.index(speaks) + 1 :] if speaks in speakers else []
    onward = next((name for name in (*after, *open_ones) if name in open_ones and name != speaks), "")
    released = [line for line in await information_product(store, table.case, by) if line["agency"] == speaks]
    titles = {name: sentence(agency_title(profile, name)) for name in table.known["could_come"]}
    return {
        "seats": some,
        "unsaid": unsaid(some),
        "by_name": any(seat.who for seat in some),
        "short": in_short(some),
        "titles": titles,
        "others": [name for name in table.known["could_come"] if name not in {seat.name for seat in some}],
        "minutes": minutes,
        "speakers": speakers,
        "speaks": speaks,
        "onward": onward,
        "silent": [seat.name for seat in some if seat.name not in speakers and seat.name != speaks],
        "answered": answered(referral.checks.get(speaks), table.now, profile) if speaks else "",
        "released": released,
        "cut": CUT,
        "doers": _choices(table),
        "doer": lambda each: writing.doer(each, profile),
        "ratings": _ratings(table, by, acts),
        "rated": minutes.rating or referral.rating or "",
        "held_on": minutes.held_on or (_day_before(table) or ""),
        "too_early": bool(sitting.at and sitting.at > table.now and not minutes.held_on),
        "may_record": sitting.kind in acts,
        "in_the_way": in_the_way(referral, profile),
        "asked": _asked(table, by),
        "said": Filled({name: [getattr(minutes, name)] for name in writing.SAID}, sent.errors),
        "why_missing": any(seat.must and seat.came in NOT_HERE for seat in some),
        "longest": writing.LONGEST_VIEW,
    }


async def _place(request: Request, agenda: Agenda, case: Case, by: Actor) -> dict[str, Any]:
    """Where it stands on the agenda, and which is next."""
    references = [each.reference for each in agenda.cases]
    place = references.index(case.reference) + 1 if case.reference in references else 0
    following = agenda.cases[place] if place < len(agenda.cases) else None
    known: dict[str, Any] = {"agenda": agenda, "place": place, "number": len(references), "following": None}
    if following is not None:
        called = await called_on(request, [following], by)
        next_at = held_next_at(following.referral)
        known["following"] = {"who": called[following.reference], "at": next_at, "path": agenda.path_of(following.reference)}
    return known


def _owner(name: str, profile: Profile) -> str:
    """Who can be given something to do, in words."""
    named_there = name in profile.agencies or name in profile.invited
    return sentence(agency_title(profile, name)) if named_there else sentence(name, profile)


def _choices(table: Table) -> list[tuple[str, list[tuple[str, str]]]]:
    """Who can do something, in groups: agencies and others, roles of the hub, colleagues by name."""
    profile, doers = table.profile, table.doers
    around = {seat.name for seat in table.seats}
    there = [name for name in doers if name in around]
    others = [name for name in doers if name not in around and (name in profile.agencies or name in profile.invited)]
    roles = [name for name, (owner, login) in doers.items() if login is None and name not in (*there, *others)]
    people = [name for name, (_, login) in doers.items() if login]
    groups = (("At the meeting", there), ("Others", others), ("The hub", roles))
    named_groups = [(title, [(name, _owner(name, profile)) for name in names]) for title, names in groups if names]
    by_name = [(name, f"{doers[name][1]}, {_owner(doers[name][0], profile)}") for name in people]
    return [*named_groups, *([("Colleagues", by_name)] if by_name else [])]


def _ratings(table: Table, by: Actor, acts: Sequence[str]) -> list[tuple[str, str]]:
    """The ratings from which somebody may choose; the present one alone where the rating is others' to change."""
    referral, profile = table.case.referral, table.profile
    if table.sitting is None or table.sitting.what != "meeting":
        return []
    second = profile.meeting.second_rating and by.role == profile.meeting.chair
    offered = {name: rating.title for name, rating in sorted(profile.ratings.items(), key=lambda each: -each[1].severity)}
    if not (second or "rerate_referral" in acts):
        offered = {name: title for name, title in offered.items() if name == referral.rating}
    return list(offered.items())


def _day_before(table: Table) -> str:
    """The day for which it was planned, where that is over: it is recorded later."""
    planned = table.sitting.at if table.sitting else None
    return f"{day_of(planned):%Y-%m-%d}" if planned and day_of(planned) < day_of(table.now) else ""


def _asked(table: Table, by: Actor) -> dict[str, forms.Asked]:
    """What is asked of a strategy discussion besides, as its own form asks it."""
    if table.sitting is None or table.sitting.what == "meeting":
        return {}
    wanted = {"outcome", "without_quorum", "same_child"}
    if table.profile.strategy_discussion.joint_or_single:
        wanted.add("enquiry")
    asked = forms.fields_of(table.sitting.kind, table.case.referral, table.profile, by)
    # They are shown where they are needed, and not otherwise.
    return {each.name: replace(each, needed=True) for each in asked if each.name in wanted}
