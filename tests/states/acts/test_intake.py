"""The front door: what a hub takes, consulting first, triage or none, joint triage, and places that triage on their own."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from mash.notifications.notices import notices_for
from mash.notifications.wording import UNADDRESSED, message_for
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.contact import AssignPlace, ConcludeConsultation
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral, ReferralRated, RerateReferral
from mash.states.course import ClockWarned
from mash.states.entitled import possible
from mash.states.errors import ImpossibleMove, NotInProfile, NotYours, QuorumNotMet, ReasonNeeded
from mash.states.profile import Consultation, Intake, Place, Profile, Triage

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    MORNING,
    NIGHT,
    NIGHT_DUTY,
    QUORUM,
    SYSTEM,
    answer_all,
    arrived,
    climbs,
    decision,
    hub,
    london,
    of,
    person,
    rated,
    signposted,
)

NORTH_DUTY = person("partner_duty_manager", "social_care", "north.duty")
PLACES = {
    "north": Place(title="North", kind="authority", virtual=True, triage_role="partner_duty_manager"),
    "south": Place(title="South", kind="satellite"),
}
CONSULTS_FIRST = hub(consultation=Consultation(kinds=("advice", "referral")))
NO_TRIAGE = hub(triage=Triage(stage=False))
JOINT = hub("merton", triage=Triage(joint=QUORUM))
TWO_AUTHORITIES = hub(places=PLACES)
FIRST_HOUR = MORNING + timedelta(hours=1)


def taking(**entries: dict[str, Any]) -> Profile:
    """A hub that takes these sorts of contacts."""
    return hub(intake={name: Intake(title=name, **entry) for name, entry in entries.items()})


# What the hub takes


@pytest.mark.parametrize(
    ("entry", "cohort", "fits", "does_not"),
    [
        ({"kinds": ("police_notification",)}, "child", {"contact": "police_notification"}, {"contact": "referral"}),
        ({"categories": ("missing", "gangs")}, "child", {"categories": ("gangs",)}, {"categories": ("hate_crime",)}),
        ({"categories": ("missing",)}, "adult", {"categories": ("gangs", "missing")}, {}),
        ({"sources": ("police", "probation")}, "child", {"source_agency": "probation"}, {"source_agency": "education"}),
        ({"live_from": date(2026, 6, 2)}, "child", {"now": MORNING}, {"now": MORNING - timedelta(days=1)}),
    ],
    ids=["by kind", "by category", "by category alone, of anybody", "by source", "from a date on"],
)
def test_a_hub_takes_what_its_intake_names_and_signposts_the_rest(
    entry: dict[str, Any], cohort: str, fits: dict[str, Any], does_not: dict[str, Any]
) -> None:
    profile = taking(some=entry)
    assert arrived(profile, cohort, **fits).stage == "triage"
    refused = signposted(profile, cohort, referrer_reachable=True, **does_not)
    assert (refused.stage, refused.referral.open) == ("not_taken", False)
    assert refused.referral.subjects["s0"].outcome == "signposted"
    assert {clock.kind for clock in refused.referral.running} == {"acknowledgement", "outcome_told"}


@pytest.mark.parametrize(
    ("cohorts", "stage"),
    [
        (("unborn",), "triage"),
        (("adult",), "to_confirm_not_ours"),
        (("adult", "child"), "triage"),
        (("adult", "unknown"), "triage"),
    ],
    ids=["unborn", "an adult", "an adult with a child", "an adult with somebody of unknown age"],
)
def test_one_subject_that_the_hub_takes_brings_in_the_others_and_an_unknown_age_is_always_seen(
    cohorts: tuple[str, ...], stage: str
) -> None:
    assert arrived(taking(young={"cohorts": ("child", "unborn")}), *cohorts).stage == stage


def test_a_sort_of_contact_goes_live_at_midnight_where_the_hub_is() -> None:
    profile = taking(some={"live_from": date(2026, 6, 2)})
    assert arrived(profile, now=london("2026-06-01 23:59")).stage == "to_confirm_not_ours"
    assert arrived(profile, now=london("2026-06-02 00:00")).stage == "triage"


def test_a_contact_fits_one_sort_in_all_respects_not_two_sorts_in_part() -> None:
    profile = taking(
        children={"cohorts": ("child",), "kinds": ("police_notification",)},
        adults={"cohorts": ("adult",), "categories": ("domestic_abuse",)},
    )
    assert arrived(profile, "child", contact="police_notification").stage == "triage"
    assert arrived(profile, "adult", categories=("domestic_abuse",)).stage == "triage"
    assert arrived(profile, "child", categories=("domestic_abuse",)).stage == "to_confirm_not_ours"
    assert arrived(profile, "adult", contact="police_notification").stage == "to_confirm_not_ours"


def test_a_contact_signposted_by_mistake_is_due_for_its_rating_within_an_hour_of_being_reopened() -> None:
    case = signposted(hub("merton"), "adult")
    case.wait(days=3)
    case.give(ReopenReferral(), MANAGER)
    assert case.stage == "triage"
    assert case.clock("triage").due_at == case.now + timedelta(hours=1)


def test_what_begins_first_after_a_reopening_a_year_later_is_not_late_before_it_began() -> None:
    case = signposted(hub("merton"), "adult")
    case.wait(days=365)
    case.give(ReopenReferral(), MANAGER)
    case.wait(minutes=30)
    case.give(RateReferral(rating="red"))
    assert case.referral.running and not [clock.id for clock in case.referral.running if clock.due_at <= case.now]


# Immediate danger


@pytest.mark.parametrize(
    ("profile", "fields", "stage", "role"),
    [
        (taking(some={"kinds": ("advice",)}), {}, "triage", "duty_manager"),
        (CONSULTS_FIRST, {}, "triage", "duty_manager"),
        (NO_TRIAGE, {}, "decision", "duty_manager"),
        (TWO_AUTHORITIES, {"place": "north"}, "triage", "partner_duty_manager"),
    ],
    ids=["of a kind not taken", "where professionals consult first", "without a triage stage", "at a place that triages"],
)
def test_immediate_danger_is_seen_at_once_by_whoever_rates(
    profile: Profile, fields: dict[str, Any], stage: str, role: str
) -> None:
    case = arrived(profile, immediate_danger=True, **fields)
    assert case.stage == stage and case.referral.open
    assert climbs(case.log, "triage") == [(role, MORNING)]
    assert case.referral.alerts == ("triage",)


@pytest.mark.parametrize("place", ["north", None], ids=["at a place that triages", "at the hub"])
def test_immediate_danger_at_night_tells_the_out_of_hours_role_wherever_it_is(place: str | None) -> None:
    case = arrived(TWO_AUTHORITIES, place=place, now=NIGHT, immediate_danger=True)
    assert climbs(case.log, "triage") == [("out_of_hours", NIGHT)]


# Consultation first


def test_a_professional_consults_first_and_no_threshold_is_applied_meanwhile() -> None:
    case = arrived(CONSULTS_FIRST)
    assert case.stage == "consultation"
    assert case.clock("consultation").due_at == case.now + timedelta(hours=1)
    assert case.clock("decision_on_response").due_at == london("2026-06-03 17:00")
    assert case.running("triage") == []
    with pytest.raises(ImpossibleMove, match="conclude_consultation"):
        case.give(RateReferral(rating="red"))


@pytest.mark.parametrize("source", ["individual", "unknown"])
def test_the_public_consults_nobody_and_is_listened_to(source: str) -> None:
    assert arrived(CONSULTS_FIRST, source_agency=source).stage == "triage"


def test_only_the_kinds_that_the_hub_names_begin_with_a_consultation() -> None:
    assert arrived(CONSULTS_FIRST, contact="police_notification").stage == "triage"


def test_what_the_hub_does_not_take_is_not_consulted_about_either() -> None:
    profile = CONSULTS_FIRST.model_copy(update={"intake": {"adults": Intake(title="Adults", cohorts=("adult",))}})
    assert arrived(profile, "child").stage == "to_confirm_not_ours"


def test_a_consultation_ends_in_advice_with_the_advice_in_words_and_the_professional_is_told() -> None:
    case = arrived(CONSULTS_FIRST, referrer_reachable=True)
    with pytest.raises(ReasonNeeded):
        case.give(ConcludeConsultation(outcome="advice"), words=False)
    case.give(ConcludeConsultation(outcome="advice"))
    referral = case.referral
    assert (referral.stage, referral.open, referral.subjects["s0"].outcome) == ("advice_given", False, "advice")
    assert referral.rating is None
    assert case.clock("consultation").met is True and case.clock("decision_on_response").met is True
    assert {clock.kind for clock in referral.running} == {"acknowledgement", "outcome_told"}


def test_who_consulted_is_told_that_advice_was_given() -> None:
    case = arrived(CONSULTS_FIRST, referrer_reachable=True)
    before = case.referral
    events = case.give(ConcludeConsultation(outcome="advice"))
    notices = notices_for("R", before, case.referral, events, case.profile, SYSTEM, case.now)
    (outcome,) = [notice for notice in notices if notice.kind == "outcome"]
    body = message_for(outcome.kind, "R", outcome.facts, case.now, "link", **UNADDRESSED).body
    assert "advice was given" in body and "section 47" not in body


@pytest.mark.parametrize(("profile", "stage"), [(CONSULTS_FIRST, "triage"), (None, "decision")], ids=["triage", "no triage"])
def test_a_consultation_that_becomes_a_referral_goes_where_any_other_begins(profile: Profile | None, stage: str) -> None:
    case = arrived(profile or CONSULTS_FIRST.model_copy(update={"triage": Triage(stage=False)}))
    case.wait(minutes=20)
    case.give(ConcludeConsultation(outcome="referral"))
    assert case.stage == stage and case.referral.open
    assert case.clock("consultation").met is True
    assert case.clock("triage").running and case.clock("decision_on_response").running
    case.give(RateReferral(rating="green"))
    assert case.stage == "agency_checks" and case.clock("triage").met is True


@pytest.mark.parametrize("profile", [CONSULTS_FIRST, None], ids=["triage", "no triage"])
def test_a_referral_that_a_consultation_became_has_its_hour_for_the_rating_from_then_on(profile: Profile | None) -> None:
    case = arrived(profile or CONSULTS_FIRST.model_copy(update={"triage": Triage(stage=False)}))
    case.wait(hours=2)
    case.give(ConcludeConsultation(outcome="referral"))
    assert case.clock("triage").due_at == case.now + timedelta(hours=1)
    assert case.clock("decision_on_response").due_at == london("2026-06-03 17:00"), "the statutory time counts from receipt"


def test_a_consultation_that_nobody_holds_climbs_the_ladder() -> None:
    case = arrived(CONSULTS_FIRST)
    due = case.now + timedelta(hours=1)
    assert climbs(case.run_to(due + timedelta(minutes=30)), "consultation") == [
        ("duty_manager", due),
        ("practice_manager", due + timedelta(minutes=30)),
    ]


def test_a_strategy_discussion_is_called_in_the_middle_of_a_consultation() -> None:
    case = arrived(CONSULTS_FIRST)
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="section_47"))
    assert case.stage == "enquiries" and case.running("consultation") == []


# No triage stage


def test_without_a_triage_stage_a_contact_opens_at_the_decision_and_still_waits_an_hour_for_its_rating() -> None:
    for now, role in ((MORNING, "duty_manager"), (NIGHT, "out_of_hours")):
        case = arrived(NO_TRIAGE, now=now)
        assert (case.stage, case.referral.rating) == ("decision", None)
        due = now + timedelta(hours=1)
        assert case.clock("triage").due_at == due
        assert climbs(case.run_to(due), "triage") == [(role, due)]


def test_without_a_triage_stage_the_rating_is_given_at_the_decision_and_sends_the_case_on_its_route() -> None:
    case = rated(NO_TRIAGE, "green")
    assert case.stage == "agency_checks" and case.clock("triage").met is True
    case.give(BASIS)
    answer_all(case)
    assert case.stage == "decision" and "rate_referral" not in possible(case.referral)
    case.give(decision(s0="no_further_action"))
    assert not case.referral.open


def test_without_a_triage_stage_decision_makers_may_decide_at_intake_and_nobody_waits_for_a_rating_any_more() -> None:
    case = arrived(NO_TRIAGE)
    case.give(decision(s0="section_17"))
    assert case.stage == "section_17_assessment" and case.running("triage") == []


def test_a_place_that_triages_on_its_own_has_a_triage_stage_though_the_hub_has_none() -> None:
    profile = hub(triage=Triage(stage=False), places=PLACES)
    assert arrived(profile, place="north").stage == "triage"
    assert arrived(profile, place="south").stage == "decision"


# Joint triage


@pytest.mark.parametrize("missing", QUORUM)
def test_a_case_goes_into_the_mash_when_each_of_the_named_agencies_agrees(missing: str) -> None:
    case = arrived(JOINT)
    agreed = tuple(agency for agency in (*QUORUM, "education") if agency != missing)
    with pytest.raises(QuorumNotMet, match=f"missing: {missing}") as refusal:
        case.give(RateReferral(rating="amber", agreed=agreed))
    assert refusal.value.facts == {"missing": [missing]} and case.referral.rating is None
    rating = of(ReferralRated, case.give(RateReferral(rating="amber", agreed=QUORUM)))
    assert case.stage == "agency_checks" and rating[0].agreed == QUORUM


def test_a_rating_that_asks_nothing_of_the_mash_needs_no_joint_decision() -> None:
    assert rated(JOINT, "blue").stage == "decision"


def test_a_strategy_discussion_straight_from_triage_is_a_joint_decision_too() -> None:
    case = arrived(JOINT)
    with pytest.raises(QuorumNotMet):
        case.give(RateReferral(rating="red"))
    case.give(RateReferral(rating="red", agreed=QUORUM))
    assert case.stage == "strategy_discussion"


def test_agencies_that_agree_are_named_as_in_the_profile() -> None:
    with pytest.raises(NotInProfile):
        arrived(JOINT).give(RateReferral(rating="amber", agreed=(*QUORUM, "Mrs Miller")))


# Places


def test_only_the_role_of_a_place_that_triages_on_its_own_rates_its_cases() -> None:
    case = arrived(TWO_AUTHORITIES, place="north")
    for stranger in (DUTY, person("social_worker"), person("practice_manager")):
        with pytest.raises(NotYours, match="partner_duty_manager"):
            case.give(RateReferral(rating="red"), stranger)
    case.give(RateReferral(rating="red"), NORTH_DUTY)
    assert case.stage == "agency_checks"


def test_while_the_hub_is_closed_whoever_is_on_duty_rates_for_the_place() -> None:
    case = arrived(TWO_AUTHORITIES, place="north", now=NIGHT)
    case.give(RateReferral(rating="red"), NIGHT_DUTY)
    assert case.referral.rating == "red"


@pytest.mark.parametrize("place", ["south", None], ids=["a satellite", "nowhere in particular"])
def test_a_place_without_a_triage_of_its_own_leaves_the_rating_to_the_hub(place: str | None) -> None:
    case = arrived(TWO_AUTHORITIES, place=place)
    with pytest.raises(NotYours):
        case.give(RateReferral(rating="red"), NORTH_DUTY)
    case.give(RateReferral(rating="red"))
    assert case.referral.place == place and case.referral.rating == "red"


def test_a_place_that_is_none_of_the_hubs_is_not_taken_over_from_the_contact_nor_assigned() -> None:
    case = arrived(TWO_AUTHORITIES, place="elsewhere")
    assert case.referral.place is None
    with pytest.raises(NotInProfile, match="north, south"):
        case.give(AssignPlace(place="elsewhere"))


def test_assigning_a_place_says_who_rates_from_then_on() -> None:
    case = arrived(TWO_AUTHORITIES)
    case.give(AssignPlace(place="north"))
    with pytest.raises(NotYours):
        case.give(RateReferral(rating="red"))
    case.give(AssignPlace(place="south"))
    with pytest.raises(NotYours):
        case.give(RateReferral(rating="red"), NORTH_DUTY)
    case.give(RateReferral(rating="red"))
    assert case.referral.place == "south"


def late_triage(place_on_arrival: str | None, assigned: str | None) -> tuple[list[str], list[tuple[str, datetime]]]:
    """Who is reminded of a rating that is due, and who is told when it is late."""
    case = arrived(TWO_AUTHORITIES, place=place_on_arrival)
    if assigned:
        case.give(AssignPlace(place=assigned))
    entries = case.run_to(FIRST_HOUR + timedelta(minutes=30))
    return [event.role for event in of(ClockWarned, [event for _, _, event in entries])], climbs(entries, "triage")


def test_a_late_rating_at_a_place_that_triages_on_its_own_is_told_there_first_and_then_to_the_hub() -> None:
    assert late_triage("north", None) == (
        ["partner_duty_manager", "partner_duty_manager"],
        [("partner_duty_manager", FIRST_HOUR), ("duty_manager", FIRST_HOUR + timedelta(minutes=30))],
    )


def test_a_case_assigned_to_a_place_that_triages_on_its_own_is_as_late_there_as_one_that_arrived_there() -> None:
    assert late_triage(None, "north") == late_triage("north", None)


def test_a_rating_is_one_of_the_hubs_first_and_later() -> None:
    case = arrived(TWO_AUTHORITIES)
    with pytest.raises(NotInProfile, match="red, amber, green"):
        case.give(RateReferral(rating="blue"))
    case.give(RateReferral(rating="green"))
    with pytest.raises(NotInProfile, match="red, amber, green"):
        case.give(RerateReferral(rating="blue"))
    assert case.referral.rating == "green"


def test_who_may_not_rate_does_not_rerate_either() -> None:
    case = rated(TWO_AUTHORITIES, "green", place="south")
    for stranger in (NORTH_DUTY, MANAGER, person("agency", "police")):
        with pytest.raises(NotYours):
            case.give(RerateReferral(rating="red"), stranger)
    assert case.referral.rating == "green"


def test_both_the_hub_and_the_place_may_rerate_what_the_place_rated() -> None:
    for by in (DUTY, NORTH_DUTY):
        case = arrived(TWO_AUTHORITIES, place="north")
        case.give(RateReferral(rating="green"), NORTH_DUTY)
        case.give(RerateReferral(rating="amber"), by)
        assert case.referral.rating == "amber"
