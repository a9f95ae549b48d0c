"""The page of a meeting as it stands: who is to come, what they say, and what is left over of what is over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from mash.api.pages import forms
from mash.api.pages.filled import Filled
from mash.api.pages.meetings import minutes as writing
from mash.api.pages.meetings.agenda import WHERE, Agenda, called_on
from mash.api.pages.meetings.left_over import LeftOver, found_later
from mash.api.pages.meetings.sitting import (
    NOT_HERE,
    answered,
    at_time,
    in_short,
    in_the_way,
    unsaid,
)
from mash.api.pages.meetings.table import Table, owner
from mash.api.pages.page import page
from mash.api.pages.summary import SAFE_CONTACT, heading_of, people_of, safe_contact_of
from mash.api.routes.cases import brief
from mash.config.permissions import may
from mash.config.words import agency_title, sentence
from mash.flows.store.reads.agenda import held_next_at
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.earlier import earlier
from mash.flows.store.reads.items import information_product, read_items
from mash.flows.store.reads.look import possible
from mash.states.clocks import day_of
from mash.states.referral import NOT_TO_TELL
from mash.states.values import Actor

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


async def shown(
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
        left = await found_later(request, table, by)
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
        known |= {"doer": lambda name: owner(name, table.profile)}
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


def _choices(table: Table) -> list[tuple[str, list[tuple[str, str]]]]:
    """Who can do something, in groups: agencies and others, roles of the hub, colleagues by name."""
    profile, doers = table.profile, table.doers
    around = {seat.name for seat in table.seats}
    there = [name for name in doers if name in around]
    others = [name for name in doers if name not in around and (name in profile.agencies or name in profile.invited)]
    roles = [name for name, (owner, login) in doers.items() if login is None and name not in (*there, *others)]
    people = [name for name, (_, login) in doers.items() if login]
    groups = (("At the meeting", there), ("Others", others), ("The hub", roles))
    named_groups = [(title, [(name, owner(name, profile)) for name in names]) for title, names in groups if names]
    by_name = [(name, f"{doers[name][1]}, {owner(doers[name][0], profile)}") for name in people]
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
