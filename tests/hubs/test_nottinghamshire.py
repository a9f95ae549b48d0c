"""Nottinghamshire (practice, section 2): children and adults, displays, disputes over a rating, consent, letters, the portal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hubs_at_work import (
    BASIS,
    MORNING,
    TEAM_MANAGER,
    Case,
    at_decision,
    holding,
    outcome,
    partner,
    person,
    rated,
    received,
    released,
    says_the_document,
    shared,
    takes,
)

from mash.api.routes.cases import brief
from mash.config.profile import load_profile
from mash.flows.store.reads.case import Case as StoredCase
from mash.flows.telling.story import event_in_words
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement, TakeDisagreementFurther
from mash.states.acts.meetings import RecordMeeting
from mash.states.errors import ImpossibleMove, Incomplete, NotYours, ReasonNeeded
from mash.states.firewall import product
from mash.states.log import GENESIS, SCHEMA, Recorded

POLICE = partner("police")
REPRESENTATIVE, OPERATIONAL_MANAGER = person("social_care_representative"), person("operational_manager")


def on_display(case: Case) -> dict[str, Any]:
    """The case as a wall display has it from the board."""
    found = StoredCase("R", "R", "caller", "nottinghamshire", case.referral, None, 0)
    return {**brief(found, case.profile), "late_partners": case.referral.late_partners(case.now)}


# Children and adults; red, amber, green


@pytest.mark.parametrize("cohort", ["child", "unborn", "adult"])
def test_nottinghamshire_takes_children_and_adults(cohort: str) -> None:
    assert takes("nottinghamshire", cohort)


def test_nottinghamshire_rates_red_amber_and_green() -> None:
    ratings = load_profile("nottinghamshire").ratings
    assert sorted(ratings, key=lambda name: -ratings[name].severity) == ["red", "amber", "green"]
    assert says_the_document("nottinghamshire", "ratings.red.title")


# Two wall displays: rating, who is involved, which partners are late


def test_nottinghamshire_a_display_shows_the_rating() -> None:
    assert on_display(received("nottinghamshire"))["rating"] is None
    assert on_display(rated("nottinghamshire", "amber"))["rating"] == "amber"


def test_nottinghamshire_a_display_shows_who_is_involved_and_who_has_not_replied() -> None:
    case = rated("nottinghamshire", "amber")
    case.give(AnswerCheck(agency="police", known=True), POLICE)
    shown, involved = on_display(case), set(case.profile.agencies) - {"adults"}
    assert set(shown["checks_asked"]) == involved
    assert set(shown["outstanding"]) == involved - {"police"}


def test_nottinghamshire_a_display_shows_which_partners_are_late() -> None:
    case = rated("nottinghamshire", "red")
    for agency in case.referral.outstanding[1:]:
        case.give(AnswerCheck(agency=agency, known=False), partner(agency))
    assert on_display(case)["alerts"] == ()
    late = case.referral.outstanding[0]
    case.run_to(case.clock(f"check:{late}").due_at)
    assert on_display(case)["alerts"] == (f"check:{late}",)


def test_nottinghamshire_a_late_partner_is_still_shown_late_when_somebody_has_acknowledged_it() -> None:
    case = rated("nottinghamshire", "red")
    for agency in case.referral.outstanding[1:]:
        case.give(AnswerCheck(agency=agency, known=False), partner(agency))
    late = case.referral.outstanding[0]
    case.run_to(case.clock(f"check:{late}").due_at)
    case.give(AcknowledgeAlert(clock=f"check:{late}"))
    shown = on_display(case)
    assert shown["late_partners"] == (late,)


def test_nottinghamshire_states_what_its_two_displays_show() -> None:
    assert "Two large displays" in load_profile("nottinghamshire").remarks["displays"].says
    assert says_the_document("nottinghamshire", "remarks.displays.says")


# A dispute over a rating


def disputed() -> Case:
    """An amber case that the police think is red."""
    case = rated("nottinghamshire", "amber")
    case.give(RaiseDisagreement(about="rating", rating="red"), POLICE)
    return case


def test_nottinghamshire_a_rating_dispute_is_determined_by_social_care_then_by_the_operational_manager() -> None:
    case = disputed()
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), REPRESENTATIVE)
    assert case.referral.rating == "amber"
    case.give(TakeDisagreementFurther(disagreement="D1"), POLICE)
    case.give(SettleDisagreement(disagreement="D1", outcome="changed", rating="red"), OPERATIONAL_MANAGER)
    assert case.referral.rating == "red"
    assert case.recipients("disagreement") == ["social_care_representative", "operational_manager"]


@pytest.mark.parametrize("role", ["operational_manager", "duty_manager", "team_manager", "practice_manager"])
def test_nottinghamshire_nobody_but_the_social_care_representative_determines_first(role: str) -> None:
    with pytest.raises(NotYours, match="social_care_representative"):
        disputed().give(SettleDisagreement(disagreement="D1", outcome="stands"), person(role))


def test_nottinghamshire_the_representative_does_not_determine_a_dispute_a_second_time() -> None:
    case = disputed()
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), REPRESENTATIVE)
    case.give(TakeDisagreementFurther(disagreement="D1"), POLICE)
    with pytest.raises(NotYours, match="operational_manager"):
        case.give(SettleDisagreement(disagreement="D1", outcome="stands"), REPRESENTATIVE)


def test_nottinghamshire_the_operational_managers_word_is_final() -> None:
    case = disputed()
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), REPRESENTATIVE)
    case.give(TakeDisagreementFurther(disagreement="D1"), POLICE)
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), OPERATIONAL_MANAGER)
    with pytest.raises(ImpossibleMove):
        case.give(TakeDisagreementFurther(disagreement="D1"), POLICE)


# Consent, and families told beforehand


@pytest.mark.parametrize("purpose", ["safeguarding_child", "safeguarding_adult", "prevention_of_crime", "information_request"])
def test_nottinghamshire_consent_is_always_sought(purpose: str) -> None:
    with pytest.raises(Incomplete, match="always seeks consent"):
        received("nottinghamshire").give(BASIS.model_copy(update={"consent": "not_sought", "purpose": purpose}))


def test_nottinghamshire_consent_need_not_be_sought_for_a_section_47() -> None:
    case = received("nottinghamshire")
    case.give(BASIS.model_copy(update={"consent": "not_sought", "purpose": "child_protection"}))
    assert case.referral.sharing


def test_nottinghamshire_a_family_is_told_beforehand_or_it_is_said_why_not() -> None:
    with pytest.raises(Incomplete, match="tells families beforehand"):
        received("nottinghamshire").give(BASIS.model_copy(update={"family_informed": False}))


def test_nottinghamshire_a_family_is_not_told_beforehand_when_that_puts_somebody_at_risk_and_the_reason_is_kept() -> None:
    case = received("nottinghamshire")
    basis = BASIS.model_copy(update={"family_informed": False, "not_informed": "puts_somebody_at_risk"})
    with pytest.raises(ReasonNeeded):
        case.give(basis, words=False)
    case.give(basis)
    assert case.referral.sharing


# The early-help line, and letters


def test_nottinghamshire_has_a_separate_early_help_line() -> None:
    assert "separate telephone line" in load_profile("nottinghamshire").remarks["early_help_line"].says
    assert says_the_document("nottinghamshire", "remarks.early_help_line.says")


def test_nottinghamshire_the_referrer_is_written_to_on_receipt_and_when_it_is_decided() -> None:
    case = at_decision("nottinghamshire", rating="green")
    assert case.recipients("acknowledgement") == ["referrer"]
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    assert case.recipients("outcome") == ["referrer"] and "no further action" in case.words("outcome")


def test_nottinghamshire_a_letter_that_is_not_sent_in_time_is_noticed() -> None:
    case = at_decision("nottinghamshire", rating="green")
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    case.run_to(MORNING + timedelta(days=3))
    assert case.clock("outcome_told").breached_at and "escalation" in [notice.draft.kind for notice in case.notices]


def test_nottinghamshire_states_that_referrers_are_written_to() -> None:
    assert says_the_document("nottinghamshire", "remarks.letters.says")


# The portal: sensitive and non-sensitive apart, every case tracked, the audit trail


def test_nottinghamshire_sensitive_and_non_sensitive_information_are_kept_apart() -> None:
    case = shared(received("nottinghamshire"))
    holding(case, "police", sensitive=True)
    holding(case, "health", sensitive=False)
    assert {held.agency: held.sensitive for held in case.referral.held.values()} == {"police": True, "health": False}


def test_nottinghamshire_what_is_not_sensitive_can_be_shown_while_what_is_sensitive_stays_a_signpost() -> None:
    case = shared(received("nottinghamshire"))
    holding(case, "police", sensitive=True)
    holding(case, "health", sensitive=False)
    case.give(released(case, "health"), partner("health"))
    assert {line.agency: line.item is not None for line in product(case.referral)} == {"police": False, "health": True}


def test_nottinghamshire_a_case_is_tracked_through_every_stage_with_a_time_by_which_it_moves_on() -> None:
    case = rated("nottinghamshire", "red")
    assert (on_display(case)["stage_name"], bool(on_display(case)["due_at"])) == ("Agency checks", True)
    for agency in case.referral.outstanding:
        case.give(AnswerCheck(agency=agency, known=False), partner(agency))
    assert (on_display(case)["stage_name"], bool(on_display(case)["due_at"])) == ("MASH meeting", True)
    case.give(RecordMeeting(attended=("police", "health")))
    assert (on_display(case)["stage_name"], bool(on_display(case)["due_at"])) == ("Decision", True)


def test_nottinghamshire_the_audit_trail_says_who_did_what_and_when() -> None:
    case = rated("nottinghamshire", "amber")
    case.now += timedelta(hours=1)
    case.give(AnswerCheck(agency="police", known=True), POLICE)
    lines = [
        (at, by.agency, event_in_words(_recorded(case, at, by, event), case.profile))
        for at, by, event in case.log
        if event.kind.startswith(("re", "ch"))
    ]
    assert (MORNING, "social_care", "Referral rated: amber") in lines
    answers = [(at, agency) for at, agency, what in lines if what.startswith("Check answered: Police")]
    assert answers == [(MORNING + timedelta(hours=1), "police")]


def _recorded(case: Case, at: Any, by: Any, event: Any) -> Recorded:
    fields = {"reference": "R", "sequence": 1, "profile": case.profile.digest, "schema_number": SCHEMA, "previous": GENESIS}
    return Recorded.model_validate({**fields, "at": at, "by": by, "event": event})


def test_nottinghamshire_states_what_its_portal_does() -> None:
    assert "apart" in load_profile("nottinghamshire").remarks["portal"].says
    assert says_the_document("nottinghamshire", "remarks.portal.says")
