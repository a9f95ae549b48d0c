"""Hand-overs: what is offered to somebody outside is the hub's until they accept it, and nobody accepts what they offered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from mash.notifications.notices import notices_for
from mash.notifications.wording import UNADDRESSED, message_for
from mash.states.acts.assessment import CompleteAdultEnquiry, CompleteAssessment
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.contact import CorrectCohort, ReceiveContact, RecordAccused, RecordCategories
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.handing_over import AcceptHandOver, OfferHandOver, ReturnHandOver
from mash.states.acts.of_age import HandOverToAdults, SayOfAge
from mash.states.acts.protection import (
    CallStrategyDiscussion,
    ConcludeEnquiries,
    RecordStrategyDiscussion,
)
from mash.states.acts.sharing import RecordAdultView, RecordSharingBasis
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.clocks import Length
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, NotYours, ReasonNeeded
from mash.states.profile import Destination, SignOff
from mash.states.values import Subject

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    NOT_SHARED,
    QUORUM,
    SYSTEM,
    Case,
    accepted,
    arrived,
    at_decision,
    climbs,
    decision,
    hub,
    person,
    rated,
    seen,
)

OTHER = person("team_manager", name="another.manager")
ADULTS = person("adult_social_worker", "adult_social_care")
TRANSFER = OfferHandOver(destination="another_authority", authority="E08000025")
HELD = RecordStrategyDiscussion(attended=QUORUM, outcome="section_47")


def transferred(profile: Any = None) -> Case:
    """A case whose transfer to another authority was decided, and which they have not accepted."""
    case = at_decision(profile)
    case.give(decision(s0="transfer"), MANAGER)
    return case


def in_enquiries(profile: Any = None, *cohorts: Any) -> Case:
    case = at_decision(profile, *cohorts)
    case.give(decision(**dict.fromkeys(case.referral.subjects, "section_47")), MANAGER)
    case.give(HELD)
    return case


def told(case: Case, command: Any, by: Any = DUTY) -> set[tuple[str, str]]:
    """Who is told of an act, as (kind, role)."""
    before = case.referral
    events = case.give(command, by)
    drafts = notices_for("R", before, case.referral, events, case.profile, by, case.now)
    return {(draft.kind, draft.role) for draft in drafts}


def test_nothing_is_handed_on_that_is_not_to_be_shared_but_what_concerns_somebody_who_works_with_children() -> None:
    case = rated(hub("sandwell"), "amber")
    case.give(NOT_SHARED)
    with pytest.raises(Incomplete, match="record the basis anew"):
        case.give(OfferHandOver(destination="marac"))
    case.give(OfferHandOver(destination="lado"))
    case.give(BASIS)
    case.give(OfferHandOver(destination="marac"))
    assert {each.destination for each in case.referral.offered.values()} == {"lado", "marac"}


# --- a transfer -------------------------------------------------------------------------------------------------------


def test_a_transfer_is_an_end_only_once_the_other_authority_has_accepted() -> None:
    case = transferred()
    assert case.stage == "transfer_offered" and case.referral.open
    (clock,) = case.running("hand_over")
    assert clock.owner == "duty_manager" and clock.due_at > case.now
    accepted(case)
    assert case.stage == "transferred" and not case.referral.open
    assert case.referral.subjects["s0"].outcome == "transfer"
    assert case.clock(clock.id).met and not case.running("hand_over")


def test_whoever_offers_a_case_cannot_accept_it_for_them() -> None:
    case = transferred()
    with pytest.raises(NotYours, match="whoever offers"):
        case.give(AcceptHandOver(hand_over="another_authority"), MANAGER)
    assert case.stage == "transfer_offered"
    case.give(AcceptHandOver(hand_over="another_authority"), OTHER)
    assert case.stage == "transferred"


def test_an_acceptance_by_telephone_says_who_accepted_and_when_and_not_in_the_future() -> None:
    case = transferred()
    case.wait(minutes=30)
    with pytest.raises(ReasonNeeded):
        case.give(AcceptHandOver(hand_over="another_authority"), OTHER, words=False)
    for wrong in (timedelta(hours=-1), timedelta(minutes=1)):
        with pytest.raises(Incomplete, match="accepted_at"):
            case.give(AcceptHandOver(hand_over="another_authority", accepted_at=case.now + wrong), OTHER)
    said = case.now - timedelta(minutes=10)
    case.give(AcceptHandOver(hand_over="another_authority", accepted_at=said), OTHER)
    assert case.referral.hand_overs["another_authority"].answered_at == said


def test_a_transfer_that_is_returned_is_decided_anew_and_what_was_told_is_undone() -> None:
    case = transferred()
    with pytest.raises(ReasonNeeded):
        case.give(ReturnHandOver(hand_over="another_authority"), words=False)
    assert told(case, ReturnHandOver(hand_over="another_authority"), OTHER) >= {("hand_over_returned", "duty_manager")}
    assert case.stage == "decision" and case.referral.outcomes == {} and case.referral.decided_at is None
    assert not case.running("hand_over")


def told_from(case: Case) -> datetime:
    """When it is said that nobody has accepted in time: as the hub opens, which at night could do nothing about it."""
    return case.profile.calendar.next_open(case.running("hand_over")[0].due_at)


def test_a_transfer_that_nobody_accepts_comes_back_and_each_time_somebody_higher_is_told() -> None:
    case, alerted = transferred(), []
    for _ in range(3):
        (clock,) = case.running("hand_over")
        entries = case.run_to(told_from(case))
        alerted += [role for role, _ in climbs(entries, clock.id)]
        assert case.stage == "decision" and case.referral.open and not case.running("hand_over")
        case.give(decision(s0="transfer"), MANAGER)
    assert alerted == [rung.role for rung in case.profile.ladder][:3]


def test_a_split_sends_its_part_to_the_authority_that_was_named() -> None:
    case = at_decision(None, "child", "child")
    case.give(decision(s0="section_17", s1="transfer"), MANAGER)
    (linked,) = case.linked.values()
    assert linked.stage == "transfer_offered"
    assert [(each.authority, each.subjects) for each in linked.referral.offered.values()] == [("E06000999", ("s1",))]
    assert not case.referral.offered


def test_a_team_of_the_authority_itself_accepts_by_its_own_login() -> None:
    profile = hub("merton")
    team = Destination(
        title="Family team",
        kind="own_team",
        accepted_by=("login",),
        role="responsible_social_worker",
        within=Length.model_validate("2 working days"),
        owner="team_manager",
        outcomes=("transfer",),
        source="test",
    )
    profile = hub("merton", destinations={**profile.destinations, "family_team": team})
    case = at_decision(profile)
    with pytest.raises(NotInProfile, match="family_team"):
        case.give(RecordDecision(outcomes={"s0": "transfer"}, destination="marac", primary_need="N1"), MANAGER)
    case.give(RecordDecision(outcomes={"s0": "transfer"}, destination="family_team", primary_need="N1"), MANAGER)
    assert case.running("hand_over")[0].owner == "team_manager"
    with pytest.raises(NotYours):
        case.give(AcceptHandOver(hand_over="family_team"), OTHER)
    case.give(AcceptHandOver(hand_over="family_team"), person("responsible_social_worker"), words=False)
    assert case.stage == "transferred"


def test_a_transfer_is_called_off_when_the_decision_is_withdrawn_and_whoever_was_rung_is_to_hear_it() -> None:
    case = transferred()
    assert ("hand_over_called_off", "duty_manager") in told(case, WithdrawDecision(), MANAGER)
    assert case.stage == "decision" and not case.referral.offered and not case.running("hand_over")


def test_while_a_transfer_is_offered_a_strategy_discussion_may_be_called_and_leads_back_there() -> None:
    case = transferred()
    case.give(CallStrategyDiscussion())
    assert case.stage == "strategy_discussion" and case.referral.offered
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="no_section_47"))
    assert case.stage == "transfer_offered" and case.running("hand_over")
    accepted(case)
    assert case.stage == "transferred"


# --- a child who moves while they are protected -----------------------------------------------------------------------


def test_a_child_who_moves_during_enquiries_is_protected_here_until_the_other_authority_accepts() -> None:
    case = in_enquiries()
    case.give(TRANSFER)
    assert case.stage == "enquiries" and case.running("initial_conference")
    entries = case.run_to(told_from(case) + timedelta(hours=6))
    assert case.stage == "enquiries" and case.referral.offered, "it does not come back: it is nobody else's yet"
    assert len(climbs(entries, "hand_over:another_authority")) >= 2
    accepted(case)
    assert case.stage == "transferred" and not case.running("initial_conference")
    assert case.referral.subjects["s0"].outcome == "transfer"


def test_a_child_who_moves_before_the_conference_is_transferred_and_one_who_stays_is_conferenced_here() -> None:
    case = in_enquiries()
    seen(case).give(ConcludeEnquiries(outcome="conference"), MANAGER)
    case.give(TRANSFER)
    case.give(ReturnHandOver(hand_over="another_authority"))
    assert case.stage == "conference" and case.referral.outcomes == {"s0": "section_47"}
    case.give(TRANSFER)
    case.give(AcceptHandOver(hand_over="another_authority-2"), OTHER)
    assert case.stage == "transferred"


def test_an_offer_of_the_case_ends_with_the_case() -> None:
    case = in_enquiries()
    case.give(TRANSFER)
    seen(case).give(ConcludeEnquiries(outcome="no_further_child_protection_action"), MANAGER)
    assert not case.referral.open and not case.referral.offered and not case.running("hand_over")


def test_a_case_is_offered_as_a_whole_once_and_not_before_it_is_decided() -> None:
    early = at_decision()
    with pytest.raises(Incomplete, match="record_decision"):
        early.give(TRANSFER)
    case = in_enquiries(None, "child", "child")
    with pytest.raises(Incomplete, match="as a whole"):
        case.give(TRANSFER.model_copy(update={"subjects": ("s0",)}))
    case.give(TRANSFER)
    with pytest.raises(Incomplete, match="already"):
        case.give(TRANSFER.model_copy(update={"authority": "330"}))


def test_a_child_is_transferred_from_an_assessment_that_stands_alone() -> None:
    case = at_decision()
    case.give(decision(s0="section_17"), MANAGER)
    seen(case).give(CompleteAssessment(factors=("1A",), outcome="transfer", transfer_to="306"))
    assert case.stage == "transfer_offered"
    case.run_to(told_from(case))
    assert case.stage == "decision" and case.referral.outcomes == {}


# --- beside the case --------------------------------------------------------------------------------------------------


def test_a_concern_about_a_professional_is_offered_to_the_designated_officer_at_once() -> None:
    case = arrived(hub(), categories=("professional_concern",))
    (clock,) = case.running("hand_over")
    assert clock.id == "hand_over:lado" and clock.due_at.date() == (case.now + timedelta(days=1)).date()
    assert case.stage == "triage"
    later = arrived(hub())
    assert not later.referral.offered
    later.give(RecordCategories(categories=("professional_concern",)))
    assert [each.kind for each in later.referral.offered.values()] == ["lado"]
    accepted(later)
    later.give(RecordCategories(categories=("professional_concern", "missing")))
    assert not later.referral.offered, "they have it already"


def test_the_designated_officer_is_asked_whatever_contacts_the_hub_takes() -> None:
    case = arrived(hub("manchester"), categories=("professional_concern",))
    assert [each.kind for each in case.referral.offered.values()] == ["lado"] and case.running("hand_over")
    accepted(case)
    assert case.referral.hand_overs["lado"].result == "accepted"


def test_what_is_offered_beside_a_case_outlives_it_and_is_told_higher_and_higher() -> None:
    case = at_decision()
    case.give(OfferHandOver(destination="marac"))
    case.give(decision(s0="no_further_action"), MANAGER)
    assert not case.referral.open and not case.referral.finished
    entries = case.run_to(told_from(case) + timedelta(hours=6))
    assert len({role for role, _ in climbs(entries, "hand_over:marac")}) == 3
    accepted(case)
    assert case.referral.hand_overs["marac"].result == "accepted" and not case.running("hand_over")


def test_a_hand_over_names_a_destination_of_the_hub_an_authority_and_what_they_are_told() -> None:
    case = at_decision()
    with pytest.raises(NotInProfile, match="lado"):
        case.give(OfferHandOver(destination="police"))
    with pytest.raises(Incomplete, match="authority"):
        case.give(OfferHandOver(destination="authority_of_plan"))
    with pytest.raises(Incomplete, match="subject"):
        case.give(OfferHandOver(destination="channel", subjects=("s9",)))
    with pytest.raises(ReasonNeeded):
        case.give(OfferHandOver(destination="nrm"), words=False)
    with pytest.raises(ImpossibleMove):
        case.give(AcceptHandOver(hand_over="nrm"))


def test_adults_services_are_asked_with_the_decision_and_accept_by_their_login() -> None:
    case = at_decision(hub("merton"), "adult", immediate_danger=True)
    case.give(RecordAdultView(subject="s0", capacity="has", agrees="yes"))
    before, by = case.referral, MANAGER
    events = case.give(decision(s0="adult_section_42"), by)
    drafts = notices_for("R", before, case.referral, events, case.profile, by, case.now)
    assert ("hand_over_offered", "adult_social_worker") in {(draft.kind, draft.role) for draft in drafts}
    case.give(AcceptHandOver(hand_over="adult_social_care"), ADULTS, words=False)
    assert case.stage == "adult_section_42" and not case.referral.offered
    case.give(CompleteAdultEnquiry(outcome="risk_reduced"), ADULTS)
    assert not case.referral.open


def test_whoever_decided_a_transfer_cannot_accept_it_for_them_where_somebody_else_signed_it_off() -> None:
    signed = {"blue": SignOff(ratings=("blue",), outcomes=("transfer",), role="service_manager")}
    case, signs = at_decision(hub("merton", sign_off=signed)), person("service_manager")
    case.give(decision(s0="transfer"), MANAGER)
    case.give(SignOffDecision(agreed=True), signs)
    for theirs in (MANAGER, signs):
        with pytest.raises(NotYours, match="whoever offers"):
            case.give(AcceptHandOver(hand_over="another_authority"), theirs)
    case.give(AcceptHandOver(hand_over="another_authority"), OTHER)
    assert case.stage == "transferred"


def test_nor_of_a_child_whose_part_of_it_was_split_off() -> None:
    signed = {"blue": SignOff(ratings=("blue",), outcomes=("transfer",), role="service_manager")}
    case = at_decision(hub("merton", sign_off=signed), "child", "child")
    case.give(decision(s0="section_17", s1="transfer"), MANAGER)
    case.give(SignOffDecision(agreed=True), person("service_manager"))
    (linked,) = case.linked.values()
    with pytest.raises(NotYours, match="whoever offers"):
        linked.give(AcceptHandOver(hand_over="another_authority"), MANAGER, words=linked.fresh_words())


def test_an_adult_enquiry_that_they_finish_is_accepted_by_that() -> None:
    case = at_decision(hub("merton"), "adult", immediate_danger=True)
    case.give(RecordAdultView(subject="s0", capacity="has", agrees="yes"))
    case.give(decision(s0="adult_section_42"), MANAGER)
    case.give(CompleteAdultEnquiry(outcome="risk_reduced"), ADULTS)
    assert case.referral.hand_overs["adult_social_care"].result == "accepted" and not case.running("hand_over")


def test_an_adult_enquiry_is_not_finished_over_an_offer_that_nobody_has_answered() -> None:
    case = in_adult_enquiry()
    case.give(WithdrawDecision(), MANAGER)
    case.give(decision(s0="adult_section_42"), MANAGER)
    with pytest.raises(Incomplete, match="accept_hand_over"):
        case.give(CompleteAdultEnquiry(outcome="risk_reduced"), OTHER)
    case.give(ReturnHandOver(hand_over="adult_social_care-2"), ADULTS)
    case.give(OfferHandOver(destination="adult_social_care"), ADULTS)
    with pytest.raises(Incomplete, match="accept_hand_over"):
        case.give(CompleteAdultEnquiry(outcome="risk_reduced"), ADULTS)
    accepted(case)
    case.give(CompleteAdultEnquiry(outcome="risk_reduced"), OTHER)
    assert not case.referral.open


def test_whoever_turns_18_is_handed_over_once_adults_services_have_accepted() -> None:
    case = at_decision()
    case.give(SayOfAge(subject="s0", when="today"), SYSTEM)
    case.give(HandOverToAdults(subject="s0", to="adult_social_care"))
    assert case.referral.subjects["s0"].coming_of_age == "today"
    with pytest.raises(Incomplete, match="accept_hand_over"):
        case.give(decision(s0="no_further_action"), MANAGER)
    with pytest.raises(Incomplete, match="already"):
        case.give(HandOverToAdults(subject="s0", to="adult_social_care"))
    case.give(AcceptHandOver(hand_over="adult_social_care"), ADULTS)
    assert (case.referral.subjects["s0"].coming_of_age, case.referral.subjects["s0"].cohort) == ("handed_over", "adult")


def in_adult_enquiry() -> Case:
    """A section 42 enquiry that adults' services have accepted."""
    case = at_decision(None, "adult", immediate_danger=True)
    case.give(RecordAdultView(subject="s0", capacity="has", agrees="yes"))
    case.give(decision(s0="adult_section_42"), MANAGER)
    return accepted(case, ADULTS)


def test_whoever_accepted_an_enquiry_hears_that_its_decision_is_withdrawn_and_is_asked_anew_when_it_is_decided_again() -> None:
    case = in_adult_enquiry()
    assert ("hand_over_called_off", "adult_social_worker") in told(case, WithdrawDecision(), MANAGER)
    assert case.referral.hand_overs["adult_social_care"].result == "called_off"
    assert ("hand_over_offered", "adult_social_worker") in told(case, decision(s0="adult_section_42"), MANAGER)
    assert [*case.referral.offered] == ["adult_social_care-2"]


def test_whoever_has_something_for_another_reason_keeps_it_when_a_decision_is_withdrawn() -> None:
    case = at_decision()
    for name in ("marac", "adult_social_care"):
        case.give(OfferHandOver(destination=name))
    accepted(case)
    case.wait(minutes=5)
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(ReopenReferral(), MANAGER)
    assert {each.result for each in case.referral.hand_overs.values()} == {"accepted"}


def test_an_authority_that_has_accepted_a_case_is_rung_when_it_is_reopened_here() -> None:
    case = accepted(transferred())
    before = case.referral
    events = case.give(ReopenReferral(), MANAGER)
    (draft,) = [
        draft
        for draft in notices_for("R", before, case.referral, events, case.profile, MANAGER, case.now)
        if draft.kind == "hand_over_called_off"
    ]
    message = message_for(draft.kind, "R", draft.facts, case.now, "", **UNADDRESSED)
    assert draft.role == "duty_manager" and "ring Another local authority" in message.title
    assert "they had accepted it" in "".join(message.lines)


@pytest.mark.parametrize("answered", [False, True])
def test_the_designated_officer_hears_that_it_is_not_about_somebody_who_works_with_children(answered: bool) -> None:
    case = arrived(hub("merton"), categories=("professional_concern",))
    if answered:
        accepted(case)
    assert ("hand_over_called_off", "duty_manager") in told(case, RecordCategories(categories=()))
    assert case.referral.hand_overs["lado"].result == "called_off" and not case.running("hand_over")
    case.give(RecordCategories(categories=("professional_concern",)))
    assert [*case.referral.offered] == ["lado-2"]


def test_a_transferred_case_that_is_reopened_can_be_transferred_again() -> None:
    case = accepted(transferred())
    case.give(ReopenReferral(), MANAGER)
    case.give(decision(s0="transfer"), MANAGER)
    assert list(case.referral.offered) == ["another_authority-2"]


# --- whom a concern about a professional is about ---------------------------------------------------------------------


def about_a_teacher(**teacher: Any) -> Case:
    """A child, and a teacher whose birthday nobody knows, just received."""
    case = Case(hub())
    people = (Subject(id="s0", cohort="child", age="child"), Subject(id="s1", cohort="adult", **teacher))
    contact = {"contact": "referral", "source": "2A", "source_agency": "education", "categories": ("professional_concern",)}
    case.give(ReceiveContact(subjects=people, **contact), SYSTEM)
    return case


def test_whom_the_concern_is_about_is_not_asked_before_others_hear_of_it() -> None:
    case = about_a_teacher(accused=True, age="adult")
    with pytest.raises(Incomplete, match="not asked before"):
        case.give(RecordAdultView(subject="s1", capacity="has", agrees="no"))
    case.give(BASIS)
    assert case.referral.sharing


def test_an_adult_who_was_harmed_is_asked_and_whom_the_concern_is_about_can_be_said_later() -> None:
    case = about_a_teacher(age="adult")
    with pytest.raises(Incomplete, match="record_accused"):
        case.give(BASIS)
    case.give(RecordAccused(subject="s1", accused=True))
    case.give(BASIS)
    with pytest.raises(Incomplete, match="already"):
        case.give(RecordAccused(subject="s1", accused=True))
    case.give(RecordAccused(subject="s1", accused=False))
    assert case.referral.adults_unheard == ("s1",)


def test_whom_the_concern_is_about_is_no_child_in_any_count_and_a_child_stays_one() -> None:
    case = about_a_teacher(accused=True)
    assert not case.referral.subjects["s1"].counts_as_child and case.referral.unseen == ("s0",)
    with pytest.raises(Incomplete, match="stays a child"):
        case.give(RecordAccused(subject="s0", accused=True))
    case.give(CorrectCohort(subject="s1", cohort="child"))
    assert case.referral.subjects["s1"].counts_as_child and not case.referral.subjects["s1"].accused


def test_a_refusal_of_whom_the_concern_is_about_binds_nobody() -> None:
    case = about_a_teacher(age="adult")
    case.give(RecordAdultView(subject="s1", capacity="has", agrees="no"))
    refused = RecordSharingBasis(
        purpose="child_protection", lawful_basis="public_task", consent="not_sought", family_informed=True
    )
    with pytest.raises(Incomplete, match="refuses"):
        case.give(refused)
    case.give(RecordAccused(subject="s1", accused=True))
    case.give(refused)
    assert case.referral.sharing


# --- a step-down, by the same rule ------------------------------------------------------------------------------------


def test_whoever_offers_a_step_down_cannot_accept_it_for_the_service() -> None:
    case = at_decision()
    case.give(decision(s0="early_help"), MANAGER)
    case.give(OfferStepDown(service="early_help"), MANAGER)
    with pytest.raises(NotYours, match="whoever offers"):
        case.give(AcceptStepDown(), MANAGER)
    case.give(AcceptStepDown(), OTHER)
    assert case.stage == "step_down_accepted"
