"""Facts are put right, each by an act: what was is superseded and never lost, and whoever had been told is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mash.notifications.notices import REFERRER, NoticeDraft, notices_for
from mash.states.acts.checks import AskAgencies, ChecksRequested
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.corrections import AddSubject, CorrectDetails, CorrectReferrer, DetailsCorrected, RemoveSubject
from mash.states.acts.decisions import DecisionRecorded, SignOffDecision
from mash.states.acts.enquiring import FLAG
from mash.states.acts.informing import InformReferrer, RecordTold, owed
from mash.states.acts.known import RecordIdentified
from mash.states.acts.meetings import RecordDissent
from mash.states.acts.protection import RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordMarker
from mash.states.acts.step_down import OfferStepDown
from mash.states.acts.upkeep import LinkReferral, LinkRemoved, RecordUnlinked, RemoveLink
from mash.states.acts.withdrawing import DecisionWithdrawn, SignOffWithdrawal, WithdrawDecision
from mash.states.errors import ImpossibleMove, Incomplete, NotYours, ReasonNeeded
from mash.states.profile import SignOff
from mash.states.values import Actor, Details, Words

from .worlds import BASIS, DUTY, MANAGER, QUORUM, SYSTEM, Case, answer_all, arrived, at_decision, decision, hub, of, person, rated

MERTON = hub("merton")
SECOND = SignOff(ratings=("blue",), outcomes=("section_47",), role="service_manager")
HELD = RecordStrategyDiscussion(attended=(*QUORUM, "education"), outcome="section_47")


def details(item: str = "new", **more: Any) -> Details:
    """What is right, sealed as the store has sealed it."""
    return Details(stored=Words(item=item, hmac="0" * 64), **{"kind": "subject", "changed": ("name",), **more})


def reachable(can_be: bool = True) -> Details:
    flags = () if can_be else ("referrer_not_reachable",)
    return details("r1", kind="referrer", changed=("email",), before="r0", reachable=can_be, flags=flags)


def notices(case: Case, command: Any, by: Actor = MANAGER, **came: Any) -> list[NoticeDraft]:
    """The notices that a command causes."""
    before, seen = case.referral, len(case.log)
    case.give(command, by, **came)
    return notices_for(
        case.reference, before, case.referral, [entry.event for entry in case.log[seen:]], case.profile, SYSTEM, case.now
    )


# --- details ----------------------------------------------------------------------------------------------------------


def test_corrected_details_supersede_what_was_stored_and_their_flags_are_made_anew() -> None:
    case = arrived(MERTON, flags=("s0_nhs_number_not_valid", "s0_cohort_not_stated", "consent_not_asked"))
    right = details(subject="s0", before="old", flags=("upn_not_valid",), age="child", changed=("name", "nhs_number"))
    (event,) = of(DetailsCorrected, case.give(CorrectDetails(item="s0"), details=right))
    assert (event.subject, event.fields, event.instead_of, event.age) == ("s0", ("name", "nhs_number"), "old", "child")
    assert case.referral.flags == ("s0_cohort_not_stated", "consent_not_asked", "s0_upn_not_valid")
    assert not case.referral.stands("old", "s0") and case.referral.stands("new", "s0")


def test_of_an_item_that_was_corrected_twice_the_first_is_known() -> None:
    case = arrived(MERTON)
    for before, item in (("first", "second"), ("second", "third")):
        case.give(CorrectDetails(item="s0"), details=details(item, subject="s0", before=before))
    assert case.referral.first_of("third") == "first"


@pytest.mark.parametrize("right", [None, details(changed=())])
def test_a_correction_that_corrects_nothing_is_refused(right: Details | None) -> None:
    with pytest.raises(Incomplete):
        arrived(MERTON).give(CorrectDetails(item="s0"), details=right)


def test_details_are_put_right_on_a_closed_case_and_not_once_its_people_are_erased() -> None:
    case = at_decision()
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(CorrectDetails(item="s0"), details=details(subject="s0"))
    assert not case.referral.open
    case.give(ErasePeople(why="right_to_erasure"), SYSTEM)
    with pytest.raises(ImpossibleMove):
        case.give(CorrectDetails(item="s0"), details=details("newer", subject="s0"))


# --- who referred -----------------------------------------------------------------------------------------------------


def test_an_outcome_that_could_not_be_written_is_owed_again_once_there_is_an_address() -> None:
    case = at_decision()
    case.give(decision(s0="no_further_action"), MANAGER)
    assert owed(case.referral) == ()
    drafts = notices(case, CorrectReferrer(), DUTY, details=reachable())
    assert [(draft.kind, draft.role) for draft in drafts] == [("outcome", REFERRER)]
    assert owed(case.referral) == ("outcome",) and case.referral.referrer_reachable
    assert case.clock("outcome_told").started_at == case.now


def test_what_waits_for_the_wrong_address_is_sent_to_the_right_one_by_the_clock_that_runs() -> None:
    case = at_decision(referrer_reachable=True)
    case.give(RecordTold(what="acknowledgement"), SYSTEM)
    case.give(decision(s0="no_further_action"), MANAGER)
    due = case.clock("outcome_told").due_at
    drafts = notices(case, CorrectReferrer(), DUTY, details=reachable())
    assert [draft.kind for draft in drafts] == ["outcome"] and case.clock("outcome_told").due_at == due


def test_what_the_referrer_has_heard_is_not_told_again() -> None:
    case = at_decision(referrer_reachable=True)
    case.give(decision(s0="no_further_action"), MANAGER)
    for what in ("acknowledgement", "outcome"):
        case.give(RecordTold(what=what), SYSTEM)
    by_name = reachable().model_copy(update={"changed": ("name", "phone")})
    assert notices(case, CorrectReferrer(), DUTY, details=by_name) == [] and owed(case.referral) == ()


@pytest.mark.parametrize("told", [True, False])
def test_what_went_to_a_wrong_address_is_told_to_the_right_one(told: bool) -> None:
    case = at_decision(referrer_reachable=True)
    matter = "outcome" if told else "acknowledgement"
    case.give(RecordTold(what="acknowledgement"), SYSTEM)
    if told:
        case.give(decision(s0="no_further_action"), MANAGER)
        case.give(RecordTold(what="outcome"), SYSTEM)
    before = case.referral.deliveries
    drafts = notices(case, CorrectReferrer(), DUTY, details=reachable())
    assert [(draft.kind, draft.role) for draft in drafts] == [(matter, REFERRER)] and owed(case.referral) == (matter,)
    assert case.referral.deliveries == before, "what was sent stays in the log"
    case.give(RecordTold(what=matter), SYSTEM)
    assert owed(case.referral) == () and notices(case, CorrectReferrer(), DUTY, details=reachable())


def test_what_was_told_by_a_person_is_heard_whatever_the_address() -> None:
    case = at_decision(flags=("referrer_by_other_means",))
    case.give(decision(s0="no_further_action"), MANAGER)
    for what in ("acknowledgement", "outcome"):
        case.give(InformReferrer(what=what, how="telephone"))
    assert notices(case, CorrectReferrer(), DUTY, details=reachable()) == [] and owed(case.referral) == ()


def test_that_something_no_longer_holds_is_not_told_to_whoever_never_heard_it() -> None:
    case = at_decision(referrer_reachable=True)
    case.give(decision(s0="no_further_action"), MANAGER)
    for what in ("acknowledgement", "outcome"):
        case.give(RecordTold(what=what), SYSTEM)
    case.give(ReopenReferral(), MANAGER)
    assert owed(case.referral) == ("withdrawal",)
    drafts = notices(case, CorrectReferrer(), DUTY, details=reachable())
    assert [draft.kind for draft in drafts] == ["acknowledgement"] and owed(case.referral) == ("acknowledgement",)


def test_whoever_could_not_be_reached_by_telephone_is_owed_the_outcome_once_they_can_be_written_to() -> None:
    case = at_decision(flags=("referrer_by_other_means",))
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(InformReferrer(what="outcome", how="not_reached"))
    case.give(CorrectReferrer(), details=reachable())
    assert "outcome" in owed(case.referral) and "referrer_by_other_means" not in case.referral.flags


def test_a_new_address_is_not_written_to_where_writing_is_not_safe() -> None:
    case = at_decision(referrer_reachable=True, writing_unsafe=True)
    case.give(decision(s0="no_further_action"), MANAGER)
    assert notices(case, CorrectReferrer(), DUTY, details=reachable()) == []
    assert set(owed(case.referral)) == {"acknowledgement", "outcome"}


def test_to_whoever_cannot_be_reached_after_all_nothing_is_owed() -> None:
    case = arrived(MERTON, referrer_reachable=True)
    case.give(CorrectReferrer(), details=reachable(False))
    assert owed(case.referral) == () and not case.clock("acknowledgement").met
    assert "referrer_not_reachable" in case.referral.flags


# --- subjects ---------------------------------------------------------------------------------------------------------


def test_a_sibling_found_in_checks_is_a_subject_without_outcome_and_agencies_can_be_asked_again() -> None:
    case = rated(hub(), "amber")
    case.give(BASIS)
    first, *_ = case.referral.outstanding
    old = case.running("check")
    case.give(AddSubject(cohort="child"), details=details())
    assert case.referral.subjects["S1"].outcome is None
    assert "subject_not_asked_about" in case.referral.flags and first in case.referral.to_ask_again
    (asked,) = of(ChecksRequested, case.give(AskAgencies(agencies=(first,))))
    assert asked.agencies == (first,) and first not in case.referral.to_ask_again
    assert [clock.id for clock in old if clock.whose == first] != [c.id for c in case.running("check") if c.whose == first]
    case.give(AskAgencies(agencies=case.referral.to_ask_again))
    assert "subject_not_asked_about" not in case.referral.flags
    with pytest.raises(Incomplete, match="already asked"):
        case.give(AskAgencies(agencies=(first,)))


def test_a_decision_names_the_subject_who_was_added_too() -> None:
    case = at_decision()
    case.give(AddSubject(cohort="child"), details=details())
    with pytest.raises(Incomplete, match="each subject"):
        case.give(decision(s0="section_17"), MANAGER)
    case.give(decision(s0="section_17", S1="no_further_action"), MANAGER)
    assert set(case.linked["R-B"].referral.subjects) == {"S1"}


def test_once_it_is_decided_nobody_is_added_and_it_says_what_to_do() -> None:
    case = at_decision()
    case.give(decision(s0="section_17"), MANAGER)
    with pytest.raises(Incomplete, match=r"reopen it .* or make a new contact"):
        case.give(AddSubject(cohort="child"), details=details())


def test_nobody_who_is_added_gets_the_number_of_somebody_else_of_the_contact() -> None:
    case = at_decision(None, "child", "child")
    case.give(AddSubject(cohort="child"), details=details("a"))
    case.give(RemoveSubject(subject="S1"))
    case.give(AddSubject(cohort="child"), details=details("b"))
    case.give(decision(s0="section_17", s1="no_further_action", S2="no_further_action"), MANAGER)
    linked = case.linked["R-B"]
    assert isinstance(linked, Case)
    for each, number in ((case, "S3"), (linked, "SB1")):
        each.give(WithdrawDecision() if each is case else ReopenReferral(), MANAGER)
        each.give(AddSubject(cohort="child"), details=details(number))
        assert number in each.referral.subjects


def test_a_subject_entered_in_error_is_taken_out_with_a_reason_but_not_the_last_one() -> None:
    case = arrived(MERTON, "child", "child", flags=("s1_upn_not_valid",))
    with pytest.raises(ReasonNeeded):
        case.give(RemoveSubject(subject="s1"), words=False)
    case.give(RemoveSubject(subject="s1"))
    assert set(case.referral.subjects) == {"s0"} and case.referral.flags == () and case.referral.removed == ("s1",)
    assert not case.referral.stands("anything", "s1")
    with pytest.raises(Incomplete, match="nobody else"):
        case.give(RemoveSubject(subject="s0"))


def test_whom_somebody_has_confirmed_to_be_a_child_is_not_taken_out_before_that_is_taken_back() -> None:
    case = arrived(MERTON, "child", "child")
    case.give(RecordIdentified(subject="s1"), SYSTEM, words=False)
    with pytest.raises(Incomplete, match="withdraw_identity"):
        case.give(RemoveSubject(subject="s1"))
    case.give(RemoveSubject(subject="s0"))
    assert set(case.referral.subjects) == {"s1"} == set(case.referral.identities)


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_wrong_link_is_removed_on_both_sides() -> None:
    one, other = arrived(MERTON), arrived(MERTON)
    one.give(LinkReferral(other="Q", relation="sibling"))
    other.give(LinkReferral(other="P", relation="sibling"))
    (event,) = of(LinkRemoved, one.give(RemoveLink(other="Q")))
    other.give(RecordUnlinked(other="P"), SYSTEM, words=False)
    assert event.relation == "sibling" and one.referral.links == other.referral.links == {}
    with pytest.raises(ImpossibleMove):
        one.give(RemoveLink(other="Q"))


# --- decisions --------------------------------------------------------------------------------------------------------


def decided(outcome: str = "section_47", **fields: Any) -> Case:
    case = at_decision(**fields)
    case.give(decision(s0=outcome), MANAGER)
    return case


@pytest.mark.parametrize("held", [False, True])
def test_a_section_47_for_the_wrong_child_ends_without_a_discussion_that_was_not_held(held: bool) -> None:
    case = decided()
    if held:
        case.give(HELD)
    case.wait(days=1)
    drafts = notices(case, WithdrawDecision())
    assert case.stage == "decision" and case.referral.outcomes == {} and case.referral.decided_at is None
    assert case.referral.open and not case.running("initial_conference") and not case.running("strategy_discussion")
    (again,) = case.running("decision_on_response")
    assert again.started_at == case.now
    (withdrawn,) = of(DecisionWithdrawn, [entry.event for entry in case.log])
    assert withdrawn.outcomes == {"s0": "section_47"} and set(QUORUM) <= set(withdrawn.told)
    assert ("education" in withdrawn.told) == held
    told = {draft.role for draft in drafts if draft.kind == "decision_withdrawn"}
    assert {MERTON.agencies[name].role for name in ("police", "health") if name in MERTON.agencies} <= told
    case.give(decision(s0="section_47"), MANAGER)
    case.give(HELD)
    assert case.stage == "enquiries"


@pytest.mark.parametrize("outcome", ["section_17", "early_help", "no_further_action", "transfer", "advice"])
def test_any_decision_can_be_withdrawn_and_the_case_goes_back_to_it(outcome: str) -> None:
    case = decided(outcome)
    words, dissents = len(case.log), case.referral.dissents
    case.give(RecordDissent(about="decision"), person("agency", "police"))
    case.give(WithdrawDecision(), MANAGER)
    assert case.stage == "decision" and case.referral.open and case.running("decision_on_response")
    assert len(case.log) > words and set(dissents) <= set(case.referral.dissents) and case.referral.dissents
    assert of(DecisionRecorded, [entry.event for entry in case.log]), "what was decided stays in the log"


def test_a_service_that_was_offered_a_step_down_is_told() -> None:
    case = decided("early_help")
    case.give(OfferStepDown(service="early_help"))
    drafts = notices(case, WithdrawDecision())
    assert MERTON.services["early_help"].role in {draft.role for draft in drafts if draft.kind == "decision_withdrawn"}
    assert case.referral.service is None


def test_a_referrer_who_was_told_is_told_that_it_no_longer_holds_and_no_outcome() -> None:
    case = decided("section_17", referrer_reachable=True)
    for what in ("acknowledgement", "outcome"):
        case.give(RecordTold(what=what), SYSTEM)
    told_at = case.now
    case.wait(days=2)
    (draft,) = [each for each in notices(case, WithdrawDecision()) if each.role == REFERRER]
    assert draft.kind == "withdrawal" and draft.facts["at"] == told_at.isoformat()
    assert "outcomes" not in draft.facts and owed(case.referral) == ("withdrawal",)
    case.give(RecordTold(what="withdrawal"), SYSTEM)
    assert owed(case.referral) == ()


def test_a_referrer_who_has_not_been_told_yet_is_not_told_of_what_was_withdrawn() -> None:
    case = decided("section_17", referrer_reachable=True)
    assert [draft for draft in notices(case, WithdrawDecision()) if draft.role == REFERRER] == []
    assert "outcome" not in owed(case.referral)


def test_a_referrer_who_must_not_be_written_to_is_told_by_a_person() -> None:
    case = decided("section_17", referrer_reachable=True)
    case.give(RecordTold(what="outcome"), SYSTEM)
    case.give(RecordMarker(marker="do_not_write"))
    drafts = notices(case, WithdrawDecision())
    assert REFERRER not in {draft.role for draft in drafts}
    assert [draft.facts["matter"] for draft in drafts if draft.kind == "inform_referrer"] == ["withdrawal"]
    case.give(InformReferrer(what="withdrawal", how="telephone"))
    assert "withdrawal" not in owed(case.referral)


def two_persons() -> Case:
    """A hub like Merton where a service manager signs off every section 47."""
    case = at_decision(hub("merton", sign_off={"blue": SECOND}))
    case.give(decision(s0="section_47"), MANAGER)
    return case


def test_a_decision_that_waits_to_be_signed_off_is_withdrawn_by_whoever_decides() -> None:
    case = two_persons()
    case.give(WithdrawDecision(), MANAGER)
    assert case.stage == "decision" and case.referral.proposed is None


def test_where_decisions_are_signed_off_a_second_person_agrees_to_a_withdrawal_and_until_then_it_holds() -> None:
    case = two_persons()
    second = person("service_manager", name="second")
    case.give(SignOffDecision(agreed=True), second)
    drafts = notices(case, WithdrawDecision())
    assert case.stage == "strategy_discussion" and case.running("withdrawal_sign_off")
    assert [draft.role for draft in drafts if draft.kind == "withdrawal_sign_off"] == ["service_manager"]
    with pytest.raises(NotYours):
        case.give(SignOffWithdrawal(agreed=True), MANAGER)
    case.give(SignOffWithdrawal(agreed=False), second)
    assert case.stage == "strategy_discussion" and case.referral.withdrawing is None
    case.give(WithdrawDecision(), MANAGER)
    case.give(SignOffWithdrawal(agreed=True), second, words=False)
    assert case.stage == "decision" and not case.running("withdrawal_sign_off")


def test_that_a_section_47_may_be_the_second_goes_with_it_when_it_is_withdrawn() -> None:
    case = at_decision()
    case.state = case.referral.model_copy(update={"flags": (FLAG, "consent_not_asked")})
    case.give(decision(s0="section_47"), MANAGER)
    case.give(WithdrawDecision(), MANAGER)
    assert case.referral.flags == ("consent_not_asked",)


def test_a_case_that_was_decided_about_by_nobody_has_no_decision_to_withdraw() -> None:
    case = answer_all(rated(hub(), "amber"))
    with pytest.raises(ImpossibleMove):
        case.give(WithdrawDecision(), MANAGER)


def test_a_withdrawn_case_is_rated_and_decided_like_any_other_and_its_clocks_run_from_now() -> None:
    case = decided("no_further_action")
    case.wait(days=200)
    case.give(WithdrawDecision(), MANAGER)
    assert all(clock.due_at > case.now - timedelta(hours=1) for clock in case.referral.running)
    with pytest.raises(ImpossibleMove):
        case.give(RateReferral(rating="blue"))
    case.give(decision(s0="section_17"), MANAGER)
    assert case.stage == "section_17_assessment"
