"""The closed unions of what people may ask and of what may happen, a line each. A part that is missing is named at import."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args

from pydantic import Field

from mash.states import acts, course
from mash.states.acts import (
    across,
    actions,
    alerts,
    allocating,
    assessment,
    birth,
    by_telephone,
    checks,
    child_voice,
    closing,
    contact,
    corrections,
    countersigning,
    decisions,
    disagreements,
    disclosing,
    episodes,
    handing_over,
    information,
    informing,
    known,
    meetings,
    not_ours,
    of_age,
    orders,
    parting,
    protection,
    quorum,
    rating,
    scheduling,
    seconding,
    shared,
    sharing,
    siblings,
    step_down,
    upkeep,
    weighing,
    withdrawing,
)
from mash.states.errors import Owed
from mash.states.fold import BEGINNINGS, FOLDS
from mash.states.rebuild import REBUILDS
from mash.states.register import ACTS, Act, kind_of, place_of
from mash.states.stages import ALL, GROUPS, SEEN, STAGES
from mash.states.usual import USUAL
from mash.states.values import CommandBase, EventBase

StaffCommand = Annotated[
    not_ours.ConfirmNotOurs
    | not_ours.TakeContact
    | contact.ConcludeConsultation
    | contact.AssignPlace
    | rating.RateReferral
    | rating.RerateReferral
    | allocating.AllocateCase
    | allocating.GiveCaseBack
    | sharing.RecordSharingBasis
    | seconding.AgreeAsSecond
    | countersigning.Countersign
    | sharing.RecordAdultView
    | child_voice.RecordChildVoice
    | sharing.RecordThreshold
    | sharing.RecordMarker
    | contact.RecordCategories
    | contact.CorrectCohort
    | contact.RecordAccused
    | corrections.CorrectDetails
    | corrections.CorrectReferrer
    | corrections.AddSubject
    | corrections.RemoveSubject
    | known.IdentifySubject
    | known.RejectMatch
    | known.WithdrawIdentity
    | known.OpenAdult
    | across.AskOtherHubs
    | weighing.WeighContacts
    | episodes.AttachContact
    | episodes.CloseDuplicate
    | birth.RecordBirth
    | of_age.HandOverToAdults
    | of_age.KeepPastEighteen
    | checks.AskAgencies
    | checks.AnswerCheck
    | by_telephone.RecordAnswerByTelephone
    | checks.AllocateCheck
    | information.BreakGlass
    | information.ContributeInformation
    | information.ReleaseInformation
    | disclosing.DeclineDisclosure
    | shared.ShareEarlierContact
    | checks.ProceedWithoutReplies
    | meetings.ConveneMeeting
    | meetings.RecordMeeting
    | scheduling.CancelMeeting
    | actions.RecordAction
    | actions.CompleteAction
    | meetings.RecordDissent
    | decisions.RecordDecision
    | weighing.WriteSecondView
    | decisions.SignOffDecision
    | withdrawing.WithdrawDecision
    | withdrawing.SignOffWithdrawal
    | protection.CallStrategyDiscussion
    | scheduling.ScheduleStrategyDiscussion
    | protection.RecordStrategyDiscussion
    | quorum.PutQuorumRight
    | orders.RecordProtectionOrder
    | orders.EndProtectionOrder
    | protection.ConcludeEnquiries
    | protection.RecordConference
    | assessment.StartAssessment
    | assessment.CompleteAssessment
    | step_down.OfferStepDown
    | step_down.AcceptStepDown
    | step_down.ReturnStepDown
    | handing_over.OfferHandOver
    | handing_over.AcceptHandOver
    | handing_over.ReturnHandOver
    | assessment.CompleteAdultEnquiry
    | disagreements.RaiseDisagreement
    | disagreements.SettleDisagreement
    | disagreements.TakeDisagreementFurther
    | informing.InformReferrer
    | upkeep.LinkReferral
    | upkeep.RemoveLink
    | alerts.AcknowledgeAlert
    | alerts.PassAlertOn
    | closing.ReopenReferral
    | upkeep.AdoptProfile
    | upkeep.AddNote,
    Field(discriminator="kind"),
]
"""What a person with a role may ask, in the order in which it is offered."""

SystemCommand = (
    contact.ReceiveContact
    | alerts.FireClocks
    | of_age.SayOfAge
    | allocating.SayPresence
    | alerts.SeeAlert
    | informing.RecordTold
    | siblings.RecordSteppedUp
    | siblings.RecordNotToTell
    | upkeep.RecordLinked
    | upkeep.RecordUnlinked
    | known.RecordKnown
    | known.RecordIdentified
    | known.RecordIdentityWithdrawn
    | known.RecordRejected
    | episodes.RecordAdded
    | shared.RecordLineReleased
    | corrections.RecordHousehold
    | episodes.RecordTakenBack
    | closing.ErasePeople
)
Command = StaffCommand | SystemCommand

Event = Annotated[
    contact.ContactReceived
    | contact.ContinuedFrom
    | course.StageEntered
    | not_ours.NotOursConfirmed
    | not_ours.ContactTaken
    | contact.ConsultationConcluded
    | contact.PlaceAssigned
    | rating.ReferralRated
    | rating.ReferralRerated
    | allocating.CaseAllocated
    | allocating.CaseGivenBack
    | allocating.PresenceSaid
    | sharing.SharingBasisRecorded
    | seconding.SecondAgreed
    | seconding.SecondNamed
    | seconding.OverrideProposed
    | countersigning.Countersigned
    | sharing.AdultViewRecorded
    | child_voice.ChildVoiceRecorded
    | sharing.ThresholdRecorded
    | sharing.MarkerRecorded
    | contact.CategoriesRecorded
    | contact.CohortCorrected
    | contact.AccusedRecorded
    | corrections.DetailsCorrected
    | corrections.ReferrerCorrected
    | corrections.SubjectAdded
    | corrections.SubjectRemoved
    | known.LikelyKnown
    | known.SubjectIdentified
    | known.IdentityWithdrawn
    | known.MatchRejected
    | known.AdultOpened
    | across.AskedAcrossHubs
    | weighing.ContactsWeighed
    | episodes.ContactAttached
    | episodes.ContactAdded
    | episodes.ContactTakenBack
    | birth.BirthRecorded
    | of_age.ComingOfAgeSaid
    | handing_over.HandedOverToAdults
    | of_age.KeptPastEighteen
    | information.GlassBroken
    | information.InformationContributed
    | information.InformationReleased
    | disclosing.DisclosureDeclined
    | shared.EarlierContactShared
    | checks.ChecksRequested
    | checks.CheckAllocated
    | checks.CheckAnswered
    | by_telephone.AnswerTakenDown
    | checks.ProceededWithoutReplies
    | meetings.MeetingConvened
    | meetings.MeetingHeld
    | scheduling.MeetingCancelled
    | actions.ActionRecorded
    | actions.ActionCompleted
    | meetings.DissentRecorded
    | decisions.DecisionProposed
    | decisions.SignOffRefused
    | weighing.SecondViewWritten
    | decisions.DecisionRecorded
    | parting.ReferralSplit
    | withdrawing.WithdrawalProposed
    | withdrawing.WithdrawalRefused
    | withdrawing.DecisionWithdrawn
    | protection.StrategyDiscussionCalled
    | scheduling.StrategyDiscussionScheduled
    | protection.StrategyDiscussionHeld
    | quorum.QuorumPutRight
    | orders.ProtectionOrderRecorded
    | orders.ProtectionOrderEnded
    | protection.EnquiriesConcluded
    | protection.ConferenceHeld
    | assessment.AssessmentStarted
    | assessment.AssessmentCompleted
    | step_down.StepDownOffered
    | step_down.StepDownAccepted
    | step_down.StepDownReturned
    | handing_over.HandOverOffered
    | handing_over.HandOverAccepted
    | handing_over.HandOverReturned
    | handing_over.HandOverCalledOff
    | assessment.AdultEnquiryCompleted
    | disagreements.DisagreementRaised
    | disagreements.DisagreementSettled
    | disagreements.DisagreementTakenFurther
    | siblings.LinkedCaseSteppedUp
    | upkeep.ReferralLinked
    | upkeep.LinkRemoved
    | closing.SubjectsConcluded
    | closing.ReferralReopened
    | upkeep.ProfileAdopted
    | upkeep.NoteAdded
    | informing.ReferrerTold
    | informing.ReferrerInformed
    | closing.PeopleErased
    | course.ClocksStarted
    | course.ClocksStopped
    | course.ClockMoved
    | course.ClockWarned
    | course.ClockBreached
    | course.ClockEscalated
    | course.AlertAcknowledged
    | course.AcknowledgementEnded
    | course.AlertSeen,
    Field(discriminator="kind"),
]


def _listed(union: Any) -> tuple[type[Any], ...]:
    return tuple(each for part in get_args(union) for each in (get_args(part) or (part,)) if isinstance(each, type))


STAFF_COMMANDS, EVENTS = _listed(StaffCommand), _listed(Event)
HOME = "states/messages.py"


def _owed() -> Iterator[str]:
    """What is missing, by the file in which it is owed."""
    for module in pkgutil.iter_modules(acts.__path__):
        importlib.import_module(f"{acts.__name__}.{module.name}")
    commands = {*STAFF_COMMANDS, *get_args(SystemCommand)}
    for command in CommandBase.__subclasses__():
        if command not in commands:
            yield f"{HOME}: expected a line for {command.__name__} in StaffCommand ({place_of(command)})"
        if kind_of(command) not in ACTS:
            yield f"{place_of(command)}: expected a function with @act({command.__name__}, ...), which decides it"
        if kind_of(command) not in REBUILDS:
            yield f"{place_of(command)}: expected @rebuilds({command.__name__}, ...), or says_all: what its events say of it"
    for event in EventBase.__subclasses__():
        if event not in EVENTS:
            yield f"{HOME}: expected a line for {event.__name__} in Event ({place_of(event)})"
        if event not in FOLDS and event not in BEGINNINGS:
            yield f"{place_of(event)}: expected @folds({event.__name__}), or changes_nothing({event.__name__})"
    for act in ACTS.values():
        if act.stages is None and act.command in STAFF_COMMANDS:
            yield f"{act.place}: expected the stages in which a person may give {act.kind}"
        for stage in set(act.stages or ()) - set(ALL):
            yield f"states/stages.py: expected the stage '{stage}', which {act.place} names"
    interrupted = {place.name for place in (*GROUPS, *STAGES) if place.interrupted}
    calls = ACTS[kind_of(protection.CallStrategyDiscussion)].stages or ()
    for each in STAGES:
        if each.name in calls and not {each.name, each.within} & {*interrupted, "protection"}:
            yield f"states/stages.py: {each.name}: a strategy discussion may be called there: expected interrupted=True"
    for stage in SEEN:
        if stage not in USUAL:
            yield f"states/acts: expected a function with @usually('{stage}'), beside the acts of that stage"
    for stage in set(USUAL) - set(SEEN):
        yield f"states/stages.py: expected the open stage '{stage}', which {place_of(USUAL[stage])} names"


if _missing := sorted(_owed()):
    raise Owed(_missing)

STAFF_ACTS: Mapping[str, Act] = {kind_of(command): ACTS[kind_of(command)] for command in STAFF_COMMANDS}
"""What people may do, by the command's kind, in the order in which it is offered."""
