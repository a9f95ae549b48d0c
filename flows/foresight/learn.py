"""What a simulation goes by, learnt from a hub's log and from who looked when; each input with what it rests on.

Waiting times are estimates of survival (Kaplan and Meier): who never answered counts for as long as they were seen not to.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median
from typing import Any

from pydantic import ValidationError

from mash.flows.foresight.inputs import ASSUMED, FEWEST, PATIENT, SOME_MINUTES, Inputs, Learnt, Past, Waiting
from mash.flows.foresight.measures import Went, moment, went_as_stored
from mash.flows.foresight.passage import ATTACHING, BEFORE
from mash.states.acts.contact import ReceiveContact
from mash.states.clocks import LONDON, Calendar
from mash.states.profile import Profile
from mash.states.referral import whose

MOSTLY = 0.8
"""From this share on, what comes while the hub is open is counted in its opening hours."""
FINEST = 1000
"""Steps of an estimate that are kept, at most."""
STEPS = {
    "referral_rated": "triage",
    "decision_recorded": "decision",
    "decision_proposed": "decision",
    "consultation_concluded": "consultation",
    "not_ours_confirmed": "to_confirm_not_ours",
    "contact_taken": "to_confirm_not_ours",
    "contact_attached": ATTACHING,
}
"""Which work an event is the end of."""
SIGN_OFF = "sign_off"
"""The work of whoever records a decision that another has proposed."""
A_LOOK = 0.5
"""Minutes: where half the acts follow the opening of the case sooner than this, whoever gave them had read it elsewhere, and how
long they worked is not on record."""
CODES = (
    "contact", "source", "source_agency", "subjects", "primary_need", "factors", "categories", "place", "family_known",
    "immediate_danger", "consent",
)  # fmt: skip
"""What is taken over of a contact that was received."""
KINDS = (
    "contact_received", "stage_entered", "referral_rated", "referral_rerated", "consultation_concluded", "not_ours_confirmed",
    "contact_attached", "decision_recorded",
)  # fmt: skip
"""The events that are read."""
RATED = ("referral_rated", "referral_rerated")


@dataclass
class Spell:
    """How long something was waited for, from when until when, and whether it came; else it was last seen to wait then."""

    since: datetime
    until: datetime
    came: bool


Events = Sequence[tuple[datetime, dict[str, Any]]]


@dataclass
class Record:
    """What is on record of a hub until a moment, as far as something is learnt from it; what came later is not known yet."""

    profile: Profile
    until: datetime
    past: list[Past] = field(default_factory=list)
    went: list[Went] = field(default_factory=list)
    replies: defaultdict[str, list[Spell]] = field(default_factory=lambda: defaultdict(list))
    """By agency; and by agency and rating."""
    patience: list[Spell] = field(default_factory=list)
    stages: defaultdict[str, list[Spell]] = field(default_factory=lambda: defaultdict(list))
    """By stage; and by stage and rating."""
    minutes: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By what was done."""
    unread: int = 0
    """Contacts of which the log has what the rules do not take any more."""

    def case(self, state: dict[str, Any], events: Events) -> None:
        """A case as it is stored, and those of its events that are read. One that came in later is not known."""
        if moment(state["received_at"]) >= self.until:
            return
        events = [(at, event) for at, event in events if at <= self.until]
        self.went.append(went_as_stored(state))
        try:
            self.past.append(self._past(state, events))
        except (ValidationError, KeyError, StopIteration):
            self.unread += 1
        rating = next((event["rating"] for _, event in reversed(events) if event["kind"] in RATED), None)
        self._replies(state, rating)
        entered = [(at, event["stage"]) for at, event in events if event["kind"] == "stage_entered"]
        for place, (at, stage) in enumerate(entered):
            last = place + 1 == len(entered)
            if stage in BEFORE:
                _add(self.stages, stage, rating, Spell(at, self.until if last else entered[place + 1][0], not last))

    def took(self, kind: str, at: datetime, minutes: float, *, signs: bool) -> None:
        """How long somebody was at a case before an act, which signs off another's decision or is their own."""
        if at <= self.until:
            self.minutes[SIGN_OFF if signs else STEPS[kind]].append(minutes)

    def _known(self, written: str | None) -> datetime | None:
        """A moment as it is stored; None where it is none, or had not come yet."""
        at = moment(written) if written else None
        return at if at and at <= self.until else None

    def _past(self, state: dict[str, Any], events: Events) -> Past:
        """The pattern of a case. Raises KeyError, StopIteration or ValidationError where the log has it otherwise than today's
        rules."""
        first = {kind: next(((at, event) for at, event in events if event["kind"] == kind), None) for kind in KINDS}
        received = next(event for _, event in events if event["kind"] == "contact_received")
        codes = {name: received[name] for name in CODES if received.get(name) is not None}
        rated, decided, attached = (first[kind] for kind in ("referral_rated", "decision_recorded", "contact_attached"))
        again = [(at, event["rating"]) for at, event in events if event["kind"] == "referral_rerated"]
        subjects = [subject["id"] for subject in received["subjects"]]
        asked = (agency for agency, check in state.get("checks", {}).items() if self._known(check["requested_at"]))
        stages = [event["stage"] for at, event in events if event["kind"] == "stage_entered" and attached and at < attached[0]]
        return Past(
            contact=ReceiveContact.model_validate_json(json.dumps(codes)),
            not_taken=first["not_ours_confirmed"] is not None,
            advice=any(event["outcome"] == "advice" for _, event in events if event["kind"] == "consultation_concluded"),
            attached=next((stage for stage in reversed(stages) if stage in BEFORE), "triage") if attached else None,
            rating=rated[1]["rating"] if rated else None,
            rerated=tuple(((at - rated[0]).total_seconds() / 3600, rating) for at, rating in again if rated),
            asked=tuple(asked),
            outcomes={sid: outcome for sid, outcome in decided[1]["outcomes"].items() if sid in subjects} if decided else {},
        )

    def _replies(self, state: dict[str, Any], rating: str | None) -> None:
        clocks = {whose(clock["id"]): clock for clock in state["clocks"].values() if clock["kind"] == "check"}
        late, gone_on = list[datetime](), list[datetime]()
        seen = list[datetime]()
        for agency, check in state.get("checks", {}).items():
            asked, clock = self._known(check["requested_at"]), clocks.get(agency, {})
            answered, over = self._known(check.get("answered_at")), self._known(clock.get("ended_at"))
            if asked is None:
                continue
            waited_until = answered or over or self.until
            if waited_until > asked:
                _add(self.replies, agency, rating, Spell(asked, waited_until, answered is not None))
            closed = over if check.get("closed_without_reply") else None
            if clock and (closed or waited_until) > moment(clock["due_at"]):
                late.append(moment(clock["due_at"]))
                seen.append(closed or waited_until)
                gone_on += [closed] if closed else []
        if late:
            self.patience.append(Spell(min(late), max(gone_on or seen), bool(gone_on)))

    def inputs(self, since: datetime) -> Inputs:
        """What was learnt of these weeks."""
        calendar = self.profile.calendar
        replies = {name: waiting_of(spells, calendar) for name, spells in sorted(self.replies.items()) if len(spells) >= FEWEST}
        together = [spell for name, spells in self.replies.items() if ":" not in name for spell in spells]
        stages = {name: waiting_of(spells, calendar) for name, spells in self.stages.items() if _enough(name, spells)}
        inputs = Inputs(
            hub=self.profile.name, since=since, until=self.until, past=tuple(self.past), replies=replies,
            any_reply=waiting_of(together, calendar) if together else None,
            patience=waiting_of(self.patience, calendar) if len(self.patience) >= FEWEST else PATIENT,
            stages=stages, minutes={work: quantiles(some) for work, some in sorted(self.minutes.items()) if measured_of(some)},
        )  # fmt: skip
        return inputs.model_copy(update={"learnt": tuple(self._rests_on(inputs))})

    def _rests_on(self, inputs: Inputs) -> Iterator[Learnt]:
        rated = sum(past.rating is not None for past in self.past)
        yield _learnt("ratings and outcomes", rated, "each contact goes as one of these did, wherever that does not hang on time")
        if self.unread:
            says = "what the log has of them, today's rules do not take"
            yield Learnt(what="contacts left out", basis="missing", counted=self.unread, says=says)
        yield from (self._answers(name, agency.title) for name, agency in self.profile.agencies.items())
        yield self._patience()
        done = (work for work in (*ASSUMED, *sorted(self.minutes)) if work in ("triage", "decision") or work in self.minutes)
        yield from (self._minutes(work) for work in dict.fromkeys(done))

    def _answers(self, agency: str, title: str) -> Learnt:
        spells, what = self.replies.get(agency, []), f"answers of {title}"
        if len(spells) < FEWEST:
            says = f"fewer than {FEWEST} on record: it is assumed to answer as all agencies together do"
            return Learnt(what=what, basis="assumed", counted=len(spells), says=says)
        came = sum(spell.came for spell in spells)
        says = f"{came} came; {len(spells) - came} had not when last waited for, and count as that"
        return Learnt(what=what, basis="learnt", counted=len(spells), says=says)

    def _patience(self) -> Learnt:
        seen, what = len(self.patience), "going on without answers"
        if seen < FEWEST:
            says = f"fewer than {FEWEST} on record: {PATIENT.hours[0]:g} of the hub's hours after the first was late are assumed"
            return Learnt(what=what, basis="assumed", counted=seen, says=says)
        return Learnt(what=what, basis="learnt", counted=seen, says="from when the first was late until the hub went on")

    def _minutes(self, work: str) -> Learnt:
        some, what = self.minutes.get(work, []), f"minutes of {work.replace('_', ' ')}"
        if measured_of(some):
            says = "from opening the case to the act: telephone calls before it, and other work, are not in it"
            return Learnt(what=what, basis="learnt", counted=len(some), says=says)
        why = f"fewer than {FEWEST} on record" if len(some) < FEWEST else "half were given as soon as the case was opened"
        says = f"{why}: {ASSUMED.get(work, SOME_MINUTES):g} minutes are assumed"
        return Learnt(what=what, basis="assumed", counted=len(some), says=says)


def measured_of(minutes: Sequence[float]) -> bool:
    """Whether it is on record how long such work takes: often enough, and not only that a case was opened to act on it."""
    return len(minutes) >= FEWEST and median(minutes) >= A_LOOK


def _add(spells: defaultdict[str, list[Spell]], name: str, rating: str | None, spell: Spell) -> None:
    spells[name].append(spell)
    if rating:
        spells[f"{name}:{rating}"].append(spell)


def _enough(name: str, spells: Sequence[Spell]) -> bool:
    """What is known in all; and by rating where enough is on record of it."""
    return ":" not in name or len(spells) >= FEWEST


def _learnt(what: str, counted: int, says: str) -> Learnt:
    return Learnt(what=what, basis="learnt" if counted >= FEWEST else "missing", counted=counted, says=says)


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


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """The values in their order; where there are many, the middle one of each of 1,000 parts."""
    ordered = sorted(values)
    kept = min(FINEST, len(ordered))
    return tuple(ordered[int((place + 0.5) * len(ordered) / kept)] for place in range(kept))
