"""A meeting is recorded: what its minutes still lack, the commands that they become, all in one, and what is refused of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.api.pages.meetings.minutes import Minutes, ToDo, in_words
from mash.api.pages.meetings.sitting import HERE, Seat, Sitting, at_time, here, unsaid
from mash.api.pages.words import when
from mash.api.permitted import demand
from mash.api.problems import answer_for
from mash.api.schemas.command import CommandGiven
from mash.api.schemas.fields import LONGEST_WORDS
from mash.config.words import worded
from mash.flows.store.apply import apply
from mash.flows.store.receipts import Answer, answer_once
from mash.flows.store.store import Store
from mash.states.acts.actions import RecordAction
from mash.states.clocks import day_of
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.register import kind_of
from mash.states.values import Actor

WHY_NOT = "Why no enquiries begin"
PLACES = {"held_on": "held_on", "enquiry": "enquiry", "without_quorum": "without_quorum", "same_child": "same_child"}
"""Where what a refusal asks for is filled in."""


def first_choice(sitting: Sitting, seat: Seat) -> str:
    """The field of the first choice about somebody: where the eye is led to."""
    return f"came.{seat.name}.{next(iter(sitting.ways))}"


def lacking(sitting: Sitting, some: Sequence[Seat], minutes: Minutes, referral: Referral, now: datetime) -> dict[str, str]:
    """What is missing or cannot be, by the field at which it is mended."""
    wrong: dict[str, str] = {}
    there = {seat.name for seat in here(some)}
    absent = [seat for seat in some if seat.must and seat.name not in there]
    if open_ones := unsaid(some):
        names = ", ".join(seat.title for seat in open_ones)
        wrong[first_choice(sitting, open_ones[0])] = f"Say who is here: {names}"
    elif not there:
        wrong[first_choice(sitting, some[0]) if some else "more"] = "Say who is here"
    elif absent and sitting.what == "meeting":
        names = ", ".join(seat.title for seat in absent)
        wrong[first_choice(sitting, absent[0])] = f"{names} must take part: say that they are here, or set another time"
    elif absent and not minutes.without_quorum:
        wrong["without_quorum"] = f"{', '.join(seat.title for seat in absent)} must take part: choose why they did not"
    if sitting.what == "meeting" and minutes.rating not in ("", referral.rating) and not minutes.why:
        wrong["why"] = "Say why the rating changes, in a sentence"
    if sitting.what == "strategy_discussion" and not minutes.outcome:
        wrong["outcome"] = "Choose what was decided"
    if sitting.what == "strategy_discussion" and minutes.outcome == "no_section_47" and not minutes.why:
        wrong["why"] = "Say why no enquiries begin, in a sentence"
    if problem := _day(sitting, minutes, referral, now):
        wrong["held_on"] = problem
    over = [each for each in minutes.actions if each.due <= now]
    if over:
        wrong["action"] = f"“{over[0].what}” was due {when(over[0].due, now)}: take it out, and add it with a time to come"
    return wrong


def _day(sitting: Sitting, minutes: Minutes, referral: Referral, now: datetime) -> str:
    try:
        held_on = date.fromisoformat(minutes.held_on) if minutes.held_on else None
    except ValueError:
        return "Enter the day it was held, such as 20 11 2026"
    if held_on is None:
        if sitting.at is None or sitting.at <= now:
            return ""
        planned = at_time(sitting.at, now)
        return f"It is to be held {planned[:1].lower()}{planned[1:]}: if it was held before, say on which day"
    if held_on > day_of(now):
        return "Enter a day that is not in the future"
    if held_on < day_of(referral.received_at):
        return f"Enter a day on or after {day_of(referral.received_at):%d %B}, when the contact was received"
    return ""


def command_of(
    sitting: Sitting, some: Sequence[Seat], minutes: Minutes, referral: Referral, profile: Profile, now: datetime
) -> tuple[dict[str, Any], str]:
    """The command that the minutes become, without its actions, and its words."""
    held = {"attended": (*HERE,), "apologies": ("apologies",), "absent": ("absent",)}
    attendance = {seat.name: came for seat in some for came, ways in held.items() if seat.came in ways}
    command: dict[str, Any] = {"kind": sitting.kind, "attendance": attendance, "mode": mode_of(sitting, some)}
    # Today is what is meant unless it is said; of what was to be held later, it has to be.
    if minutes.held_on and (minutes.held_on != f"{day_of(now)}" or (sitting.at and sitting.at > now)):
        command["held_on"] = minutes.held_on
    changes = sitting.what == "meeting" and minutes.rating not in ("", referral.rating)
    why = f"Rating changed from {worded(referral.rating, profile)} to {worded(minutes.rating, profile)}" if changes else WHY_NOT
    kept = sitting.what == "meeting" and not changes
    words = in_words(minutes.model_copy(update={"why": ""}) if kept else minutes, profile, why)
    if also := _in_other_ways(sitting, some):
        words = f"{words}\n\n{also}".strip()
    if sitting.what == "meeting":
        if minutes.rating and (profile.meeting.second_rating or minutes.rating != referral.rating):
            command["rating"] = minutes.rating
        command["dissents"] = [name for name, view in minutes.views.items() if not view.agrees]
    else:
        command["outcome"] = minutes.outcome
        missing = any(seat.must and seat not in here(some) for seat in some)
        said = {"enquiry": minutes.outcome == "section_47", "without_quorum": missing, "same_child": True}
        command |= {name: value for name, asked in said.items() if asked and (value := getattr(minutes, name))}
    return command, words


def mode_of(sitting: Sitting, some: Sequence[Seat]) -> str:
    """How it was held: face to face if anybody was in the room; else as most took part."""
    ways = [seat.came for seat in here(some)]
    if not ways or "face_to_face" in ways:
        return "face_to_face" if ways else sitting.mode
    return "telephone" if ways.count("telephone") > ways.count("virtual") else "virtual"


def _in_other_ways(sitting: Sitting, some: Sequence[Seat]) -> str:
    """Who took part in another way than the meeting was held in."""
    mode = mode_of(sitting, some)
    ways = {way: [seat.title for seat in here(some) if seat.came == way] for way in HERE if way != mode}
    return "\n".join(f"{HERE[way]}: {', '.join(titles)}" for way, titles in ways.items() if titles)


def given(command: Mapping[str, Any], words: str, seen: int) -> CommandGiven | str:
    """The command as it is given; or what is wrong with its words, which is all that can be."""
    body = {"seen": seen, "command": command, **({"words": words} if words else {})}
    try:
        return CommandGiven.model_validate(body)
    except ValidationError:
        return f"Shorten the views: together with the actions they may have {LONGEST_WORDS:,} characters"


async def record(store: Store, reference: str, meeting: CommandGiven, actions: Sequence[ToDo], by: Actor, key: str) -> Answer:
    """Record the meeting, and give each of what was agreed to whoever does it: all of it or nothing, once for each key."""

    async def work(connection: AsyncConnection) -> Answer:
        demand(by, meeting.command.kind)
        applied = await apply(connection, store, reference, meeting.command, by, seen=meeting.seen, words=meeting.words)
        for each in actions:
            demand(by, kind_of(RecordAction))
            action = RecordAction(owner=each.owner, due=each.due, login=each.login)
            applied = await apply(connection, store, reference, action, by, words=each.what)
        return Answer(200, {"reference": reference, "stage": applied.referral.stage}, reference)

    document = {
        "reference": reference,
        **meeting.model_dump(mode="json", exclude={"details"}),
        "actions": [each.model_dump(mode="json") for each in actions],
    }
    return await answer_once(store, by, key, "command", document, work, answer_for)


def place_of(refusal: Mapping[str, Any], sitting: Sitting, some: Sequence[Seat], minutes: Minutes, rating: str | None) -> str:
    """The field that a refusal is about; empty where it is about none."""
    kind, needs = str(refusal.get("type", "")).rpartition(":")[2], refusal.get("needs") or ()
    if place := next((PLACES[name] for name in needs if name in PLACES), ""):
        return place
    if kind == "QuorumNotMet" and some:
        return first_choice(sitting, some[0])
    if "same_child" in str(refusal.get("detail")):
        return "same_child"
    changes = sitting.what == "meeting" and minutes.rating not in ("", rating)
    if kind == "ReasonNeeded":
        return "why" if changes else "text"
    return "rating" if changes and kind in ("NotYours", "Incomplete", "NotInProfile") else ""
