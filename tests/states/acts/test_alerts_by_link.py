"""An alert that was seen by its link rests a little; that somebody has it, only a person who signed in can say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mash.config.profile import load_profile
from mash.states.acts.alerts import SEEN_FOR, AcknowledgeAlert, SeeAlert
from mash.states.errors import Incomplete, NotYours

from .worlds import MORNING, SYSTEM, Case, arrived, climbs, hub

SEEN = SeeAlert(clock="triage")


def unrated_and_late() -> Case:
    """The first alert has just gone out."""
    case = arrived(hub())
    case.run_to(case.clock("triage").due_at)
    assert case.referral.alerts == ("triage",)
    return case


def test_it_rests_for_half_an_hour_and_nobody_is_said_to_have_it() -> None:
    case = unrated_and_late()
    case.wait(minutes=20)
    case.give(SEEN, SYSTEM, words=False)
    assert case.referral.alerts == ("triage",) and case.clock("triage").acknowledged_by is None
    rests_until = case.now + SEEN_FOR
    assert climbs(case.run_to(rests_until - timedelta(seconds=1)), "triage") == []
    assert [at for _, at in climbs(case.run_to(rests_until), "triage")] == [rests_until]


def test_pressing_it_again_does_not_put_the_next_alert_off() -> None:
    case = unrated_and_late()
    case.give(SEEN, SYSTEM, words=False)
    case.wait(minutes=10)
    with pytest.raises(Incomplete, match="seen already"):
        case.give(SEEN, SYSTEM, words=False)


def test_the_next_rungs_alert_can_be_seen_in_its_turn() -> None:
    case = unrated_and_late()
    case.give(SEEN, SYSTEM, words=False)
    case.run_to(case.now + SEEN_FOR)
    assert case.give(SEEN, SYSTEM, words=False)


def test_in_immediate_danger_a_link_stops_nothing() -> None:
    case = arrived(load_profile("sandwell"), immediate_danger=True, now=MORNING)
    before = case.clock("triage").next_at
    with pytest.raises(NotYours, match="sign in"):
        case.give(SEEN, SYSTEM, words=False)
    assert case.clock("triage").next_at == before


def test_whoever_signs_in_takes_it_after_it_was_seen() -> None:
    case = unrated_and_late()
    case.give(SEEN, SYSTEM, words=False)
    case.give(AcknowledgeAlert(clock="triage"))
    assert case.referral.alerts == ()
