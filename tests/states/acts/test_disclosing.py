"""The duty to disclose, rule by rule: which agency owes what, by when, and the one exception."""

from __future__ import annotations

import pytest

from mash.config.profile import load_profile
from mash.notifications.notices import notices_for
from mash.notifications.wording import message_for
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.disclosing import DeclineDisclosure
from mash.states.acts.information import ContributeInformation, ReleaseInformation
from mash.states.acts.protection import RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordThreshold
from mash.states.acts.upkeep import AdoptProfile
from mash.states.errors import ImpossibleMove, NotInProfile, NotYours, QuorumNotMet, ReasonNeeded

from .worlds import BASIS, DUTY, MANAGER, QUORUM, Case, arrived, partner

MERTON = load_profile("merton", None, "2026")
DUTY_BASIS = BASIS.model_copy(update={"lawful_basis": "duty_to_disclose"})
RELEASE = {"necessity": "to_protect_a_child", "proportionality": "whole"}


def asked(profile: object = MERTON, *, duty: bool = True) -> Case:
    """The agencies are asked, under the duty or on another basis."""
    case = arrived(profile)  # type: ignore[arg-type]
    case.give(DUTY_BASIS if duty else BASIS)
    case.give(RateReferral(rating="amber"))
    return case


def answered(case: Case, *, relevant: bool = True) -> str:
    case.give(AnswerCheck(agency="police", known=True, relevant=relevant), partner("police"))
    return case.item("police")


def test_by_the_edition_of_2023_there_is_no_such_duty() -> None:
    with pytest.raises(NotInProfile, match="2023, by which this case goes, knows no duty to disclose"):
        arrived(load_profile("merton")).give(DUTY_BASIS)


def test_what_is_relevant_is_owed_within_a_working_day_and_released_in_time_it_is_kept() -> None:
    case = asked()
    item = answered(case)
    (clock,) = case.running("disclosure")
    assert (clock.id, clock.owner) == ("disclosure:police", "police_navigator") and "1 working day" in clock.why
    case.give(ReleaseInformation(item=item, **RELEASE), partner("police"))
    assert case.clock(clock.id).verdict == "kept"


@pytest.mark.parametrize(("duty", "relevant"), [(False, True), (True, False)])
def test_nothing_is_owed_on_another_basis_or_of_what_is_not_relevant(duty: bool, relevant: bool) -> None:
    case = asked(duty=duty)
    answered(case, relevant=relevant)
    assert not case.running("disclosure")


def test_a_duty_that_is_recorded_later_is_of_what_is_held_already() -> None:
    case = asked(duty=False)
    answered(case)
    case.give(DUTY_BASIS)
    assert case.running("disclosure")
    case.give(BASIS)
    assert not case.running("disclosure")


def test_the_only_exception_is_the_agencys_own_and_in_words() -> None:
    case = asked()
    item = answered(case)
    with pytest.raises(ReasonNeeded, match="more detrimental to the child"):
        case.give(DeclineDisclosure(item=item), partner("police"), words=False)
    with pytest.raises(NotYours):
        case.give(DeclineDisclosure(item=item), partner("health"))
    case.give(DeclineDisclosure(item=item), partner("police"))
    assert not case.running("disclosure") and not case.referral.held[item].released
    with pytest.raises(ImpossibleMove):
        case.give(DeclineDisclosure(item=item), partner("police"))
    case.give(ContributeInformation(sensitive=True), partner("police"))
    assert case.running("disclosure"), "of what comes later the duty is another"
    case.give(ReleaseInformation(item=item, **RELEASE), partner("police"))
    assert case.referral.held[item].released, "who thinks better of it discloses it all the same"


def test_that_what_is_held_under_the_duty_is_not_relevant_is_said_in_words() -> None:
    case = asked()
    case.give(ContributeInformation(sensitive=True), partner("police"))
    assert case.running("disclosure")
    not_relevant = AnswerCheck(agency="police", known=True, relevant=False)
    with pytest.raises(ReasonNeeded, match="under the duty to disclose is not relevant: why it is not"):
        case.give(not_relevant, partner("police"), words=False)
    assert case.running("disclosure")
    case.give(not_relevant, partner("police"))
    assert not case.running("disclosure")
    case.wait(minutes=5)
    case.give(ContributeInformation(sensitive=True), partner("police"))
    assert case.running("disclosure"), "what is put beside the case after that answer is owed again"


def test_an_agency_that_holds_nothing_answers_that_nothing_is_relevant_without_words() -> None:
    case = asked()
    case.give(AnswerCheck(agency="police", known=False, relevant=False), partner("police"), words=False)
    assert not case.running("disclosure") and case.referral.checks["police"].answered_at


def test_another_basis_while_something_is_still_to_be_disclosed_is_recorded_with_words() -> None:
    case = asked()
    case.give(BASIS, words=False)
    case.give(DUTY_BASIS, words=False)
    answered(case)
    case.give(DUTY_BASIS, words=False)
    with pytest.raises(ReasonNeeded, match="while police still had to disclose: why it does not hold"):
        case.give(BASIS, words=False)
    assert case.running("disclosure")


def test_what_somebody_holds_who_is_no_agency_of_the_hub_is_seen_to_by_the_hubs_manager() -> None:
    case = asked(duty=False)
    item = answered(case)
    case.profile = MERTON.model_copy(update={"agencies": {n: a for n, a in MERTON.agencies.items() if n != "police"}})
    case.give(AdoptProfile(digest=case.profile.digest), MANAGER)
    before = case.referral
    events = case.give(DUTY_BASIS, MANAGER)
    (clock,) = case.running("disclosure")
    assert (clock.id, clock.owner) == ("disclosure:police", "duty_manager")
    drafts = notices_for("R", before, case.referral, events, case.profile, MANAGER, case.now)
    (told,) = (draft for draft in drafts if draft.kind == "disclosure_owed")
    assert told.role == "duty_manager"
    assert "You see to what police holds" in message_for(told.kind, "R", told.facts, case.now, "").body
    with pytest.raises(NotYours):
        case.give(DeclineDisclosure(item=item), partner("health"))
    case.give(DeclineDisclosure(item=item), DUTY)
    assert not case.running("disclosure") and case.referral.held[item].declined


def test_where_nothing_enters_the_shared_record_yet_nobody_is_late() -> None:
    firewall = MERTON.firewall.model_copy(update={"threshold": "significant_harm"})
    case = asked(MERTON.model_copy(update={"firewall": firewall}))
    answered(case)
    assert not case.running("disclosure")
    case.give(RecordThreshold(significant_harm=True))
    assert case.running("disclosure")


def test_who_adopts_rules_without_the_duty_owes_nothing_any_more() -> None:
    case = asked()
    answered(case)
    case.profile = load_profile("merton")
    case.give(AdoptProfile(digest=case.profile.digest), MANAGER)
    assert not case.running("disclosure")


def test_the_agency_is_told_that_it_owes_it() -> None:
    case = asked()
    before = case.referral
    events = case.give(AnswerCheck(agency="police", known=True, relevant=True), partner("police"))
    drafts = notices_for("R", before, case.referral, events, MERTON, partner("police"), case.now)
    assert ("disclosure_owed", "police_navigator", "disclosure:police") in [(d.kind, d.role, d.clock) for d in drafts]


def test_a_strategy_discussion_needs_education_too() -> None:
    case = arrived(MERTON)
    case.give(RateReferral(rating="red"))
    with pytest.raises(QuorumNotMet, match="missing: education"):
        case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="section_47"), DUTY)
    case.give(RecordStrategyDiscussion(attended=(*QUORUM, "education"), outcome="section_47"), DUTY)
