"""The firewall: what an agency holds is its own until it releases it; the rest of the hub sees that it exists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from mash.notifications.notices import notices_for
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.information import BreakGlass, ContributeInformation, GlassBroken, InformationReleased, ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordThreshold
from mash.states.acts.step_down import OfferStepDown
from mash.states.entitled import possible
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, NotYours, ReasonNeeded
from mash.states.firewall import ADULT_SOCIAL_WORKER, product, taking_part, view
from mash.states.profile import Consultation, Firewall, Profile, Triage

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    NOT_SHARED,
    SYSTEM,
    Case,
    arrived,
    at_decision,
    decision,
    hub,
    of,
    partner,
    person,
    rated,
)

SANDWELL = hub()
POLICE, HEALTH = partner("police"), partner("health")
AT_THE_THRESHOLD = hub(firewall=Firewall(threshold="significant_harm"))
ALWAYS_REDACTED = hub(firewall=Firewall(redaction="always"))
LOW_LEVEL_AT_TRIAGE = hub(triage=Triage(low_level_only=True))


def holding(profile: Profile = SANDWELL, *, sensitive: bool = True, **fields: Any) -> Case:
    """A case beside which the police have put something."""
    case = arrived(profile, **fields)
    case.give(ContributeInformation(sensitive=sensitive), POLICE)
    return case


def released(case: Case, proportionality: Any = "whole", agency: str = "police") -> ReleaseInformation:
    """The release of what the agency put there last."""
    return ReleaseInformation(item=case.item(agency), necessity="to_protect_a_child", proportionality=proportionality)


def seen(case: Case, agency: str, owner: str = "police") -> str:
    """How a member of an agency sees what the owner put there last."""
    return view(case.referral.held[case.item(owner)], agency)


# Contributing


def test_what_an_agency_contributes_is_its_own_and_a_signpost_to_everybody_else() -> None:
    case = holding()
    assert seen(case, "police") == "whole"
    assert {seen(case, agency) for agency in (*SANDWELL.agencies, "nobody") if agency != "police"} == {"signpost"}


def test_only_an_agency_of_the_hub_contributes_and_in_words() -> None:
    case = arrived(SANDWELL)
    with pytest.raises(NotInProfile):
        case.give(ContributeInformation(sensitive=True), partner("fire_service"))
    with pytest.raises(ReasonNeeded):
        case.give(ContributeInformation(sensitive=True), POLICE, words=False)
    assert case.referral.held == {}


def test_nothing_is_contributed_where_it_is_recorded_that_nothing_is_shared() -> None:
    case = arrived(SANDWELL)
    case.give(NOT_SHARED)
    with pytest.raises(Incomplete, match="talk to the hub first"):
        case.give(ContributeInformation(sensitive=False), POLICE)


def test_what_was_contributed_before_it_was_recorded_that_nothing_is_shared_is_not_released_after() -> None:
    case = holding()
    case.give(NOT_SHARED)
    with pytest.raises(Incomplete):
        case.give(released(case), POLICE)
    assert seen(case, "health") == "signpost"


def test_information_is_contributed_and_released_after_the_case_is_concluded_too() -> None:
    case = at_decision()
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(ContributeInformation(sensitive=True), POLICE)
    case.give(released(case), POLICE)
    assert seen(case, "health") == "whole" and not case.referral.open


def test_the_words_of_an_answer_are_the_agencys_own_and_an_answer_without_words_holds_nothing() -> None:
    case = rated(SANDWELL, "red")
    case.give(BASIS)
    case.give(AnswerCheck(agency="police", known=True), POLICE)
    case.give(AnswerCheck(agency="health", known=False), HEALTH, words=False)
    assert {held.agency for held in case.referral.held.values()} == {"police"}
    words = case.item("police")
    assert view(case.referral.held[words], "health") == "signpost"
    assert view(case.referral.held[words], "police") == "whole"
    case.give(released(case), POLICE)
    assert view(case.referral.held[words], "health") == "whole"


# Releasing


def test_only_the_agency_that_holds_an_item_releases_it() -> None:
    case = holding()
    for other in (HEALTH, DUTY, MANAGER, person("agency", "nobody")):
        with pytest.raises(NotYours, match="ask the agency"):
            case.give(released(case), other)
    assert seen(case, "health") == "signpost"
    case.give(released(case), person("agency", "police", "a.colleague"))
    assert seen(case, "health") == "whole"


def test_a_release_says_why_it_is_necessary_how_much_of_it_and_justifies_that_in_words() -> None:
    case = holding()
    for missing in ("necessity", "proportionality"):
        values = released(case).model_dump(exclude={missing})
        with pytest.raises(ValidationError, match=missing):
            ReleaseInformation.model_validate(values)
    with pytest.raises(ReasonNeeded, match="necessary"):
        case.give(released(case), POLICE, words=False)
    event = of(InformationReleased, case.give(released(case), POLICE))[0]
    assert (event.agency, event.necessity, event.proportionality) == ("police", "to_protect_a_child", "whole")
    assert event.words is not None and event.redacted is None


def test_an_item_is_released_once_and_one_that_is_not_there_is_not_released() -> None:
    case = holding()
    case.give(ContributeInformation(sensitive=True), HEALTH)
    first = released(case)
    case.give(first, POLICE)
    with pytest.raises(Incomplete, match="no such item"):
        case.give(first, POLICE)
    with pytest.raises(Incomplete, match=f"yours that do: {case.item('health')}"):
        case.give(first.model_copy(update={"item": "another"}), HEALTH)
    case.give(released(case, agency="health"), HEALTH)
    assert "release_information" not in possible(case.referral)


def test_where_nobody_holds_anything_there_is_nothing_to_release() -> None:
    with pytest.raises(ImpossibleMove):
        arrived(SANDWELL).give(ReleaseInformation(item="any", necessity="to_prevent_crime", proportionality="whole"), POLICE)


@pytest.mark.parametrize("proportionality", ["extract", "gist"])
def test_less_than_the_whole_is_released_as_a_redacted_version_which_is_all_that_others_read(proportionality: str) -> None:
    case = holding()
    with pytest.raises(Incomplete, match="redacted"):
        case.give(released(case, proportionality), POLICE)
    case.give(released(case, proportionality), POLICE, redacted=True)
    assert (seen(case, "police"), seen(case, "health")) == ("whole", "redacted")


def test_an_agency_may_redact_even_what_it_calls_the_whole() -> None:
    case = holding()
    case.give(released(case, "whole"), POLICE, redacted=True)
    assert seen(case, "health") == "redacted"


def test_where_the_hub_always_redacts_nothing_is_released_without_a_redacted_version() -> None:
    case = holding(ALWAYS_REDACTED, sensitive=False)
    with pytest.raises(Incomplete, match="redacted"):
        case.give(released(case, "whole"), POLICE)
    case.give(released(case, "whole"), POLICE, redacted=True)
    assert seen(case, "health") == "redacted"


# The threshold of significant harm


def test_where_the_hub_wants_the_threshold_met_nothing_is_released_before_it_is_found() -> None:
    case = holding(AT_THE_THRESHOLD, sensitive=False)
    with pytest.raises(Incomplete, match="record_threshold"):
        case.give(released(case), POLICE)
    case.give(RecordThreshold(significant_harm=False))
    with pytest.raises(Incomplete, match="record_threshold"):
        case.give(released(case), POLICE)
    case.give(RecordThreshold(significant_harm=True))
    case.give(released(case), POLICE)
    assert seen(case, "health") == "whole"


def test_a_threshold_found_not_met_after_all_stops_further_releases_and_takes_none_back() -> None:
    case = holding(AT_THE_THRESHOLD)
    case.give(RecordThreshold(significant_harm=True))
    case.give(released(case), POLICE)
    case.give(RecordThreshold(significant_harm=False))
    assert seen(case, "health") == "whole"
    case.give(ContributeInformation(sensitive=True), HEALTH)
    with pytest.raises(Incomplete, match="record_threshold"):
        case.give(released(case, agency="health"), HEALTH)


def test_another_hub_waits_for_no_threshold() -> None:
    case = holding()
    case.give(released(case), POLICE)
    assert seen(case, "health") == "whole" and case.referral.significant_harm is None


def test_whoever_rates_or_decides_finds_the_threshold_met_and_says_why() -> None:
    case = holding(AT_THE_THRESHOLD)
    threshold = RecordThreshold(significant_harm=True)
    for by in (POLICE, person("early_help"), person("service_manager")):
        with pytest.raises(NotYours):
            case.give(threshold, by)
    with pytest.raises(ReasonNeeded):
        case.give(threshold, words=False)
    for role in ("social_worker", "team_manager"):
        case.give(threshold, person(role))
    assert case.referral.significant_harm is True


def test_a_threshold_found_met_holds_in_the_linked_referral_too() -> None:
    case = at_decision(hub("merton", firewall=Firewall(threshold="significant_harm")), "child", "child")
    case.give(ContributeInformation(sensitive=True), POLICE)
    case.give(RecordThreshold(significant_harm=True))
    case.give(decision(s0="section_47", s1="section_17"), MANAGER)
    linked = case.linked["R-B"]
    linked.give(released(linked), POLICE)
    assert seen(linked, "health") == "whole"


# Low-level information at triage


def test_at_triage_only_what_is_not_sensitive_is_released_where_the_hub_says_so() -> None:
    low, high = holding(LOW_LEVEL_AT_TRIAGE, sensitive=False), holding(LOW_LEVEL_AT_TRIAGE, sensitive=True)
    low.give(released(low), POLICE)
    assert seen(low, "health") == "whole"
    with pytest.raises(Incomplete, match="low-level"):
        high.give(released(high), POLICE)
    high.give(RateReferral(rating="red"))
    high.give(released(high), POLICE)
    assert seen(high, "health") == "whole"


def test_elsewhere_sensitive_information_is_released_at_triage_already() -> None:
    case = holding(sensitive=True)
    case.give(released(case), POLICE)
    assert (case.stage, seen(case, "health")) == ("triage", "whole")


def test_a_consultation_which_comes_before_triage_shares_low_level_information_only_too() -> None:
    profile = hub(triage=Triage(low_level_only=True), consultation=Consultation(kinds=("referral",)))
    case = holding(profile, sensitive=True)
    assert case.stage == "consultation"
    with pytest.raises(Incomplete, match="low-level"):
        case.give(released(case), POLICE)


def test_the_words_of_an_answer_are_sensitive_unless_the_agency_says_otherwise() -> None:
    case = rated(SANDWELL, "red")
    case.give(BASIS)
    case.give(AnswerCheck(agency="police", known=True), POLICE)
    case.give(AnswerCheck(agency="health", known=True, sensitive=False), HEALTH)
    sensitive = {held.agency: held.sensitive for held in case.referral.held.values()}
    assert sensitive == {"police": True, "health": False}


# Who reads what


def test_whoever_is_asked_holds_something_or_is_invited_takes_part_and_nobody_else_does() -> None:
    case = arrived(SANDWELL)
    assert taking_part(case.referral, case.profile) == frozenset()
    case.give(ContributeInformation(sensitive=True), POLICE)
    assert taking_part(case.referral, case.profile) == {"police"}
    case.give(BASIS)
    case.give(RateReferral(rating="red"))
    assert taking_part(case.referral, case.profile) == set(case.referral.checks)


def test_a_service_takes_part_in_the_step_down_it_is_offered_and_adults_social_workers_where_there_is_an_adult() -> None:
    case = at_decision()
    case.give(decision(s0="early_help"), MANAGER)
    assert "early_help" not in taking_part(case.referral, case.profile)
    case.give(OfferStepDown(service=next(iter(case.profile.services))))
    assert "early_help" in taking_part(case.referral, case.profile)
    assert ADULT_SOCIAL_WORKER in taking_part(arrived(SANDWELL, "adult").referral, SANDWELL)


def test_somebody_from_outside_the_case_reads_it_for_some_hours_with_a_reason_that_is_told_at_once() -> None:
    case = arrived(SANDWELL)
    with pytest.raises(ReasonNeeded):
        case.give(BreakGlass(), HEALTH, words=False)
    before = case.referral
    events = case.give(BreakGlass(), HEALTH)
    broken = of(GlassBroken, events)[0]
    assert broken.until - case.now == timedelta(hours=case.profile.firewall.glass_hours)
    drafts = notices_for("R", before, case.referral, events, case.profile, SYSTEM, case.now)
    assert [(notice.kind, notice.role) for notice in drafts] == [
        ("glass_broken", "information_governance"),
        ("glass_broken", "duty_manager"),
    ]


def test_whoever_takes_part_breaks_no_glass() -> None:
    with pytest.raises(Incomplete, match="takes part"):
        holding(SANDWELL).give(BreakGlass(), POLICE)


def test_the_information_product_holds_what_was_released_as_it_was_and_a_signpost_for_the_rest() -> None:
    case = arrived(SANDWELL)
    values = {}
    for agency in ("police", "health", "housing"):
        case.give(ContributeInformation(sensitive=True), partner(agency))
        values[agency] = (case.item(agency), case.now)
        case.wait(minutes=5)
    case.give(released(case, "whole"), POLICE)
    case.give(released(case, "gist", "health"), HEALTH, redacted=True)
    lines = {line.agency: line for line in product(case.referral)}
    assert lines["police"].item == values["police"][0]
    assert lines["health"].item not in (None, values["health"][0])
    assert lines["health"].item == case.referral.held[values["health"][0]].redacted
    assert lines["housing"].item is None
    assert {agency: line.at for agency, line in lines.items()} == {agency: at for agency, (_, at) in values.items()}


def test_a_product_without_contributions_is_empty_and_one_agency_may_have_several_lines() -> None:
    case = arrived(SANDWELL)
    assert product(case.referral) == []
    for _ in range(2):
        case.give(ContributeInformation(sensitive=False), POLICE)
    case.give(released(case), POLICE)
    assert [line.item is None for line in product(case.referral)] == [True, False]


def test_a_linked_referral_keeps_what_was_released_and_what_was_not() -> None:
    case = at_decision(None, "child", "child")
    for agency in ("police", "health"):
        case.give(ContributeInformation(sensitive=True), partner(agency))
    case.give(released(case), POLICE)
    case.give(decision(s0="section_17", s1="no_further_action"), MANAGER)
    linked = case.linked["R-B"]
    assert (seen(linked, "education"), seen(linked, "education", "health")) == ("whole", "signpost")
    linked.give(released(linked, agency="health"), HEALTH)
    assert seen(linked, "education", "health") == "whole" and seen(case, "education", "health") == "signpost"


def test_every_necessity_and_proportion_that_can_be_stated_is_recorded_as_stated() -> None:
    fields = ReleaseInformation.model_fields
    for necessity in get_args(fields["necessity"].annotation):
        for proportionality in get_args(fields["proportionality"].annotation):
            case = holding()
            command = released(case, proportionality).model_copy(update={"necessity": necessity})
            event = of(InformationReleased, case.give(command, POLICE, redacted=True))[0]
            assert (event.necessity, event.proportionality) == (necessity, proportionality)
