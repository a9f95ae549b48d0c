"""What may never happen to a referral, whatever people do and in whatever order; and what practice.md says, by example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, get_args

import pytest
from hearing import Hearing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from random_profiles import profiles

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.notifications.notices import REFERRER, notices_for
from mash.states.acts.across import AskOtherHubs
from mash.states.acts.actions import CompleteAction, RecordAction
from mash.states.acts.alerts import AcknowledgeAlert, FireClocks, PassAlertOn, SeeAlert
from mash.states.acts.allocating import AllocateCase, SayPresence
from mash.states.acts.assessment import (
    AssessmentCompleted,
    AssessmentStarted,
    CompleteAdultEnquiry,
    CompleteAssessment,
    StartAssessment,
)
from mash.states.acts.birth import RecordBirth
from mash.states.acts.by_telephone import RecordAnswerByTelephone
from mash.states.acts.checks import (
    CONFIRMATION,
    AllocateCheck,
    AnswerCheck,
    AskAgencies,
    ChecksRequested,
    ProceededWithoutReplies,
    ProceedWithoutReplies,
)
from mash.states.acts.child_voice import RecordChildVoice
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.contact import (
    AssignPlace,
    ConcludeConsultation,
    CorrectCohort,
    ReceiveContact,
    RecordAccused,
    RecordCategories,
)
from mash.states.acts.corrections import (
    AddSubject,
    CorrectDetails,
    RemoveSubject,
    SubjectAdded,
    SubjectRemoved,
    next_subject,
)
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import GRAVEST_FIRST, RecordDecision, SignOffDecision
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement, TakeDisagreementFurther
from mash.states.acts.disclosing import DeclineDisclosure
from mash.states.acts.episodes import AttachContact, CloseDuplicate, RecordAdded, RecordTakenBack
from mash.states.acts.handing_over import OfferHandOver
from mash.states.acts.information import ContributeInformation, ReleaseInformation
from mash.states.acts.informing import InformReferrer, RecordTold, owed
from mash.states.acts.known import IdentifySubject, RecordKnown
from mash.states.acts.meetings import ConveneMeeting, RecordDissent, RecordMeeting
from mash.states.acts.not_ours import ConfirmNotOurs, TakeContact
from mash.states.acts.of_age import HandOverToAdults, KeepPastEighteen, SayOfAge
from mash.states.acts.orders import EndProtectionOrder, RecordProtectionOrder
from mash.states.acts.protection import (
    CallStrategyDiscussion,
    ConcludeEnquiries,
    ConferenceHeld,
    RecordConference,
    RecordStrategyDiscussion,
)
from mash.states.acts.quorum import PutQuorumRight
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.scheduling import CancelMeeting, ScheduleStrategyDiscussion
from mash.states.acts.seconding import AgreeAsSecond
from mash.states.acts.shared import RecordLineReleased, ShareEarlierContact
from mash.states.acts.sharing import RecordAdultView, RecordMarker, RecordSharingBasis, RecordThreshold
from mash.states.acts.siblings import RecordNotToTell, RecordSteppedUp
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown, ReturnStepDown
from mash.states.acts.upkeep import AdoptProfile
from mash.states.acts.weighing import WeighContacts
from mash.states.acts.withdrawing import SignOffWithdrawal, WithdrawDecision
from mash.states.again import Deed, decide_again, decide_log_again
from mash.states.ages import Age
from mash.states.clocks import LONDON, Reckoned
from mash.states.course import ClockEscalated, ClockWarned, StageEntered
from mash.states.decide import CONTINUED, Decision, decide
from mash.states.entitled import named, open_to, possible
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, NotYours, QuorumNotMet, ReasonNeeded, Refusal
from mash.states.fold import evolve
from mash.states.log import GENESIS, RECORDED, Recorded, chained
from mash.states.messages import STAFF_ACTS, Event
from mash.states.profile import Category, Consultation, ContactKind, Profile, SignOff, Source
from mash.states.rebuild import REBUILDS
from mash.states.referral import Referral
from mash.states.register import ACTS
from mash.states.roles import any_rater, raters
from mash.states.stages import ALL, CONCLUDED, OPEN, ROUTED, SEEN, STEP_DOWN
from mash.states.usual import USUAL, WORKERS, Give, Until, Wait
from mash.states.values import Actor, Details, Enquiry, Heard, Match, ReportedConsent, Subject, Words
from mash.states.world import World

SANDWELL, MERTON = load_profile("sandwell"), load_profile("merton")
ALL_HUBS = [load_profile(name) for name in available()]
WORDS = Words(item="00000000-0000-0000-0000-000000000001", hmac="0" * 64)
SYSTEM = Actor(id="system", role="system", agency="system", hub="any")
QUORUM = ("social_care", "police", "health")
FACTORS = ("1A", "4B", "21")


def london(text: str) -> datetime:
    """A local time of the hub as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def person(role: str, agency: str = "social_care") -> Actor:
    return Actor(id=f"a.{role}", role=role, agency=agency, hub="any")


class Family:
    """A contact and the linked referrals that come of it, with their logs as they would be stored, and the time that passes."""

    def __init__(self, profile: Profile, now: datetime) -> None:
        self.profile, self.now = profile, now
        self.hearing = Hearing(profile)
        self.cases: dict[str, World] = {}
        self.logs: dict[str, list[str]] = {}
        self.subjects: set[str] = set()
        self.plans: dict[str, bool] = {}
        """Whether the last conference about a subject gave them a child protection plan."""
        self.kinds: set[str] = set()
        """Of the commands that were decided again, and came out the same."""
        self.needs: dict[str, str] = {}
        """What the last assessment of a subject found, until another one begins."""

    @property
    def states(self) -> dict[str, Referral]:
        return {reference: case.referral for reference, case in self.cases.items()}

    def receive(self, command: ReceiveContact, reference: str = "R") -> list[Event]:
        self.subjects = {subject.id for subject in command.subjects}
        self.cases[reference] = World(self.profile, self.now, reference, self._append)
        return self.cases[reference].give(command, SYSTEM, words=WORDS)

    def give(self, reference: str, command: Any, by: Actor, words: Words | None = WORDS, **beside: Any) -> list[Event]:
        """Decide and record, as the store does, with what it finds beside an act. A refusal changes nothing."""
        case = self.cases[reference]
        case.profile, case.now = self.profile, self.now
        details = details_with(command, case.referral, reference)
        events = case.give(command, by, words=words, details=details, **beside)
        self.subjects |= {event.subject for event in events if isinstance(event, SubjectAdded)}
        self.subjects -= {event.subject for event in events if isinstance(event, SubjectRemoved)}
        self.cases |= case.linked
        return events

    def see(self, reference: str) -> None:
        """Each child whom nobody has seen yet is seen."""
        for child in self.states[reference].unseen:
            today = self.now.astimezone(LONDON).date()
            self.give(reference, RecordChildVoice(subject=child, seen_on=today, alone=True), person("social_worker"))

    def _append(self, case: World, before: Referral | None, decision: Decision, by: Actor) -> None:
        drafts = (
            notices_for(case.reference, before, decision.after, decision.events, self.profile, by, self.now)
            if decision.events
            else []
        )
        for draft in drafts:
            assert draft.role != REFERRER or not decision.after.not_to_write, f"{draft.kind} to where it is not safe to write"
        if decision.events:
            self.hearing.happened(case.reference, before, decision.after, decision.events, by, self.now)
        log, found, recorded_now = self.logs.setdefault(case.reference, []), before, list[Recorded]()
        assert before is not None or not log, f"{case.reference} begins a second time"
        head = Recorded.digest(log[-1]) if log else GENESIS
        for link, state in zip(chained(case.reference, decision, by, case.now, head), decision.states, strict=True):
            self._checked(before, link.recorded.event)
            self._found(before or state, link.recorded.event)
            before = state
            assert link.recorded.sequence == len(log) + 1
            log.append(link.canonical)
            recorded_now.append(link.recorded)
        if decision.acts and decision.acts[0] != CONTINUED:
            again = decide_again(case.reference, Deed(recorded_now), found, self.profile)
            assert again.events == decision.events, f"{decision.acts[0]} cannot be rebuilt from what it caused"
            self.kinds.add(str(decision.acts[0]))

    def _checked(self, state: Referral | None, event: Event) -> None:
        """What must be true at the moment of an event."""
        if isinstance(event, ChecksRequested):
            assert state is not None and state.sharing is True, "a check left before its sharing basis"
        if isinstance(event, StageEntered) and event.stage == "decision" and state and state.stage in ROUTED:
            route = self.profile.rating(state.rating).route
            done = {
                "agency_checks": state.sharing is False
                or not self.profile.checks_for(state.counted, state.rating, frozenset(state.categories))
                or (bool(state.checks or state.checks_closed or state.meeting_held) and not state.outstanding),
                "mash_meeting": state.meeting_held,
                "strategy_discussion": state.strategy_held_at is not None,
                "decision": True,
            }
            assert all(done[stage] for stage in route), f"{state.rating}: {route} reached the decision without all of it"

    def _found(self, before: Referral, event: Event) -> None:
        """What conferences and assessments gave each subject, read from the events alone."""
        if isinstance(event, ConferenceHeld):
            results = event.outcomes or dict.fromkeys(before.subjects, event.outcome)
            self.plans |= {sid: result == "child_protection_plan" for sid, result in results.items()}
        if isinstance(event, AssessmentStarted):
            for sid in before.subjects:
                self.needs.pop(sid, None)
        if isinstance(event, AssessmentCompleted):
            found = event.outcomes or dict.fromkeys(before.subjects, event.outcome)
            self.needs |= {sid: str(outcome) for sid, outcome in found.items()}

    def refolded(self, reference: str) -> Referral:
        """The state, folded anew from the stored JSON."""
        state: Referral | None = None
        for text in self.logs[reference]:
            recorded = RECORDED.validate_json(text)
            assert recorded.canonical() == text
            state = evolve(state, recorded.event, recorded.at, recorded.by)
        assert state is not None
        return state

    def decided_again(self) -> list[str]:
        """What is different where each log, as it is stored, is decided again."""
        found = [
            decide_log_again(reference, self.logs, {self.profile.digest: self.profile}.__getitem__) for reference in self.logs
        ]
        assert sum(each.decided for each in found) and not any(each.older for each in found)
        return [str(each) for one in found for each in one.differences]

    def pass_time(self, by: timedelta) -> None:
        self.now += by

    def fire(self, reference: str = "R") -> list[Event]:
        return self.give(reference, FireClocks(), SYSTEM, None)

    def run_clocks(self, until: datetime, reference: str = "R") -> list[tuple[datetime, Event]]:
        """Let time pass to `until` with the clocks fired whenever one has something to say."""
        entries: list[tuple[datetime, Event]] = []
        while (at := self.states[reference].next_at) and at <= until:
            self.now = max(self.now, at)
            events = self.fire(reference)
            assert events, "a clock was due and said nothing"
            entries += [(self.now, event) for event in events]
        self.now = until
        return entries


# --- any order of events --------------------------------------------------------------------------------------------------

COHORTS = ("child", "unborn", "adult", "unknown")
HUB_ROLES = ("duty_manager", "practice_manager", "team_manager", "social_worker", "out_of_hours", "early_help", "navigator")


def beside_of(command: Any, referral: Referral) -> dict[str, Any]:
    """What the store finds beside an act: what other hubs answer, and section 47s about the same children elsewhere."""
    others = ((), ("sandwell",), ("sandwell", "merton"))[referral.version % 3]
    if command.kind == "ask_other_hubs":
        return {"heard": Heard(asked=("sandwell", "merton"), may_know=others)}
    if command.kind in ("record_decision", "sign_off_decision", "record_strategy_discussion"):
        likeness = ("confirmed", "likely")[referral.version % 2]
        found = (Enquiry(subject=sid, reference="MASH-26-000009", likeness=likeness) for sid in referral.subjects)
        return {"enquiries": tuple(found) if others else ()}
    return {}


def fresh(words: Words | None, world: Family, reference: str) -> Words | None:
    """Words that no other act of this case has: which of an act's words is its own, is seen where it is decided again."""
    return words and words.model_copy(update={"item": f"words-{reference}-{len(world.logs[reference])}"})


def details_with(command: Any, referral: Referral, reference: str) -> Details | None:
    """What comes with a command that puts facts right."""
    right = Details(stored=WORDS.model_copy(update={"item": f"details-{referral.version}"}), kind="subject", changed=("name",))
    match command.kind:
        case "correct_details":
            return right.model_copy(update={"subject": command.item, "flags": ("upn_not_valid",), "age": "child"})
        case "record_birth":
            return right.model_copy(update={"subject": command.subject, "age": "child"})
        case "correct_referrer":
            reachable = referral.version % 2 == 0
            flags = () if reachable else ("referrer_not_reachable",)
            return right.model_copy(update={"kind": "referrer", "reachable": reachable, "flags": flags})
        case "record_household":
            return right.model_copy(update={"kind": "household"})
        case "add_subject":
            return right.model_copy(update={"subject": next_subject(referral, reference)})
        case _:
            return None


def drawn(data: st.DataObject) -> Callable[[Sequence[Any]], Any]:
    """One of some values, by chance."""
    return lambda values: data.draw(st.sampled_from(values))


def a_command(kind: str, referral: Referral, world: Family, draw: Callable[[Sequence[Any]], Any], *, sensible: bool) -> Any:
    """A well-formed command of this kind: one that makes sense, or anything."""

    def one(*values: Any, odd: tuple[Any, ...] = ()) -> Any:
        return draw(values if sensible else (*values, *odd))

    def each(referral: Referral, name: str, *values: Any) -> dict[str, Any]:
        """One for all subjects, or one for each."""
        return one({name: one(*values)}, {f"{name}s": {sid: one(*values) for sid in referral.subjects}})

    profile = world.profile
    ratings = (*profile.ratings, *(() if sensible else ("purple",)))
    agencies = tuple(profile.agencies) or ("police",)
    quorum = tuple(dict.fromkeys((*profile.strategy_discussion.quorum, *profile.meeting.quorum)))
    attended = one(quorum, odd=(quorum[:2], ()))
    second = (f"a.{profile.seconding.role}", None) if referral.in_danger else (None,)
    match kind:
        case "confirm_not_ours":
            return ConfirmNotOurs(signposted_to=one("adults_social_care", "another_service"))
        case "agree_as_second":
            return AgreeAsSecond(about=one("rating_down", "not_sharing", "closing"))
        case "countersign":
            return Countersign(seconding=one(*(referral.uncountersigned or ("A9",)), odd=("A9",)), agreed=one(True, True, False))
        case "conclude_consultation":
            return ConcludeConsultation(outcome=one("referral", "advice"))
        case "assign_place":
            return AssignPlace(place=one(*(profile.places or ("nowhere",)), odd=("nowhere",)))
        case "rate_referral":
            return RateReferral(rating=one(*ratings), agreed=one(profile.triage.joint, odd=((),)), second=one(*second))
        case "rerate_referral":
            return RerateReferral(rating=one(*ratings), agreed=one(profile.triage.joint, odd=((),)), second=one(*second))
        case "record_adult_view":
            subject = one(*(referral.adults_unheard or referral.subjects), odd=("nobody",))
            return RecordAdultView(subject=subject, capacity=one("has", "lacks"), agrees=one("yes", "no"))
        case "record_threshold":
            return RecordThreshold(significant_harm=one(True, True, False))
        case "record_marker":
            return RecordMarker(marker=one("marac", "staff_safety", "safe_contact", "do_not_write"), holds=one(True, False))
        case "record_categories":
            return RecordCategories(categories=one((), ("domestic_abuse",), ("professional_concern",)))
        case "record_accused":
            return RecordAccused(subject=one(*referral.subjects, odd=("nobody",)), accused=one(True, False))
        case "correct_cohort":
            return CorrectCohort(subject=one(*referral.subjects, odd=("nobody",)), cohort=one("child", "adult"))
        case "record_birth":
            return RecordBirth(subject=one(*referral.subjects, odd=("nobody",)))
        case "decline_disclosure":
            return DeclineDisclosure(item=one(*referral.held, "none"))
        case "say_presence":
            return SayPresence(worker=one(*WORKERS), presence=one("there", "absent", "left"))
        case "say_of_age":
            return SayOfAge(subject=one(*referral.subjects, odd=("nobody",)), when=one("soon", "today"))
        case "hand_over_to_adults":
            return HandOverToAdults(subject=one(*referral.subjects), to=one("adult_social_care", odd=("nowhere",)))
        case "keep_past_eighteen":
            return KeepPastEighteen(subject=one(*referral.subjects, odd=("nobody",)))
        case "correct_details":
            return CorrectDetails(item=one(*referral.subjects, odd=("nobody",)))
        case "add_subject":
            return AddSubject(cohort=one("child", "adult"))
        case "remove_subject":
            return RemoveSubject(subject=one(*referral.subjects, odd=("nobody",)))
        case "remove_link" | "record_unlinked":
            return HANDLER_CLASSES[kind](other=one(*(referral.links or ("Q",)), odd=("R",)))
        case "sign_off_withdrawal":
            return SignOffWithdrawal(agreed=one(True, True, False))
        case "ask_agencies":
            return AskAgencies(agencies=(one(*agencies, odd=("nobody",)),))
        case "contribute_information":
            return ContributeInformation(sensitive=one(True, False))
        case "record_child_voice":
            seen_on = one(None, world.now.astimezone(LONDON).date(), odd=(world.now.date() + timedelta(days=2),))
            alone = None if seen_on is None else one(True, False, odd=(None,))
            subject = one(*(referral.unseen or referral.subjects), odd=("nobody",))
            return RecordChildVoice(subject=subject, seen_on=seen_on, alone=alone, asked_by=one(None, "police"))
        case "release_information":
            item = one(*(referral.held or ("none",)), odd=("none",))
            return ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality=one("whole", "gist"))
        case "record_dissent":
            return RecordDissent(about=one("rating", "decision"))
        case "sign_off_decision":
            return SignOffDecision(agreed=one(True, True, False))
        case "raise_disagreement":
            return RaiseDisagreement(about=one("rating", "decision"), rating=one(None, *ratings))
        case "settle_disagreement":
            outcome = one("stands", "changed")
            disagreement = one(*(referral.disputed or ("D9",)), odd=("D9",))
            return SettleDisagreement(disagreement=disagreement, outcome=outcome, rating=one(None, *ratings))
        case "take_disagreement_further":
            return TakeDisagreementFurther(disagreement=one(*(referral.disagreements or ("D9",)), odd=("D9",)))
        case "link_referral" | "record_linked":
            about = {"subjects": one((), tuple(referral.subjects)[:1], odd=(("nobody",),))} if kind == "link_referral" else {}
            return HANDLER_CLASSES[kind](other=one("Q", "P", odd=("R",)), relation=one("sibling", "same_incident"), **about)
        case "record_not_to_tell":
            return RecordNotToTell(other=one("Q", "P"))
        case "record_stepped_up":
            return RecordSteppedUp(other=one("Q", "P"), why=one("rating", "strategy_discussion", "section_47"))
        case "ask_other_hubs":
            return AskOtherHubs(subject=one(*referral.subjects, odd=("nobody",)))
        case "identify_subject":
            subject = one(*referral.subjects, odd=("nobody",))
            return IdentifySubject(subject=subject, other=one("MASH-26-000001", odd=("R",)), other_subject="S1")
        case "record_identified" | "withdraw_identity" | "record_identity_withdrawn" | "open_adult":
            return HANDLER_CLASSES[kind](subject=one(*(referral.identities or referral.subjects), odd=("nobody",)))
        case "reject_match" | "record_rejected":
            match = one(*(referral.unsettled or (another_contact(world, referral, one),)))
            return HANDLER_CLASSES[kind](subject=match.subject, other=match.reference, other_subject=match.other or "S1")
        case "record_known":
            matches = tuple(another_contact(world, referral, one) for _ in range(one(0, 2, 3)))
            return RecordKnown(matches=matches, possible=dict.fromkeys(referral.subjects, one(0, 2)))
        case "attach_contact":
            return AttachContact(other=one(*[match.reference for match in referral.matches] or ["Q"], odd=("R",)))
        case "close_duplicate":
            other = one(*[match.reference for match in referral.matches] or ["Q"], odd=("R",))
            return CloseDuplicate(other=other, compared="shown")
        case "share_earlier_contact":
            other = one(*[match.reference for match in referral.matches] or ["Q"], odd=("R",))
            return ShareEarlierContact(other=other, necessity="to_protect_a_child")
        case "record_line_released":
            item = one(*(referral.held or ("w",)))
            return RecordLineReleased(item=item, necessity="to_protect_a_child")
        case "record_added":
            return RecordAdded(other="MASH-26-000002", why="added", immediate_danger=one(True, False), markers=("staff_safety",))
        case "record_taken_back":
            return RecordTakenBack(other="MASH-26-000002")
        case "record_sharing_basis":
            return RecordSharingBasis(
                share=one(True, True, True, False),
                purpose=one("safeguarding_child", "child_protection"),
                not_informed=one("puts_somebody_at_risk", None),
                lawful_basis=one(*(("duty_to_disclose",) if profile.edition.disclosure else ()), "public_task", odd=("consent",)),
                consent=one("given", "refused", "overridden", "not_sought"),
                family_informed=one(True, False),
                second=one(*second),
            )
        case "answer_check":
            agency = one(*(referral.outstanding or agencies), odd=agencies[:1])
            return AnswerCheck(agency=agency, known=one(True, False), suggested_rating=one(None, *ratings))
        case "record_answer_by_telephone":
            unanswered = tuple(agency for agency, check in referral.checks.items() if check.answered_at is None)
            agency = one(*(unanswered or agencies), odd=agencies[:1])
            return RecordAnswerByTelephone(answering=agency, read_back=one(True, False), known=one(True, False))
        case "allocate_check":
            agency = one(*(referral.outstanding or agencies), odd=agencies[:1])
            return AllocateCheck(agency=agency, to=one(f"a.{agency}", odd=("nobody",)))
        case "allocate_case":
            return AllocateCase(worker=one(*WORKERS, odd=("nobody",)))
        case "convene_meeting":
            return ConveneMeeting(at=world.now + timedelta(hours=one(1, 24, odd=(-1,))))
        case "record_meeting":
            held_on = one(None, world.now.astimezone(LONDON).date(), odd=(world.now.date() + timedelta(days=2),))
            return RecordMeeting(attended=attended, held_on=held_on, rating=one(*ratings, odd=(None,)))
        case "cancel_meeting":
            return CancelMeeting(what=one("meeting", "strategy_discussion"))
        case "record_action":
            due = world.now + timedelta(hours=one(2, 30, odd=(-1,)))
            return RecordAction(owner=one("duty_manager", *agencies, odd=("nobody",)), due=due)
        case "complete_action":
            action = one(*(referral.actions or ("A9",)), odd=("A9",))
            return CompleteAction(action=action, outcome=one("done", "no_longer_needed"))
        case "schedule_strategy_discussion":
            at = world.now + timedelta(hours=one(1, 20, odd=(-1,)))
            return ScheduleStrategyDiscussion(at=at, invited=one((), ("school",), odd=(("nobody",),)))
        case "put_quorum_right":
            missing = one(*(referral.short_of or ("police",)), odd=("nobody",))
            return PutQuorumRight(agencies=(missing,), how=one("took_part_since", "cannot_be_reached"))
        case "record_protection_order":
            order, since = one("police_protection", "emergency_protection_order"), world.now - timedelta(hours=one(0, 5))
            until = since + timedelta(days=7 if order == "emergency_protection_order" else 2)
            return RecordProtectionOrder(order=order, since=since, until=one(until, odd=(None, since)))
        case "end_protection_order":
            return EndProtectionOrder(order=one("police_protection", "emergency_protection_order"), how="released")
        case "record_decision":
            outcomes = {sid: one(*GRAVEST_FIRST) for sid in referral.subjects}
            transfer_to = one("E06000999", odd=(None,))
            need = one("N1", odd=(None,))
            more = {"second": one(*second), "same_child": one("cannot_tell", None, "no")}
            return RecordDecision(outcomes=outcomes, primary_need=need, transfer_to=transfer_to, **more)
        case "record_strategy_discussion":
            missing = bool(set(profile.strategy_discussion.quorum) - set(attended))
            why = one("not_reached" if missing else None, odd=(None,))
            enquiry = "joint" if profile.strategy_discussion.joint_or_single else None
            outcome = one("section_47", "no_section_47")
            said = {"without_quorum": why, "enquiry": enquiry if outcome == "section_47" else None}
            said["same_child"] = one("cannot_tell", None, "no")
            said["held_on"] = one(None, world.now.astimezone(LONDON).date())
            return RecordStrategyDiscussion(attended=attended, outcome=outcome, **said)
        case "conclude_enquiries":
            why_not = dict.fromkeys(referral.unseen, one("child_missing", "family_left"))
            outcome = one("conference", "no_further_child_protection_action")
            return ConcludeEnquiries(outcome=outcome, not_seen_because=one(why_not, odd=({},)))
        case "record_conference":
            held_on = world.now.date() - timedelta(days=one(0, 1, 2, 3))
            results = each(referral, "outcome", "child_protection_plan", "no_plan")
            found = results.get("outcomes") or dict.fromkeys(referral.subjects, results.get("outcome"))
            planned = [sid for sid, result in found.items() if result == "child_protection_plan"]
            categories, before = (dict.fromkeys(planned, one(*values)) for values in (("NEG", "MUL"), (0, 3)))
            why = {"abuse_categories": categories, "previous_plans": before}
            return RecordConference(held_on=held_on, **results, **one(why, odd=({},)))
        case "complete_assessment":
            factors = one(*((factor,) for factor in FACTORS), odd=(FACTORS[:2],))
            found = each(referral, "outcome", "child_in_need_plan", "early_help", "no_further_action", "transfer")
            of_factors = one({"factors": factors}, {"factors_of": dict.fromkeys(referral.subjects, factors)})
            why_not = dict.fromkeys(referral.unseen, one("child_missing", "family_left"))
            to = one("E06000999", odd=(None,))
            return CompleteAssessment(**of_factors, **found, transfer_to=to, not_seen_because=one(why_not, odd=({},)))
        case "offer_step_down":
            return OfferStepDown(service=one(*profile.services, odd=("nowhere",)))
        case "offer_hand_over":
            about = one((), tuple(referral.subjects)[:1], odd=(("nobody",),))
            destination = one(*profile.destinations, odd=("nowhere",))
            return OfferHandOver(destination=destination, subjects=about, authority=one("E08000025", odd=(None,)))
        case "accept_hand_over" | "return_hand_over":
            return HANDLER_CLASSES[kind](hand_over=one(*(referral.offered or ("lado",)), odd=("nothing",)))
        case "complete_adult_enquiry":
            return CompleteAdultEnquiry(outcome=one("risk_removed", "risk_remains"))
        case "acknowledge_alert":
            clock = one(*(referral.alerts or ("triage",)), odd=("nothing",))
            until = one(None, world.now + timedelta(minutes=30), odd=(world.now, world.now + timedelta(days=9)))
            return AcknowledgeAlert(clock=clock, until=until)
        case "pass_alert_on":
            return PassAlertOn(clock=one(*(referral.alerts or ("triage",)), odd=("nothing",)))
        case "adopt_profile":
            return AdoptProfile(digest=world.profile.digest, rating=one(None, *ratings))
        case "erase_people":
            return ErasePeople(why=one("retention", "right_to_erasure"))
        case "see_alert":
            return SeeAlert(clock=one(*(referral.alerts or ("triage",)), odd=("nothing",)))
        case "inform_referrer":
            what = one(*(owed(referral) or ("outcome",)), odd=("disagreement",))
            return InformReferrer(what=what, how=one("telephone", "letter", "in_person", "not_reached"))
        case "record_told":
            return RecordTold(what=one("acknowledgement", "outcome"))
        case _:
            return HANDLER_CLASSES[kind]()


def another_contact(world: Family, referral: Referral, one: Any) -> Match:
    """Another contact that may be about the same child."""
    return Match(
        subject=one(*referral.subjects),
        reference=f"MASH-26-00000{one(1, 2, 3)}",
        other=one("S1", None),
        likeness=one("confirmed", "likely"),
        why=("same_name",),
        received_at=world.now - timedelta(days=one(10, 300, 500)),
    )


HANDLER_CLASSES: dict[str, Any] = {kind: act.command for kind, act in ACTS.items()}
BY_PEOPLE = tuple(kind for kind in ACTS if kind != "receive_contact")


RECKONED_ONCE = [name for name, member in vars(Referral).items() if isinstance(member, Reckoned)]


class AnyOrder(RuleBasedStateMachine):
    """People of all roles do anything, sensible or not, at any time, and the clocks are fired between."""

    world: Family

    @initialize(
        profile=st.one_of(st.sampled_from(ALL_HUBS), profiles()),
        categories=st.lists(st.sampled_from(get_args(Category)), max_size=2, unique=True),
        start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
        cohorts=st.lists(st.sampled_from(COHORTS), min_size=1, max_size=3),
        contact=st.sampled_from(get_args(ContactKind)),
        source=st.sampled_from(get_args(Source)),
        danger=st.booleans(),
        reachable=st.booleans(),
        unsafe=st.booleans(),
        ages=st.lists(st.sampled_from((*get_args(Age), None)), min_size=3, max_size=3),
    )
    def a_contact_arrives(
        self,
        profile: Profile,
        start: datetime,
        cohorts: list[Any],
        contact: Any,
        source: str,
        categories: list[Any],
        danger: bool,
        reachable: bool,
        unsafe: bool,
        ages: list[Any],
    ) -> None:
        self.world = Family(profile, start.replace(tzinfo=UTC))
        self.world.receive(
            ReceiveContact(
                contact=contact,
                source="2A",
                source_agency=source,
                categories=tuple(categories),
                subjects=tuple(Subject(id=f"s{n}", cohort=cohort, age=ages[n]) for n, cohort in enumerate(cohorts)),
                immediate_danger=danger,
                referrer_reachable=reachable,
                writing_unsafe=unsafe,
            )
        )
        if reachable or unsafe:
            assert owed(self.world.states["R"]), "whoever referred waits to hear, and no clock runs"

    def _give(self, reference: str, command: Any, by: Actor, words: Words | None) -> None:
        before = self.world.states[reference]
        whole, length = before.model_dump_json(), len(self.world.logs[reference])
        can, offered = possible(before), open_to(before, self.world.profile, by)
        refused: Refusal | None = None
        try:
            self.world.give(reference, command, by, fresh(words, self.world, reference), **beside_of(command, before))
        except Refusal as refusal:
            refused = refusal
        if refused is None:
            self._rated_by_whoever_may(before, self.world.states[reference], command, by, words)
            assert command.kind in offered or command.kind not in STAFF_ACTS, "done by somebody to whom it is not offered"
            return
        assert not (isinstance(refused, NotYours) and ACTS[command.kind].roles and command.kind in offered), (
            "offered, and not theirs"
        )
        assert self.world.states[reference] is before and before.model_dump_json() == whole
        assert len(self.world.logs[reference]) == length
        if isinstance(refused, ImpossibleMove):
            assert refused.facts == {"stage": before.stage, "command": command.kind, "possible": list(named(before))}
            assert command.kind not in can, "offered as possible, and then refused as impossible"

    def _rated_by_whoever_may(self, before: Referral, after: Referral, command: Any, by: Actor, words: Words | None) -> None:
        """Whatever the command: a rating is changed by those who rate, by the chair of a meeting that gives the second rating, or
        by the referee of a dispute over it; with a reason, and where agencies decide jointly, with their agreement."""
        profile = self.world.profile
        if after.rating == before.rating or before.rating is None:
            assert after.rating == before.rating or by.role in raters(before, profile)
            return
        may = {*any_rater(before, profile)}
        if command.kind == "record_meeting" and profile.meeting.second_rating:
            may.add(profile.meeting.chair)
        if command.kind == "settle_disagreement":
            may.add(before.disagreements[command.disagreement].role)
        if command.kind == "countersign":  # it was rated down without them, and counts as the most urgent again
            assert before.secondings[command.seconding].about == "rating_down" and after.rating == profile.unrated
            return
        assert by.role in may, f"{by.role} changed the rating by {command.kind}"
        assert words is not None, f"{command.kind} changed the rating without a reason"
        into = profile.ratings[after.rating or ""].route[0] != "decision" and (
            before.rating not in profile.ratings or profile.ratings[before.rating].route[0] == "decision"
        )
        if into and command.kind != "settle_disagreement":
            assert set(profile.triage.joint) <= set(getattr(command, "agreed", ())), f"{command.kind} without agreement"

    @rule(data=st.data())
    def somebody_does_what_is_possible(self, data: st.DataObject) -> None:
        reference = data.draw(st.sampled_from(sorted(self.world.states)))
        self._carry_on(reference, possible(self.world.states[reference]), data)

    @rule(data=st.data(), steps=st.integers(2, 7))
    def the_hub_carries_on(self, data: st.DataObject, steps: int) -> None:
        reference = data.draw(st.sampled_from(sorted(self.world.states)))
        for _ in range(steps):
            referral = self.world.states[reference]
            leading = [kind for kind in possible(referral) if kind not in DETOURS]
            if referral.sharing is None and referral.stage == "agency_checks":
                leading.append("record_adult_view" if referral.adults_unheard else "record_sharing_basis")
            if leading:
                self._carry_on(reference, leading, data)

    def _carry_on(self, reference: str, kinds: Sequence[str], data: st.DataObject) -> None:
        """One of these commands, by somebody who may."""
        referral = self.world.states[reference]
        command = a_command(data.draw(st.sampled_from(kinds)), referral, self.world, drawn(data), sensible=True)
        agency = command.agency if isinstance(command, AllocateCheck | AnswerCheck) else "social_care"
        role = self._role_for(command, referral)
        self._give(reference, command, Actor(id=f"m.{command.kind}", role=role, agency=agency, hub="any"), WORDS)

    def _role_for(self, command: Any, referral: Referral) -> str:
        profile = self.world.profile
        if command.kind in DECIDING:
            return profile.deciders[0]
        if command.kind == "sign_off_decision" and referral.proposed:
            return referral.proposed.role
        if command.kind == "sign_off_withdrawal" and referral.withdrawing:
            return referral.withdrawing.role
        if command.kind == "settle_disagreement" and command.disagreement in referral.disagreements:
            return referral.disagreements[command.disagreement].role
        place = profile.places.get(referral.place or "")
        return place.triage_role if place and place.triage_role else profile.raters[0]

    @rule(data=st.data())
    def all_agencies_answer(self, data: st.DataObject) -> None:
        reference = data.draw(st.sampled_from(sorted(self.world.states)))
        for agency in self.world.states[reference].outstanding:
            self._give(reference, AnswerCheck(agency=agency, known=False), person("navigator", agency), None)

    @rule(data=st.data(), role=st.sampled_from(HUB_ROLES), agency=st.sampled_from(("social_care", "police", "nobody")))
    def somebody_does_anything(self, data: st.DataObject, role: str, agency: str) -> None:
        reference = data.draw(st.sampled_from(sorted(self.world.states)))
        kind = data.draw(st.sampled_from(BY_PEOPLE))
        command = a_command(kind, self.world.states[reference], self.world, drawn(data), sensible=False)
        self._give(reference, command, person(role, agency), data.draw(st.sampled_from((WORDS, None))))

    @rule(minutes=st.one_of(st.integers(1, 90), st.integers(60, 60 * 24 * 6)), fires=st.integers(0, 3))
    def time_passes(self, minutes: int, fires: int) -> None:
        self.world.pass_time(timedelta(minutes=minutes))
        for reference in sorted(self.world.states):
            for _ in range(fires):
                self._give(reference, FireClocks(), SYSTEM, None)

    @rule()
    def mail_arrives(self) -> None:
        for reference in sorted(self.world.states):
            for what in () if self.world.states[reference].by_person else owed(self.world.states[reference]):
                if what != "disagreement":
                    self._give(reference, RecordTold(what=what), SYSTEM, None)

    @rule()
    @precondition(lambda self: any(not r.open for r in self.world.states.values()))
    def the_referrer_is_told(self) -> None:
        for reference in sorted(self.world.states):
            for what in ("acknowledgement", "outcome", "withdrawal"):
                self._give(reference, RecordTold(what=what), SYSTEM, None)
            referral = self.world.states[reference]
            waits = referral.disputed or referral.withdrawing or referral.offered or referral.uncountersigned
            clocks = [k.id for k in referral.running if k.kind not in ("confirmation", "action", "quorum_put_right")]
            assert referral.open or waits or not clocks, f"told, concluded, and still waiting for {clocks}"

    @invariant()
    def nothing_drifts(self) -> None:
        for referral in self.world.states.values():
            if referral.open:
                assert referral.next_at is not None, f"open at {referral.stage} and no clock will ever speak up"
                assert referral.due_at is not None
            assert [clock.id for clock in referral.clocks.values() if clock.due_at < clock.started_at] == []
            assert all(clock.next_at is not None for clock in referral.running), "a running clock went silent"
            assert all(clock.owner for clock in referral.clocks.values())

    @invariant()
    def whoever_is_to_answer_has_a_clock_and_nobody_is_asked_once_it_has_stopped(self) -> None:
        for referral in self.world.states.values():
            assert set(referral.outstanding) == {clock.whose for clock in referral.running if clock.kind == "check"}
            assert set(referral.outstanding) <= set(referral.to_answer) and (referral.open or not referral.to_answer)
            told = {agency for agency, check in referral.checks.items() if check.told and check.confirmed_at is None}
            to_confirm = told & set(self.world.profile.agencies) if referral.open else set()
            assert {clock.whose for clock in referral.running if clock.kind == CONFIRMATION} == to_confirm

    @invariant()
    def nobodys_last_word_contradicts_the_case(self) -> None:
        for reference, referral in self.world.states.items():
            assert self.world.hearing.contradictions(reference, referral, self.world.now) == []

    @invariant()
    def a_ratings_own_limit_runs_wherever_it_covers(self) -> None:
        for referral in self.world.states.values():
            rating = self.world.profile.ratings.get(referral.rating or "")
            if rating and rating.response and ("decision" if referral.stage == "sign_off" else referral.stage) in rating.covers:
                assert "response" in {clock.kind for clock in referral.running}, (
                    f"{referral.rating} at {referral.stage} without its limit"
                )

    @invariant()
    def every_stage_is_a_stage_and_openness_agrees_with_it(self) -> None:
        for referral in self.world.states.values():
            assert referral.stage in ALL and referral.stage != "contact"
            assert referral.open == (referral.stage in OPEN)

    @invariant()
    def no_subject_is_lost_or_doubled(self) -> None:
        everywhere = [sid for referral in self.world.states.values() for sid in referral.subjects]
        assert sorted(everywhere) == sorted(self.world.subjects)
        assert all(referral.subjects for referral in self.world.states.values())

    @invariant()
    def no_subjects_outcome_contradicts_the_gravest_result_recorded_for_them(self) -> None:
        for referral in self.world.states.values():
            for sid, subject in referral.subjects.items():
                if subject.outcome is not None and self.world.plans.get(sid):
                    assert subject.outcome == "child_protection_plan"
                elif referral.stage == "assessment_concluded":
                    assert subject.outcome == self.world.needs[sid]
                elif referral.stage == "section_47_concluded" and self.world.needs.get(sid) == "child_in_need_plan":
                    assert subject.outcome == "child_in_need_plan"
                assert not (referral.stage in STEP_DOWN and self.world.plans.get(sid)), "a child on a plan is stepped down"

    @invariant()
    def the_log_counts_on_and_says_the_state(self) -> None:
        for reference, referral in self.world.states.items():
            assert referral.version == len(self.world.logs[reference])

    @invariant()
    def what_was_reckoned_of_a_state_once_holds_of_it_still(self) -> None:
        for referral in self.world.states.values():
            anew = Referral.model_construct(**{name: getattr(referral, name) for name in Referral.model_fields})
            for name in RECKONED_ONCE:
                assert getattr(referral, name) == getattr(anew, name), name

    def teardown(self) -> None:
        for reference, referral in getattr(self, "world", Family(SANDWELL, london("2026-01-01"))).states.items():
            assert self.world.refolded(reference) == referral
            assert Referral.model_validate_json(referral.model_dump_json()) == referral
        if hasattr(self, "world"):
            assert self.world.decided_again() == []


DETOURS = (
    "add_note",
    "correct_details",
    "correct_referrer",
    "add_subject",
    "remove_subject",
    "remove_link",
    "withdraw_decision",
    "adopt_profile",
    "acknowledge_alert",
    "pass_alert_on",
    "convene_meeting",
    "call_strategy_discussion",
    "rerate_referral",
    "record_sharing_basis",
    "answer_check",
    "assign_place",
    "record_adult_view",
    "record_threshold",
    "record_marker",
    "record_categories",
    "correct_cohort",
    "record_accused",
    "record_birth",
    "hand_over_to_adults",
    "keep_past_eighteen",
    "offer_hand_over",
    "ask_agencies",
    "contribute_information",
    "record_child_voice",
    "release_information",
    "record_dissent",
    "raise_disagreement",
    "take_disagreement_further",
    "link_referral",
)
"""What is possible in many stages and leads nowhere, or away."""
DECIDING = ("record_decision", "conclude_enquiries", "reopen_referral", "withdraw_decision")


TestAnyOrderInAnyHub = AnyOrder.TestCase
TestAnyOrderInAnyHub.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


# --- by example -----------------------------------------------------------------------------------------------------------

MORNING = london("2026-06-02 10:00")  # a Tuesday
NIGHT = london("2026-06-06 02:00")  # a Saturday
DUTY, MANAGER, NIGHT_DUTY = person("duty_manager"), person("team_manager"), person("out_of_hours")
BASIS = RecordSharingBasis(purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=False)
HELD = RecordStrategyDiscussion(attended=QUORUM, outcome="section_47")
ENDED = RecordStrategyDiscussion(attended=QUORUM, outcome="no_section_47")


def arrived(profile: Profile = SANDWELL, now: datetime = MORNING, *cohorts: Any, **fields: Any) -> Family:
    """A contact about children (or these cohorts), just received."""
    world = Family(profile, now)
    subjects = tuple(
        Subject(id=f"s{n}", cohort=cohort, age=None if cohort == "unknown" else cohort)
        for n, cohort in enumerate(cohorts or ("child",))
    )
    world.receive(ReceiveContact(contact="referral", source="2A", source_agency="school", subjects=subjects, **fields))
    return world


def decision(**outcomes: Any) -> RecordDecision:
    return RecordDecision(outcomes=outcomes, primary_need="N1", transfer_to="E06000999")


SECOND = "a.practice_manager"


def rated(rating: str, profile: Profile = SANDWELL, now: datetime = MORNING, *cohorts: Any, **fields: Any) -> Family:
    world = arrived(profile, now, *cohorts, **fields)
    second = SECOND if fields.get("immediate_danger") and profile.place(rating) else None
    world.give("R", RateReferral(rating=rating, second=second), DUTY)
    return world


def answered(world: World) -> Family:
    """All checks asked and answered."""
    world.give("R", BASIS, DUTY)
    for agency in world.states["R"].outstanding:
        world.give("R", AnswerCheck(agency=agency, known=False), person("navigator", agency))
    return world


def at_decision(*cohorts: Any, **fields: Any) -> Family:
    return rated("blue", MERTON, MORNING, *cohorts, **fields)


def at_stage(stage: str) -> Family:
    """A world whose referral R stands at this stage."""
    world = at_decision() if stage not in ("triage", "agency_checks", "mash_meeting") else arrived()
    give = world.give
    match stage:
        case "agency_checks":
            give("R", RateReferral(rating="amber"), DUTY)
        case "mash_meeting":
            give("R", RateReferral(rating="amber"), DUTY)
            answered(world)
        case "section_17_assessment":
            give("R", decision(s0="section_17"), MANAGER)
        case "step_down_preparing" | "step_down_offered":
            give("R", decision(s0="early_help"), MANAGER)
            if stage == "step_down_offered":
                give("R", OfferStepDown(service="early_help"), DUTY)
        case "to_confirm_not_ours":
            world = arrived(MERTON, MORNING, "adult")
        case "transfer_offered":
            give("R", decision(s0="transfer"), MANAGER)
        case "consultation":
            world = arrived(MERTON.model_copy(update={"consultation": Consultation(kinds=("referral",))}))
        case "sign_off":
            second = SignOff(ratings=("blue",), outcomes=("no_further_action",), role="service_manager")
            world = rated("blue", MERTON.model_copy(update={"sign_off": {"blue": second}}))
            world.give("R", decision(s0="no_further_action"), MANAGER)
        case "adult_section_42":
            world = arrived(MERTON, MORNING, "adult")
            world.give("R", TakeContact(), DUTY)
            world.give("R", RateReferral(rating="blue"), DUTY)
            world.give("R", RecordAdultView(subject="s0", capacity="has", agrees="yes"), DUTY)
            world.give("R", decision(s0="adult_section_42"), MANAGER)
        case "strategy_discussion" | "enquiries" | "conference":
            give("R", decision(s0="section_47"), MANAGER)
            if stage != "strategy_discussion":
                give("R", HELD, DUTY)
            if stage == "conference":
                world.see("R")
                give("R", ConcludeEnquiries(outcome="conference"), MANAGER)
    assert world.states["R"].stage == stage
    return world


@pytest.mark.parametrize("stage", SEEN)
def test_what_usually_happens_in_a_stage_can_be_done_there(stage: str) -> None:
    here = at_stage(stage).cases["R"]
    if stage == "agency_checks":
        here.give(BASIS, DUTY, words=WORDS)
    least = min(here.profile.ratings, key=lambda name: here.profile.ratings[name].severity)
    gave = False
    for step in USUAL[stage](here, least):
        match step:
            case Wait():
                pass
            case Until():
                here.run_to(step.at)
            case Give():
                by = Actor(id=step.person or step.role, role=step.role, agency=step.agency, hub="any")
                here.give(step.command, by, words=WORDS)
                gave = True
    assert gave


def clock(world: Family, clock_id: str, reference: str = "R") -> Any:
    return world.states[reference].clocks[clock_id]


def of(kind: type, events: Any) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("profile", [SANDWELL, MERTON], ids=["sandwell", "merton"])
@pytest.mark.parametrize("now", [MORNING, NIGHT], ids=["by day", "at night"])
def test_an_unrated_contact_is_due_for_its_rating_within_the_hour_day_or_night(profile: Profile, now: datetime) -> None:
    world = arrived(profile, now)
    assert world.states["R"].stage == "triage"
    assert clock(world, "triage").due_at == now + timedelta(hours=1)


@pytest.mark.parametrize(("now", "role"), [(MORNING, "duty_manager"), (NIGHT, "out_of_hours")], ids=["by day", "at night"])
def test_a_late_rating_is_told_to_whoever_is_on_duty(now: datetime, role: str) -> None:
    world = arrived(now=now)
    entries = world.run_clocks(now + timedelta(hours=1))
    assert [(event.role, at - now) for at, event in entries if isinstance(event, ClockWarned)] == [
        (role, timedelta(minutes=30)),
        (role, timedelta(minutes=48)),
    ]
    assert [(event.role, at - now) for at, event in entries if isinstance(event, ClockEscalated)] == [(role, timedelta(hours=1))]


@pytest.mark.parametrize(("now", "role"), [(MORNING, "duty_manager"), (NIGHT, "out_of_hours")], ids=["by day", "at night"])
def test_immediate_danger_alerts_whoever_is_on_duty_at_once(now: datetime, role: str) -> None:
    world = Family(SANDWELL, now)
    events = world.receive(
        ReceiveContact(
            contact="referral",
            source="2A",
            source_agency="school",
            subjects=(Subject(id="s0", cohort="child"),),
            immediate_danger=True,
        )
    )
    assert [(alert.id, alert.role) for alert in of(ClockEscalated, events)] == [("triage", role)]
    assert world.states["R"].alerts == ("triage",)


def test_at_night_the_out_of_hours_role_rates_discusses_and_starts_a_section_47_and_other_decisions_wait() -> None:
    world = arrived(now=NIGHT)
    world.give("R", RateReferral(rating="red"), NIGHT_DUTY)
    world.give("R", CallStrategyDiscussion(), NIGHT_DUTY)
    world.give("R", HELD, NIGHT_DUTY)
    assert world.states["R"].stage == "enquiries"
    with pytest.raises(NotYours):
        at_decision().give("R", decision(s0="no_further_action"), NIGHT_DUTY)


def test_a_contact_without_concern_or_anybody_to_identify_is_refused() -> None:
    command = ReceiveContact(
        contact="referral", source="2A", source_agency="school", subjects=(Subject(id="s0", cohort="child"),)
    )
    with pytest.raises(Refusal):
        decide(None, command, SANDWELL, SYSTEM, MORNING, reference="R", words=None)


# Checks and sharing


def test_no_check_leaves_before_the_sharing_basis_is_recorded() -> None:
    world = rated("red")
    assert world.states["R"].stage == "agency_checks" and world.states["R"].checks == {}
    asked = of(ChecksRequested, world.give("R", BASIS, DUTY))
    assert asked[0].agencies == tuple(SANDWELL.agencies)
    assert set(world.states["R"].outstanding) == set(asked[0].agencies)


def test_a_basis_recorded_before_the_rating_lets_the_checks_leave_with_it() -> None:
    world = arrived()
    world.give("R", BASIS, DUTY)
    assert world.states["R"].checks == {}
    assert of(ChecksRequested, world.give("R", RateReferral(rating="red"), DUTY))


def test_a_reason_not_to_share_is_a_record_and_no_check_leaves() -> None:
    world = rated("red")
    refusal = BASIS.model_copy(update={"share": False})
    with pytest.raises(ReasonNeeded):
        world.give("R", refusal, DUTY, None)
    world.give("R", refusal, DUTY)
    assert (world.states["R"].stage, world.states["R"].checks) == ("mash_meeting", {})


def test_consent_is_no_basis_when_it_was_not_given() -> None:
    with pytest.raises(Incomplete):
        rated("red").give("R", BASIS.model_copy(update={"lawful_basis": "consent"}), DUTY)


def test_only_an_agency_answers_for_itself_and_once() -> None:
    world = rated("red")
    world.give("R", BASIS, DUTY)
    answer = AnswerCheck(agency="police", known=True)
    with pytest.raises(NotYours):
        world.give("R", answer, person("navigator", "housing"))
    world.give("R", answer, person("navigator", "police"))
    with pytest.raises(Incomplete):
        world.give("R", answer, person("navigator", "police"))


def test_going_on_without_replies_is_an_act_with_a_reason_and_late_answers_are_still_taken() -> None:
    world = rated("amber", MERTON)
    world.give("R", BASIS, DUTY)
    with pytest.raises(ReasonNeeded):
        world.give("R", ProceedWithoutReplies(), DUTY, None)
    went = of(ProceededWithoutReplies, world.give("R", ProceedWithoutReplies(), DUTY))
    assert set(went[0].agencies) == set(MERTON.agencies) and world.states["R"].stage == "decision"
    assert not any(running.kind == "check" for running in world.states["R"].running)
    world.give("R", AnswerCheck(agency="police", known=True), person("navigator", "police"))
    assert world.states["R"].checks["police"].answered_at == world.now
    assert world.states["R"].stage == "decision"


# Ratings and clocks


def test_reds_four_hours_run_from_receipt_and_cover_checks_and_meeting_so_a_late_agency_never_moves_them() -> None:
    world = arrived()
    world.pass_time(timedelta(minutes=50))
    world.give("R", RateReferral(rating="red"), DUTY)
    due = MORNING + timedelta(hours=4)
    assert clock(world, "response").due_at == due
    world.pass_time(timedelta(hours=3))
    answered(world)
    assert world.states["R"].stage == "mash_meeting" and clock(world, "response").due_at == due
    assert clock(world, "response").running
    world.give("R", RecordMeeting(attended=QUORUM, rating="red"), DUTY)
    assert world.states["R"].stage == "decision" and clock(world, "response").met is True


def test_the_statutory_decision_clock_runs_beside_the_longer_clock_of_the_hub() -> None:
    world = rated("green")
    assert clock(world, "response").due_at == MORNING + timedelta(hours=72)
    assert clock(world, "decision_on_response").due_at == london("2026-06-03 17:00")


def test_rerated_up_counts_from_the_rerating_unless_the_old_time_was_earlier() -> None:
    world = rated("green")
    world.pass_time(timedelta(hours=10))
    world.give("R", RerateReferral(rating="red"), DUTY)
    assert clock(world, "response").due_at == MORNING + timedelta(hours=14)
    late = rated("green")
    late.pass_time(timedelta(hours=70))
    late.give("R", RerateReferral(rating="red"), DUTY)
    assert clock(late, "response").due_at == MORNING + timedelta(hours=72)


def test_rerated_down_counts_the_new_length_from_the_original_start() -> None:
    world = rated("red")
    world.give("R", BASIS, DUTY)
    world.pass_time(timedelta(hours=3))
    world.give("R", RerateReferral(rating="amber"), DUTY)
    assert clock(world, "response").due_at == MORNING + timedelta(hours=24)
    assert clock(world, "check:police").due_at == MORNING + timedelta(hours=24)


def test_a_recorded_breach_stays_recorded_when_the_rating_falls() -> None:
    world = rated("red")
    world.run_clocks(MORNING + timedelta(hours=4, minutes=1))
    assert clock(world, "response").breached_at == MORNING + timedelta(hours=4)
    world.give("R", RerateReferral(rating="green"), DUTY)
    assert clock(world, "response").missed == (MORNING + timedelta(hours=4),)
    answered(world)
    world.give("R", decision(s0="no_further_action"), MANAGER)
    assert clock(world, "response").verdict == "missed"


def test_rerating_needs_a_reason_and_another_rating_of_the_hub() -> None:
    world = rated("red")
    with pytest.raises(ReasonNeeded):
        world.give("R", RerateReferral(rating="green"), DUTY, None)
    with pytest.raises(Incomplete):
        world.give("R", RerateReferral(rating="red"), DUTY)
    with pytest.raises(NotInProfile, match="red, amber, green"):
        world.give("R", RerateReferral(rating="blue"), DUTY)


def test_sandwell_gives_a_second_rating_after_the_meeting() -> None:
    world = at_stage("mash_meeting")
    with pytest.raises(Incomplete, match="second rating"):
        world.give("R", RecordMeeting(attended=QUORUM), DUTY)
    world.give("R", RecordMeeting(attended=QUORUM, rating="green"), DUTY)
    assert (world.states["R"].stage, world.states["R"].first_rating, world.states["R"].rating) == ("decision", "amber", "green")


def test_a_strategy_discussion_does_not_let_reds_four_hours_be_forgotten() -> None:
    world = rated("red")
    world.give("R", CallStrategyDiscussion(), DUTY)
    world.pass_time(timedelta(minutes=30))
    world.give("R", ENDED, DUTY)
    due = min(running.due_at for running in world.states["R"].running)
    assert world.states["R"].stage == "agency_checks" and due <= MORNING + timedelta(hours=4)


# Strategy discussion and section 47


def test_mertons_red_goes_straight_to_a_strategy_discussion_and_without_section_47_to_the_decision() -> None:
    world = rated("red", MERTON)
    assert world.states["R"].stage == "strategy_discussion"
    world.give("R", ENDED, DUTY)
    assert world.states["R"].stage == "decision"


@pytest.mark.parametrize("stage", [s for s in OPEN if s not in ("contact", "strategy_discussion")])
def test_a_strategy_discussion_is_called_from_any_open_stage_and_returns_where_it_came_from(stage: str) -> None:
    world = at_stage(stage)
    world.give("R", CallStrategyDiscussion(), DUTY)
    assert world.states["R"].stage == "strategy_discussion"
    assert clock(world, "strategy_discussion").owner
    world.give("R", ENDED, DUTY)
    assert world.states["R"].stage == stage
    assert world.states["R"].next_at is not None


@pytest.mark.parametrize("stage", CONCLUDED)
def test_a_concluded_referral_takes_what_is_late_disputed_or_reopened_and_nothing_that_would_move_it(stage: str) -> None:
    offered = {kind for kind, act in STAFF_ACTS.items() if stage in (act.stages or ())}
    withdrawn = {"withdraw_decision", "sign_off_withdrawal"} if stage != "not_taken" else set()
    came_of_age = {"hand_over_to_adults", "keep_past_eighteen", "offer_hand_over", "accept_hand_over", "return_hand_over"}
    assert offered == withdrawn | came_of_age | {
        "complete_action",
        "put_quorum_right",
        "countersign",
        "correct_details",
        "correct_referrer",
        "add_subject",
        "remove_subject",
        "remove_link",
        "reopen_referral",
        "inform_referrer",
        "add_note",
        "break_glass",
        "record_marker",
        "link_referral",
        "answer_check",
        "record_answer_by_telephone",
        "allocate_check",
        "contribute_information",
        "record_child_voice",
        "release_information",
        "decline_disclosure",
        "record_dissent",
        "raise_disagreement",
        "settle_disagreement",
        "take_disagreement_further",
        "acknowledge_alert",
        "pass_alert_on",
        "identify_subject",
        "reject_match",
        "withdraw_identity",
        "open_adult",
        "share_earlier_contact",
    }


@pytest.mark.parametrize("missing", QUORUM)
def test_a_strategy_discussion_without_social_care_police_or_health_has_no_quorum(missing: str) -> None:
    world = at_stage("strategy_discussion")
    attended = tuple(agency for agency in (*QUORUM, "education") if agency != missing)
    with pytest.raises(QuorumNotMet, match=f"missing: {missing}"):
        world.give("R", HELD.model_copy(update={"attended": attended}), DUTY)


def test_the_conference_is_due_fifteen_working_days_after_the_discussion_and_a_further_one_does_not_put_it_off() -> None:
    world = at_stage("enquiries")
    due = clock(world, "initial_conference").due_at
    assert due == london("2026-06-23 17:00")
    world.pass_time(timedelta(days=5))
    world.give("R", CallStrategyDiscussion(), DUTY)
    world.give("R", HELD, DUTY)
    assert [k.due_at for k in world.states["R"].running if k.kind == "initial_conference"] == [due]


def test_a_conference_is_never_recorded_at_a_weekend_nor_before_it_was_held() -> None:
    world = at_stage("conference")
    world.pass_time(timedelta(days=6))
    for day in (date(2026, 6, 6), date(2026, 6, 9)):
        with pytest.raises(Incomplete):
            world.give("R", RecordConference(held_on=day, outcome="no_plan"), DUTY)
    world.give("R", RecordConference(held_on=date(2026, 6, 5), outcome="no_plan"), DUTY)
    assert world.states["R"].stage == "section_47_concluded" and not world.states["R"].open


def test_an_assessment_beside_section_47_continues_alone_when_the_section_47_ends() -> None:
    world = at_stage("enquiries")
    world.give("R", StartAssessment(), DUTY)
    due = clock(world, "assessment").due_at
    world.see("R")
    world.give("R", ConcludeEnquiries(outcome="no_further_child_protection_action"), MANAGER)
    assert world.states["R"].stage == "section_17_assessment" and world.states["R"].open
    assert clock(world, "assessment").running and clock(world, "assessment").due_at == due
    world.give("R", CompleteAssessment(factors=("1A",), outcome="child_in_need_plan"), DUTY)
    assert world.states["R"].subjects["s0"].outcome == "child_in_need_plan"


def test_an_assessment_goes_on_while_a_strategy_discussion_is_held_and_after_it() -> None:
    world = at_stage("section_17_assessment")
    world.give("R", CallStrategyDiscussion(), DUTY)
    assert world.states["R"].assessment_under_way and clock(world, "assessment").running
    world.give("R", HELD, DUTY)
    assert "complete_assessment" in possible(world.states["R"])
    assert "start_assessment" not in possible(world.states["R"])


def test_factor_21_stands_alone() -> None:
    world = at_stage("section_17_assessment")
    with pytest.raises(Incomplete, match="8869"):
        world.give("R", CompleteAssessment(factors=("21", "1A"), outcome="no_further_action"), DUTY)


# Decisions


def test_the_first_decision_is_the_managers_and_has_a_reason_a_need_and_an_outcome_for_everybody() -> None:
    world = at_decision("child", "child")
    whole = decision(s0="early_help", s1="early_help")
    for broken, by, entries, refusal in (
        (whole, person("social_worker"), WORDS, NotYours),
        (whole, MANAGER, None, ReasonNeeded),
        (decision(s0="early_help"), MANAGER, WORDS, Incomplete),
        (whole.model_copy(update={"primary_need": None}), MANAGER, WORDS, Incomplete),
        (RecordDecision(outcomes={"s0": "transfer", "s1": "transfer"}), MANAGER, WORDS, Incomplete),
    ):
        with pytest.raises(refusal):
            world.give("R", broken, by, entries)
    world.give("R", whole, MANAGER)
    assert world.states["R"].stage == "step_down_preparing"


def test_subjects_whose_paths_differ_go_on_as_linked_referrals() -> None:
    world = at_decision("child", "child", "child", "adult", referrer_reachable=True)
    world.give("R", decision(s0="section_47", s1="early_help", s2="early_help", s3="no_further_action"), MANAGER)
    whose = {reference: (tuple(r.subjects), r.stage) for reference, r in world.states.items()}
    assert whose == {
        "R": (("s0",), "strategy_discussion"),
        "R-B": (("s1", "s2"), "step_down_preparing"),
        "R-C": (("s3",), "no_further_action"),
    }
    for reference in ("R-B", "R-C"):
        linked = world.states[reference]
        assert (linked.parent, linked.received_at, linked.rating) == ("R", MORNING, "blue")
        assert [each.id for each in linked.running if each.kind == "outcome_told"] == ["outcome_told"], "told once"


def test_a_safe_contact_warning_goes_along_with_every_linked_referral() -> None:
    world = at_decision("child", "child", consent=ReportedConsent(safe_contact_warning=True))
    world.give("R", decision(s0="section_17", s1="early_help"), MANAGER)
    assert all(referral.consent.safe_contact_warning for referral in world.states.values())


def test_a_step_down_is_open_until_the_service_accepts_it() -> None:
    world = at_stage("step_down_offered")
    assert world.states["R"].open and clock(world, "step_down_offered").owner == "early_help"
    world.give("R", AcceptStepDown(), person("early_help", "early_help"))
    assert not world.states["R"].open and world.states["R"].subjects["s0"].outcome == "early_help"


def test_a_returned_step_down_steps_up_to_a_new_decision() -> None:
    world = at_stage("step_down_offered")
    with pytest.raises(ReasonNeeded):
        world.give("R", ReturnStepDown(), person("early_help", "early_help"), None)
    world.give("R", ReturnStepDown(), person("early_help", "early_help"))
    assert world.states["R"].stage == "decision" and world.states["R"].next_at is not None
    world.give("R", decision(s0="section_17"), MANAGER)
    assert world.states["R"].stage == "section_17_assessment"


def test_reopening_corrects_a_mistaken_closure_and_starts_a_clock_from_now() -> None:
    world = at_decision(referrer_reachable=True)
    world.give("R", decision(s0="no_further_action"), MANAGER)
    world.give("R", RecordTold(what="outcome"), SYSTEM, None)
    world.give("R", RecordTold(what="acknowledgement"), SYSTEM, None)
    assert world.states["R"].finished
    world.pass_time(timedelta(days=20))
    for by, entries, refusal in ((person("social_worker"), WORDS, NotYours), (MANAGER, None, ReasonNeeded)):
        with pytest.raises(refusal):
            world.give("R", ReopenReferral(), by, entries)
    world.give("R", ReopenReferral(), MANAGER)
    referral = world.states["R"]
    assert (referral.stage, referral.open, referral.decided_at) == ("decision", True, None)
    assert referral.due_at is not None and referral.due_at > world.now
    world.give("R", decision(s0="early_help"), MANAGER)
    assert any(running.kind == "outcome_told" for running in world.states["R"].running)


def test_what_is_not_possible_says_the_stage_and_what_is() -> None:
    world = arrived()
    with pytest.raises(ImpossibleMove) as refusal:
        world.give("R", decision(s0="advice"), MANAGER)
    assert refusal.value.facts == {
        "stage": "triage",
        "command": "record_decision",
        "possible": list(named(world.states["R"])),
    }
    assert "rate_referral" in refusal.value.reason


# What the hub does not take


def test_a_contact_about_an_adult_is_signposted_by_merton_recorded_and_concluded() -> None:
    world = arrived(MERTON, MORNING, "adult", referrer_reachable=True)
    assert world.states["R"].stage == "to_confirm_not_ours" and world.states["R"].open
    world.give("R", ConfirmNotOurs(signposted_to="adults_social_care"), DUTY)
    referral = world.states["R"]
    assert (referral.stage, referral.open, referral.subjects["s0"].outcome) == ("not_taken", False, "signposted")
    assert {running.kind for running in referral.running} == {"acknowledgement", "outcome_told"}


@pytest.mark.parametrize(
    ("cohorts", "fields"),
    [(("adult",), {"immediate_danger": True}), (("adult", "child"), {}), (("unknown",), {})],
    ids=["in immediate danger", "with a child", "of unknown age"],
)
def test_somebody_merton_may_have_to_act_on_is_seen_by_a_person(cohorts: tuple[str, ...], fields: dict[str, Any]) -> None:
    assert arrived(MERTON, MORNING, *cohorts, **fields).states["R"].stage == "triage"


def test_sandwell_takes_adults_in_domestic_abuse_and_signposts_other_adults() -> None:
    assert arrived(SANDWELL, MORNING, "adult", categories=("domestic_abuse",)).states["R"].stage == "triage"
    assert arrived(SANDWELL, MORNING, "adult").states["R"].stage == "to_confirm_not_ours"


# The ladder


def test_a_missed_clock_climbs_the_ladder_and_tells_the_last_rung_again_and_again() -> None:
    world = arrived()
    entries = world.run_clocks(MORNING + timedelta(hours=15))
    climbs = [(event.role, (at - MORNING) / timedelta(hours=1)) for at, event in entries if isinstance(event, ClockEscalated)]
    assert climbs == [
        ("duty_manager", 1.0),
        ("practice_manager", 1.5),
        ("service_manager", 2.5),
        ("service_manager", 6.5),
        ("service_manager", 10.5),
        ("service_manager", 14.5),
    ]


def test_an_acknowledged_alert_climbs_no_further_and_is_renewed_when_nothing_happens() -> None:
    world = arrived(SANDWELL)
    world.run_clocks(MORNING + timedelta(hours=1, minutes=10))
    assert world.states["R"].alerts == ("triage",)
    world.give("R", AcknowledgeAlert(clock="triage"), DUTY)
    acknowledged_at = world.now
    assert world.states["R"].alerts == () and "acknowledge_alert" not in possible(world.states["R"])
    entries = world.run_clocks(acknowledged_at + timedelta(hours=1))
    assert [(at, event.id) for at, event in entries if isinstance(event, ClockEscalated) and event.id == "triage"] == [
        (acknowledged_at + timedelta(hours=1), "triage")
    ]
    assert world.states["R"].alerts == ("triage",)


def test_doing_what_a_clock_waits_for_ends_its_alert() -> None:
    world = arrived()
    world.run_clocks(MORNING + timedelta(hours=2))
    world.give("R", RateReferral(rating="red"), DUTY)
    assert world.states["R"].alerts == () and clock(world, "triage").met is False


def test_an_agency_is_chased_first_then_its_lead_and_then_the_hub() -> None:
    world = rated("red")
    world.give("R", BASIS, DUTY)
    for agency in world.states["R"].outstanding:
        if agency != "police":
            world.give("R", AnswerCheck(agency=agency, known=False), person("navigator", agency))
    entries = world.run_clocks(MORNING + timedelta(hours=6))
    notices = [
        (event.role, (at - MORNING) / timedelta(hours=1))
        for at, event in entries
        if isinstance(event, ClockWarned | ClockEscalated) and event.id == "check:police"
    ]
    assert notices == [
        ("police_navigator", 2.0),
        ("police_navigator", 3.2),
        ("police_lead", 4.0),
        ("duty_manager", 5.0),
        ("practice_manager", 5.5),
    ]


def test_telling_the_referrer_stops_the_clock_once_and_a_second_telling_changes_nothing() -> None:
    world = arrived(referrer_reachable=True)
    assert world.give("R", RecordTold(what="acknowledgement"), SYSTEM, None)
    assert clock(world, "acknowledgement").met is True
    assert world.give("R", RecordTold(what="acknowledgement"), SYSTEM, None) == []


# Another profile


def test_a_profile_without_the_present_rating_is_not_adopted() -> None:
    world = at_decision()
    world.profile = SANDWELL
    with pytest.raises(NotInProfile, match="blue"):
        world.give("R", AdoptProfile(digest=SANDWELL.digest), DUTY)


def test_another_hubs_profile_is_not_adopted() -> None:
    world = rated("red")
    world.profile = MERTON
    with pytest.raises(Refusal):
        world.give("R", AdoptProfile(digest=MERTON.digest), DUTY)


def test_a_check_of_an_agency_that_left_the_profile_still_escalates() -> None:
    world = rated("red")
    world.give("R", BASIS, DUTY)
    fewer = {name: agency for name, agency in SANDWELL.agencies.items() if name != "housing"}
    world.profile = Profile.model_validate({**SANDWELL.model_dump(), "agencies": fewer, "area": "a later version"})
    world.give("R", AdoptProfile(digest=world.profile.digest), DUTY)
    entries = world.run_clocks(MORNING + timedelta(hours=5))
    assert any(isinstance(event, ClockEscalated) and event.id == "check:housing" for _, event in entries)


# --- every kind of command, decided again ---------------------------------------------------------------------------------

THIS_YEAR = tuple(
    Match(
        subject="s0", reference=f"MASH-26-00000{n}", other="S1", likeness=likeness, why=("same_name",),
        received_at=MORNING - timedelta(days=30),
    )
    for n, likeness in ((1, "confirmed"), (2, "confirmed"), (3, "likely"))
)  # fmt: skip
SECONDED = MERTON.model_copy(
    update={"sign_off": {"blue": SignOff(ratings=("blue",), outcomes=("no_further_action",), role="service_manager")}}
)


def after(begun: Family, *given: tuple[Any, Actor]) -> Family:
    """That case, with these commands given."""
    for command, by in given:
        begun.give("R", command, by)
    return begun


def alerted() -> Family:
    begun = arrived()
    begun.run_clocks(MORNING + timedelta(hours=1))
    return begun


def to_disclose() -> Family:
    """An agency holds what it owes by the guidance's edition that knows the duty."""
    basis = BASIS.model_copy(update={"lawful_basis": "duty_to_disclose"})
    begun = after(arrived(load_profile("merton", None, "2026")), (basis, DUTY), (RateReferral(rating="amber"), DUTY))
    return after(begun, (AnswerCheck(agency="police", known=True, relevant=True), person("agency", "police")))


def short_of_one() -> Family:
    held = RecordStrategyDiscussion(attended=QUORUM[:2], outcome="section_47", without_quorum="not_reached")
    return after(at_stage("strategy_discussion"), (held, DUTY))


def to_be_withdrawn() -> Family:
    begun = after(rated("blue", SECONDED), (decision(s0="no_further_action"), MANAGER))
    return after(begun, (SignOffDecision(agreed=True), person("service_manager")), (WithdrawDecision(), MANAGER))


STARTS: dict[str, Callable[[], Family]] = {
    **{stage: partial(at_stage, stage) for stage in SEEN if stage != "triage"},
    "triage": arrived,
    "triage, in danger": partial(arrived, immediate_danger=True),
    "nobody has rated in time": alerted,
    "an unborn child": partial(arrived, SANDWELL, MORNING, "unborn"),
    "one to whom it is safe to write": partial(arrived, referrer_reachable=True),
    "one to whom it is not": partial(arrived, referrer_reachable=True, writing_unsafe=True),
    "a hub of several places": partial(arrived, load_profile("cambridgeshire")),
    "a professional is accused": partial(arrived, SANDWELL, MORNING, "child", "adult", categories=("professional_concern",)),
    "others about the same child": lambda: after(arrived(), (RecordKnown(matches=THIS_YEAR), SYSTEM)),
    "two about the same child": lambda: after(arrived(), (RecordKnown(matches=THIS_YEAR[:2]), SYSTEM)),
    "contacts add up": lambda: after(
        arrived(MERTON),
        (RecordKnown(matches=THIS_YEAR[:2]), SYSTEM),
        (RateReferral(rating="blue"), DUTY),
        (WeighContacts(), MANAGER),
        (decision(s0="no_further_action"), MANAGER),
    ),
    "agencies are asked": lambda: after(rated("amber"), (BASIS, DUTY)),
    "an agency owes what it holds": to_disclose,
    "rated down by two, in danger": partial(rated, "amber", immediate_danger=True),
    "one was missing": short_of_one,
    "a decision is to be withdrawn": to_be_withdrawn,
}
"""Where a history may begin, from which each kind of command is reached."""
ACTING = (
    *(person(role) for role in (*HUB_ROLES, "service_manager", "adult_social_worker")),
    *(Actor(id=login, role="social_worker", agency="social_care", hub="any") for login in WORKERS),
    *(person("agency", agency) for agency in ("police", "health", "housing")),
    SYSTEM,
)


Step = tuple[Any, Actor, datetime]
"""A command, who gave it, and when."""


def led_on() -> tuple[set[str], list[Family]]:
    """Which kinds of commands were given, and decided again; and the histories in which they were. Whatever can be done for the
    first time is done where it can, and from there histories go on."""
    reached = {"receive_contact"}
    worlds = {(start,): (begin(), list[Step]()) for start, begin in STARTS.items()}
    tried = set[tuple[str, tuple[str, ...]]]()
    while ahead := [(kind, path) for kind in ACTS if kind not in reached for path in worlds if (kind, path) not in tried]:
        for kind, path in ahead:
            if kind in reached:
                continue
            tried.add((kind, path))
            world, steps = worlds[path]
            if step := first_given(kind, world):
                worlds[*path, kind] = world, [*steps, step]
                worlds[path] = played_again(path[0], steps), steps
                reached.add(kind)
    return reached, [world for world, _ in worlds.values()]


def played_again(start: str, steps: Sequence[Step]) -> Family:
    world = STARTS[start]()
    for command, by, at in steps:
        world.now = at
        world.give("R", command, by, fresh(WORDS, world, "R"), **beside_of(command, world.states["R"]))
    return world


def first_given(kind: str, world: Family) -> Step | None:
    """The first sensible command of this kind that somebody may give in this world, who gives it, and when."""
    referral = world.states["R"]
    if ACTS[kind].stages is not None and kind not in possible(referral):
        return None
    if kind == "fire_clocks" and referral.next_at:
        world.now = max(world.now, referral.next_at)
    for place in range(3):
        command = a_command(kind, referral, world, lambda values, place=place: values[place % len(values)], sensible=True)
        for by in ACTING:
            try:
                world.give("R", command, by, fresh(WORDS, world, "R"), **beside_of(command, world.states["R"]))
            except Refusal:
                continue
            if kind in world.kinds:
                return command, by, world.now
    return None


def test_each_kind_of_command_is_decided_again_in_a_history_of_its_own() -> None:
    reached, histories = led_on()
    missing = [kind for kind in REBUILDS if kind not in reached]
    assert missing == [], f"no history of {missing}: add where one begins"
    assert [what for history in histories for what in history.decided_again()] == []
