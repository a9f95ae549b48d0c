"""The referrer hears of it in writing where that is safe, and from a person where it is not; nothing else stops the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hubs_at_work import BASIS, DUTY, REFERRER, SYSTEM, Case, person, received

from mash.notifications.wording import UNADDRESSED, message_for, status_in_words
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.child_voice import RecordChildVoice
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement
from mash.states.acts.handing_over import AcceptHandOver, OfferHandOver
from mash.states.acts.informing import InformReferrer, RecordTold, owe, owed
from mash.states.acts.protection import CallStrategyDiscussion, ConcludeEnquiries, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordMarker
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.course import ClockBreached
from mash.states.deciding import Deciding
from mash.states.errors import ImpossibleMove, Incomplete, ReasonNeeded
from mash.states.values import ReportedConsent

MOTHER: dict[str, Any] = {"source": "1C", "source_agency": "individual"}
HE_READS_MY_MAIL = ReportedConsent(safe_contact_warning=True)
OTHER = person("team_manager").model_copy(update={"id": "another.manager"})
RANG = InformReferrer(what="acknowledgement", how="telephone")


def to_referrer(case: Case) -> list[str]:
    return [notice.draft.kind for notice in case.notices if notice.role == "referrer"]


def decided(case: Case) -> Case:
    if case.referral.rating is None:
        case.give(RateReferral(rating="green"))
        case.give(BASIS.model_copy(update={"share": False, "consent": "refused"}))
    case.give(RecordDecision(outcomes={"s0": "no_further_action"}), person(case.profile.deciders[0]))
    return case


def test_a_mother_who_warns_of_contact_is_not_written_to_and_a_person_is_asked_to_tell_her() -> None:
    case = received("sandwell", consent=HE_READS_MY_MAIL, **MOTHER)
    assert to_referrer(case) == [] and case.recipients("inform_referrer") == [case.clock("acknowledgement").owner]
    assert "not safe to write" in case.words("inform_referrer")
    decided(case)
    assert to_referrer(case) == [] and len(case.recipients("inform_referrer")) == 2


def test_a_school_that_warns_of_contact_with_the_family_is_written_to_itself() -> None:
    case = decided(received("sandwell", consent=HE_READS_MY_MAIL))
    assert to_referrer(case) == ["acknowledgement", "outcome"] and case.recipients("inform_referrer") == []


def test_anybody_who_says_that_writing_is_not_safe_is_not_written_to() -> None:
    case = decided(received("sandwell", writing_unsafe=True))
    assert case.referral.markers == ("do_not_write",) and to_referrer(case) == []


def test_the_clock_runs_and_runs_out_though_nothing_may_be_written() -> None:
    case = received("sandwell", consent=HE_READS_MY_MAIL, **MOTHER)
    due = case.clock("acknowledgement").due_at
    assert [event.id for _, _, event in case.run_to(due) if isinstance(event, ClockBreached)].count("acknowledgement") == 1


@pytest.mark.parametrize("how", ["telephone", "letter", "in_person"])
def test_telling_her_another_way_meets_the_clock_and_says_to_whom_when_and_by_whom(how: Any) -> None:
    case = received("sandwell", consent=HE_READS_MY_MAIL, **MOTHER)
    case.now += timedelta(hours=2)
    an_hour_ago = case.now - timedelta(hours=1)
    events = case.give(RANG.model_copy(update={"how": how, "at": an_hour_ago, "informed_by": "A.Practice_Manager"}))
    (informed,) = [event for event in events if event.kind == "referrer_informed"]
    assert (informed.how, informed.at, informed.informed_by) == (how, an_hour_ago, "a.practice_manager")
    assert case.clock("acknowledgement").met and case.referral.deliveries == ("acknowledgement",)
    with pytest.raises((ImpossibleMove, Incomplete)):
        case.give(RANG)


def test_whoever_informed_her_works_here_and_no_name_is_typed_into_the_log() -> None:
    case = received("sandwell", writing_unsafe=True)
    with pytest.raises(Incomplete, match="nobody who works here has that login"):
        case.give(RANG.model_copy(update={"informed_by": "nobody.at.all"}))
    assert "acknowledgement" in owed(case.referral)


def test_that_nobody_could_be_reached_ends_the_clock_and_does_not_meet_it() -> None:
    case = received("sandwell", writing_unsafe=True)
    case.give(RANG.model_copy(update={"how": "not_reached"}))
    assert case.clock("acknowledgement").met is False and case.referral.deliveries == ()


def test_it_takes_words_and_a_time_that_has_been() -> None:
    case = received("sandwell", writing_unsafe=True)
    with pytest.raises(ReasonNeeded, match="whom you spoke to"):
        case.give(RANG, words=False)
    for wrong in (case.now + timedelta(minutes=1), case.referral.received_at - timedelta(minutes=1)):
        with pytest.raises(Incomplete, match="when they were informed"):
            case.give(RANG.model_copy(update={"at": wrong}))


def test_once_a_warning_goes_up_what_is_still_owed_is_told_by_a_person_and_in_writing_again_when_it_comes_down() -> None:
    case = received("sandwell", **MOTHER)
    assert to_referrer(case) == ["acknowledgement"]
    case.give(RecordMarker(marker="safe_contact"))
    assert case.recipients("inform_referrer") == ["duty_manager"]
    case.give(RecordMarker(marker="safe_contact", holds=False))
    assert to_referrer(case) == ["acknowledgement", "acknowledgement"]


def test_what_she_has_heard_already_is_told_nobody_again() -> None:
    case = received("sandwell", **MOTHER)
    case.give(RecordTold(what="acknowledgement"), SYSTEM, words=False)
    case.give(RecordMarker(marker="do_not_write"))
    assert owed(case.referral) == () and case.recipients("inform_referrer") == []


def test_what_was_determined_of_a_disagreement_waits_for_a_person_too() -> None:
    case = decided(received("sandwell", writing_unsafe=True))
    case.give(RaiseDisagreement(about="decision"), REFERRER)
    referee = person(case.referral.disagreements["D1"].role)
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), referee)
    assert "disagreement" in owed(case.referral) and to_referrer(case) == []
    case.give(RANG.model_copy(update={"what": "disagreement"}), DUTY)
    assert case.clock("answer_told").met


# --- section 47, which is held back -------------------------------------------------------------------------------------------

TOLD = RecordTold(what="outcome")


def held_back(outcome: Any = "section_47", **fields: Any) -> Case:
    """Section 47 is decided, and the strategy discussion is to be held; or something else is."""
    case = received("sandwell", **fields)
    case.give(RecordTold(what="acknowledgement"), SYSTEM)
    case.give(RateReferral(rating="green"))
    case.give(BASIS.model_copy(update={"share": False, "consent": "refused"}))
    case.give(RecordDecision(outcomes={"s0": outcome}, primary_need="N1"), person(case.profile.deciders[0]))
    return case


def discussed(case: Case, outcome: Any) -> None:
    quorum = case.profile.strategy_discussion.quorum
    case.give(RecordStrategyDiscussion(attended=quorum, outcome=outcome))


def said(case: Case) -> list[Any]:
    """The outcomes that the referrer's messages told them, in their order."""
    return [notice.draft.facts["outcomes"] for notice in case.notices if notice.draft.kind == "outcome"]


def test_before_the_discussion_they_hear_nothing_more_than_that_it_is_acted_on_and_of_section_47_once_it_has_decided() -> None:
    case = held_back()
    assert case.referral.held_back and to_referrer(case) == ["acknowledgement"] and owed(case.referral) == ()
    discussed(case, "section_47")
    assert not case.referral.held_back and owed(case.referral) == ("outcome",)
    assert said(case) == [["section_47"]]
    case.give(TOLD, SYSTEM)
    assert case.referral.heard == ("section_47",) and owed(case.referral) == ()


def test_an_acknowledgement_that_is_still_owed_runs_its_statutory_time_while_section_47_is_held_back() -> None:
    case = received("sandwell")
    due = case.clock("acknowledgement").due_at
    case.give(RateReferral(rating="green"))
    case.give(BASIS.model_copy(update={"share": False, "consent": "refused"}))
    case.give(RecordDecision(outcomes={"s0": "section_47"}, primary_need="N1"), person(case.profile.deciders[0]))
    assert owed(case.referral) == ("acknowledgement",) and case.clock("acknowledgement").due_at == due
    assert to_referrer(case) == ["acknowledgement"]


def test_an_answer_of_an_earlier_version_that_waits_at_the_discussion_is_given_once_and_not_twice() -> None:
    case = held_back()
    waiting = case.profile.statutory["outcome_told"]
    before = Deciding(case.referral, case.profile, SYSTEM, case.now, "R")
    owe(before, "outcome", "outcome to the referrer")
    assert before.referral.clocks["outcome_told"].owner == waiting.owner
    case.state = before.referral
    discussed(case, "section_47")
    assert [clock.id for clock in case.referral.running if clock.kind == "outcome_told"] == ["outcome_told.2"]


def test_a_discussion_without_section_47_leaves_nothing_decided_and_takes_nothing_back() -> None:
    case = held_back()
    discussed(case, "no_section_47")
    assert (case.stage, case.referral.outcomes, case.referral.decided_at) == ("decision", {}, None)
    assert owed(case.referral) == () and to_referrer(case) == ["acknowledgement"]
    case.give(RecordDecision(outcomes={"s0": "no_further_action"}), person(case.profile.deciders[0]))
    assert said(case) == [["no_further_action"]]


def test_a_held_back_section_47_that_another_authority_takes_over_is_told_as_the_transfer_alone() -> None:
    case = held_back()
    case.give(OfferHandOver(destination="another_authority", authority="E08000025"), DUTY)
    case.give(AcceptHandOver(hand_over="another_authority"), OTHER)
    assert case.stage == "transferred" and owed(case.referral) == ("outcome",)
    assert said(case) == [["transfer"]] and not case.referral.held_back
    page = status_in_words("R", case.referral, case.profile.decides_within, case.profile)
    assert "handed over to those who are responsible" in page[0] and not any("47" in sentence for sentence in page)


def test_a_further_discussion_while_enquiries_go_on_holds_nothing_back() -> None:
    case = held_back()
    discussed(case, "section_47")
    case.give(TOLD, SYSTEM)
    case.give(CallStrategyDiscussion())
    assert not case.referral.held_back and case.referral.result == ("section_47",)
    discussed(case, "no_section_47")
    assert case.referral.outcomes == {"s0": "section_47"} and owed(case.referral) == ()


def test_a_held_back_section_47_that_is_withdrawn_is_told_to_nobody_who_referred() -> None:
    case = held_back()
    case.give(WithdrawDecision(), person(case.profile.deciders[0]))
    assert to_referrer(case) == ["acknowledgement"] and "withdrawal" not in to_referrer(case) and owed(case.referral) == ()


def test_the_public_is_thanked_once_the_discussion_has_decided_and_the_page_says_no_more_than_the_mail() -> None:
    case = received("sandwell", **MOTHER)

    def page() -> str:
        return status_in_words("R", case.referral, case.profile.decides_within, case.profile)[0]

    undecided = page()
    case.give(RateReferral(rating="green"))
    case.give(BASIS.model_copy(update={"share": False, "consent": "refused"}))
    case.give(RecordDecision(outcomes={"s0": "section_47"}, primary_need="N1"), person(case.profile.deciders[0]))
    assert to_referrer(case) == ["acknowledgement"] and page() == undecided
    discussed(case, "section_47")
    assert to_referrer(case).count("outcome") == 1 and "It has been considered" in page()
    assert "has considered what you told us" in words(case)[-1]


# --- what became of it since ----------------------------------------------------------------------------------------------------


def enquired(**fields: Any) -> Case:
    """Section 47 enquiries go on, and whoever referred knows."""
    case = held_back(**fields)
    discussed(case, "section_47")
    case.give(TOLD, SYSTEM)
    return case


def words(case: Case) -> list[str]:
    """Each message to whoever referred, in words."""
    sent = [n.draft for n in case.notices if n.role == "referrer"]
    return [message_for(each.kind, "R", each.facts, case.now, "https://hub.example", **UNADDRESSED).body for each in sent]


def page_of(case: Case) -> str:
    return "\n".join(status_in_words("R", case.referral, case.profile.decides_within, case.profile))


def test_that_enquiries_have_ended_is_said_on_the_page_and_told_to_a_professional() -> None:
    case = enquired()
    assert "are looking into the child's protection" in page_of(case)
    case.give(RecordChildVoice(subject="s0", seen_on=case.now.date(), alone=True))
    case.give(ConcludeEnquiries(outcome="no_further_child_protection_action"), person(case.profile.deciders[0]))
    assert case.stage == "section_47_concluded" and owed(case.referral) == ("outcome",)
    for read in (page_of(case), words(case)[-1]):
        assert "the enquiries into the child's protection (section 47) have ended" in read
        assert "are looking into" not in read and "plan" not in read
    case.give(TOLD, SYSTEM)
    assert owed(case.referral) == ()


def test_whoever_had_not_heard_of_enquiries_that_have_ended_hears_only_that_they_have() -> None:
    case = held_back()
    discussed(case, "section_47")
    case.give(RecordChildVoice(subject="s0", seen_on=case.now.date(), alone=True))
    case.give(ConcludeEnquiries(outcome="no_further_child_protection_action"), person(case.profile.deciders[0]))
    assert [clock.id for clock in case.referral.running if clock.kind == "outcome_told"] == ["outcome_told.2"]


def test_an_assessment_that_ends_is_not_said_to_be_ahead() -> None:
    for outcome, says in (("no_further_action", "no further action will be taken"), ("child_in_need_plan", "has ended")):
        case = held_back(outcome="section_17")
        case.give(TOLD, SYSTEM)
        assert "a social worker will assess" in page_of(case)
        case.give(RecordChildVoice(subject="s0", seen_on=case.now.date(), alone=True))
        case.give(CompleteAssessment(factors=("1A",), outcome=outcome), person(case.profile.deciders[0]))
        assert "will assess" not in page_of(case) and says in page_of(case) and says in words(case)[-1]


def test_a_case_that_was_transferred_since_is_said_to_be_with_others() -> None:
    case = held_back(outcome="section_17")
    case.give(TOLD, SYSTEM)
    case.give(OfferHandOver(destination="another_authority", authority="E08000025"), DUTY)
    case.give(AcceptHandOver(hand_over="another_authority"), OTHER)
    assert "handed over to those who are responsible" in page_of(case) and "handed over" in words(case)[-1]


def test_of_the_public_nobody_is_told_anew_when_a_case_ends() -> None:
    case = enquired(**MOTHER)
    case.give(RecordChildVoice(subject="s0", seen_on=case.now.date(), alone=True))
    case.give(ConcludeEnquiries(outcome="no_further_child_protection_action"), person(case.profile.deciders[0]))
    assert to_referrer(case) == ["acknowledgement", "outcome"] and owed(case.referral) == ()
    assert "47" not in page_of(case)


def test_whoever_gave_no_address_is_told_by_a_person_who_is_not_told_that_writing_is_unsafe() -> None:
    case = received("sandwell", referrer_reachable=False, flags=("referrer_by_other_means",))
    assert "gave no e-mail address" in case.words("inform_referrer") and "not safe" not in case.words("inform_referrer")
