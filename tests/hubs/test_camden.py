"""Camden (practice, section 2): four kinds of contact, live one kind at a time, red in four hours, agencies on request."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, get_args

import pytest
from hubs_at_work import (
    DUTY,
    MORNING,
    SOCIAL_WORKER,
    answered,
    at_decision,
    changed,
    london,
    outcome,
    rated,
    says_the_document,
    signposted,
    takes,
)

from mash.config.profile import load_profile
from mash.states.acts.checks import AskAgencies, ProceedWithoutReplies
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.rating import ReferralRerated, RerateReferral
from mash.states.acts.step_down import OfferStepDown
from mash.states.profile import ContactKind, Profile

FOUR = ("police_notification", "early_help_assessment", "information_request", "out_of_hours_report")


def one_kind_at_a_time() -> Profile:
    """Camden as it began: police reports first, and another kind every half year."""
    begins = {
        "police_merlin": date(2012, 12, 1),
        "e_caf": date(2013, 6, 1),
        "information_requests": date(2013, 12, 1),
        "out_of_hours_reports": date(2014, 6, 1),
    }
    intake = load_profile("camden").intake
    return changed("camden", intake={name: intake[name].model_copy(update={"live_from": day}) for name, day in begins.items()})


# Intake of four kinds only


def test_camden_takes_police_merlin_reports() -> None:
    assert takes("camden", contact="police_notification", source_agency="police")


def test_camden_takes_early_help_assessments() -> None:
    assert takes("camden", contact="early_help_assessment")


def test_camden_takes_information_requests() -> None:
    assert takes("camden", contact="information_request", source_agency="court")


def test_camden_takes_out_of_hours_reports() -> None:
    assert takes("camden", contact="out_of_hours_report", source_agency="local_authority")


def test_camden_takes_out_of_hours_reports_on_families_not_known_as_its_case_study_says() -> None:
    assert "not known" in load_profile("camden").intake["out_of_hours_reports"].title
    assert says_the_document("camden", "intake.out_of_hours_reports.title")


def test_camden_does_not_take_an_out_of_hours_report_on_a_family_that_is_known() -> None:
    assert not takes("camden", contact="out_of_hours_report", source_agency="local_authority", family_known=True)


def test_camden_does_not_state_that_other_concerns_are_refused() -> None:
    assert "nobody is said to be refused" in load_profile("camden").remarks["other_concerns"].says
    assert says_the_document("camden", "remarks.other_concerns.says")


@pytest.mark.parametrize("kind", sorted(set(get_args(ContactKind)) - set(FOUR)))
def test_camden_signposts_every_other_kind_to_childrens_social_care(kind: Any) -> None:
    case = signposted("camden", contact=kind)
    assert case.stage == "not_taken" and "children's social care" in case.words("outcome")


# Live one kind at a time


@pytest.mark.parametrize(("day", "live"), [("2013-01-07", 1), ("2013-07-01", 2), ("2014-01-06", 3), ("2014-07-07", 4)])
def test_camden_goes_live_one_kind_at_a_time(day: str, live: int) -> None:
    profile, now = one_kind_at_a_time(), london(f"{day} 10:00")
    assert [kind for kind in FOUR if takes(profile, contact=kind, now=now)] == list(FOUR[:live])


def test_camden_a_kind_is_taken_from_the_first_minute_of_the_day_it_goes_live() -> None:
    profile = one_kind_at_a_time()
    assert not takes(profile, contact="early_help_assessment", now=london("2013-05-31 23:59"))
    assert takes(profile, contact="early_help_assessment", now=london("2013-06-01 00:00"))


def test_camden_states_that_it_went_live_one_kind_at_a_time() -> None:
    assert "one type of referral at a time" in load_profile("camden").remarks["one_kind"].says
    assert says_the_document("camden", "remarks.one_kind.says")


# Red completed in four hours


def test_camden_red_is_due_four_hours_after_receipt() -> None:
    response = rated("camden", "red", contact="police_notification").clock("response")
    assert response.due_at == MORNING + timedelta(hours=4) and response.source.startswith("Home Office 2014")


def test_camden_the_four_hours_of_red_run_until_the_case_is_completed_by_its_decision() -> None:
    case = rated("camden", "red", contact="police_notification")
    case.give(ProceedWithoutReplies())
    case.give(RecordMeeting(attended=()))
    assert case.stage == "decision" and case.running("response")
    case.give(outcome(case, "no_further_action"))
    assert case.clock("response").met


def test_camden_a_red_that_is_not_completed_in_four_hours_is_counted_as_late() -> None:
    case = rated("camden", "red", contact="police_notification")
    case.run_to(MORNING + timedelta(hours=5))
    assert case.clock("response").breached_at == MORNING + timedelta(hours=4)


def test_camden_states_that_ninety_per_cent_of_red_cases_are_completed_in_time() -> None:
    assert "90 %" in load_profile("camden").remarks["ninety"].says
    assert says_the_document("camden", "remarks.ninety.says")


# Agencies on request only, by secure e-mail


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_camden_no_agency_is_asked_unless_somebody_requests_it(rating: str) -> None:
    case = rated("camden", rating, contact="police_notification")
    assert case.stage == "agency_checks" and not case.referral.checks and not case.recipients("check_request")


@pytest.mark.parametrize("agency", sorted(load_profile("camden").agencies))
def test_camden_an_agency_answers_when_it_is_requested_to(agency: str) -> None:
    case = rated("camden", "green", contact="police_notification")
    case.give(AskAgencies(agencies=(agency,)), SOCIAL_WORKER)
    assert case.referral.outstanding == (agency,) and len(case.recipients("check_request")) == 1
    assert answered(case).stage == "decision"


def test_camden_every_agency_is_reached_by_secure_email() -> None:
    assert {agency.reached_by for agency in load_profile("camden").agencies.values()} == {"secure_email"}
    assert says_the_document("camden", "agencies.police.reached_by")


def test_camden_a_probation_officer_is_in_the_team() -> None:
    agencies = load_profile("camden").agencies
    assert agencies["probation"].presence == "co_located" and says_the_document("camden", "agencies.probation.presence")
    assert {agency.presence for name, agency in agencies.items() if name in ("housing", "education", "youth_justice")} == {None}


# An exit to Families in Focus


def test_camden_a_case_may_go_to_families_in_focus() -> None:
    case = at_decision("camden", contact="police_notification")
    case.give(outcome(case, "early_help"))
    case.give(OfferStepDown(service="families_in_focus"))
    assert "Families in Focus" in case.words("step_down_offered")
    assert says_the_document("camden", "services.families_in_focus.title")


# The management information dataset


def test_camden_a_case_that_was_decided_holds_all_of_the_management_information_dataset() -> None:
    case = at_decision("camden", contact="police_notification", source_agency="police", categories=("missing",))
    case.give(RerateReferral(rating="amber"))
    case.give(RecordMeeting(attended=()))
    case.now += timedelta(hours=2)
    case.give(outcome(case, "section_17"), DUTY)
    r = case.referral
    assert (r.source_agency, r.primary_need, r.categories) == ("police", "N1", ("missing",)), "source, presenting issue"
    assert (r.first_rating, r.rating) == ("green", "amber"), "rating before and after"
    assert (r.outcomes, r.decided_at) == ({"s0": "section_17"}, r.received_at + timedelta(hours=2)), "outcome, time to complete"


def test_camden_the_rating_before_and_after_is_in_the_log_of_every_re_rating() -> None:
    case = at_decision("camden", contact="police_notification")
    case.give(RerateReferral(rating="red"))
    assert [(ev.before, ev.rating) for _, _, ev in case.log if isinstance(ev, ReferralRerated)] == [("green", "red")]


def test_camden_states_what_its_management_information_dataset_shows() -> None:
    says = load_profile("camden").remarks["dataset"].says
    assert all(fact in says for fact in ("source", "presenting issue", "rating before and after", "outcome", "time to complete"))
    assert says_the_document("camden", "remarks.dataset.says")
