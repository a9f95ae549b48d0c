"""What people were told follows the facts: whatever kind of notice or correction is not sent, somebody believes what is not so,
or does not know what they wait for. That nobody does when all are sent, in any order of acts, is held by test_core."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hearing import Hearing

from mash.config.profile import load_profile
from mash.notifications.notices import ORDINARY, RED, REFERRER, NoticeDraft, Over, notices_for
from mash.notifications.wording import KINDS, OUTCOME_TEXTS
from mash.states.acts.actions import CompleteAction, RecordAction
from mash.states.acts.alerts import AcknowledgeAlert, PassAlertOn
from mash.states.acts.allocating import AllocateCase, GiveCaseBack, SayPresence
from mash.states.acts.by_telephone import RecordAnswerByTelephone
from mash.states.acts.checks import AllocateCheck, AnswerCheck, AskAgencies, ProceedWithoutReplies
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.contact import CorrectCohort, ReceiveContact
from mash.states.acts.corrections import AddSubject, CorrectDetails, RemoveSubject
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import SignOffDecision
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement
from mash.states.acts.episodes import RecordAdded
from mash.states.acts.handing_over import OfferHandOver, ReturnHandOver
from mash.states.acts.information import BreakGlass
from mash.states.acts.informing import RecordTold
from mash.states.acts.meetings import ConveneMeeting, RecordMeeting
from mash.states.acts.of_age import SayOfAge
from mash.states.acts.orders import EndProtectionOrder, RecordProtectionOrder
from mash.states.acts.protection import CallStrategyDiscussion, ConcludeEnquiries, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.scheduling import CancelMeeting, ScheduleStrategyDiscussion
from mash.states.acts.sharing import RecordMarker
from mash.states.acts.siblings import RecordSteppedUp
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown, ReturnStepDown
from mash.states.acts.withdrawing import SignOffWithdrawal, WithdrawDecision
from mash.states.clocks import local
from mash.states.decide import Decision
from mash.states.errors import ImpossibleMove
from mash.states.profile import BY_TELEPHONE, Consultation, Profile, SignOff
from mash.states.referral import Referral
from mash.states.values import Actor, Details, Subject, Words

from .worlds import BASIS, DUTY, MANAGER, MORNING, QUORUM, SYSTEM, Case, answer_all, decision, hub, partner, person, seen

LeftOut = Callable[[NoticeDraft | Over], NoticeDraft | Over | None]
EARLY_HELP = person("early_help", "early_help")
NAMED = Details(stored=Words(item="details", hmac="0" * 64), kind="subject", subject="s0", changed=("name",))
ADDED = NAMED.model_copy(update={"subject": "s1", "age": "child"})


class Told(Case):
    """A case whose people hear all that is sent, but for what is left out."""

    def __init__(self, profile: Profile, now: datetime = MORNING, reference: str = "R", hearing: Hearing | None = None) -> None:
        super().__init__(profile, now, reference)
        self.hearing = hearing or Hearing(profile)

    def another(self, reference: str) -> Told:
        return Told(self.profile, self.now, reference, self.hearing)

    def _read_back(self, world: Any, before: Referral | None, decision: Decision, by: Actor) -> None:
        super()._read_back(world, before, decision, by)
        if decision.events:
            self.hearing.happened(self.reference, before, decision.after, decision.events, by, self.now)

    def rate(self, rating: str) -> Told:
        self.give(RateReferral(rating=rating))
        return self

    def ask(self) -> Told:
        """The agencies of an amber case are asked."""
        self.rate("amber").give(BASIS)
        return self

    def told(self, what: Any) -> None:
        """What was on its way to whoever referred reaches them."""
        self.give(RecordTold(what=what), SYSTEM, words=False)


Story = Callable[[Told], None]


def ratings_up(case: Told) -> None:
    case.ask().give(RerateReferral(rating="red"))


def rated_up_once_answered(case: Told) -> None:
    answer_all(case.ask())
    case.give(RerateReferral(rating="red"))


def warned_of(case: Told) -> None:
    case.ask().give(RecordMarker(marker="staff_safety", holds=True), MANAGER)


def silent(case: Told) -> None:
    case.give(BASIS.model_copy(update={"family_informed": False, "not_informed": "prejudices_an_investigation"}))


def more_people(case: Told) -> None:
    case.ask().give(AddSubject(cohort="child"), MANAGER, details=ADDED)


def another_cohort(case: Told) -> None:
    case.ask().give(CorrectCohort(subject="s0", cohort="unborn"), MANAGER)


def another_name(case: Told) -> None:
    case.ask().give(CorrectDetails(item="s0"), MANAGER, details=NAMED)


def entered_in_error(case: Told) -> None:
    case.ask().give(AddSubject(cohort="child"), MANAGER, details=ADDED)
    case.give(RemoveSubject(subject="S1"), MANAGER)


def not_waited_for(case: Told) -> None:
    case.ask().give(ProceedWithoutReplies())


def convened(case: Told) -> None:
    answer_all(case.ask())
    case.give(ConveneMeeting(at=case.now + timedelta(hours=4)))


def called_off(case: Told) -> None:
    convened(case)
    case.give(RerateReferral(rating="green"))


def called(case: Told) -> None:
    case.ask().give(CallStrategyDiscussion(), MANAGER)


def offered(case: Told) -> None:
    case.rate("blue").give(decision(s0="early_help"), MANAGER)
    case.give(OfferStepDown(service="early_help"))


def offer_on_hold(case: Told) -> None:
    offered(case)
    case.give(CallStrategyDiscussion(), MANAGER)


def returned(case: Told) -> None:
    offered(case)
    case.give(ReturnStepDown(), EARLY_HELP)


def not_accepted(case: Told) -> None:
    offered(case)
    case.run_to(case.now + timedelta(days=14))


def transferred(case: Told) -> None:
    case.rate("blue").give(decision(s0="transfer"), MANAGER)


def transfer_returned(case: Told) -> None:
    transferred(case)
    case.give(ReturnHandOver(hand_over="another_authority"))


def transfer_not_accepted(case: Told) -> None:
    transferred(case)
    case.run_to(case.profile.calendar.next_open(case.referral.clocks["hand_over:another_authority"].due_at))


def transfer_withdrawn(case: Told) -> None:
    transferred(case)
    case.give(WithdrawDecision(), MANAGER)


def decided_and_told(case: Told) -> None:
    case.told("acknowledgement")
    case.rate("blue").give(decision(s0="no_further_action"), MANAGER)
    case.told("outcome")


def reopened(case: Told) -> None:
    decided_and_told(case)
    case.give(ReopenReferral(), MANAGER)


def told_by_telephone(case: Told) -> None:
    case.give(RecordMarker(marker="do_not_write", holds=True), MANAGER)


def decision_withdrawn(case: Told) -> None:
    offered(case)
    case.give(AcceptStepDown(), EARLY_HELP)
    case.give(WithdrawDecision(), MANAGER)


def reminded(case: Told) -> None:
    case.run_to(case.referral.clocks["triage"].due_at - timedelta(minutes=1))


def chased(case: Told) -> None:
    case.ask()
    case.run_to(case.referral.clocks["check:police"].due_at - timedelta(minutes=1))


def late(case: Told) -> None:
    case.run_to(case.referral.clocks["triage"].due_at)


def done_late(case: Told) -> None:
    late(case)
    case.rate("amber")


def taken_on(case: Told) -> None:
    late(case)
    case.run_to(case.now + timedelta(hours=1))
    case.give(AcknowledgeAlert(clock="triage"), MANAGER)


def disagreed(case: Told) -> None:
    case.ask().give(RaiseDisagreement(about="rating", rating="red"), partner("police"))


def settled(case: Told) -> None:
    disagreed(case)
    dispute = case.referral.disagreements["D1"]
    case.give(SettleDisagreement(disagreement="D1", outcome="changed", rating="red"), person(dispute.role))


def parted(case: Told) -> None:
    case.rate("blue").give(decision(s0="no_further_action", s1="early_help"), MANAGER)


def to_sign_off(case: Told) -> None:
    case.rate("blue").give(decision(s0="no_further_action"), MANAGER)


def not_signed_off(case: Told) -> None:
    to_sign_off(case)
    case.give(SignOffDecision(agreed=False), person("service_manager"))


def withdrawal_to_sign_off(case: Told) -> None:
    to_sign_off(case)
    case.give(SignOffDecision(agreed=True), person("service_manager"))
    case.give(WithdrawDecision(), MANAGER)


def withdrawal_refused(case: Told) -> None:
    withdrawal_to_sign_off(case)
    assert case.referral.withdrawing
    case.give(SignOffWithdrawal(agreed=False), person(case.referral.withdrawing.role))


def nothing_more(case: Told) -> None:
    """That it came is all that happens."""


def allocated(case: Told) -> None:
    case.rate("blue").give(AllocateCase(worker="a.worker"))


def taken_over(case: Told) -> None:
    allocated(case)
    case.give(AllocateCase(worker="another.worker"))


def given_back(case: Told) -> None:
    allocated(case)
    case.give(GiveCaseBack(), person("social_worker", name="a.worker"))


def away(case: Told) -> None:
    allocated(case)
    case.give(SayPresence(worker="a.worker", presence="absent"), SYSTEM)


def to_be_disclosed(case: Told) -> None:
    case.rate("amber").give(BASIS.model_copy(update={"lawful_basis": "duty_to_disclose"}))
    case.give(AnswerCheck(agency="police", known=True, relevant=True), partner("police"))


def to_do(case: Told) -> None:
    case.ask().give(RecordAction(owner="police", due=case.now + timedelta(hours=4)))


def no_longer_to_do(case: Told) -> None:
    to_do(case)
    case.give(CompleteAction(action="A1", outcome="no_longer_needed"), MANAGER)


def told_us(case: Told) -> None:
    case.ask().give(RecordAnswerByTelephone(answering="police", read_back=True, known=False))


def overridden(case: Told) -> None:
    case.rate("amber").give(BASIS.model_copy(update={"consent": "overridden"}))


def not_countersigned(case: Told) -> None:
    overridden(case)
    case.give(Countersign(seconding="A1", agreed=False), person("practice_manager"))


def protected(case: Told) -> None:
    case.give(RecordProtectionOrder(order="police_protection", since=case.now), MANAGER)


def no_longer_protected(case: Told) -> None:
    protected(case)
    case.give(EndProtectionOrder(order="police_protection", how="released"), MANAGER)


def held_without(case: Told) -> None:
    called(case)
    there = ("social_care", "police")
    case.give(RecordStrategyDiscussion(attended=there, without_quorum="not_reached", outcome="section_47"))


def to_ring(case: Told) -> None:
    answer_all(case.ask())
    case.give(ConveneMeeting(at=case.now + timedelta(hours=4), invited=("school",)))


def scheduled(case: Told) -> None:
    called(case)
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=2)))


def discussion_called_off(case: Told) -> None:
    scheduled(case)
    case.give(CancelMeeting(what="strategy_discussion"))


def one_step(command: Any, by: Actor = MANAGER) -> Story:
    return lambda case: case.give(command, by) and None


OF_2026 = load_profile("sandwell", None, "2026")
SECOND = SignOff(ratings=("blue",), outcomes=("no_further_action",), role="service_manager")
SIGNED_OFF = {"sign_off": {"blue": SECOND}}
STORIES: dict[str, tuple[Story, str, dict[str, Any], dict[str, Any]]] = {
    "acknowledgement": (nothing_more, "sandwell", {}, {}),
    "action_agreed": (to_do, "sandwell", {}, {}),
    "all_clear": (done_late, "sandwell", {}, {}),
    "case_allocated": (allocated, "merton", {}, {}),
    "case_given_back": (given_back, "merton", {}, {}),
    "case_taken_over": (taken_over, "merton", {}, {}),
    "case_changed: action": (no_longer_to_do, "sandwell", {}, {}),
    "case_changed: order": (no_longer_protected, "sandwell", {}, {}),
    "case_changed: check": (not_waited_for, "sandwell", {}, {}),
    "case_changed: details": (another_name, "sandwell", {}, {}),
    "case_changed: due": (ratings_up, "merton", {}, {}),
    "case_changed: offer": (offer_on_hold, "merton", {}, {}),
    "case_changed: person": (another_cohort, "sandwell", {}, {}),
    "case_changed: person, removed": (entered_in_error, "sandwell", {}, {}),
    "case_changed: person, added": (more_people, "sandwell", {}, {}),
    "case_changed: rating": (rated_up_once_answered, "sandwell", {}, {}),
    "case_changed: warning": (warned_of, "sandwell", {}, {}),
    "chase": (chased, "sandwell", {}, {}),
    "check_request": (Told.ask, "sandwell", {}, {}),  # type: ignore[dict-item]
    "coming_of_age": (one_step(SayOfAge(subject="s0", when="soon"), SYSTEM), "sandwell", {}, {}),
    "confirm_answer": (told_us, "sandwell", {}, {}),
    "countersignature": (overridden, "sandwell", {}, {}),
    "countersignature_refused": (not_countersigned, "sandwell", {}, {}),
    "consultation": (nothing_more, "merton", {"consultation": Consultation(kinds=("referral",))}, {}),
    "contact_to_rate": (nothing_more, "sandwell", {}, {}),
    "decision_withdrawn": (decision_withdrawn, "merton", {}, {}),
    "disclosure_owed": (to_be_disclosed, "sandwell", {"edition": OF_2026.edition}, {}),
    "disagreement": (disagreed, "sandwell", {}, {}),
    "disagreement_changed": (settled, "sandwell", {}, {}),
    "disagreement_settled": (settled, "sandwell", {}, {}),
    "escalation": (late, "sandwell", {}, {}),
    "glass_broken": (one_step(BreakGlass(), partner("fire")), "sandwell", {}, {}),
    "hand_over_called_off": (transfer_withdrawn, "merton", {}, {}),
    "hand_over_not_accepted": (transfer_not_accepted, "merton", {}, {}),
    "hand_over_offered": (one_step(OfferHandOver(destination="adult_social_care")), "sandwell", {}, {}),
    "hand_over_returned": (transfer_returned, "merton", {}, {}),
    "hand_over_to_make": (one_step(OfferHandOver(destination="marac")), "sandwell", {}, {}),
    "immediate_danger": (nothing_more, "sandwell", {}, {"immediate_danger": True}),
    "inform_referrer": (told_by_telephone, "sandwell", {}, {}),
    "linked_case_stepped_up": (one_step(RecordSteppedUp(other="Q", why="rating"), SYSTEM), "sandwell", {}, {}),
    "look_at_case": (one_step(RecordAdded(other="MASH-26-000002", why="added"), SYSTEM), "sandwell", {}, {}),
    "meeting_called_off": (called_off, "sandwell", {}, {}),
    "meeting_convened": (convened, "sandwell", {}, {}),
    "not_ours_to_confirm": (nothing_more, "merton", {}, {"cohort": "adult"}),
    "protection_order": (protected, "sandwell", {}, {}),
    "quorum_missing": (held_without, "sandwell", {}, {}),
    "ring_invited": (to_ring, "sandwell", {}, {}),
    "strategy_discussion_called_off": (discussion_called_off, "sandwell", {}, {}),
    "strategy_discussion_scheduled": (scheduled, "sandwell", {}, {}),
    "not_to_tell": (silent, "sandwell", {}, {}),
    "outcome": (decided_and_told, "merton", {}, {}),
    "referral_split": (parted, "merton", {}, {"subjects": 2}),
    "sign_off": (to_sign_off, "merton", SIGNED_OFF, {}),
    "sign_off_refused": (not_signed_off, "merton", SIGNED_OFF, {}),
    "step_down_not_accepted": (not_accepted, "merton", {}, {}),
    "step_down_offered": (offered, "merton", {}, {}),
    "step_down_returned": (returned, "merton", {}, {}),
    "strategy_discussion": (called, "sandwell", {}, {}),
    "taken": (taken_on, "sandwell", {}, {}),
    "tell_not_to_tell": (silent, "sandwell", {}, {"writing_unsafe": True}),
    "warning": (reminded, "sandwell", {}, {}),
    "worker_away": (away, "merton", {}, {}),
    "withdrawal": (reopened, "merton", {}, {}),
    "withdrawal_refused": (withdrawal_refused, "merton", SIGNED_OFF, {}),
    "withdrawal_sign_off": (withdrawal_to_sign_off, "merton", SIGNED_OFF, {}),
}
"""By the kind of notice, or of correction: a story in which somebody is sent one; of a hub like which, with what changed, and of
which contact."""
NOT_OF_A_CASE = ("digest", "system", "test")


def leaving_out(kind: str) -> LeftOut:
    """Nothing of a kind is sent; of corrections, nothing about a topic is said."""
    name, _, topic = kind.partition(": ")
    topic = topic.partition(",")[0]

    def sent(notice: NoticeDraft | Over) -> NoticeDraft | Over | None:
        if notice.kind != name:
            return notice
        left = [change for change in notice.facts.get("changes", ()) if topic and change["what"] != topic]
        return notice.model_copy(update={"facts": {**notice.facts, "changes": left}}) if left else None

    return sent


def begun(profile: Profile, hearing: Hearing | None = None, **contact: Any) -> Told:
    """A contact from a school that can be written to, about one child or more."""
    case = Told(profile, hearing=hearing)
    cohort = contact.pop("cohort", "child")
    subjects = tuple(Subject(id=f"s{n}", cohort=cohort, age=cohort) for n in range(contact.pop("subjects", 1)))
    fields: dict[str, Any] = {"source": "2A", "source_agency": "education", "referrer_reachable": True} | contact
    case.give(ReceiveContact(contact="referral", subjects=subjects, **fields), SYSTEM)
    return case


def play(kind: str, without: LeftOut) -> list[str]:
    """What people believe that is not so, or do not know, once a kind's story has been played."""
    story, like, changed, contact = STORIES[kind]
    profile = hub(like, **changed)
    case = begun(profile, Hearing(profile, without), **contact)
    story(case)
    cases = (case, *case.linked.values())
    return [wrong for each in cases for wrong in case.hearing.contradictions(each.reference, each.referral, case.now)]


@pytest.mark.parametrize("kind", STORIES)
def test_a_kind_of_notice_that_is_not_sent_leaves_somebody_believing_what_is_not_so(kind: str) -> None:
    assert play(kind, lambda notice: notice) == []
    assert play(kind, leaving_out(kind)) != [], "nobody misses it"


def said_to(case: Told, role: str) -> list[str]:
    """What a role was sent, in words."""
    return ["\n".join((message.title, *message.lines)) for to, message in case.hearing.messages if to == role]


def test_who_was_asked_hears_that_it_is_more_urgent_and_until_when_it_has_to_answer_now() -> None:
    case = begun(hub("merton"))
    case.rate("green").give(BASIS)
    due = case.referral.clocks["check:education"].due_at
    case.wait(hours=1)
    case.give(RerateReferral(rating="amber"))
    now_due = case.referral.clocks["check:education"].due_at
    corrected = said_to(case, "education_navigator")[-1]
    assert now_due < due and f"due {local(now_due)} now; you were told {local(due)}" in corrected
    assert "was rated green when you were last told, and is rated amber now" in corrected


def test_what_makes_a_case_more_urgent_is_said_before_what_waits_and_what_makes_it_less_urgent_is_not() -> None:
    case = begun(hub("sandwell"))
    answer_all(case.ask())
    for rating, urgent in (("red", RED), ("green", ORDINARY)):
        before = case.referral
        events = case.give(RerateReferral(rating=rating))
        drafts = notices_for("R", before, case.referral, events, case.profile, DUTY, case.now)
        assert {draft.urgency for draft in drafts if draft.kind == "case_changed"} == {urgent}


def test_a_meeting_that_is_called_off_is_taken_out_of_the_calendars_that_it_was_put_into() -> None:
    case = begun(hub("sandwell"))
    called_off(case)
    files = [
        message.invitation.decode() for to, message in case.hearing.messages if message.invitation and to == "police_navigator"
    ]
    (invited, off) = ((file.replace("\r\n", "\n")) for file in files)
    uid = next(line for line in invited.splitlines() if line.startswith("UID:"))
    assert "METHOD:PUBLISH" in invited and "METHOD:CANCEL" in off and uid in off.splitlines()


def test_nobody_reads_that_a_warning_is_over_because_they_take_no_further_part() -> None:
    case = begun(hub("merton"))
    case.give(RecordMarker(marker="do_not_tell_family", holds=True), MANAGER)
    called(case)
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="no_section_47"))
    assert not [to for to, message in case.hearing.messages if "does not hold" in "\n".join(message.lines)]


def test_while_somebody_may_be_in_danger_whoever_is_told_next_reads_that_first_also_when_it_is_late() -> None:
    case = begun(hub("sandwell"), immediate_danger=True)
    case.run_to(case.referral.clocks["triage"].due_at + timedelta(hours=6))
    titles = {(to, message.title) for to, message in case.hearing.messages}
    assert {to for to, title in titles if title == "IMMEDIATE DANGER: R"} == {
        "duty_manager",
        "practice_manager",
        "service_manager",
    }
    assert not [title for _, title in titles if title == "LATE: R, triage"]


def test_whom_nobody_can_write_to_is_rung_when_the_meeting_they_were_invited_to_is_not_held() -> None:
    case = begun(hub("sandwell"))
    to_ring(case)
    case.give(RerateReferral(rating="green"))
    last = [text for text in said_to(case, "duty_manager") if "please ring whoever" in text][-1]
    assert "Tell them that the MASH meeting" in last and "does not take place: the child's school" in last


def test_agencies_that_were_asked_hear_that_it_was_decided_without_them_and_may_still_answer() -> None:
    case = begun(hub("sandwell"))
    called(case)
    since = len(case.hearing.messages)
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="section_47"))
    assert case.stage == "enquiries" and case.referral.outstanding == () and not case.running("check")
    housing = case.profile.agencies["housing"].role
    (said,) = ["\n".join(message.lines) for to, message in case.hearing.messages[since:] if to == housing]
    assert "hub goes on without it" in said
    assert case.referral.to_answer == {}, "nobody is asked for what no clock waits for"
    with pytest.raises(ImpossibleMove):
        case.give(AllocateCheck(agency="housing", to="a.housing"), partner("housing"))
    case.give(AnswerCheck(agency="housing", known=True), partner("housing"))
    assert case.referral.checks["housing"].answered_at == case.now


def test_whoever_is_told_because_somebody_passed_an_alert_on_reads_so() -> None:
    case = begun(hub("sandwell"))
    case.run_to(case.clock("triage").due_at)
    case.give(PassAlertOn(clock="triage"))
    assert "Whoever was told before you cannot take it." in said_to(case, "practice_manager")[-1]


def test_so_do_those_who_were_asked_during_enquiries_when_the_case_ends() -> None:
    case = begun(hub("sandwell"))
    case.rate("red").give(BASIS)
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="section_47"))
    case.give(AskAgencies(agencies=("housing",)))
    seen(case).give(ConcludeEnquiries(outcome="no_further_child_protection_action"), MANAGER)
    housing = case.profile.agencies["housing"].role
    assert not case.referral.open and case.referral.outstanding == ()
    assert any("hub goes on without it" in "\n".join(message.lines) for to, message in case.hearing.messages if to == housing)


def rung(case: Told, since: int) -> list[str]:
    """What the duty manager is asked to have said by telephone, since so many messages."""
    said = (message for to, message in case.hearing.messages[since:] if to == "duty_manager" and "please ring" in message.title)
    return ["\n".join(message.lines) for message in said]


@pytest.mark.parametrize("act", [ConveneMeeting, ScheduleStrategyDiscussion])
def test_whom_nobody_can_write_to_is_rung_when_it_is_moved_and_when_others_are_to_come_instead(act: Any) -> None:
    case = begun(hub("sandwell"))
    answer_all(case.ask()) if act is ConveneMeeting else called(case)
    case.give(act(at=case.now + timedelta(hours=4), invited=("school",)))
    moved, since = case.now + timedelta(hours=5), len(case.hearing.messages)
    case.give(act(at=moved))
    (said,) = rung(case, since)
    assert "Invite them" in said and "the child's school" in said and local(moved) in said
    since = len(case.hearing.messages)
    case.give(act(at=moved + timedelta(hours=1), invited=("gp",)))
    off = [said for said in rung(case, since) if "takes place without them" in said]
    assert len(off) == 1 and "the child's school" in off[0] and local(moved) in off[0]


@pytest.mark.parametrize("act", [ConveneMeeting, ScheduleStrategyDiscussion])
def test_whom_nobody_can_write_to_is_rung_when_the_child_turns_out_to_be_born_or_unborn(act: Any) -> None:
    profile = hub("sandwell")
    midwife = profile.invited["midwife"].model_copy(update={"role": BY_TELEPHONE})
    case = begun(profile.model_copy(update={"invited": {**profile.invited, "midwife": midwife}}), cohort="unborn")
    answer_all(case.ask()) if act is ConveneMeeting else called(case)
    at = case.now + timedelta(hours=4)
    case.give(act(at=at))
    for cohort, said in (("child", "takes place without them: midwife"), ("unborn", "Invite them to the")):
        since = len(case.hearing.messages)
        case.give(CorrectCohort(subject="s0", cohort=cohort), MANAGER)
        (heard,) = rung(case, since)
        assert said in heard and "midwife" in heard and local(at) in heard and "does not take place" not in heard


@pytest.mark.parametrize("what", ["meeting", "strategy discussion"])
def test_whoever_was_invited_and_not_there_hears_that_it_was_held_before_its_time_and_whom_nobody_can_write_to_is_rung(
    what: str,
) -> None:
    case, later = begun(hub("sandwell")), MORNING + timedelta(days=2)
    if what == "meeting":
        answer_all(case.ask())
        case.give(ConveneMeeting(at=later, invited=("school",)))
        done: Any = RecordMeeting(attended=("social_care", "police"), rating="amber", held_on=MORNING.date())
    else:
        called(case)
        case.give(ScheduleStrategyDiscussion(at=later, invited=("school",)))
        there = ("social_care", "police")
        done = RecordStrategyDiscussion(
            attended=there, without_quorum="declined", outcome="no_section_47", held_on=MORNING.date()
        )
    since = len(case.hearing.messages)
    case.give(done)
    said = [(to, message) for to, message in case.hearing.messages[since:] if "does not take place" in "".join(message.lines)]
    off = {to: message for to, message in said if message.invitation and b"METHOD:CANCEL" in message.invitation}
    assert "health_navigator" in off and "police_navigator" not in off
    assert "has been held already" in "".join(off["health_navigator"].lines)
    (told,) = ["".join(message.lines) for to, message in said if to == "duty_manager"]
    assert "the child's school" in told and "has been held already" in told


def test_a_professional_hears_on_which_day_they_were_told_what_no_longer_holds_and_no_outcome() -> None:
    case = begun(hub("merton"))
    decided_and_told(case)
    day = local(case.now)
    case.wait(days=3)
    case.give(ReopenReferral(), MANAGER)
    corrected = said_to(case, REFERRER)[-1]
    assert f"told you on {day} about R no longer holds. Please ring" in corrected
    assert not any(words in corrected for words in OUTCOME_TEXTS.values())


def test_the_public_is_thanked_and_hears_neither_an_outcome_nor_that_one_no_longer_holds() -> None:
    case = begun(hub("merton"), source="1A", source_agency="individual")
    reopened(case)
    acknowledged, thanked = said_to(case, REFERRER)
    assert "was received" in acknowledged and "We cannot tell you more" in thanked


def test_who_must_not_be_written_to_hears_by_a_person_that_it_no_longer_holds() -> None:
    case = begun(hub("merton"))
    decided_and_told(case)
    case.give(RecordMarker(marker="do_not_write", holds=True), MANAGER)
    written = len(said_to(case, REFERRER))
    case.give(ReopenReferral(), MANAGER)
    assert len(said_to(case, REFERRER)) == written
    assert "that what they were told no longer holds" in said_to(case, "duty_manager")[-1]


def test_every_kind_of_notice_about_a_case_has_its_story() -> None:
    assert {kind.partition(":")[0] for kind in STORIES} == {*KINDS} - {*NOT_OF_A_CASE}
