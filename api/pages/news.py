"""What happened last, in a few words of a board: 'Police answered'."""

from __future__ import annotations

from datetime import datetime

from mash.api.pages.words import when
from mash.config.words import agency_title, sentence, worded
from mash.flows.telling.story import named
from mash.states.acts.allocating import CaseAllocated
from mash.states.acts.by_telephone import AnswerTakenDown
from mash.states.acts.checks import CheckAnswered, ChecksRequested
from mash.states.acts.contact import ContactReceived, ContinuedFrom
from mash.states.acts.meetings import MeetingConvened
from mash.states.acts.rating import ReferralRated, ReferralRerated
from mash.states.acts.scheduling import StrategyDiscussionScheduled
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.course import AlertAcknowledged
from mash.states.log import Recorded
from mash.states.profile import Profile


def in_short(recorded: Recorded, rules: Profile | None, now: datetime) -> str:
    """An event in a few words; who did it is not said, but for an agency."""
    event = recorded.event
    match event:
        case ContactReceived():
            return "Came in"
        case ContinuedFrom():
            return "Split from another case"
        case CheckAnswered():
            return sentence(f"{agency_title(rules, event.agency)} answered")
        case AnswerTakenDown():
            return sentence(f"{agency_title(rules, event.agency)} answered by telephone")
        case ChecksRequested():
            return "Agencies asked"
        case ReferralRated():
            return f"Rated {worded(event.rating, rules)}"
        case ReferralRerated():
            return f"Now rated {worded(event.rating, rules)}"
        case SharingBasisRecorded():
            return "May be shared" if event.share else "May not be shared"
        case MeetingConvened():
            return f"Meeting set, {when(event.at, now)}"
        case StrategyDiscussionScheduled():
            return f"Strategy discussion set, {when(event.at, now)}"
        case CaseAllocated():
            return "Somebody has it"
        case AlertAcknowledged():
            return "Alert taken"
        case _:
            return named(event)
