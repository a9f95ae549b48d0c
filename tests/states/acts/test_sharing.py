"""The sharing gate: what is recorded before anybody is asked, adults' wishes, markers, and a reason not to share."""

from __future__ import annotations

from typing import Any

import pytest

from mash.states.acts.alerts import FireClocks
from mash.states.acts.checks import AskAgencies, ChecksRequested
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.countersigning import Countersign
from mash.states.acts.handing_over import OfferHandOver
from mash.states.acts.information import ContributeInformation, ReleaseInformation
from mash.states.acts.protection import RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordAdultView, RecordMarker, RecordSharingBasis, SharingBasisRecorded
from mash.states.entitled import possible
from mash.states.errors import ImpossibleMove, Incomplete, ReasonNeeded
from mash.states.profile import Sharing
from mash.states.values import ReportedConsent

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
    decision,
    hub,
    of,
    partner,
    person,
    rated,
)

SANDWELL = hub()
SEEKS_CONSENT = hub(sharing=Sharing(consent="sought_unless_child_protection"))
TELLS_FAMILIES = hub(sharing=Sharing(families_told="beforehand_unless_at_risk"))
HEARD = RecordAdultView(subject="s0", capacity="has", agrees="no")


def basis(**changes: Any) -> RecordSharingBasis:
    return BASIS.model_copy(update=changes)


# What a basis must be


@pytest.mark.parametrize("consent", ["refused", "overridden", "not_sought", "no_answer"])
def test_consent_is_the_lawful_basis_only_when_it_was_given(consent: str) -> None:
    case = rated(SANDWELL, "red")
    with pytest.raises(Incomplete, match="only when it was given"):
        case.give(basis(lawful_basis="consent", consent=consent))
    case.give(basis(lawful_basis="consent", consent="given"))
    assert set(case.referral.outstanding) == set(SANDWELL.agencies)


def test_sharing_against_a_refusal_is_recorded_as_overriding_it_and_why() -> None:
    case = rated(SANDWELL, "red")
    with pytest.raises(Incomplete, match="overridden"):
        case.give(basis(consent="refused"))
    with pytest.raises(ReasonNeeded):
        case.give(basis(consent="overridden"), words=False)
    recorded = of(SharingBasisRecorded, case.give(basis(consent="overridden")))
    assert (recorded[0].share, recorded[0].consent) == (True, "overridden") and recorded[0].words is not None


@pytest.mark.parametrize(
    ("command", "needs_words"),
    [
        (basis(), False),
        (basis(lawful_basis="consent", consent="given"), False),
        (basis(consent="no_answer"), False),
        (basis(family_informed=False), True),
        (basis(consent="overridden"), True),
        (basis(share=False), True),
    ],
    ids=["family informed", "with consent", "no answer", "family not informed", "consent overridden", "not shared"],
)
def test_what_goes_against_the_family_or_keeps_information_back_is_explained_in_words(
    command: RecordSharingBasis, needs_words: bool
) -> None:
    case = rated(SANDWELL, "red")
    if needs_words:
        with pytest.raises(ReasonNeeded):
            case.give(command, words=False)
        assert case.referral.sharing is None and case.referral.checks == {}
    case.give(command, words=needs_words)
    assert case.referral.sharing is command.share


# Consent, where the hub always seeks it


@pytest.mark.parametrize("purpose", ["safeguarding_child", "safeguarding_adult", "prevention_of_crime", "information_request"])
def test_a_hub_that_always_seeks_consent_shares_for_nothing_but_child_protection_without_asking(purpose: str) -> None:
    case = rated(SEEKS_CONSENT, "red")
    with pytest.raises(Incomplete, match="always seeks consent"):
        case.give(basis(purpose=purpose))
    assert case.referral.checks == {}
    case.give(basis(purpose="child_protection"))
    assert case.referral.checks != {}


@pytest.mark.parametrize("consent", ["given", "overridden", "no_answer"])
def test_where_consent_was_sought_any_answer_to_it_can_be_recorded(consent: str) -> None:
    case = rated(SEEKS_CONSENT, "red")
    case.give(basis(consent=consent))
    assert case.referral.sharing is True


def test_another_hub_decides_case_by_case_whether_consent_is_sought() -> None:
    case = rated(SANDWELL, "red")
    case.give(basis(consent="not_sought"))
    assert case.referral.sharing is True


# Families told beforehand


@pytest.mark.parametrize("why", ["puts_somebody_at_risk", "prejudices_an_investigation", "cannot_be_reached"])
def test_a_hub_that_tells_families_beforehand_does_so_or_records_why_not(why: str) -> None:
    case = rated(TELLS_FAMILIES, "red")
    with pytest.raises(Incomplete, match="not_informed"):
        case.give(basis(family_informed=False))
    with pytest.raises(ReasonNeeded):
        case.give(basis(family_informed=False, not_informed=why), words=False)
    assert case.referral.checks == {}
    recorded = of(SharingBasisRecorded, case.give(basis(family_informed=False, not_informed=why)))
    assert recorded[0].not_informed == why and case.referral.checks != {}


def test_a_family_that_was_told_needs_no_excuse() -> None:
    case = rated(TELLS_FAMILIES, "red")
    case.give(basis(family_informed=True), words=False)
    assert case.referral.checks != {}


# Adults


def test_nothing_is_shared_about_adults_before_each_ones_capacity_and_wishes_are_recorded() -> None:
    case = rated(SANDWELL, "red", "adult", "child", "adult", categories=("domestic_abuse",))
    with pytest.raises(Incomplete, match="s0, s2"):
        case.give(BASIS)
    case.give(HEARD)
    override = basis(consent="overridden")
    with pytest.raises(Incomplete, match=r"\(record_adult_view\): s2$"):
        case.give(override)
    case.give(RecordAdultView(subject="s2", capacity="lacks", agrees="not_asked"))
    assert case.referral.checks == {}
    case.give(override)
    assert case.referral.checks != {}


def test_what_an_adult_with_capacity_refuses_is_shared_only_by_overriding_it_in_words() -> None:
    case = rated(SANDWELL, "red", "adult", categories=("domestic_abuse",))
    case.give(HEARD)
    with pytest.raises(Incomplete, match="an adult with capacity refuses"):
        case.give(basis(consent="given"))
    with pytest.raises(ReasonNeeded):
        case.give(basis(consent="overridden"), words=False)
    case.give(basis(consent="overridden"))
    assert case.referral.checks != {}


def test_after_an_adults_later_refusal_nothing_more_leaves_until_the_basis_is_recorded_anew() -> None:
    case = rated(SANDWELL, "red", "adult", categories=("domestic_abuse",))
    case.give(HEARD.model_copy(update={"agrees": "yes"}))
    case.give(BASIS)
    case.give(HEARD)
    with pytest.raises(ImpossibleMove):
        case.give(AskAgencies(agencies=("police",)))


def test_an_adults_view_is_recorded_in_words_and_can_change() -> None:
    case = arrived(SANDWELL, "adult", categories=("domestic_abuse",))
    with pytest.raises(ReasonNeeded):
        case.give(HEARD, words=False)
    case.give(HEARD)
    case.give(RecordAdultView(subject="s0", capacity="has", agrees="yes"))
    adult = case.referral.subjects["s0"]
    assert (adult.capacity, adult.agrees) == ("has", "yes")


@pytest.mark.parametrize("subject", ["s1", "somebody"], ids=["a child", "nobody here"])
def test_a_view_is_that_of_an_adult_of_the_referral(subject: str) -> None:
    case = arrived(SANDWELL, "adult", "child", categories=("domestic_abuse",))
    with pytest.raises(Incomplete, match=r"expected one of s0$"):
        case.give(HEARD.model_copy(update={"subject": subject}))


def test_where_there_is_no_adult_there_is_no_adults_view() -> None:
    with pytest.raises(ImpossibleMove):
        arrived(SANDWELL, "child", "unborn").give(HEARD)


def test_not_sharing_waits_for_no_adults_view() -> None:
    case = rated(SANDWELL, "red", "adult", categories=("domestic_abuse",))
    case.give(NOT_SHARED)
    assert case.referral.sharing is False


def test_an_adult_is_heard_before_an_adult_safeguarding_enquiry_is_decided() -> None:
    case = at_decision(None, "adult", "child")
    with pytest.raises(Incomplete, match="s0"):
        case.give(decision(s0="adult_section_42", s1="no_further_action"), MANAGER)
    case.give(HEARD)
    with pytest.raises(Incomplete, match="section 42 is for adults"):
        case.give(decision(s0="adult_section_42", s1="adult_section_42"), MANAGER)
    case.give(decision(s0="adult_section_42", s1="no_further_action"), MANAGER)
    assert case.stage == "adult_section_42"


def test_what_an_adult_said_goes_along_with_the_linked_referral() -> None:
    case = at_decision(None, "child", "adult")
    case.give(HEARD.model_copy(update={"subject": "s1"}))
    case.give(decision(s0="section_17", s1="adult_section_42"), MANAGER)
    linked = case.linked["R-B"].referral
    assert (linked.subjects["s1"].capacity, linked.subjects["s1"].agrees) == ("has", "no")
    assert linked.adults_unheard == ()


# A reason not to share


def test_a_reason_not_to_share_is_a_record_and_the_case_goes_on_without_asking_anybody() -> None:
    case = rated(SANDWELL, "green")
    recorded = of(SharingBasisRecorded, case.give(NOT_SHARED))
    assert recorded[0].share is False and recorded[0].words is not None
    assert (case.stage, case.referral.checks) == ("decision", {})
    assert "ask_agencies" not in possible(case.referral)


def test_a_reason_not_to_share_recorded_before_the_rating_lets_nothing_leave_with_it() -> None:
    case = arrived(SANDWELL)
    case.give(NOT_SHARED)
    case.give(RateReferral(rating="red"))
    assert (case.stage, case.referral.checks) == ("mash_meeting", {})


def test_why_it_is_shared_may_be_said_better_once_the_checks_have_left() -> None:
    case = rated(SANDWELL, "red")
    case.give(BASIS)
    case.give(basis(purpose="child_protection"))
    assert case.referral.sharing is True


def test_a_reason_not_to_share_that_comes_after_the_checks_have_left_stops_what_is_still_out() -> None:
    case = rated(SANDWELL, "red")
    case.give(BASIS)
    case.give(NOT_SHARED)
    assert (case.stage, case.referral.outstanding, case.running("check")) == ("mash_meeting", (), [])
    assert case.referral.sharing is False


def marac(case: Case) -> Case:
    case.give(OfferHandOver(destination="marac"), MANAGER)
    assert case.referral.outstanding and "marac" in case.referral.offered
    return case


def override_refused() -> Case:
    case = rated(SANDWELL, "red")
    case.give(basis(consent="overridden"))
    marac(case).give(Countersign(seconding="A1", agreed=False), person("practice_manager"))
    return case


def refused_since() -> Case:
    case = rated(SANDWELL, "red", "adult", "child")
    case.give(HEARD.model_copy(update={"agrees": "yes"}))
    case.give(BASIS)
    marac(case).give(HEARD)
    return case


def not_shared_since() -> Case:
    case = rated(SANDWELL, "red")
    case.give(BASIS)
    marac(case).give(NOT_SHARED)
    return case


@pytest.mark.parametrize("taken_back", [override_refused, refused_since, not_shared_since])
def test_however_sharing_is_taken_back_nobody_waits_for_a_reply_and_nothing_is_offered_on_it(taken_back: Any) -> None:
    case = taken_back()
    assert case.referral.sharing is not True and case.referral.outstanding == () and case.running("check") == []
    assert case.referral.offered == {} and case.running("hand_over") == []
    case.give(BASIS.model_copy(update={"consent": "overridden"}))
    assert case.referral.sharing is True, "recorded anew, it is shared again"


def test_a_family_that_is_not_to_learn_of_it_is_warned_of_before_a_second_person_agrees_and_if_they_do_not() -> None:
    case = rated(SANDWELL, "amber")
    case.give(basis(consent="overridden", family_informed=False, not_informed="puts_somebody_at_risk"))
    assert case.referral.sharing is None and case.referral.warnings == ("do_not_tell_family",)
    case.give(Countersign(seconding="A1", agreed=False), person("practice_manager"))
    assert case.referral.warnings == ("do_not_tell_family",)


def test_a_reason_not_to_share_holds_in_the_linked_referral_too() -> None:
    case = at_decision(None, "child", "child")
    case.give(ContributeInformation(sensitive=True), partner("police"))
    case.give(NOT_SHARED)
    case.give(decision(s0="section_17", s1="early_help"), MANAGER)
    linked = case.linked["R-B"]
    with pytest.raises(Incomplete, match="not to be shared"):
        linked.give(
            ReleaseInformation(item=linked.item("police"), necessity="to_protect_a_child", proportionality="whole"),
            partner("police"),
        )


def test_a_hub_that_thinks_again_and_shares_after_all_asks_before_it_decides() -> None:
    case = rated(SANDWELL, "green")
    case.give(NOT_SHARED)
    assert case.stage == "decision"
    case.give(basis(consent="overridden"))
    asked = of(ChecksRequested, case.give(Countersign(seconding="A1", agreed=True), person("practice_manager")))
    assert asked[0].agencies == tuple(SANDWELL.agencies)
    assert case.stage == "agency_checks"
    assert answer_all(case).stage == "decision"


def test_without_any_basis_nobody_is_asked_by_hand_either() -> None:
    case = rated(SANDWELL, "red")
    with pytest.raises(ImpossibleMove):
        case.give(AskAgencies(agencies=("police",)))


def test_a_basis_recorded_after_the_decision_asks_nobody_by_itself() -> None:
    case = at_decision()
    case.give(decision(s0="section_47"), MANAGER)
    assert of(ChecksRequested, case.give(BASIS)) == [] and case.stage == "strategy_discussion"
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="section_47"))
    case.give(AskAgencies(agencies=("police",)))
    assert case.referral.outstanding == ("police",)


# Markers


def test_a_safe_contact_warning_of_the_referrer_is_up_from_the_first_moment() -> None:
    case = arrived(SANDWELL, consent=ReportedConsent(safe_contact_warning=True))
    assert case.referral.markers == ("safe_contact",)


def test_a_marker_goes_up_once_and_comes_down_with_a_reason() -> None:
    case = arrived(SANDWELL)
    case.give(RecordMarker(marker="staff_safety"), partner("police"), words=False)
    case.give(RecordMarker(marker="marac"))
    assert set(case.referral.markers) == {"staff_safety", "marac"}
    with pytest.raises(Incomplete, match="up already"):
        case.give(RecordMarker(marker="marac"))
    with pytest.raises(ReasonNeeded):
        case.give(RecordMarker(marker="staff_safety", holds=False), words=False)
    case.give(RecordMarker(marker="staff_safety", holds=False))
    assert case.referral.markers == ("marac",)
    with pytest.raises(Incomplete, match="is not up; up: marac"):
        case.give(RecordMarker(marker="staff_safety", holds=False))


def test_a_marker_goes_up_on_a_concluded_case_and_stays_when_it_is_reopened() -> None:
    case = at_decision()
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(RecordMarker(marker="child_protection_plan"))
    case.give(ReopenReferral(), MANAGER)
    assert case.referral.markers == ("child_protection_plan",)


def test_markers_go_along_with_every_linked_referral() -> None:
    case = at_decision(None, "child", "child")
    case.give(RecordMarker(marker="staff_safety"))
    case.give(decision(s0="section_17", s1="no_further_action"), MANAGER)
    assert case.linked["R-B"].referral.markers == ("staff_safety",)


def test_a_marker_moves_nothing() -> None:
    case = rated(SANDWELL, "red")
    before = case.referral
    case.give(RecordMarker(marker="mappa"))
    assert (case.stage, case.referral.clocks) == (before.stage, before.clocks)
    assert not case.give(FireClocks(), SYSTEM, words=False)
