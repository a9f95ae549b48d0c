"""Whoever has an alert says until when, within the hub's rule; whoever cannot take it passes it on, and the next is told now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mash.states.acts.alerts import AcknowledgeAlert, PassAlertOn
from mash.states.course import ClockEscalated
from mash.states.errors import Incomplete

from .worlds import MANAGER, Case, arrived, climbs, hub, of

HAVE = AcknowledgeAlert(clock="triage")
CANNOT = PassAlertOn(clock="triage")


def unrated_and_late() -> Case:
    """The first alert has just gone out."""
    case = arrived(hub())
    case.run_to(case.clock("triage").due_at)
    return case


def test_it_speaks_up_again_when_whoever_has_it_said_and_not_before() -> None:
    case = unrated_and_late()
    until = case.now + timedelta(minutes=30)
    case.give(HAVE.model_copy(update={"until": until}))
    assert case.clock("triage").next_rung_at == until and case.referral.alerts == ()
    assert [at for _, at in climbs(case.run_to(until), "triage")] == [until]


def test_nobody_has_it_for_longer_than_the_hubs_rule_for_its_rating_or_until_a_time_that_has_passed() -> None:
    case = unrated_and_late()
    longest = case.profile.had_until(None, case.now)
    for until in (longest + timedelta(minutes=1), case.now):
        with pytest.raises(Incomplete, match="until"):
            case.give(HAVE.model_copy(update={"until": until}))
    case.give(HAVE.model_copy(update={"until": longest}))
    assert case.clock("triage").next_rung_at == longest


def test_without_a_time_it_is_had_for_as_long_as_the_rule_lets_it_rest() -> None:
    case = unrated_and_late()
    case.give(HAVE)
    assert case.clock("triage").next_rung_at == case.profile.had_until(None, case.now)


def test_whoever_cannot_take_it_passes_it_on_and_the_next_role_is_told_at_once() -> None:
    case = unrated_and_late()
    (told,) = of(ClockEscalated, case.give(CANNOT))
    assert told.passed_on and told.role == case.profile.ladder[1].role == "practice_manager"
    case.run_to(told.next_at)
    by_itself = of(ClockEscalated, (entry.event for entry in case.log))[-1]
    assert "passed_on" not in by_itself.model_dump(mode="json"), "as a log of before reads"


def test_whoever_had_it_passes_it_on_too_and_nobody_passes_on_what_somebody_else_has() -> None:
    case = unrated_and_late()
    case.give(HAVE)
    with pytest.raises(Incomplete, match="yours to pass on"):
        case.give(CANNOT, MANAGER)
    case.give(CANNOT)
    assert case.referral.alerts == ("triage",)


def test_the_last_of_the_ladder_is_told_that_nobody_stands_above() -> None:
    case = unrated_and_late()
    for _ in case.profile.ladder[1:]:
        case.give(CANNOT)
    assert case.clock("triage").rung == len(case.profile.ladder) - 1
    with pytest.raises(Incomplete, match="nobody stands above"):
        case.give(CANNOT)
