"""An alert follows its cause: who is told that something is late, when, for how long somebody has it, and what ends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from mash.states.acts.alerts import AcknowledgeAlert, FireClocks
from mash.states.acts.episodes import RecordAdded
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.clocks import Length
from mash.states.course import AcknowledgementEnded, ClockBreached, ClockWarned
from mash.states.profile import Profile, Rung

from .worlds import BASIS, DUTY, SYSTEM, Case, arrived, climbs, hub, london, of, rated

HOUR = timedelta(hours=1)


def late(rating: str = "red", **fields: Any) -> Case:
    """A rated case of a hub like Sandwell whose own limit has just run out."""
    case = rated(hub(), rating, **fields)
    case.run_to(case.clock("response").due_at)
    assert "response" in case.referral.alerts
    return case


def taken(rating: str = "red") -> Case:
    """One whose alert the duty manager has taken on."""
    case = late(rating)
    case.give(AcknowledgeAlert(clock="response"), DUTY)
    assert case.clock("response").acknowledged_by == DUTY.id
    return case


# What is the day team's


def test_a_limit_in_working_days_is_late_at_the_hubs_close_and_told_at_its_opening() -> None:
    case = arrived(hub(), now=london("2026-06-04 10:00"))  # a Thursday
    due, opens = london("2026-06-05 17:00"), london("2026-06-08 09:00")
    assert case.clock("decision_on_response").due_at == due
    entries = case.run_to(opens)
    assert [at for at, _, e in entries if isinstance(e, ClockBreached) and e.id == "decision_on_response"] == [due]
    assert climbs(entries, "decision_on_response") == [("duty_manager", opens)]


def test_its_ladder_climbs_by_day_only() -> None:
    case = arrived(hub(), now=london("2026-06-04 10:00"))
    told = climbs(case.run_to(london("2026-06-10 12:00")), "decision_on_response")
    assert [role for role, _ in told][:3] == ["duty_manager", "practice_manager", "service_manager"]
    assert all(case.profile.calendar.is_open(at) for _, at in told)


def test_a_reminder_that_would_fall_into_the_night_comes_before_the_hub_closes() -> None:
    case = arrived(hub(), now=london("2026-06-04 10:00"))
    entries = case.run_to(london("2026-06-05 16:59"))
    reminders = [at for at, _, e in entries if isinstance(e, ClockWarned) and e.id == "decision_on_response"]
    assert reminders == [london("2026-06-04 16:30"), london("2026-06-05 10:48")]


def test_a_contact_that_nobody_has_rated_is_told_at_night_to_whoever_is_on_duty() -> None:
    case = arrived(hub(), now=london("2026-06-06 02:00"))
    entries = case.run_to(case.clock("triage").due_at)
    assert climbs(entries, "triage") == [("out_of_hours", london("2026-06-06 03:00"))]


def test_reds_four_hours_run_out_at_night_as_they_do() -> None:
    case = rated(hub(), "red", now=london("2026-06-05 16:00"))
    due = case.clock("response").due_at
    assert climbs(case.run_to(due), "response") == [("out_of_hours", due)]


def test_in_immediate_danger_working_days_wait_for_no_opening() -> None:
    case = arrived(hub(), now=london("2026-06-04 10:00"), immediate_danger=True)
    case.give(RateReferral(rating="red"))
    due = case.clock("decision_on_response").due_at
    assert climbs(case.run_to(due), "decision_on_response") == [("out_of_hours", due)]


# For how long somebody has it


@pytest.mark.parametrize(("rating", "hours"), [("red", 1), ("amber", 4), ("green", 24)])
def test_an_alert_that_somebody_has_speaks_up_again_the_sooner_the_more_urgent_it_is(rating: str, hours: int) -> None:
    red = hub().ratings["red"].response
    limits = {name: each.model_copy(update={"response": red, "covers": each.route}) for name, each in hub().ratings.items()}
    case = rated(hub(ratings=limits), rating)
    case.run_to(case.clock("response").due_at)
    case.give(AcknowledgeAlert(clock="response"), DUTY)
    again = case.now + hours * HOUR
    assert climbs(case.run_to(again - timedelta(seconds=1)), "response") == []
    assert [at for _, at in climbs(case.run_to(again), "response")] == [again]


def test_a_profile_of_before_has_one_length_for_every_rating() -> None:
    old = hub().model_dump(mode="json") | {"renew": "24 h"}
    profile = Profile.model_validate(old)
    assert {str(profile.renews_after(rating)) for rating in (None, *profile.ratings)} == {"24 h"}


def test_a_higher_rating_raises_an_alert_again_that_was_taken_on_for_a_lower_one() -> None:
    case = rated(hub(), "amber")
    case.give(BASIS)
    case.run_to(london("2026-06-04 12:00"))
    assert "decision_on_response" in case.referral.alerts
    case.give(AcknowledgeAlert(clock="decision_on_response"), DUTY)
    assert case.clock("decision_on_response").acknowledged_for == "amber"
    events = case.give(RerateReferral(rating="red"))
    assert "rated_up" in [event.why for event in of(AcknowledgementEnded, events)]
    assert case.clock("decision_on_response").acknowledged_by is None
    assert "decision_on_response" in case.referral.alerts


def test_a_lower_rating_leaves_it_with_whoever_has_it() -> None:
    case = rated(hub(), "red")
    case.run_to(london("2026-06-04 12:00"))
    case.give(AcknowledgeAlert(clock="decision_on_response"), DUTY)
    case.give(RerateReferral(rating="amber"))
    assert case.clock("decision_on_response").acknowledged_by == DUTY.id


def test_what_somebody_leaves_is_told_to_whoever_has_their_role_now() -> None:
    case = taken()
    case.now = london("2026-06-02 17:30")
    case.give(FireClocks(left={"response": DUTY.id}), SYSTEM, words=False)
    clock = case.clock("response")
    assert clock.acknowledged_by is None and "response" in case.referral.alerts
    assert climbs(case.log, "response")[-1] == ("out_of_hours", case.now)


def test_what_another_has_taken_on_since_stays_with_them() -> None:
    case = taken()
    case.give(FireClocks(left={"response": "somebody.else"}), SYSTEM, words=False)
    assert case.clock("response").acknowledged_by == DUTY.id


def test_a_days_alert_that_is_left_at_five_waits_for_the_morning() -> None:
    case = rated(hub(), "amber", now=london("2026-06-04 10:00"))
    case.run_to(london("2026-06-08 09:20"))
    case.give(AcknowledgeAlert(clock="decision_on_response"), DUTY)
    case.now = london("2026-06-08 17:01")
    case.give(FireClocks(left={"decision_on_response": DUTY.id}), SYSTEM, words=False)
    told = climbs(case.run_to(london("2026-06-09 09:00")), "decision_on_response")
    assert told == [("duty_manager", london("2026-06-09 09:00"))]


# What ends it


def more_time() -> Profile:
    """A hub whose red has four hours, whose amber has a day, and whose green has no limit of its own."""
    red, amber, green = (hub().ratings[name] for name in ("red", "amber", "green"))
    assert red.response is not None
    day = red.response.model_copy(update={"length": Length.model_validate("24 h")})
    amber = amber.model_copy(update={"response": day, "covers": amber.route})
    green = green.model_copy(update={"response": None, "covers": ()})
    return hub(ratings={"red": red, "amber": amber, "green": green})


def test_rated_down_the_old_lateness_ends_and_the_clock_runs_out_in_its_own_right() -> None:
    case = rated(more_time(), "red")
    first = case.clock("response").due_at
    case.run_to(first + HOUR)
    case.give(RerateReferral(rating="amber"))
    clock = case.clock("response")
    assert (clock.missed, clock.breached_at, clock.rung, clock.next_rung_at) == ((first,), None, -1, None)
    assert "response" not in case.referral.alerts and clock.verdict == "running"
    entries = case.run_to(clock.due_at)
    assert [e.due_at for e in of(ClockBreached, [e for _, _, e in entries]) if e.id == "response"] == [clock.due_at]
    assert len([e for e in of(ClockWarned, [e for _, _, e in entries]) if e.id == "response"]) == 2
    assert climbs(entries, "response")[-1][1] == clock.due_at


def test_a_limit_that_was_missed_stays_missed_though_what_came_after_was_kept() -> None:
    case = rated(more_time(), "red")
    case.run_to(case.clock("response").due_at)
    case.give(RerateReferral(rating="amber"))
    case.give(RerateReferral(rating="green"))
    assert not case.clock("response").running and case.clock("response").verdict == "missed"


def test_rated_down_to_a_limit_that_is_over_too_it_stays_late() -> None:
    case = late()
    case.wait(days=20)
    before = case.clock("response").breached_at
    case.give(RerateReferral(rating="amber"))
    assert not case.clock("response").running or case.clock("response").breached_at == before


# How often


def of_a_silent_case(case: Case, days: int = 3) -> dict[tuple[str, str], list[datetime]]:
    """By role and clock, when somebody is told of a case that nobody touches."""
    told: dict[tuple[str, str], list[datetime]] = {}
    for at, _, event in case.run_to(case.now + timedelta(days=days)):
        if role := getattr(event, "role", None):
            told.setdefault((role, event.id), []).append(at)
    return told


def most_in_a_day(moments: list[datetime]) -> int:
    return max(sum(at <= other < at + timedelta(days=1) for other in moments) for at in moments)


@pytest.mark.parametrize("wait", ["15 min", "1 h", "4 h", "8 hub hours"])
def test_a_red_case_that_nobody_touches_costs_nobody_more_than_eight_messages_a_day(wait: str) -> None:
    ladder = (*hub().ladder[:-1], Rung(role="service_manager", wait=Length.model_validate(wait)))
    case = rated(hub(ladder=ladder), "red")
    case.give(BASIS)
    told = of_a_silent_case(case)
    assert max(most_in_a_day(moments) for moments in told.values()) <= 8
    together = {at for (role, _), moments in told.items() for at in moments if role == "service_manager"}
    assert most_in_a_day(sorted(together)) <= 8, "what comes at the same moment about one case is one message"


def test_a_danger_is_told_as_often_as_the_hub_says() -> None:
    ladder = (*hub().ladder[:-1], Rung(role="service_manager", wait=Length.model_validate("15 min")))
    case = arrived(hub(ladder=ladder), immediate_danger=True)
    told = of_a_silent_case(case, days=1)
    assert most_in_a_day(told["service_manager", "triage"]) > 80


def test_a_danger_that_comes_to_a_silent_case_alerts_at_once() -> None:
    case = rated(hub(), "green", now=london("2026-06-05 20:00"))
    case.now = london("2026-06-06 02:00")
    case.give(RecordAdded(other="OTHER", why="added", immediate_danger=True), SYSTEM, words=False)
    assert case.referral.alerts and climbs(case.log, case.referral.alerts[0])[-1] == ("out_of_hours", case.now)
