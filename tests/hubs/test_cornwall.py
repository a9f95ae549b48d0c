"""Cornwall (practice, section 2): advice before any threshold, three exits, two roles that decide, an escalation policy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hubs_at_work import (
    BASIS,
    NIGHT,
    REFERRER,
    SOCIAL_WORKER,
    TEAM_MANAGER,
    Case,
    answered,
    outcome,
    person,
    received,
    says_the_document,
    shared,
)

from mash.config.profile import load_profile, stated
from mash.states.acts.checks import AskAgencies
from mash.states.acts.contact import ConcludeConsultation
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement, TakeDisagreementFurther
from mash.states.acts.rating import RateReferral
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown
from mash.states.entitled import open_to
from mash.states.errors import ImpossibleMove, NotInProfile, NotYours, ReasonNeeded

EARLY_HELP = person("early_help", "early_help")


def advised_to_refer() -> Case:
    """A professional's contact about which the consultation concluded that it is a referral."""
    case = received("cornwall")
    case.give(ConcludeConsultation(outcome="referral"))
    return case


def decidable() -> Case:
    """A green referral whose agencies have answered."""
    case = advised_to_refer()
    case.give(BASIS)
    case.give(RateReferral(rating="green"))
    answered(case)
    assert case.stage == "decision"
    return case


# Advice first: a professional consults before any threshold is applied


@pytest.mark.parametrize("kind", ["referral", "advice", "early_help_assessment", "intervention_request"])
def test_cornwall_a_professional_consults_the_advice_team_first(kind: str) -> None:
    case = received("cornwall", contact=kind)
    assert case.stage == "consultation"
    assert "A professional has asked the hub for advice. No threshold has been applied yet" in case.words("consultation")


def test_cornwall_no_threshold_is_applied_before_the_consultation_is_concluded() -> None:
    case = received("cornwall")
    with pytest.raises(ImpossibleMove, match="conclude_consultation"):
        case.give(RateReferral(rating="red"))
    assert not case.running("triage") and not case.recipients("contact_to_rate")


def test_cornwall_a_consultation_is_the_advice_teams_whose_manager_is_no_duty_manager() -> None:
    case = received("cornwall")
    assert [clock.owner for clock in case.running("consultation")] == ["team_manager"]
    assert case.recipients("consultation") == ["team_manager"]
    assert says_the_document("cornwall", "consultation.role")


def test_cornwall_a_consultation_at_night_is_whoevers_is_on_duty() -> None:
    case = received("cornwall", now=NIGHT)
    assert case.recipients("consultation") == ["out_of_hours"]
    case.run_to(NIGHT + timedelta(minutes=50))
    assert set(case.recipients("warning")) == {"out_of_hours"}


def test_cornwall_the_advice_team_asks_partners_while_it_is_consulted() -> None:
    case = shared(received("cornwall"))
    case.give(AskAgencies(agencies=("police", "domestic_abuse")), person("social_worker"))
    assert case.stage == "consultation" and set(case.referral.outstanding) == {"police", "domestic_abuse"}
    assert set(case.recipients("check_request")) == {"police_navigator", "domestic_abuse_navigator"}
    answered(case)
    assert case.stage == "consultation" and not case.referral.outstanding
    assert says_the_document("cornwall", "consultation.asks_partners")


def test_cornwall_who_was_asked_in_the_consultation_is_not_asked_again_when_it_becomes_a_referral() -> None:
    case = shared(received("cornwall"))
    case.give(AskAgencies(agencies=("police",)), person("social_worker"))
    answered(case)
    case.give(ConcludeConsultation(outcome="referral"))
    case.give(RateReferral(rating="green"))
    assert case.stage == "agency_checks" and "police" not in case.referral.outstanding
    assert "health" in case.referral.outstanding


def test_cornwall_a_hub_that_does_not_say_so_asks_nobody_before_there_is_a_referral() -> None:
    case = shared(received("cambridgeshire", contact="advice"))
    assert case.stage == "consultation" and "ask_agencies" not in open_to(case.referral, case.profile, SOCIAL_WORKER)
    with pytest.raises(NotInProfile, match="once there is a referral"):
        case.give(AskAgencies(agencies=("police",)), SOCIAL_WORKER)


def test_cornwall_a_consultation_that_becomes_a_referral_is_rated() -> None:
    case = advised_to_refer()
    assert case.stage == "triage" and case.recipients("contact_to_rate") == ["duty_manager"]
    case.give(RateReferral(rating="amber"))
    assert case.referral.rating == "amber"


def test_cornwall_a_member_of_the_public_is_listened_to_without_a_consultation() -> None:
    assert received("cornwall", source_agency="individual").stage == "triage"


def test_cornwall_a_police_notification_asks_for_no_advice() -> None:
    assert received("cornwall", contact="police_notification", source_agency="police").stage == "triage"


def test_cornwall_immediate_danger_waits_for_no_advice() -> None:
    assert received("cornwall", immediate_danger=True).stage == "triage"


def test_cornwall_says_from_which_document_advice_comes_first() -> None:
    assert says_the_document("cornwall", "consultation.kinds")


# Exits: advice, early help locality, assessment


def test_cornwall_a_contact_may_end_in_advice_alone() -> None:
    case = received("cornwall")
    with pytest.raises(ReasonNeeded):
        case.give(ConcludeConsultation(outcome="advice"), words=False)
    case.give(ConcludeConsultation(outcome="advice"))
    assert (case.stage, case.referral.open) == ("advice_given", False)
    assert "advice was given" in case.words("outcome")


def test_cornwall_a_case_may_go_to_the_early_help_locality_services() -> None:
    case = decidable()
    case.give(outcome(case, "early_help"), TEAM_MANAGER)
    case.give(OfferStepDown(service="early_help_locality"))
    case.give(AcceptStepDown(), EARLY_HELP)
    assert case.stage == "step_down_accepted"
    assert case.profile.services["early_help_locality"].kind == "locality"
    assert says_the_document("cornwall", "services.early_help_locality.title")


def test_cornwall_a_case_may_go_to_an_assessment() -> None:
    case = decidable()
    case.give(outcome(case, "section_17"), TEAM_MANAGER)
    assert case.stage == "section_17_assessment"


# Team manager or principal social worker decides


@pytest.mark.parametrize("role", ["team_manager", "principal_social_worker"])
def test_cornwall_the_team_manager_or_the_principal_social_worker_decides(role: str) -> None:
    case = decidable()
    case.give(outcome(case, "no_further_action"), person(role))
    assert case.stage == "no_further_action"


@pytest.mark.parametrize("role", ["duty_manager", "practice_manager", "service_manager", "social_worker"])
def test_cornwall_nobody_else_decides(role: str) -> None:
    case = decidable()
    with pytest.raises(NotYours, match="team_manager or principal_social_worker"):
        case.give(outcome(case, "no_further_action"), person(role))


# A dissatisfied referrer, and the board's escalation policy


def dissatisfied() -> Case:
    """A referrer who does not agree with the outcome."""
    case = decidable()
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    case.give(RaiseDisagreement(about="decision"), REFERRER)
    return case


def test_cornwall_a_dissatisfied_referrer_starts_the_procedure_for_professional_differences() -> None:
    case = dissatisfied()
    assert case.referral.disputed == ("D1",) and case.recipients("disagreement") == ["practice_manager"]
    assert "resolving professional differences" in case.running("disagreement")[0].source


def test_cornwall_the_referrer_is_told_what_was_determined_and_may_escalate_it_further() -> None:
    case = dissatisfied()
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), person("practice_manager"))
    assert case.recipients("disagreement_settled") == ["referrer"]
    assert "If you are not satisfied" in case.words("disagreement_settled")
    case.give(TakeDisagreementFurther(disagreement="D1"), REFERRER)
    case.give(SettleDisagreement(disagreement="D1", outcome="changed"), person("service_manager"))
    assert case.stage == "decision"


def test_cornwall_states_that_dissatisfied_referrers_use_the_boards_escalation_policy_and_not_its_stages() -> None:
    assert "escalation policy" in load_profile("cornwall").remarks["escalation"].says
    assert says_the_document("cornwall", "remarks.escalation.says")
    assert not [setting for setting in stated("cornwall") if setting.startswith("disagreements")]


# 850 to 1000 referrals a month


def test_cornwall_receives_850_to_1000_referrals_a_month() -> None:
    volume = load_profile("cornwall").volume
    assert volume and 850 <= volume.contacts <= 1000 and volume.per == "month"
    assert says_the_document("cornwall", "volume.contacts") and "850 – 1000" in stated("cornwall")["volume.contacts"]
