"""Resolving professional differences: raised, determined stage by stage by the right role, taken further, and final."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mash.states.acts.alerts import FireClocks
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.closing import ReferralReopened, ReopenReferral
from mash.states.acts.contact import ConcludeConsultation
from mash.states.acts.disagreements import (
    DisagreementRaised,
    DisagreementSettled,
    DisagreementTakenFurther,
    RaiseDisagreement,
    SettleDisagreement,
    TakeDisagreementFurther,
    to_settle,
)
from mash.states.acts.protection import ConcludeEnquiries, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral, ReferralRerated, RerateReferral
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown
from mash.states.acts.upkeep import AdoptProfile
from mash.states.clocks import Length
from mash.states.course import ClockWarned
from mash.states.entitled import possible
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, NotYours, ReasonNeeded, Refusal
from mash.states.profile import Consultation, Disagreements, Referee, Triage

from .worlds import (
    DUTY,
    MANAGER,
    MORNING,
    NOT_SHARED,
    QUORUM,
    SYSTEM,
    Case,
    arrived,
    at_decision,
    climbs,
    decision,
    hub,
    london,
    of,
    partner,
    person,
    rated,
    seen,
    signposted,
)

TWO_HOURS, WEEK = Length.model_validate("2 h"), Length.model_validate("5 working days")
PROCEDURE = Disagreements(
    rating=(Referee(role="social_care_representative"), Referee(role="operational_manager", within=TWO_HOURS)),
    decision=(
        Referee(role="practice_manager"),
        Referee(role="principal_social_worker", within=TWO_HOURS),
        Referee(role="service_manager", within=WEEK),
    ),
)
SANDWELL, MERTON = hub(disagreements=PROCEDURE), hub("merton", disagreements=PROCEDURE)
POLICE = partner("police")
REPRESENTATIVE, OPERATIONAL = person("social_care_representative"), person("operational_manager")
PRACTICE, PRINCIPAL, SERVICE = person("practice_manager"), person("principal_social_worker"), person("service_manager")
OVER_RATING, OVER_DECISION = RaiseDisagreement(about="rating", rating="red"), RaiseDisagreement(about="decision")
FURTHER = TakeDisagreementFurther(disagreement="D1")


def settled(outcome: Any = "stands", rating: str | None = None, disagreement: str = "D1") -> SettleDisagreement:
    return SettleDisagreement(disagreement=disagreement, outcome=outcome, rating=rating)


def rating_disputed(rating: str = "green") -> Case:
    """The police think that it should be red."""
    case = rated(SANDWELL, rating)
    case.give(OVER_RATING, POLICE)
    return case


def decided(outcome: str = "no_further_action", **fields: Any) -> Case:
    case = at_decision(MERTON, **fields)
    case.give(decision(s0=outcome), MANAGER)
    return case


def decision_disputed(outcome: str = "no_further_action", **fields: Any) -> Case:
    """The police think that it was wrongly decided."""
    case = decided(outcome, **fields)
    case.give(OVER_DECISION, POLICE)
    return case


# Raising


def test_a_disputed_rating_goes_to_the_first_role_of_the_procedure_with_its_time_to_determine_it() -> None:
    case = rated(SANDWELL, "green")
    with pytest.raises(ReasonNeeded):
        case.give(OVER_RATING, POLICE, words=False)
    (raised,) = of(DisagreementRaised, case.give(OVER_RATING, POLICE))
    assert (raised.id, raised.about, raised.agency, raised.rating) == ("D1", "rating", "police", "red")
    found, clock = case.referral.disagreements["D1"], case.clock("disagreement:D1")
    assert (found.role, found.outcome, found.final) == ("social_care_representative", None, False)
    assert (clock.owner, clock.due_at) == ("social_care_representative", london("2026-06-03 17:00"))
    assert case.referral.disputed == ("D1",)
    assert (case.stage, case.referral.rating) == ("agency_checks", "green"), "nothing changes before somebody determines it"


def test_a_referees_own_time_counts_before_the_hubs() -> None:
    profile = hub(
        disagreements=Disagreements(rating=(Referee(role="practice_manager", within=TWO_HOURS),), decision=PROCEDURE.decision)
    )
    case = rated(profile, "green")
    case.give(OVER_RATING, POLICE)
    assert case.clock("disagreement:D1").due_at == MORNING + timedelta(hours=2)


def test_the_rating_that_somebody_thinks_right_is_one_of_the_hubs_and_need_not_be_said() -> None:
    case = rated(SANDWELL, "green")
    with pytest.raises(NotInProfile, match="red, amber, green"):
        case.give(OVER_RATING.model_copy(update={"rating": "blue"}), POLICE)
    case.give(RaiseDisagreement(about="rating"), POLICE)
    assert case.referral.disputed == ("D1",)


def test_before_a_rating_there_is_nothing_to_dispute_and_before_a_decision_only_the_rating() -> None:
    case = arrived(SANDWELL)
    with pytest.raises(ImpossibleMove):
        case.give(OVER_RATING, POLICE)
    case.give(RateReferral(rating="green"))
    with pytest.raises(Incomplete, match="dispute the rating instead"):
        case.give(OVER_DECISION, POLICE)


def test_a_case_that_was_decided_without_a_rating_has_no_rating_to_dispute() -> None:
    case = arrived(hub(disagreements=PROCEDURE, triage=Triage(stage=False)))
    case.give(decision(s0="section_17"), MANAGER)
    with pytest.raises(Incomplete, match="once it is given"):
        case.give(OVER_RATING, POLICE)
    case.give(OVER_DECISION, POLICE)
    assert case.referral.disputed == ("D1",)


def test_once_the_case_is_concluded_the_decision_is_disputed_and_not_the_rating() -> None:
    case = decided()
    with pytest.raises(Incomplete, match="dispute the decision instead"):
        case.give(RaiseDisagreement(about="rating"), POLICE)
    case.give(OVER_DECISION, POLICE)
    assert case.referral.disputed == ("D1",) and not case.referral.open


def test_the_referrer_disputes_a_decision_like_an_agency() -> None:
    case = decided()
    referrer = person("referrer", "education")
    case.give(OVER_DECISION, referrer)
    case.give(settled(), PRACTICE)
    with pytest.raises(NotYours):
        case.give(FURTHER, partner("education"))
    case.give(FURTHER, referrer)
    assert case.referral.disagreements["D1"].role == "principal_social_worker"


def advised() -> Case:
    case = arrived(hub(disagreements=PROCEDURE, consultation=Consultation(kinds=("referral",))))
    case.give(ConcludeConsultation(outcome="advice"))
    return case


def assessed(case: Case, outcome: Any = "child_in_need_plan") -> None:
    """An assessment ends the case; one that leads to help is held up by no dispute over the rating."""
    case.give(decision(s0="section_17"), MANAGER)
    seen(case).give(CompleteAssessment(factors=("21",), outcome=outcome), MANAGER)


def section_47_ended() -> Case:
    case = rated(MERTON, "red")
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="section_47"))
    seen(case).give(ConcludeEnquiries(outcome="no_further_child_protection_action"), MANAGER)
    return case


def not_taken() -> Case:
    return signposted(MERTON, "adult")


@pytest.mark.parametrize("concluded", [section_47_ended, advised, not_taken])
def test_however_a_case_was_concluded_that_can_be_disputed(concluded: Callable[[], Case]) -> None:
    case = concluded()
    assert not case.referral.open
    case.give(OVER_DECISION, POLICE)
    assert case.referral.disputed == ("D1",)


# Determining


def test_only_the_role_whose_turn_it_is_determines_and_says_why() -> None:
    case = rating_disputed()
    for by in (DUTY, OPERATIONAL, POLICE, PRACTICE):
        with pytest.raises(NotYours, match="social_care_representative"):
            case.give(settled(), by)
    with pytest.raises(ReasonNeeded):
        case.give(settled(), REPRESENTATIVE, words=False)
    (event,) = of(DisagreementSettled, case.give(settled(), REPRESENTATIVE))
    assert (event.outcome, event.role, event.final) == ("stands", "social_care_representative", False)
    assert case.referral.disputed == () and case.referral.rating == "green"
    assert case.clock("disagreement:D1").met is True


@pytest.mark.parametrize("about", ["rating", "decision"])
def test_a_rating_from_now_on_is_said_when_a_rating_is_changed_and_only_then(about: str) -> None:
    case, by = (rating_disputed(), REPRESENTATIVE) if about == "rating" else (decision_disputed(), PRACTICE)
    wrong = [settled("stands", "red"), settled("changed", None if about == "rating" else "red")]
    for command in wrong:
        with pytest.raises(Incomplete, match="only then"):
            case.give(command, by)
    assert case.referral.disputed == ("D1",)


def test_a_changed_rating_is_one_of_the_hubs() -> None:
    with pytest.raises(NotInProfile, match="red, amber, green"):
        rating_disputed().give(settled("changed", "blue"), REPRESENTATIVE)


def test_nobody_determines_their_own_disagreement_and_rates_a_danger_down_by_it() -> None:
    case = rated(SANDWELL, "red", immediate_danger=True)
    case.give(RaiseDisagreement(about="rating", rating="green"), REPRESENTATIVE)
    assert to_settle(case.referral, REPRESENTATIVE) == ()
    with pytest.raises(NotYours, match="another social care representative does"):
        case.give(settled("changed", "green"), REPRESENTATIVE)
    assert case.referral.rating == "red"
    case.give(settled("changed", "green"), person("social_care_representative", name="another"))
    assert case.referral.rating == "green"


def test_what_nobody_disputes_or_is_determined_already_is_not_determined() -> None:
    case = rating_disputed()
    with pytest.raises(Incomplete, match="there are: D1"):
        case.give(settled(disagreement="D2"), REPRESENTATIVE)
    case.give(OVER_RATING, partner("health"))
    case.give(settled(), REPRESENTATIVE)
    with pytest.raises(Incomplete, match="to be determined: D2"):
        case.give(settled("changed", "red"), REPRESENTATIVE)
    case.give(settled(disagreement="D2"), REPRESENTATIVE)
    assert "settle_disagreement" not in possible(case.referral)


def test_two_disagreements_run_and_end_apart() -> None:
    case = rating_disputed()
    case.wait(days=1)
    case.give(OVER_RATING, partner("health"))
    case.give(settled(disagreement="D2"), REPRESENTATIVE)
    assert case.clock("disagreement:D1").running and not case.clock("disagreement:D2").running
    assert case.clock("disagreement:D1").due_at == london("2026-06-03 17:00")


# A changed rating


def test_a_rating_changed_up_moves_the_clocks_from_then_and_sends_the_case_on_its_new_route() -> None:
    case = rated(SANDWELL, "green")
    case.give(NOT_SHARED)
    assert case.stage == "decision"
    case.give(OVER_RATING, POLICE)
    case.wait(hours=3)
    (changed,) = of(ReferralRerated, case.give(settled("changed", "red"), REPRESENTATIVE))
    assert (changed.before, changed.rating) == ("green", "red")
    assert (case.stage, case.referral.rating, case.referral.first_rating) == ("mash_meeting", "red", "green")
    assert case.clock("response").due_at == case.now + timedelta(hours=4)


def test_a_rating_changed_down_counts_from_the_original_start() -> None:
    case = rating_disputed("red")
    case.wait(hours=3)
    case.give(settled("changed", "amber"), REPRESENTATIVE)
    assert case.clock("response").due_at == MORNING + timedelta(hours=24)


def test_a_rating_that_was_changed_meanwhile_is_not_changed_twice() -> None:
    case = rating_disputed()
    case.give(RerateReferral(rating="red"))
    due = case.clock("response").due_at
    case.wait(hours=1)
    assert of(ReferralRerated, case.give(settled("changed", "red"), REPRESENTATIVE)) == []
    assert case.clock("response").due_at == due and case.referral.disputed == ()


def test_a_rating_changed_after_the_decision_leaves_the_case_on_its_path() -> None:
    case = rated(SANDWELL, "green")
    case.give(NOT_SHARED)
    case.give(OVER_RATING, POLICE)
    case.give(decision(s0="section_17"), MANAGER)
    case.give(settled("changed", "red"), REPRESENTATIVE)
    assert (case.stage, case.referral.rating) == ("section_17_assessment", "red")
    assert case.running("response") == [] and case.running("assessment")


def test_a_rating_dispute_is_determined_though_the_case_was_concluded_meanwhile_and_changes_nothing_then() -> None:
    case = rated(SANDWELL, "green")
    case.give(NOT_SHARED)
    case.give(OVER_RATING, POLICE)
    assessed(case)
    assert case.referral.disputed == ("D1",) and case.clock("disagreement:D1").running
    case.give(settled("changed", "red"), REPRESENTATIVE)
    assert (case.stage, case.referral.rating, case.referral.finished) == ("assessment_concluded", "green", True)


def test_no_assessment_ends_a_case_in_nothing_and_no_service_ends_it_while_its_rating_is_disputed() -> None:
    for outcome in ("no_further_action", "early_help"):
        case = rated(SANDWELL, "green")
        case.give(NOT_SHARED)
        case.give(decision(s0="section_17"), MANAGER)
        case.give(OVER_RATING, POLICE)
        done = CompleteAssessment(factors=("21",), outcome=outcome)
        if outcome == "early_help":
            seen(case).give(done, MANAGER)
            case.give(OfferStepDown(service="early_help"), MANAGER)
        ends = AcceptStepDown() if outcome == "early_help" else done
        with pytest.raises(Incomplete, match=r"D1 is to be determined by the .* first \(settle_disagreement\)"):
            seen(case).give(ends, person("early_help", "early_help") if outcome == "early_help" else MANAGER)
        case.give(settled("stands"), REPRESENTATIVE)
        case.give(ends, person("early_help", "early_help") if outcome == "early_help" else MANAGER)
        assert not case.referral.open


# A changed decision


def test_a_changed_decision_reopens_the_case_and_it_is_decided_anew_within_the_statutory_time() -> None:
    case = decision_disputed(referrer_reachable=True)
    case.wait(days=1)
    case.give(settled("changed"), PRACTICE)
    referral = case.referral
    assert (referral.stage, referral.open, referral.decided_at) == ("decision", True, None)
    assert referral.subjects["s0"].outcome is None
    (statutory,) = case.running("decision_on_response")
    assert (statutory.started_at, statutory.due_at) == (case.now, london("2026-06-04 17:00"))
    assert case.running("outcome_told") == [], "the old outcome is not told any more"
    case.give(decision(s0="section_17"), MANAGER)
    assert case.stage == "section_17_assessment" and len(case.running("outcome_told")) == 1


def test_a_decision_that_stands_leaves_the_case_concluded() -> None:
    case = decision_disputed()
    assert of(ReferralReopened, case.give(settled(), PRACTICE)) == []
    assert not case.referral.open and case.referral.finished


@pytest.mark.parametrize("offer", [False, True], ids=["in preparation", "offered"])
def test_a_changed_decision_takes_a_step_down_back_before_the_service_has_it(offer: bool) -> None:
    case = decided("early_help")
    if offer:
        case.give(OfferStepDown(service="early_help"))
    case.give(OVER_DECISION, POLICE)
    case.give(settled("changed"), PRACTICE)
    assert case.stage == "decision" and case.running("decision")
    assert case.running("step_down_offered") == case.running("step_down_preparing") == []


def test_a_changed_decision_leaves_no_service_with_an_offer() -> None:
    case = decided("early_help")
    case.give(OfferStepDown(service="early_help"))
    case.give(OVER_DECISION, POLICE)
    case.give(settled("changed"), PRACTICE)
    assert case.referral.service is None


def test_a_changed_decision_of_a_case_under_assessment_is_decided_anew() -> None:
    case = decision_disputed("section_17")
    case.give(settled("changed"), PRACTICE)
    assert case.stage == "decision" and case.running("assessment") == []
    assert case.running("decision") and case.referral.next_at is not None


def test_a_case_that_was_reopened_by_hand_meanwhile_is_not_reopened_twice() -> None:
    case = decision_disputed()
    case.give(ReopenReferral(), MANAGER)
    assert of(ReferralReopened, case.give(settled("changed"), PRACTICE)) == []
    assert (case.stage, case.referral.disputed) == ("decision", ())


# Taking it further


def test_what_was_determined_is_taken_further_with_a_reason_to_the_next_role_and_its_own_time() -> None:
    case = decision_disputed()
    case.give(settled(), PRACTICE)
    case.wait(days=1)
    with pytest.raises(ReasonNeeded):
        case.give(FURTHER, POLICE, words=False)
    (event,) = of(DisagreementTakenFurther, case.give(FURTHER, POLICE))
    assert (event.id, event.role) == ("D1", "principal_social_worker")
    (clock,) = case.running("disagreement")
    assert (clock.owner, clock.due_at) == ("principal_social_worker", case.now + timedelta(hours=2))
    assert case.referral.disputed == ("D1",)
    for earlier in (PRACTICE, SERVICE):
        with pytest.raises(NotYours, match="principal_social_worker"):
            case.give(settled(), earlier)
    case.give(settled(), PRINCIPAL)
    assert case.running("disagreement") == []


def test_only_whoever_raised_it_takes_it_further_a_colleague_included() -> None:
    case = decision_disputed()
    case.give(settled(), PRACTICE)
    for other in (partner("health"), person("early_help", "police"), MANAGER, DUTY):
        with pytest.raises(NotYours, match="raised"):
            case.give(FURTHER, other)
    case.give(FURTHER, person("agency", "police", "a.colleague"))
    assert case.referral.disagreements["D1"].stage == 1


def test_a_change_is_taken_further_too_when_it_does_not_go_far_enough() -> None:
    case = rating_disputed()
    case.give(settled("changed", "amber"), REPRESENTATIVE)
    case.give(FURTHER, POLICE)
    case.give(settled("changed", "red"), OPERATIONAL)
    assert case.referral.rating == "red" and case.referral.disagreements["D1"].final


def test_nothing_is_taken_further_before_it_is_determined_and_what_does_not_exist_never_is() -> None:
    case = decision_disputed()
    with pytest.raises(ImpossibleMove):
        case.give(FURTHER, POLICE)
    case.give(OVER_DECISION, partner("health"))
    case.give(settled(disagreement="D2"), PRACTICE)
    with pytest.raises(Incomplete, match="not determined yet"):
        case.give(FURTHER, POLICE)
    with pytest.raises(Incomplete, match="no such disagreement"):
        case.give(TakeDisagreementFurther(disagreement="D3"), POLICE)


def test_the_last_roles_word_is_final() -> None:
    case = decision_disputed()
    finals = []
    for referee in (PRACTICE, PRINCIPAL, SERVICE):
        finals += [event.final for event in of(DisagreementSettled, case.give(settled(), referee))]
        if referee is not SERVICE:
            case.give(FURTHER, POLICE)
    assert finals == [False, False, True]
    assert "take_disagreement_further" not in possible(case.referral)
    with pytest.raises(ImpossibleMove):
        case.give(FURTHER, POLICE)
    assert case.referral.finished


def test_a_final_word_is_not_taken_further_while_another_disagreement_still_could_be() -> None:
    case = rating_disputed()
    case.give(settled(), REPRESENTATIVE)
    case.give(FURTHER, POLICE)
    case.give(settled(), OPERATIONAL)
    case.give(OVER_RATING, partner("health"))
    case.give(settled(disagreement="D2"), REPRESENTATIVE)
    with pytest.raises(Incomplete, match="for good"):
        case.give(FURTHER, POLICE)
    case.give(TakeDisagreementFurther(disagreement="D2"), partner("health"))
    assert case.referral.disputed == ("D2",)


def test_where_one_role_determines_its_first_word_is_final() -> None:
    one = Disagreements(rating=(Referee(role="operational_manager"),), decision=PROCEDURE.decision)
    case = rated(hub(disagreements=one), "green")
    case.give(OVER_RATING, POLICE)
    case.give(settled("changed", "red"), OPERATIONAL)
    assert case.referral.disagreements["D1"].final


def test_a_new_disagreement_after_a_final_word_begins_with_the_first_role() -> None:
    case = rating_disputed()
    case.give(settled(), REPRESENTATIVE)
    case.give(FURTHER, POLICE)
    case.give(settled(), OPERATIONAL)
    case.give(OVER_RATING, POLICE)
    assert case.referral.disagreements["D2"].role == "social_care_representative"


def test_under_an_adopted_profile_with_fewer_roles_the_last_one_left_has_had_its_word() -> None:
    case = rating_disputed()
    case.give(settled(), REPRESENTATIVE)
    fewer = Disagreements(rating=PROCEDURE.rating[:1], decision=PROCEDURE.decision)
    case.profile = hub(disagreements=fewer)
    case.give(AdoptProfile(digest=case.profile.digest), MANAGER)
    with pytest.raises(Refusal):
        case.give(FURTHER, POLICE)


# Its clock


def test_a_disagreement_that_nobody_determines_is_told_to_its_referee_and_then_climbs_the_hubs_ladder() -> None:
    case = decided()
    case.give(OVER_DECISION, POLICE)
    case.give(settled(), PRACTICE)
    case.give(FURTHER, POLICE)
    start, due = case.now, case.now + timedelta(hours=2)
    entries = case.run_to(due + timedelta(hours=1))
    warned = [(event.role, at) for at, _, event in entries if isinstance(event, ClockWarned) and "disagreement" in event.id]
    assert warned == [
        ("principal_social_worker", start + timedelta(minutes=60)),
        ("principal_social_worker", start + timedelta(minutes=96)),
    ]
    assert climbs(entries, "disagreement:D1.2") == [
        ("principal_social_worker", due),
        ("duty_manager", due + timedelta(minutes=30)),
        ("practice_manager", due + timedelta(hours=1)),
    ]
    case.give(settled(), PRINCIPAL)
    assert case.referral.alerts == () and case.clock("disagreement:D1.2").met is False


def test_a_concluded_case_is_not_finished_while_somebody_is_to_determine_a_disagreement() -> None:
    case = decision_disputed()
    assert not case.referral.open and not case.referral.finished
    assert [clock.id for clock in case.referral.running] == ["disagreement:D1"]
    case.give(settled(), PRACTICE)
    assert case.referral.finished
    assert case.give(FireClocks(), SYSTEM, words=False) == []


def test_a_disagreement_raised_before_the_conclusion_outlives_it() -> None:
    case = rated(MERTON, "blue")
    case.give(RaiseDisagreement(about="rating", rating="red"), POLICE)
    assessed(case)
    assert [clock.id for clock in case.referral.running] == ["disagreement:D1"]
    told = case.profile.calendar.next_open(case.clock("disagreement:D1").due_at)
    assert climbs(case.run_to(told), "disagreement:D1") == [("social_care_representative", told)]
