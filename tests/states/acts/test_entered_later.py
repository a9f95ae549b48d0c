"""What was done on paper while all was down is entered with when it happened, and judged by that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mash.states.acts.actions import CompleteAction, RecordAction
from mash.states.acts.by_telephone import RecordAnswerByTelephone
from mash.states.acts.checks import AnswerCheck, CheckAnswered, ProceedWithoutReplies
from mash.states.acts.informing import InformReferrer
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import AddNote, LinkReferral
from mash.states.entered_later import OF_THE_RECORD, SAYS_ITSELF, may_be_entered_later
from mash.states.errors import Incomplete
from mash.states.messages import STAFF_ACTS

from .worlds import BASIS, MANAGER, NOT_SHARED, Case, arrived, hub, of, partner, rated

SANDWELL = hub()
AMBER = RateReferral(rating="amber")


def outage(hours: float = 6) -> Case:
    """A contact that came in at ten, and an outage since: its clocks ran out, and alerts were raised."""
    case = arrived(SANDWELL)
    case.run_to(case.now + timedelta(hours=hours))
    return case


def checked() -> Case:
    """A red case of which agencies are asked."""
    case = rated(SANDWELL, "red")
    case.give(BASIS)
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


@pytest.mark.parametrize(
    "kind", ["record_sharing_basis", "sign_off_decision", "sign_off_withdrawal", "acknowledge_alert", "pass_alert_on"]
)
def test_why_information_may_be_shared_and_who_signs_or_takes_something_on_is_never_dated_back(kind: str) -> None:
    assert kind in OF_THE_RECORD and not may_be_entered_later(kind, MANAGER)


def test_a_basis_for_sharing_is_not_dated_before_it_was_recorded() -> None:
    case = outage()
    with pytest.raises(Incomplete, match="happens as it is entered"):
        case.give(BASIS, happened_at=case.referral.received_at + timedelta(minutes=1))
    assert case.referral.sharing is None


def test_an_agency_that_was_late_does_not_say_itself_that_it_answered_in_time() -> None:
    case = checked()
    asked = case.now
    case.run_to(case.clock("check:housing").due_at + timedelta(hours=2))
    late = AnswerCheck(agency="housing", known=True)
    with pytest.raises(Incomplete, match="record_answer_by_telephone"):
        case.give(late, partner("housing"), happened_at=asked + timedelta(minutes=1))
    (answered,) = of(CheckAnswered, case.give(late, partner("housing")))
    assert answered.late and case.clock("check:housing").verdict == "missed"
    for by in (MANAGER, partner("housing")):
        assert not may_be_entered_later("answer_check", by) and not may_be_entered_later("decline_disclosure", by)


def test_a_partner_that_was_late_with_what_was_agreed_does_not_say_itself_that_it_was_done_in_time() -> None:
    case = checked()
    case.give(RecordAction(owner="health", due=case.now + timedelta(days=2)))
    (action,) = case.referral.actions
    agreed = case.now
    case.run_to(case.clock(f"action:{action}").due_at + timedelta(hours=2))
    with pytest.raises(Incomplete, match="counts from when it is entered"):
        case.give(CompleteAction(action=action), partner("health"), happened_at=agreed + timedelta(minutes=1))
    assert not may_be_entered_later("complete_action", partner("health")) and may_be_entered_later("complete_action", MANAGER)
    case.give(CompleteAction(action=action), partner("health"))
    assert case.clock(f"action:{action}").verdict == "missed"


def test_what_the_hub_took_down_by_telephone_in_time_is_in_time_by_its_clock_and_by_its_event() -> None:
    case = checked()
    told = case.now + timedelta(minutes=5)
    case.run_to(case.clock("check:housing").due_at + timedelta(hours=2))
    events = case.give(RecordAnswerByTelephone(answering="housing", read_back=True, known=True, told_at=told))
    assert [event.late for event in events if event.kind == "answer_taken_down"] == [False]
    assert case.clock("check:housing").verdict == "kept"


def test_nothing_is_done_before_the_case_came_to_the_stage_it_is_in() -> None:
    case = checked()
    case.wait(hours=1)
    case.give(ProceedWithoutReplies())
    since = case.now
    case.wait(hours=1)
    with pytest.raises(Incomplete, match=r"the case was not there yet.*expected one since Tue 02 Jun 2026, 11:00") as refused:
        case.give(AddNote(), happened_at=since - timedelta(minutes=1))
    assert refused.value.facts["needs"] == ["happened_at"]
    case.give(AddNote(), happened_at=since)


def test_what_was_agreed_before_the_case_came_to_its_stage_may_have_been_done_before_that() -> None:
    case = checked()
    case.give(RecordAction(owner="health", due=case.now + timedelta(days=2)))
    done = case.now + timedelta(minutes=10)
    case.wait(hours=1)
    case.give(ProceedWithoutReplies())
    assert case.referral.stage_since > done
    (action,) = case.referral.actions
    case.give(CompleteAction(action=action), happened_at=done)
    assert case.clock(f"action:{action}").ended_at == done


def test_what_was_done_on_paper_one_after_the_other_is_entered_one_after_the_other() -> None:
    case = checked()
    began = case.now
    case.run_to(case.now + timedelta(hours=6))
    case.give(ProceedWithoutReplies(), happened_at=began + timedelta(hours=1))
    assert case.referral.stage_since == case.now
    with pytest.raises(Incomplete, match="the case was not there yet"):
        case.give(AddNote(), happened_at=began + timedelta(minutes=59))
    case.give(AddNote(), happened_at=began + timedelta(minutes=61))


def test_every_command_that_is_told_apart_is_one_and_has_the_field_it_is_said_to_have() -> None:
    assert {*SAYS_ITSELF, *OF_THE_RECORD} <= set(STAFF_ACTS) and not {*SAYS_ITSELF} & {*OF_THE_RECORD}
    assert all(field in STAFF_ACTS[kind].command.model_fields for kind, field in SAYS_ITSELF.items())
    assert all(not may_be_entered_later(kind, MANAGER) for kind, act in STAFF_ACTS.items() if act.of_child)
