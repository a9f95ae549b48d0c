"""What Prefect may say of a case to whoever looks after the installation. All of it comes from lists of what may be said:
whatever is on none of them, a new kind of event too, is not said until somebody has thought about it and put it there.

Prefect has one login, and no roles: its readers know of no case what it is about, what was found, or who anybody is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, TypeVar

from mash.config.permissions import roles
from mash.config.words import agency_title, stage_title, worded
from mash.flows.telling.story import named
from mash.states.clocks import dated
from mash.states.course import ClocksStarted
from mash.states.log import Recorded
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.reading import of_any_child, told_to_all
from mash.states.referral import StartedClock, whose
from mash.states.stages import CLOCKED, STAGE_TITLES
from mash.states.values import SYSTEM

SOMEBODY = "somebody"
"""In place of a role that is no role of the product or of the hub's profile."""

_CLOCKS = {
    **dict.fromkeys(CLOCKED, ""),
    "check": "reply of {agency}",
    "confirmation": "confirmation by {agency} of what it said by telephone",
    "response": "the response that the rating asks for",
    "decision_on_response": "decision on the response",
    "allocation": "allocation to a worker",
    "assessment": "child and family assessment",
    "initial_conference": "child protection conference",
    "acknowledgement": "acknowledgement to the referrer",
    "outcome_told": "telling the referrer the outcome",
    "answer_told": "answer to the referrer who disagreed",
    "withdrawal_told": "telling the referrer that the decision no longer holds",
    "countersignature": "agreement of a second person",
    "withdrawal_sign_off": "agreement to withdraw the decision",
    "disagreement": "disagreement to be determined",
    "hand_over": "acceptance of a hand-over",
    "disclosure": "what an agency is to disclose",
    "quorum_put_right": "hearing who did not take part in the discussion",
    "action": "an action that was agreed",
}
"""What clocks wait for, in words, by kind; a stage's own clock by the stage's title. To whom something is handed over is not
said, nor that an order protects a child or a birth is awaited: that says what a case is about."""

C = TypeVar("C", bound=StartedClock)
Facts = Callable[[Any, Profile | None], Iterable[str]]


def _nothing(event: Event, profile: Profile | None) -> Iterable[str]:
    """That it happened, and no more."""
    return ()


def _rating(event: Any, profile: Profile | None) -> Iterable[str]:
    yield worded(event.rating)


def _rating_anew(event: Any, profile: Profile | None) -> Iterable[str]:
    yield f"{worded(event.rating)}, before {worded(event.before)}"


def _stage(event: Any, profile: Profile | None) -> Iterable[str]:
    if event.stage in STAGE_TITLES:
        yield stage_title(event.stage, profile)


def _agencies(event: Any, profile: Profile | None) -> Iterable[str]:
    yield ", ".join(agency_title(profile, name) for name in event.agencies)


def _linked(event: Any, profile: Profile | None) -> Iterable[str]:
    yield str(event.reference)


def _started(event: Any, profile: Profile | None) -> Iterable[str]:
    for what, clocks in clocks_in_words(event.clocks, profile):
        yield f"{what}, due {dated(clocks[0].due_at)}"


def _moved(event: Any, profile: Profile | None) -> Iterable[str]:
    yield from _started(ClocksStarted(clocks=(event.clock,)), profile)


def _stopped(event: Any, profile: Profile | None) -> Iterable[str]:
    said = ", ".join(filter(None, (_of_id(name, profile) for name in event.ids)))
    if said:
        yield f"{said} ({'it happened' if event.met else 'it is not needed any more'})"


def _reminded(event: Any, profile: Profile | None) -> Iterable[str]:
    if what := _of_id(event.id, profile):
        to = f", to the {role_in_words(event.role, profile)}" if hasattr(event, "role") else ""
        yield f"{what}, due {dated(event.due_at)}{to}"


def _of_alert(event: Any, profile: Profile | None) -> Iterable[str]:
    yield from filter(None, [_of_id(event.id, profile)])


SAID: dict[str, Facts] = {
    # Where it stands, and what it waits for.
    "contact_received": _nothing,
    "continued_from": _nothing,
    "contact_taken": _nothing,
    "stage_entered": _stage,
    "referral_rated": _rating,
    "referral_rerated": _rating_anew,
    "referral_split": _linked,
    "referral_reopened": _nothing,
    "place_assigned": _nothing,
    "profile_adopted": _nothing,
    "clocks_started": _started,
    "clocks_stopped": _stopped,
    "clock_moved": _moved,
    "clock_warned": _reminded,
    "clock_breached": _reminded,
    "clock_escalated": _reminded,
    "alert_acknowledged": _of_alert,
    "alert_seen": _of_alert,
    "acknowledgement_ended": _of_alert,
    # What people did, without what they found, decided or wrote.
    "note_added": _nothing,
    "sharing_basis_recorded": _nothing,
    "checks_requested": _agencies,
    "check_allocated": _nothing,
    "check_answered": _nothing,
    "answer_taken_down": _nothing,
    "proceeded_without_replies": _nothing,
    "information_contributed": _nothing,
    "information_released": _nothing,
    "disclosure_declined": _nothing,
    "consultation_concluded": _nothing,
    "not_ours_confirmed": _nothing,
    "threshold_recorded": _nothing,
    "meeting_convened": _nothing,
    "meeting_held": _nothing,
    "meeting_cancelled": _nothing,
    "strategy_discussion_called": _nothing,
    "strategy_discussion_scheduled": _nothing,
    "strategy_discussion_held": _nothing,
    "quorum_put_right": _nothing,
    "enquiries_concluded": _nothing,
    "conference_held": _nothing,
    "assessment_started": _nothing,
    "assessment_completed": _nothing,
    "decision_proposed": _nothing,
    "decision_recorded": _nothing,
    "decision_withdrawn": _nothing,
    "sign_off_refused": _nothing,
    "withdrawal_proposed": _nothing,
    "withdrawal_refused": _nothing,
    "second_named": _nothing,
    "second_agreed": _nothing,
    "countersigned": _nothing,
    "action_recorded": _nothing,
    "action_completed": _nothing,
    "case_allocated": _nothing,
    "case_given_back": _nothing,
    "step_down_offered": _nothing,
    "step_down_accepted": _nothing,
    "step_down_returned": _nothing,
    "hand_over_offered": _nothing,
    "hand_over_accepted": _nothing,
    "hand_over_returned": _nothing,
    "hand_over_called_off": _nothing,
    "subjects_concluded": _nothing,
    "dissent_recorded": _nothing,
    "disagreement_raised": _nothing,
    "disagreement_taken_further": _nothing,
    "disagreement_settled": _nothing,
    "referrer_told": _nothing,
    "referrer_informed": _nothing,
    "details_corrected": _nothing,
    "referrer_corrected": _nothing,
    "glass_broken": _nothing,
    "people_erased": _nothing,
}
"""The kinds of events that are said, and which of their facts."""

_CALLED = {
    "alert_acknowledged": "Somebody has the alert",
    "clocks_started": "Awaited",
    "clock_moved": "Awaited by another time",
    "proceeded_without_replies": "Went on without some replies",
    "sharing_basis_recorded": "Reason for sharing recorded",
    "subjects_concluded": "An outcome was reached",
}
"""What some of them are called here, where their own names are not the words of the hub's pages."""

NOTICES_SAID = frozenset(
    {
        "acknowledgement", "action_agreed", "all_clear", "case_allocated", "case_changed", "case_given_back", "case_taken_over",
        "chase", "check_request", "confirm_answer", "consultation", "contact_to_rate", "countersignature",
        "countersignature_refused", "decision_withdrawn", "disagreement", "disagreement_changed", "disagreement_settled",
        "disclosure_owed", "escalation", "glass_broken", "hand_over_called_off", "hand_over_not_accepted", "hand_over_offered",
        "hand_over_returned", "hand_over_to_make", "immediate_danger", "inform_referrer", "meeting_called_off",
        "meeting_convened", "not_ours_to_confirm", "outcome", "quorum_missing", "referral_split", "ring_invited", "sign_off",
        "sign_off_refused", "step_down_not_accepted", "step_down_offered", "step_down_returned", "strategy_discussion",
        "strategy_discussion_called_off", "strategy_discussion_scheduled", "system", "taken", "warning", "withdrawal",
        "withdrawal_refused", "withdrawal_sign_off", "worker_away",
    }
)  # fmt: skip
"""The kinds of notices of which is said that they were sent, to which role: none that says what a case is about."""


def role_in_words(role: str, profile: Profile | None) -> str:
    """A role in words; SOMEBODY where it is none of the product's, nor of the hub's agencies."""
    of_hub = {name for agency in profile.agencies.values() for name in (agency.role, agency.lead)} if profile else set()
    return worded(role) if role in roles() or role in of_hub or role == SYSTEM else SOMEBODY


def _in_words(kind: str, clock_id: str, profile: Profile | None) -> str:
    """What a clock waits for, in words; empty where that is not to be said."""
    if kind not in _CLOCKS:
        return ""
    return _CLOCKS[kind].format(agency=agency_title(profile, whose(clock_id))) or worded(kind, profile)


def _of_id(clock_id: str, profile: Profile | None) -> str:
    """The same of a clock that an event names: what comes before the agency, or the number of the time, is its kind."""
    return _in_words(clock_id.partition(":")[0].partition(".")[0], clock_id, profile)


def clocks_in_words(clocks: Iterable[C], profile: Profile | None) -> Iterator[tuple[str, tuple[C, ...]]]:
    """What clocks wait for, as far as it may be said: a text for each, and one for replies that are due at the same time."""
    for (kind, _), some in groupby(clocks, key=lambda clock: (clock.kind, clock.due_at)):
        said = [(clock, what) for clock in some if (what := _in_words(kind, clock.id, profile))]
        if kind == "check" and len(said) > 1:
            yield f"replies of {len(said)} agencies", tuple(clock for clock, _ in said)
        else:
            yield from ((what, (clock,)) for clock, what in said)


def line_of(event: Event, profile: Profile | None) -> str:
    """An event in words, with the facts that may be said; empty where the event itself may not."""
    facts = SAID.get(event.kind)
    if facts is None:
        return ""
    said = "; ".join(filter(None, facts(event, profile)))
    return f"{_CALLED.get(event.kind) or named(event)}{': ' if said else ''}{said}"


def timeline(log: Iterable[Recorded], notices: Iterable[Any], profile: Profile | None) -> str:
    """What happened as Markdown, newest last; and which notices went, to which roles."""
    # That a child is known is not for them: it is not there, nor is a gap where it would be, or where anything else is not said.
    told = [(each, line) for each in told_to_all(log) if (line := line_of(of_any_child(each.event), profile))]
    rows = "\n".join(
        f"| {place} | {dated(each.at)} | {role_in_words(each.by.role, profile)} | {line.replace('|', '/')} |"
        for place, (each, line) in enumerate(told, 1)
    )
    sent = "\n".join(
        f"| {dated(each.created_at)} | {role_in_words(each.role, profile)} | {worded(each.kind)} | {worded(each.status)} |"
        for each in notices
        if each.kind in NOTICES_SAID
    )
    sent_table = f"\n| queued | to | notice | |\n|---|---|---|---|\n{sent}\n" if sent else ""
    return f"## What happened\n\n| # | when | who | what |\n|---|---|---|---|\n{rows}\n{sent_table}"
