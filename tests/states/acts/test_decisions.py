"""Decisions: signed off by a second person, only after an assessment, transferred to a named authority, handed to a service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from mash.states.acts.alerts import FireClocks
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.decisions import DecisionRecorded, RecordDecision, SignOffDecision
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement
from mash.states.acts.protection import CallStrategyDiscussion, ConcludeEnquiries, RecordStrategyDiscussion
from mash.states.acts.rating import RerateReferral
from mash.states.acts.step_down import (
    AcceptStepDown,
    OfferStepDown,
    ReturnStepDown,
    StepDownAccepted,
    StepDownOffered,
    StepDownReturned,
)
from mash.states.acts.withdrawing import SignOffWithdrawal, WithdrawDecision
from mash.states.course import ClockBreached, ClockWarned
from mash.states.entitled import open_to
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, NotYours, ReasonNeeded
from mash.states.profile import Profile, Service, SignOff, Triage

from .worlds import (
    BASIS,
    MANAGER,
    NOT_SHARED,
    QUORUM,
    SYSTEM,
    Case,
    answer_all,
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
)

SECOND = person("service_manager")
LOW = SignOff(ratings=("blue", "green"), outcomes=("no_further_action", "advice"), role="service_manager")
SIGNS_OFF = hub("merton", sign_off={"low": LOW})
NFA = decision(s0="no_further_action")
AGREED, NOT_AGREED = SignOffDecision(agreed=True), SignOffDecision(agreed=False)
EARLY_HELP = person("early_help", "early_help")


def proposed(*cohorts: Any, outcomes: RecordDecision = NFA, **fields: Any) -> Case:
    """A decision that waits to be signed off."""
    case = at_decision(SIGNS_OFF, *cohorts, **fields)
    case.give(outcomes, MANAGER)
    assert case.stage == "sign_off"
    return case


# Signing off


def test_a_decision_that_the_hub_wants_signed_off_has_no_effect_until_a_second_person_agrees() -> None:
    case = proposed(referrer_reachable=True)
    referral = case.referral
    assert (referral.open, referral.decided_at, referral.outcomes) == (True, None, {})
    assert case.clock("decision_on_response").running and case.running("outcome_told") == []
    assert case.clock("sign_off").owner == "service_manager"
    case.wait(hours=1)
    (event,) = of(DecisionRecorded, case.give(AGREED, SECOND))
    assert (event.proposed_by, event.outcomes) == (MANAGER.id, {"s0": "no_further_action"})
    assert (case.stage, case.referral.open, case.referral.decided_at) == ("no_further_action", False, case.now)
    assert case.clock("decision_on_response").met is True and case.clock("sign_off").met is True
    assert case.clock("outcome_told").running and case.referral.proposed is None


@pytest.mark.parametrize(
    ("rating", "outcome", "waits"),
    [
        ("blue", "no_further_action", True),
        ("blue", "advice", True),
        ("blue", "section_17", False),
        ("amber", "no_further_action", False),
    ],
)
def test_only_the_ratings_and_outcomes_that_the_hub_names_wait_for_a_second_person(
    rating: str, outcome: str, waits: bool
) -> None:
    case = at_decision(SIGNS_OFF)
    if rating != "blue":
        case.give(RerateReferral(rating=rating))
        case.give(NOT_SHARED)
    case.give(decision(s0=outcome), MANAGER)
    assert (case.stage == "sign_off") is waits


def test_one_subjects_outcome_is_enough_for_the_whole_decision_to_wait_and_nothing_is_split_before() -> None:
    case = proposed("child", "child", outcomes=decision(s0="section_17", s1="no_further_action"))
    assert set(case.referral.subjects) == {"s0", "s1"} and case.linked == {}
    case.give(AGREED, SECOND)
    assert (case.stage, case.linked["R-B"].stage) == ("section_17_assessment", "no_further_action")
    assert set(case.referral.subjects) == {"s0"}


def test_an_unrated_case_counts_as_the_most_urgent_when_it_is_asked_who_signs_off() -> None:
    red = SignOff(ratings=("red",), outcomes=("no_further_action",), role="service_manager")
    case = arrived(hub(triage=Triage(stage=False), sign_off={"red": red}))
    case.give(NFA, MANAGER)
    assert (case.referral.rating, case.stage) == (None, "sign_off")


def test_only_the_role_that_the_hub_names_signs_off() -> None:
    case = proposed()
    for by in (MANAGER, person("team_manager", name="another"), person("practice_manager")):
        with pytest.raises(NotYours, match="service_manager"):
            case.give(AGREED, by)
    assert case.stage == "sign_off"


def test_who_decided_does_not_sign_it_off_in_another_role() -> None:
    case = proposed()
    same_person = person("service_manager", name=MANAGER.id)
    for answer in (AGREED, NOT_AGREED):
        with pytest.raises(NotYours, match="second person"):
            case.give(answer, same_person)
    case.give(AGREED, SECOND)
    assert not case.referral.open


def test_agreeing_needs_no_words_and_then_the_reason_of_the_decision_stands() -> None:
    case = proposed()
    reason = case.referral.proposed
    assert reason is not None and reason.words is not None
    (event,) = of(DecisionRecorded, case.give(AGREED, SECOND, words=False))
    assert event.words == reason.words


def test_who_agrees_in_words_of_their_own_has_them_stand_beside_the_decision() -> None:
    case = proposed()
    reason = case.referral.proposed
    assert reason is not None
    (event,) = of(DecisionRecorded, case.give(AGREED, SECOND))
    assert event.words is not None and event.words != reason.words


def test_a_decision_that_is_not_signed_off_comes_back_with_a_reason_and_is_decided_anew() -> None:
    case = proposed()
    with pytest.raises(ReasonNeeded):
        case.give(NOT_AGREED, SECOND, words=False)
    case.give(NOT_AGREED, SECOND)
    assert (case.stage, case.referral.proposed, case.referral.open) == ("decision", None, True)
    assert case.running("decision") and case.clock("decision_on_response").running and case.running("sign_off") == []
    with pytest.raises(ImpossibleMove):
        case.give(AGREED, SECOND)
    case.give(decision(s0="section_17"), MANAGER)
    assert case.stage == "section_17_assessment"


def test_a_decision_that_was_sent_back_and_proposed_again_has_its_whole_time_again() -> None:
    case = proposed()
    case.wait(hours=2)
    case.give(NOT_AGREED, SECOND)
    case.give(NFA, MANAGER)
    (clock,) = case.running("sign_off")
    assert (clock.started_at, clock.owner) == (case.now, "service_manager")


def test_a_decision_that_nobody_signs_off_in_time_climbs_the_ladder() -> None:
    case = proposed()
    due = case.clock("sign_off").due_at
    assert due == london("2026-06-02 14:00")
    assert [at for _, at in climbs(case.run_to(due + timedelta(minutes=30)), "sign_off")] == [due, due + timedelta(minutes=30)]


def test_a_strategy_discussion_that_ends_without_section_47_gives_back_the_decision_that_waited() -> None:
    case = proposed()
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="no_section_47"))
    case.give(AGREED, SECOND)
    assert case.stage == "no_further_action"


def test_a_section_47_leaves_no_decision_waiting_to_be_signed_off() -> None:
    case = proposed()
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="section_47"))
    assert (case.stage, case.referral.proposed) == ("enquiries", None)


# Assessing first

ASSESSES_FIRST = hub("merton", assess_first=("early_help", "transfer"))
ASSESSED = CompleteAssessment(factors=("1A",), outcome="early_help")


@pytest.mark.parametrize("outcome", ["early_help", "transfer"])
def test_a_hub_that_assesses_first_steps_nothing_down_or_away_before(outcome: str) -> None:
    case = at_decision(ASSESSES_FIRST, "child", "child")
    for outcomes in ({"s0": outcome, "s1": outcome}, {"s0": "section_47", "s1": outcome}):
        with pytest.raises(Incomplete, match="section_17 first"):
            case.give(decision(**outcomes), MANAGER)
    case.give(decision(s0="no_further_action", s1="no_further_action"), MANAGER)
    assert not case.referral.open


def test_after_the_assessment_the_case_is_stepped_down_and_once_returned_may_be_decided_so_again() -> None:
    case = at_decision(ASSESSES_FIRST)
    case.give(decision(s0="section_17"), MANAGER)
    seen(case).give(ASSESSED, MANAGER)
    assert case.stage == "step_down_preparing"
    case.give(OfferStepDown(service="early_help"))
    case.give(ReturnStepDown(), EARLY_HELP)
    case.give(decision(s0="early_help"), MANAGER)
    assert case.stage == "step_down_preparing"


# What a decision has


def test_a_decision_has_an_outcome_for_everybody_and_is_for_the_hubs_deciders() -> None:
    case = at_decision(None, "child", "child")
    both = decision(s0="advice", s1="advice")
    for broken, by, refusal in (
        (decision(s0="advice"), MANAGER, Incomplete),
        (decision(s0="advice", s1="advice", s2="advice"), MANAGER, Incomplete),
        (both, person("practice_manager"), NotYours),
        (both, partner("police"), NotYours),
    ):
        with pytest.raises(refusal):
            case.give(broken, by)
    case.give(both, MANAGER)
    assert not case.referral.open


def test_help_for_a_child_has_a_primary_need_which_the_contact_may_have_brought_and_an_adult_has_none() -> None:
    help_for_all = RecordDecision(outcomes={"s0": "early_help"})
    with pytest.raises(Incomplete, match="8610"):
        at_decision().give(help_for_all, MANAGER)
    for case in (at_decision(primary_need="N4"), at_decision(None, "adult", immediate_danger=True)):
        case.give(help_for_all, MANAGER)
        assert case.stage == "step_down_preparing"
    nothing = at_decision()
    nothing.give(RecordDecision(outcomes={"s0": "no_further_action"}), MANAGER)
    assert not nothing.referral.open


# Transfers


@pytest.mark.parametrize("code", ["306", "E06000002", "W06000015", "N09000003", "S12000036"])
def test_a_transfer_names_the_receiving_authority_by_its_number_or_its_ons_code(code: str) -> None:
    case = at_decision()
    (event,) = of(DecisionRecorded, case.give(RecordDecision(outcomes={"s0": "transfer"}, transfer_to=code), MANAGER))
    assert event.transfer_to == code and case.stage == "transfer_offered"
    assert [each.authority for each in case.referral.offered.values()] == [code]


@pytest.mark.parametrize(
    "code", ["", "30", "3060", "E0600002", "E060000021", "e06000002", "X06000002", "Croydon", "306 ", "306\n", "३०६"]
)
def test_what_is_no_authoritys_code_is_refused(code: str) -> None:
    for command in (
        {"kind": "record_decision", "outcomes": {"s0": "transfer"}},
        {"kind": "complete_assessment", "factors": ["1A"], "outcome": "transfer"},
    ):
        model = RecordDecision if command["kind"] == "record_decision" else CompleteAssessment
        assert model.model_validate({**command, "transfer_to": "306"}).transfer_to == "306"
        with pytest.raises(ValidationError, match="transfer_to"):
            model.model_validate({**command, "transfer_to": code})


def test_a_transfer_to_nobody_is_refused_at_the_decision_and_after_an_assessment() -> None:
    case = at_decision()
    nowhere = RecordDecision(outcomes={"s0": "transfer"})
    with pytest.raises(Incomplete, match="transfer_to"):
        case.give(nowhere, MANAGER)
    case.give(decision(s0="section_17"), MANAGER)
    with pytest.raises(Incomplete, match="transfer_to"):
        case.give(CompleteAssessment(factors=("1A",), outcome="transfer"))
    seen(case).give(CompleteAssessment(factors=("1A",), outcome="transfer", transfer_to="306"))
    assert (case.stage, case.referral.open) == ("transfer_offered", True)


# Step-down to a service

SERVICES = {
    "early_help": Service(title="Early help"),
    "locality": Service(title="Locality team", kind="locality", role="team_manager", cohorts=("child", "unborn")),
    "adults_panel": Service(title="Panel", kind="panel", role="service_manager", cohorts=("adult",)),
}
LOCALITIES = hub("merton", services=SERVICES)


def preparing(profile: Profile = LOCALITIES, *cohorts: str) -> Case:
    case = at_decision(profile, *cohorts)
    case.give(decision(**dict.fromkeys(case.referral.subjects, "early_help")), MANAGER)
    assert case.stage == "step_down_preparing"
    return case


def offered(profile: Profile = LOCALITIES, service: str = "locality") -> Case:
    case = preparing(profile)
    case.give(OfferStepDown(service=service))
    return case


@pytest.mark.parametrize(
    ("cohorts", "fitting"),
    [
        (("child",), {"early_help", "locality"}),
        (("adult", "unborn"), {"early_help", "locality", "adults_panel"}),
        (("unknown",), {"early_help", "locality", "adults_panel"}),
    ],
    ids=["a child", "an adult with an unborn", "of unknown age"],
)
def test_a_step_down_is_offered_to_a_service_of_the_hub_that_takes_such_people(
    cohorts: tuple[str, ...], fitting: set[str]
) -> None:
    for service in (*SERVICES, "scouts"):
        case = preparing(LOCALITIES, *cohorts)
        if service in fitting:
            (event,) = of(StepDownOffered, case.give(OfferStepDown(service=service)))
            assert (event.service, case.referral.service, case.stage) == (service, service, "step_down_offered")
        else:
            with pytest.raises(NotInProfile) as refusal:
                case.give(OfferStepDown(service=service))
            assert all((name in refusal.value.reason) == (name in fitting) for name in SERVICES)
            assert case.stage == "step_down_preparing"


def test_an_offer_waits_for_the_people_of_the_service_that_it_is_made_to() -> None:
    assert offered(service="locality").clock("step_down_offered").owner == "team_manager"
    assert offered(service="early_help").clock("step_down_offered").owner == "early_help"


def test_an_offer_that_nobody_accepts_in_time_comes_back_by_itself_when_the_day_team_is_there() -> None:
    case = offered()
    due = case.clock("step_down_offered").due_at
    assert due == london("2026-06-09 17:00")
    assert [at for at, _, event in case.run_to(due) if isinstance(event, ClockBreached)] == [due]
    assert case.stage == "step_down_offered" and case.referral.next_at == came_back(case)
    entries = case.run_to(came_back(case))
    (returned,) = of(StepDownReturned, [event for _, _, event in entries])
    assert (returned.service, returned.words) == ("locality", None)
    assert (case.stage, case.referral.open, case.referral.service) == ("decision", True, None)
    assert case.clock("step_down_offered").met is False
    assert case.referral.due_at is not None and case.referral.due_at > due
    with pytest.raises(ImpossibleMove):
        case.give(AcceptStepDown(), EARLY_HELP)


def came_back(case: Case) -> datetime:
    """When what nobody has accepted is the hub's again: the morning after its last day."""
    (offer, *_) = case.running("step_down_offered")
    return case.profile.calendar.next_open(offer.due_at)


def test_a_service_is_reminded_of_an_offer_while_the_hub_is_open_before_and_after_a_weekend() -> None:
    case = offered()
    entries = case.run_to(case.clock("step_down_offered").due_at - timedelta(minutes=1))
    reminders = [(e.role, at) for at, _, e in entries if isinstance(e, ClockWarned) and e.id == "step_down_offered"]
    assert reminders == [("team_manager", london("2026-06-05 16:30")), ("team_manager", london("2026-06-08 09:00"))]


def test_an_offer_accepted_at_the_last_minute_does_not_come_back() -> None:
    case = offered(service="early_help")
    case.run_to(case.clock("step_down_offered").due_at - timedelta(minutes=1))
    (accepted,) = of(StepDownAccepted, case.give(AcceptStepDown(), EARLY_HELP))
    assert accepted.service == "early_help" and accepted.words is not None
    case.wait(days=10)
    assert case.give(FireClocks(), SYSTEM, words=False) == []
    assert (case.stage, case.referral.subjects["s0"].outcome) == ("step_down_accepted", "early_help")


def test_what_came_back_is_offered_again_with_the_whole_time_and_comes_back_again() -> None:
    case = offered()
    case.run_to(came_back(case))
    case.give(decision(s0="early_help"), MANAGER)
    case.give(OfferStepDown(service="early_help"))
    (again,) = case.running("step_down_offered")
    assert again.started_at == case.now and again.due_at > case.now + timedelta(days=4)
    case.run_to(came_back(case))
    assert case.stage == "decision" and len(of(StepDownReturned, [event for _, _, event in case.log])) == 2


def test_a_late_decision_after_an_offer_came_back_climbs_the_ladder_of_the_hub() -> None:
    case = offered()
    case.run_to(came_back(case))
    (waiting,) = case.running("decision")
    assert climbs(case.run_to(waiting.due_at), waiting.id) == [("duty_manager", waiting.due_at)]


def test_while_a_strategy_discussion_is_held_no_offer_comes_back_and_afterwards_it_has_its_time() -> None:
    case = offered()
    due = case.clock("step_down_offered").due_at
    case.run_to(due - timedelta(minutes=10))
    case.give(CallStrategyDiscussion())
    case.run_to(due + timedelta(hours=1))
    assert case.stage == "strategy_discussion"
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="no_section_47"))
    assert (case.stage, case.referral.service) == ("step_down_offered", "locality")
    (again,) = case.running("step_down_offered")
    assert again.started_at == case.now and again.owner == "team_manager"


def test_a_service_returns_an_offer_with_a_reason_and_the_case_is_decided_anew() -> None:
    case = offered(service="early_help")
    with pytest.raises(ReasonNeeded):
        case.give(ReturnStepDown(), EARLY_HELP, words=False)
    (event,) = of(StepDownReturned, case.give(ReturnStepDown(), EARLY_HELP))
    assert event.words is not None and (case.stage, case.referral.service) == ("decision", None)


def test_only_the_service_that_it_was_made_to_accepts_an_offer() -> None:
    case = offered(service="locality")
    with pytest.raises(NotYours):
        case.give(AcceptStepDown(), EARLY_HELP)
    case.give(AcceptStepDown(), MANAGER)
    assert not case.referral.open


# Reopening


def test_a_section_47_after_a_reopened_one_is_a_new_decision_that_meets_its_clock_and_is_told() -> None:
    case = at_decision(referrer_reachable=True)
    case.give(CallStrategyDiscussion())
    discussed = RecordStrategyDiscussion(attended=QUORUM, outcome="section_47")
    case.give(discussed)
    seen(case).give(ConcludeEnquiries(outcome="no_further_child_protection_action"), MANAGER)
    case.give(ReopenReferral(), MANAGER)
    case.give(CallStrategyDiscussion())
    case.give(discussed)
    assert case.stage == "enquiries"
    assert case.running("decision_on_response") == [] and len(case.running("outcome_told")) == 1


def test_the_assessment_of_a_case_that_is_reopened_a_year_later_has_its_time_from_then() -> None:
    case = at_decision()
    case.give(NFA, MANAGER)
    case.wait(days=365)
    case.give(ReopenReferral(), MANAGER)
    reopened = case.now
    case.wait(days=3)
    case.give(decision(s0="section_17"), MANAGER)
    clock = case.clock("assessment")
    assert clock.started_at == reopened and clock.due_at > case.now and not clock.breached_at
    assert clock.due_at == case.profile.calendar.add(reopened, case.profile.statutory["assessment"].length)


def test_what_two_persons_decided_is_not_reopened_by_one_but_withdrawn_by_two_and_decided_by_two_again() -> None:
    case = proposed()
    case.give(AGREED, SECOND)
    with pytest.raises(NotYours):
        case.give(ReopenReferral(), partner("police"))
    assert "reopen_referral" not in open_to(case.referral, case.profile, MANAGER)
    with pytest.raises(Incomplete, match="withdraw_decision"):
        case.give(ReopenReferral(), MANAGER)
    case.give(WithdrawDecision(), MANAGER)
    with pytest.raises(Incomplete, match="sign_off_withdrawal"):
        case.give(ReopenReferral(), MANAGER)
    case.give(SignOffWithdrawal(agreed=True), SECOND)
    assert not case.running("withdrawal_sign_off")
    case.give(NFA, MANAGER)
    assert case.stage == "sign_off" and case.referral.open


def test_a_referee_who_has_a_case_decided_anew_ends_the_wait_for_its_withdrawal() -> None:
    case = proposed()
    case.give(AGREED, SECOND)
    case.give(RaiseDisagreement(about="decision"), partner("police"))
    case.give(WithdrawDecision(), MANAGER)
    referee = person(case.referral.disagreements["D1"].role)
    case.give(SettleDisagreement(disagreement="D1", outcome="changed"), referee)
    assert case.stage == "decision" and not case.running("withdrawal_sign_off")


# A red that is re-rated, disputed or comes back keeps its limit

LIMITED = hub(
    "sandwell", sign_off={"red": SignOff(ratings=("red", "green"), outcomes=("no_further_action",), role="service_manager")}
)


def limited_at_decision() -> Case:
    case = rated(LIMITED, "green")
    case.give(BASIS)
    return answer_all(case)


def red_clock(case: Case) -> Any:
    return next((clock for clock in case.referral.running if clock.kind == "response"), None)


def test_a_limit_that_covers_the_decision_runs_until_the_decision_is_signed_off() -> None:
    case = limited_at_decision()
    due = red_clock(case).due_at
    case.give(NFA, MANAGER)
    assert case.stage == "sign_off" and red_clock(case).due_at == due


def test_rerating_what_waits_to_be_signed_off_takes_the_proposal_back() -> None:
    case = limited_at_decision()
    case.give(NFA, MANAGER)
    case.give(RerateReferral(rating="red"))
    assert case.referral.proposed is None and case.stage == "mash_meeting"
    assert red_clock(case) is not None


def test_a_disputed_decision_that_is_changed_is_not_signed_off_behind_its_back() -> None:
    case = limited_at_decision()
    case.give(NFA, MANAGER)
    case.give(RaiseDisagreement(about="rating", rating="red"), partner("police"))
    case.give(SettleDisagreement(disagreement="D1", outcome="changed", rating="red"), person("practice_manager"))
    assert case.referral.proposed is None and case.referral.rating == "red"
