"""What a simulation goes by, learnt from a hub's log, from who looked when, and from its rota; each input with what it rests on.

Waiting times are estimates of survival (Kaplan and Meier): who never answered counts for as long as they were seen not to.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from pydantic import ValidationError

from mash.flows.foresight.inputs import ASSUMED, FEWEST, HOURS, SOME_MINUTES, Inputs, Learnt, Past, Turn, Waiting
from mash.flows.foresight.measures import Went, moment, went_as_stored
from mash.flows.foresight.passage import BEFORE
from mash.notifications.rota import Rota
from mash.states.acts.contact import ReceiveContact
from mash.states.clocks import LONDON, Calendar
from mash.states.profile import Profile
from mash.states.referral import whose

WEEK = timedelta(weeks=1)
MOSTLY = 0.8
"""From this share on, what comes while the hub is open is counted in its opening hours."""
FINEST = 200
"""Steps of an estimate that are kept, at most."""
STEPS = {
    "referral_rated": "triage",
    "decision_recorded": "decision",
    "decision_proposed": "decision",
    "consultation_concluded": "consultation",
    "not_ours_confirmed": "to_confirm_not_ours",
    "contact_taken": "to_confirm_not_ours",
}
"""Which stage's work an event is the end of."""
CODES = (
    "contact", "source", "source_agency", "subjects", "primary_need", "factors", "categories", "place", "family_known",
    "immediate_danger", "consent",
)  # fmt: skip
"""What is taken over of a contact that was received."""
KINDS = ("contact_received", "stage_entered", "referral_rated", "referral_rerated", "consultation_concluded")
"""The events that are read."""


@dataclass
class Spell:
    """How long something was waited for, from when until when, and whether it came; else it was last seen to wait then."""

    since: datetime
    until: datetime
    came: bool


@dataclass
class Record:
    """What is on record of a hub, as far as something is learnt from it."""

    profile: Profile
    until: datetime
    past: list[Past] = field(default_factory=list)
    went: list[Went] = field(default_factory=list)
    received: list[datetime] = field(default_factory=list)
    replies: defaultdict[str, list[Spell]] = field(default_factory=lambda: defaultdict(list))
    """By agency; and by agency and rating."""
    patience: list[Spell] = field(default_factory=list)
    stages: defaultdict[str, list[Spell]] = field(default_factory=lambda: defaultdict(list))
    """By stage; and by stage and rating."""
    minutes: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    unread: int = 0
    """Contacts of which the log has what the rules do not take any more."""

    def case(self, state: dict[str, Any], events: Sequence[tuple[datetime, dict[str, Any]]]) -> None:
        """A case as it is stored, and those of its events that are read."""
        received = moment(state["received_at"])
        self.received.append(received)
        self.went.append(went_as_stored(state))
        try:
            self.past.append(_past(state, events))
        except (ValidationError, KeyError):
            self.unread += 1
        self._replies(state)
        entered = [(at, event["stage"]) for at, event in events if event["kind"] == "stage_entered"]
        for place, (at, stage) in enumerate(entered):
            last = place + 1 == len(entered)
            if stage in BEFORE:
                _add(self.stages, stage, state, Spell(at, self.until if last else entered[place + 1][0], not last))

    def _replies(self, state: dict[str, Any]) -> None:
        clocks = {whose(clock["id"]): clock for clock in state["clocks"].values() if clock["kind"] == "check"}
        late = list[Spell]()
        for agency, check in state.get("checks", {}).items():
            clock = clocks.get(agency, {})
            answered, over = check.get("answered_at"), clock.get("ended_at")
            asked, seen = moment(check["requested_at"]), moment(answered or over) if answered or over else self.until
            if seen > asked:
                _add(self.replies, agency, state, Spell(asked, seen, bool(answered)))
            if clock and seen > moment(clock["due_at"]):
                late.append(Spell(moment(clock["due_at"]), seen, bool(check.get("closed_without_reply"))))
        if late:
            first = min(spell.since for spell in late)
            gone_on = [spell.until for spell in late if spell.came]
            self.patience.append(Spell(first, max(gone_on, default=max(spell.until for spell in late)), bool(gone_on)))

    def inputs(self, rota: Rota, since: datetime) -> Inputs:
        """What was learnt of these weeks."""
        calendar = self.profile.calendar
        replies = {name: waiting_of(spells, calendar) for name, spells in _known(self.replies)}
        stages = {name: waiting_of(spells, calendar) for name, spells in _known(self.stages)}
        enough = {stage: some for stage, some in self.minutes.items() if len(some) >= FEWEST}
        inputs = Inputs(
            hub=self.profile.name, since=since, until=self.until, arrivals=arrivals(self.received, since, self.until),
            past=tuple(self.past), replies=replies, patience=waiting_of(self.patience, calendar),
            stages=stages,
            minutes={stage: quantiles(some) for stage, some in sorted(enough.items())},
            turns=turns(rota, calendar, self.until - 13 * WEEK, self.until),
        )  # fmt: skip
        return inputs.model_copy(update={"learnt": tuple(self._rests_on(inputs))})

    def _rests_on(self, inputs: Inputs) -> Iterator[Learnt]:
        weeks = round((inputs.until - inputs.since) / WEEK)
        yield _learnt("contacts", len(self.received), f"by the hour of the week, over {weeks} weeks; no holidays are told apart")
        rated = sum(past.rating is not None for past in self.past)
        yield _learnt("ratings and outcomes", rated, "each contact goes as one of these did, wherever that does not hang on time")
        if self.unread:
            says = "what the log has of them, today's rules do not take"
            yield Learnt(what="contacts left out", basis="missing", counted=self.unread, says=says)
        for agency, waiting in inputs.replies.items():
            if ":" in agency:
                continue
            title = self.profile.agencies[agency].title if agency in self.profile.agencies else agency
            says = f"{waiting.came} came; {waiting.asked - waiting.came} had not when last waited for, and count as that"
            yield _learnt(f"answers of {title}", waiting.asked, says)
        yield _learnt("going on without answers", len(self.patience), "from when the first was late until the hub went on")
        yield from (self._minutes(stage) for stage in ("triage", "decision"))
        yield _people(inputs.turns)

    def _minutes(self, stage: str) -> Learnt:
        seen, what = len(self.minutes[stage]), f"minutes of {stage}"
        if seen >= FEWEST:
            says = "from opening the case to the act: telephone calls before it, and other work, are not in it"
            return Learnt(what=what, basis="learnt", counted=seen, says=says)
        minutes = ASSUMED.get(stage, SOME_MINUTES)
        says = f"fewer than {FEWEST} on record: {minutes:g} minutes are assumed"
        return Learnt(what=what, basis="assumed", counted=seen, says=says)


def _add(spells: defaultdict[str, list[Spell]], name: str, state: dict[str, Any], spell: Spell) -> None:
    spells[name].append(spell)
    if state.get("rating"):
        spells[f"{name}:{state['rating']}"].append(spell)


def _known(spells: dict[str, list[Spell]]) -> list[tuple[str, list[Spell]]]:
    """What is known in all; and by rating where enough is on record of it."""
    return sorted((name, some) for name, some in spells.items() if ":" not in name or len(some) >= FEWEST)


def _people(turns: Sequence[Turn]) -> Learnt:
    roles = sorted({turn.role for turn in turns})
    if not roles:
        says = "nobody is in the rota: acts take as long as they took, and more people change nothing"
        return Learnt(what="people", basis="missing", counted=0, says=says)
    says = f"of the last 13 weeks' rota, repeated: {', '.join(roles).replace('_', ' ')}"
    return Learnt(what="people", basis="learnt", counted=len({turn.person for turn in turns}), says=says)


def _learnt(what: str, counted: int, says: str) -> Learnt:
    return Learnt(what=what, basis="learnt" if counted >= FEWEST else "missing", counted=counted, says=says)


def _past(state: dict[str, Any], events: Sequence[tuple[datetime, dict[str, Any]]]) -> Past:
    """The pattern of a case. Raises KeyError or ValidationError where the log has it otherwise than today's rules."""
    received = next(event for _, event in events if event["kind"] == "contact_received")
    codes = {name: received[name] for name in CODES if received.get(name) is not None}
    rated = next((at for at, event in events if event["kind"] == "referral_rated"), None)
    again = [(at, event["rating"]) for at, event in events if event["kind"] == "referral_rerated"]
    ways = [event["outcome"] for _, event in events if event["kind"] == "consultation_concluded"]
    outcomes = tuple(state.get("outcomes", {}).values())
    return Past(
        contact=ReceiveContact.model_validate_json(json.dumps(codes)),
        not_taken=state["stage"] == "not_taken",
        advice="advice" in ways,
        rating=state.get("first_rating"),
        rerated=tuple(((at - rated).total_seconds() / 3600, rating) for at, rating in again if rated),
        asked=tuple(state.get("checks", {})),
        outcome=outcomes[0] if outcomes else None,
    )


def waiting_of(spells: Sequence[Spell], calendar: Calendar) -> Waiting:
    """How long something is waited for, by how long it was."""
    came = [spell for spell in spells if spell.came]
    while_open = bool(came) and sum(calendar.is_open(spell.until) for spell in came) >= MOSTLY * len(came)
    lasted = [(_hours(spell, calendar if while_open else None), spell.came) for spell in spells]
    steps = still_waiting(lasted)
    if len(steps) > FINEST:
        steps = [steps[round(place * (len(steps) - 1) / (FINEST - 1))] for place in range(FINEST)]
    return Waiting(
        hours=tuple(hours for hours, _ in steps), still=tuple(share for _, share in steps), while_open=while_open,
        asked=len(spells), came=len(came),
    )  # fmt: skip


def still_waiting(lasted: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """The product-limit estimate: after how long which share is still waited for. `lasted` is how long each was waited for, and
    whether it came."""
    found, waiting, share = list[tuple[float, float]](), len(lasted), 1.0
    for hours, together in groupby(sorted(lasted), key=lambda one: one[0]):
        each = [came for _, came in together]
        if any(each):
            share *= 1 - sum(each) / waiting
            found.append((hours, share))
        waiting -= len(each)
    return found


def _hours(spell: Spell, calendar: Calendar | None) -> float:
    """How long it lasted: by the wall, or in the hub's opening hours."""
    if calendar is None:
        return (spell.until - spell.since).total_seconds() / 3600
    day, total = spell.since.astimezone(LONDON).date() - timedelta(days=1), timedelta(0)
    while day <= spell.until.astimezone(LONDON).date():
        for opens, closes in calendar.open_on(day):
            total += max(timedelta(0), min(closes, spell.until) - max(opens, spell.since))
        day += timedelta(days=1)
    return total.total_seconds() / 3600


def arrivals(received: Sequence[datetime], since: datetime, until: datetime) -> tuple[float, ...]:
    """How many come in each hour of the week, on average of these weeks."""
    local = (at.astimezone(LONDON) for at in received if since <= at < until)
    counts = Counter(at.weekday() * 24 + at.hour for at in local)
    weeks = max(1.0, (until - since) / WEEK)
    return tuple(counts[hour] / weeks for hour in range(HOURS))


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """The values in their order, thinned where there are many."""
    ordered = sorted(values)
    kept = min(FINEST, len(ordered))
    return tuple(ordered[int(place * len(ordered) / kept)] for place in range(kept))


def turns(rota: Rota, calendar: Calendar, begins: datetime, ends: datetime) -> tuple[Turn, ...]:
    """Who is there, of these weeks' rota; people by number."""
    numbers: dict[str, str] = {}
    found = list[Turn]()
    for role in rota.roles:
        for person, spells in rota.stretches(role, begins, ends, calendar).items():
            number = numbers.setdefault(person, str(len(numbers) + 1))
            found += [Turn(role=role, person=number, begins=spell.begins, ends=spell.ends) for spell in spells]
    return tuple(sorted(found, key=lambda turn: turn.begins))


def repeated(turns: Sequence[Turn], begins: datetime, ends: datetime) -> tuple[Turn, ...]:
    """The turns of 13 weeks, again and again by the wall clock, so that they fill the time from `begins` to `ends`."""
    if not turns:
        return ()
    first = min(turn.begins for turn in turns).astimezone(LONDON)
    monday = (first - timedelta(days=first.weekday())).date()
    wanted = begins.astimezone(LONDON).date()
    shift = (wanted - monday).days // 91 * 91
    found = list[Turn]()
    while monday + timedelta(days=shift) <= ends.date():
        for turn in turns:
            moved = turn.model_copy(update={name: _moved(getattr(turn, name), shift) for name in ("begins", "ends")})
            if moved.ends > begins and moved.begins < ends:
                found.append(moved)
        shift += 91
    return tuple(sorted(found, key=lambda turn: turn.begins))


def _moved(at: datetime, days: int) -> datetime:
    local = at.astimezone(LONDON)
    return (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=LONDON).astimezone(at.tzinfo)
