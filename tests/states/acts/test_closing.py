"""What a case does not end over: a child under an order, what is still to be done or determined, an end without a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mash.states.acts.actions import CompleteAction, RecordAction
from mash.states.acts.assessment import CompleteAdultEnquiry, CompleteAssessment
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement
from mash.states.acts.episodes import AttachContact, CloseDuplicate
from mash.states.acts.handing_over import AcceptHandOver
from mash.states.acts.known import RecordKnown
from mash.states.acts.not_ours import ConfirmNotOurs
from mash.states.acts.orders import EndProtectionOrder, RecordProtectionOrder
from mash.states.acts.protection import (
    CallStrategyDiscussion,
    ConcludeEnquiries,
    RecordConference,
    RecordStrategyDiscussion,
)
from mash.states.acts.quorum import PutQuorumRight
from mash.states.acts.sharing import RecordAdultView
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown
from mash.states.errors import Incomplete, ReasonNeeded
from mash.states.values import Match

from .worlds import (
    DUTY,
    MANAGER,
    QUORUM,
    SYSTEM,
    Case,
    accepted,
    arrived,
    at_decision,
    decision,
    partner,
    person,
    rated,
    seen,
    with_plans,
)

NFA = decision(s0="no_further_action")
NO_FURTHER = ConcludeEnquiries(outcome="no_further_child_protection_action")
NOTHING_FOUND = CompleteAssessment(factors=("21",), outcome="no_further_action")
EARLY_HELP = person("early_help", "early_help")
PROTECTED, RELEASED = "police_protection", EndProtectionOrder(order="police_protection", how="released")


def step_down_offered() -> Case:
    case = at_decision()
    case.give(decision(s0="early_help"), MANAGER)
    case.give(OfferStepDown(service="early_help"), MANAGER)
    return case


def under_section_47(**discussion: Any) -> Case:
    case = at_decision()
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(**{"attended": QUORUM, "outcome": "section_47", **discussion}))
    return seen(case)


def being_assessed() -> Case:
    case = at_decision()
    case.give(decision(s0="section_17"), MANAGER)
    return seen(case)


def known() -> Case:
    case = at_decision()
    match = Match(
        subject="s0",
        reference="MASH-26-000001",
        other="S1",
        likeness="confirmed",
        why=("same_name",),
        received_at=case.now - timedelta(days=1),
    )
    case.give(RecordKnown(matches=(match,), possible={}), SYSTEM, words=False)
    return case


ENDS: dict[str, tuple[Callable[[], Case], Any, Any]] = {
    "no further action": (at_decision, NFA, MANAGER),
    "a service accepts": (step_down_offered, AcceptStepDown(), EARLY_HELP),
    "enquiries end": (under_section_47, NO_FURTHER, MANAGER),
    "an assessment ends": (being_assessed, NOTHING_FOUND, MANAGER),
    "a duplicate": (known, CloseDuplicate(other="MASH-26-000001", compared="shown"), DUTY),
    "added to another case": (known, AttachContact(other="MASH-26-000001"), DUTY),
}
LIGHT_ENDS = {name: end for name, end in ENDS.items() if name != "a service accepts"}


@pytest.mark.parametrize("end", ENDS)
def test_no_case_ends_under_an_order_until_it_is_said_how_that_ended(end: str) -> None:
    begun, ends, by = ENDS[end]
    case = begun()
    case.give(RecordProtectionOrder(order=PROTECTED, since=case.now))
    with pytest.raises(Incomplete, match=r"police protection of s0 has not ended: record that \(end_protection_order\)"):
        case.give(ends, by)
    assert case.running(PROTECTED)
    case.give(RELEASED)
    case.give(ends, by)
    assert not case.referral.open


def test_another_authority_takes_a_child_over_who_is_under_an_order_and_a_reopened_case_awaits_its_end_again() -> None:
    case = at_decision()
    case.give(decision(s0="transfer"), MANAGER)
    case.give(RecordProtectionOrder(order=PROTECTED, since=case.now))
    due = case.running(PROTECTED)[0].due_at
    accepted(case)
    assert case.stage == "transferred" and not case.running(PROTECTED)
    case.give(ReopenReferral(), MANAGER)
    assert [clock.due_at for clock in case.running(PROTECTED)] == [due]


@pytest.mark.parametrize("end", LIGHT_ENDS)
def test_no_case_ends_in_nothing_more_while_something_agreed_is_still_to_be_done(end: str) -> None:
    begun, ends, by = LIGHT_ENDS[end]
    case = begun()
    case.give(RecordAction(owner="police", due=case.now + timedelta(hours=4)))
    with pytest.raises(Incomplete, match=r"A1 is still to be done.*\(complete_action\)"):
        case.give(ends, by)
    case.give(CompleteAction(action="A1", outcome="no_longer_needed"))
    case.give(ends, by)
    assert not case.referral.open


def test_no_case_ends_in_nothing_more_before_whoever_was_missing_has_been_heard() -> None:
    case = at_decision()
    case.give(CallStrategyDiscussion())
    without = {"attended": ("social_care", "police"), "without_quorum": "not_reached"}
    case.give(RecordStrategyDiscussion(outcome="no_section_47", **without))
    with pytest.raises(Incomplete, match=r"without health: put that right first \(put_quorum_right\)"):
        case.give(NFA, MANAGER)
    case.give(PutQuorumRight(agencies=("health",), how="gave_their_view"))
    case.give(NFA, MANAGER)
    assert not case.referral.open


def test_what_was_agreed_is_still_done_once_a_plan_is_made_and_a_service_has_accepted() -> None:
    without = {"attended": ("social_care", "police"), "without_quorum": "not_reached"}
    case = under_section_47(**without)
    case.give(RecordAction(owner="police", due=case.now + timedelta(days=30)))
    case.give(ConcludeEnquiries(outcome="conference"), MANAGER)
    case.give(with_plans(case.now.date(), s0="child_protection_plan"), MANAGER)
    stepped_down = step_down_offered()
    stepped_down.give(RecordAction(owner="police", due=stepped_down.now + timedelta(days=30)))
    stepped_down.give(AcceptStepDown(), EARLY_HELP)
    assert case.running("quorum_put_right")
    case.give(PutQuorumRight(agencies=("health",), how="took_part_since"))
    for each in (case, stepped_down):
        assert not each.referral.open and each.running("action")
        each.give(CompleteAction(action="A1"), partner("police"))
        assert not each.running("action") and each.clock("action:A1").verdict == "kept"


def test_a_second_copy_is_not_closed_while_its_rating_is_disputed() -> None:
    case = known()
    case.give(RaiseDisagreement(about="rating", rating="red"), partner("police"))
    duplicate = CloseDuplicate(other="MASH-26-000001", compared="shown")
    with pytest.raises(Incomplete, match=r"\(settle_disagreement\)"):
        case.give(duplicate)
    referee = person(case.referral.disagreements["D1"].role)
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), referee)
    case.give(duplicate)
    assert not case.referral.open


def test_nothing_ends_for_anybody_without_a_reason_in_words() -> None:
    no_plan = RecordConference(held_on=at_decision().now.date(), outcome="no_plan")
    conference = under_section_47()
    adult = rated(at_decision().profile, "blue", "adult", "child")
    adult.give(RecordAdultView(subject="s0", capacity="has", agrees="yes"))
    adult.give(decision(s0="adult_section_42", s1="section_17"), MANAGER)
    (enquiry,) = adult.linked.values()
    enquiry.give(AcceptHandOver(hand_over="adult_social_care"), person("practice_manager"))
    asked = ConcludeEnquiries(outcome="conference")
    for case, ends in (
        (under_section_47(), NO_FURTHER),
        (being_assessed(), NOTHING_FOUND),
        (conference, asked),
        (conference, no_plan),
        (enquiry, CompleteAdultEnquiry(outcome="no_risk_found")),
    ):
        if ends is asked:
            case.give(ends, MANAGER, words=False)
            continue
        with pytest.raises(ReasonNeeded):
            case.give(ends, MANAGER, words=False)
        assert case.referral.open
    conference.give(with_plans(conference.now.date(), s0="child_protection_plan"), MANAGER, words=False)
    assert not conference.referral.open


def test_a_contact_that_is_not_the_hubs_does_not_end_with_something_agreed_undone() -> None:
    case = arrived(at_decision().profile, "adult")
    assert case.stage == "to_confirm_not_ours"
    case.give(RecordAction(owner="police", due=case.now + timedelta(hours=4)))
    with pytest.raises(Incomplete, match="complete_action"):
        case.give(ConfirmNotOurs(signposted_to="police"))
