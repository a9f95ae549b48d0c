"""Kent (practice, section 2): decision makers at intake instead of triage, the same service day and night, by phone or video."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hubs_at_work import (
    BASIS,
    DUTY,
    MORNING,
    NIGHT,
    STATUTORY_PARTNERS,
    outcome,
    person,
    rated,
    received,
    says_the_document,
    takes,
    titles,
)

from mash.config.permissions import may
from mash.config.profile import load_profile
from mash.states.acts.checks import AskAgencies
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.course import StageEntered
from mash.states.errors import NotYours

# No triage stage: decision makers at intake


def test_kent_has_no_triage_stage_and_opens_at_the_decision() -> None:
    case = received("kent")
    assert case.stage == "decision"
    assert "triage" not in [event.stage for _, _, event in case.log if isinstance(event, StageEntered)]


def test_kent_whoever_is_told_of_a_new_contact_may_decide_on_it() -> None:
    case = received("kent")
    (role,) = case.recipients("contact_to_rate")
    assert role in case.profile.deciders and may(role, "record_decision")


@pytest.mark.parametrize("role", ["decision_maker", "team_manager", "service_manager"])
def test_kent_a_decision_maker_decides_at_intake_without_a_rating_before(role: str) -> None:
    case = received("kent")
    case.give(outcome(case, "no_further_action"), person(role))
    assert case.stage == "no_further_action" and case.referral.rating is None


def test_kent_a_decision_maker_rates_at_intake_what_is_to_be_checked_first() -> None:
    case = received("kent")
    case.give(RateReferral(rating="amber"), person("decision_maker"))
    assert case.stage == "agency_checks"


def test_kent_a_social_worker_does_not_decide_at_intake() -> None:
    case = received("kent")
    with pytest.raises(NotYours, match="decision_maker"):
        case.give(outcome(case, "no_further_action"), person("social_worker"))


def test_kent_a_contact_waits_at_intake_no_longer_than_one_at_triage_would() -> None:
    case = received("kent")
    assert case.clock("triage").due_at == MORNING + timedelta(hours=1) and case.running("decision")


def test_kent_a_case_that_is_rated_at_intake_goes_to_its_checks() -> None:
    case = received("kent")
    case.give(BASIS)
    case.give(RateReferral(rating="amber"))
    assert case.stage == "agency_checks" and case.referral.checks


def test_kent_says_from_which_document_it_has_no_triage() -> None:
    assert says_the_document("kent", "triage.stage")


# Children and adults


@pytest.mark.parametrize("cohort", ["child", "unborn", "adult"])
def test_kent_takes_children_and_adults(cohort: str) -> None:
    assert takes("kent", cohort)


# Out-of-hours run as the same service


def test_kent_a_contact_of_the_night_goes_to_the_same_people_as_one_of_the_day() -> None:
    assert (
        received("kent", now=NIGHT).recipients("contact_to_rate")
        == received("kent").recipients("contact_to_rate")
        == ["duty_manager"]
    )


def test_kent_immediate_danger_at_night_alerts_the_duty_manager() -> None:
    assert received("kent", now=NIGHT, immediate_danger=True).recipients("immediate_danger") == ["duty_manager"]


def test_kent_a_night_contact_is_decided_at_night_by_the_same_service() -> None:
    case = received("kent", now=NIGHT)
    case.give(outcome(case, "section_17"), DUTY)
    assert case.stage == "section_17_assessment"
    assert says_the_document("kent", "out_of_hours.service")


# Strategy discussions by phone or video


@pytest.mark.parametrize("mode", ["telephone", "virtual", "face_to_face"])
def test_kent_strategy_discussions_are_held_by_phone_or_video_beside_face_to_face(mode: Any) -> None:
    case = received("kent")
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, mode=mode, outcome="section_47"))
    assert case.stage == "enquiries"


def test_kent_says_that_asking_the_designated_officer_only_on_request_is_ours() -> None:
    assert load_profile("kent").agencies["designated_officer"].asked == "on_request"
    assert not says_the_document("kent", "agencies.designated_officer.asked")


# About 338 child referrals a week


def test_kent_receives_about_338_child_referrals_a_week() -> None:
    volume = load_profile("kent").volume
    assert volume and (volume.contacts, volume.per) == (338, "week")
    assert says_the_document("kent", "volume.contacts")


# LADO, IDVA, probation; CAFCASS weekly


def test_kent_has_the_designated_officer_the_domestic_violence_advisor_probation_and_cafcass() -> None:
    wanted = {"Local authority designated officer (LADO)", "Independent domestic violence advisor", "Probation", "CAFCASS"}
    assert wanted <= titles("kent")
    assert all(says_the_document("kent", f"agencies.{name}.title") for name in ("designated_officer", "cafcass", "probation"))


def test_kent_the_domestic_violence_advisor_is_asked_about_domestic_abuse() -> None:
    with_abuse = rated("kent", "amber", categories=("domestic_abuse",))
    assert "domestic_violence_advisor" in with_abuse.referral.outstanding
    assert "domestic_violence_advisor" not in rated("kent", "amber").referral.outstanding


def test_kent_probation_is_asked_about_every_case() -> None:
    assert "probation" in rated("kent", "green").referral.outstanding


def test_kent_the_designated_officer_answers_when_asked() -> None:
    case = rated("kent", "amber")
    assert "designated_officer" not in case.referral.outstanding
    case.give(AskAgencies(agencies=("designated_officer",)))
    assert "designated_officer" in case.referral.outstanding


def test_kent_cafcass_attends_weekly_so_its_reply_takes_up_to_a_week() -> None:
    case = rated("kent", "red")
    case.give(AskAgencies(agencies=("cafcass",)))
    assert case.profile.agencies["cafcass"].presence == "visiting"
    assert case.clock("check:cafcass").due_at.date() == (MORNING + timedelta(days=7)).date()
    assert case.clock("check:cafcass").source.startswith("Home Office 2014: 'CAFCASS who attend on a weekly basis'")


def test_kent_nobody_waits_a_week_for_cafcass_unless_it_is_asked() -> None:
    assert "cafcass" not in rated("kent", "red").referral.outstanding
