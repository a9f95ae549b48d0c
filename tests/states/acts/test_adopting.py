"""Adopted rules hold for what runs already: a bank holiday that was proclaimed late, another length. What was moved stays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from mash.states.acts.rating import RerateReferral
from mash.states.acts.upkeep import AdoptProfile
from mash.states.clocks import Length
from mash.states.decide import decide
from mash.states.profile import Profile

from .worlds import BASIS, DUTY, Case, hub, london, rated


def adopts(case: Case, profile: Profile) -> Case:
    """The case goes on by these rules, as the store has it adopt them."""
    old = case.profile
    command = AdoptProfile(digest=profile.digest)
    known: dict[str, Any] = {"reference": case.reference, "words": case.fresh_words(), "old_rules": old}
    decision = decide(case.referral, command, profile, DUTY, case.now, **known)
    case.profile, case.state = profile, decision.after
    return case


def with_a_day_off(profile: Profile, day: date) -> Profile:
    calendar = profile.calendar.model_copy(update={"bank_holidays": (*profile.calendar.bank_holidays, day)})
    return hub(profile.name, calendar=calendar)


def test_a_bank_holiday_that_is_proclaimed_late_moves_what_runs_by_working_days_and_nothing_else() -> None:
    case = rated(hub("merton"), "green", now=london("2026-12-10 10:00"))
    decision, triaged = case.clock("decision_on_response").due_at, case.clock("triage").due_at
    adopts(case, with_a_day_off(case.profile, date(2026, 12, 11)))
    assert (decision, case.clock("decision_on_response").due_at) == (london("2026-12-11 17:00"), london("2026-12-14 17:00"))
    assert case.clock("triage").due_at == triaged


def replying_within(profile: Profile, rating: str, length: str) -> Profile:
    own = profile.ratings[rating]
    reply = own.reply.model_copy(update={"length": Length.model_validate(length)})
    return hub(profile.name, ratings={**profile.ratings, rating: own.model_copy(update={"reply": reply})})


def test_another_time_to_reply_holds_for_who_was_asked_already() -> None:
    case = rated(hub("merton"), "amber")
    case.give(BASIS)
    adopts(case, replying_within(case.profile, "amber", "2 h"))
    assert {case.clock(f"check:{name}").due_at for name in case.referral.outstanding} == {case.now + timedelta(hours=2)}


def test_what_a_re_rating_had_moved_keeps_its_time() -> None:
    case = rated(hub("merton"), "green")
    case.give(BASIS)
    case.wait(hours=24)
    case.give(RerateReferral(rating="amber"))
    moved = case.clock("check:education").due_at
    adopts(case, replying_within(case.profile, "amber", "2 h"))
    assert case.clock("check:education").due_at == moved
