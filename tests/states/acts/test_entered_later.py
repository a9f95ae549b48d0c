"""What was done on paper while all was down is entered with when it happened, and judged by that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mash.states.acts.informing import InformReferrer
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import AddNote, LinkReferral
from mash.states.entered_later import OF_THE_RECORD, SAYS_ITSELF, may_be_entered_later
from mash.states.errors import Incomplete
from mash.states.messages import STAFF_ACTS

from .worlds import NOT_SHARED, Case, arrived, hub, rated

SANDWELL = hub()
AMBER = RateReferral(rating="amber")


def outage(hours: float = 6) -> Case:
    """A contact that came in at ten, and an outage since: its clocks ran out, and alerts were raised."""
    case = arrived(SANDWELL)
    case.run_to(case.now + timedelta(hours=hours))
    return case


def test_a_rating_that_was_made_in_time_on_paper_is_kept_though_it_is_entered_after_the_clock_ran_out() -> None:
    case = outage()
    assert case.clock("triage").breached_at
    case.give(AMBER, happened_at=case.referral.received_at + timedelta(minutes=20))
    triage = case.clock("triage")
    assert triage.verdict == "kept" and triage.ended_at == case.referral.received_at + timedelta(minutes=20)


def test_that_it_was_late_all_the_same_is_said_too() -> None:
    case = outage()
    case.give(AMBER, happened_at=case.now - timedelta(minutes=5))
    assert case.clock("triage").verdict == "missed"


def test_what_is_entered_as_it_happens_is_judged_by_when_it_is_entered() -> None:
    case = outage()
    case.give(AMBER)
    assert case.clock("triage").verdict == "missed"


def test_what_begins_counts_from_when_it_is_entered() -> None:
    case = outage()
    case.give(AMBER, happened_at=case.referral.received_at + timedelta(minutes=20))
    assert all(clock.started_at in (case.now, case.referral.received_at) for clock in case.referral.running)
    assert case.referral.rated_at == case.now


@pytest.mark.parametrize("away", [timedelta(minutes=1), timedelta(days=-15)])
def test_nothing_is_entered_that_has_not_happened_or_is_long_past(away: timedelta) -> None:
    case = outage()
    case.now += timedelta(days=20)
    with pytest.raises(Incomplete, match="happened_at") as refused:
        case.give(AddNote(), happened_at=case.now + away)
    assert refused.value.facts["needs"] == ["happened_at"]


def test_nothing_is_done_to_a_contact_before_it_was_made() -> None:
    case = outage()
    with pytest.raises(Incomplete, match="expected one since Tue 02 Jun 2026, 10:00"):
        case.give(AMBER, happened_at=case.referral.received_at - timedelta(minutes=1))


def test_a_contact_that_was_taken_on_paper_was_made_when_it_was_reported() -> None:
    case = arrived(SANDWELL, reported_at=Case(SANDWELL).now - timedelta(hours=3))
    case.give(AMBER, happened_at=case.now - timedelta(hours=2))
    assert case.clock("triage").verdict == "kept"


def test_a_command_that_says_in_a_field_of_its_own_when_it_was_says_it_there() -> None:
    case = rated(SANDWELL, "amber")
    case.give(NOT_SHARED)
    case.wait(hours=2)
    with pytest.raises(Incomplete, match="held_on"):
        case.give(RecordMeeting(attended=("police",), rating="amber"), happened_at=case.now - timedelta(hours=1))


def test_a_referrer_who_was_rung_in_time_was_told_in_time_though_it_is_entered_late() -> None:
    case = arrived(SANDWELL, writing_unsafe=True)
    rung = case.now + timedelta(hours=1)
    case.run_to(case.now + timedelta(days=4))
    assert case.clock("acknowledgement").breached_at
    case.give(InformReferrer(what="acknowledgement", how="telephone", at=rung))
    assert case.clock("acknowledgement").verdict == "kept"


def test_what_happens_in_the_record_itself_happens_as_it_is_entered() -> None:
    case = outage()
    with pytest.raises(Incomplete, match="happens as it is entered"):
        case.give(LinkReferral(other="X", relation="sibling"), happened_at=case.now - timedelta(hours=1))


def test_every_command_that_is_told_apart_is_one_and_has_the_field_it_is_said_to_have() -> None:
    assert {*SAYS_ITSELF, *OF_THE_RECORD} <= set(STAFF_ACTS) and not {*SAYS_ITSELF} & {*OF_THE_RECORD}
    assert all(field in STAFF_ACTS[kind].command.model_fields for kind, field in SAYS_ITSELF.items())
    assert all(not may_be_entered_later(kind) for kind, act in STAFF_ACTS.items() if act.of_child)
