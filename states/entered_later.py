"""What was done before it is entered: on paper while all was down, or by telephone. Whoever enters it says when it happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mash.states.clocks import dated
from mash.states.course import ClocksStopped
from mash.states.errors import Incomplete
from mash.states.referral import Referral
from mash.states.roles import PARTNERS
from mash.states.values import Actor, EventBase

MOST_BACK = timedelta(days=14)
"""How long after it happened an act may be entered. A product default, ours: longer than any hub has worked on paper, and short
enough that nobody writes a history anew. What is older is told in a note."""
SAYS_ITSELF: dict[str, str] = {
    "record_child_voice": "seen_on",
    "record_answer_by_telephone": "told_at",
    "record_meeting": "held_on",
    "record_strategy_discussion": "held_on",
    "record_protection_order": "since",
    "record_conference": "held_on",
    "start_assessment": "held_on",
    "complete_assessment": "held_on",
    "accept_hand_over": "accepted_at",
    "inform_referrer": "at",
}
"""Commands that say in a field of their own when it was."""
OF_THE_RECORD = (
    "agree_as_second", "countersign", "write_second_view", "weigh_contacts",
    "correct_cohort", "correct_details", "correct_referrer", "add_subject", "remove_subject",
    "identify_subject", "reject_match", "withdraw_identity", "open_adult", "ask_other_hubs",
    "attach_contact", "close_duplicate", "link_referral", "remove_link",
    "break_glass", "release_information", "share_earlier_contact", "adopt_profile",
    "record_sharing_basis", "sign_off_decision", "sign_off_withdrawal", "acknowledge_alert", "pass_alert_on",
    "allocate_check", "reopen_referral",
)  # fmt: skip
"""Commands that happen in the record itself, as they are entered: what is put right or joined in it, why it may be shared, who
reads it or has it from now on, and what a second person says who has read it. A second person's agreement by telephone is said
with the act that it is for."""
OF_AN_AGENCY = ("answer_check", "decline_disclosure")
"""Commands that an agency gives for itself, and is timed by: it does not say itself that it was in time."""
OF_A_PARTNER = (*OF_AN_AGENCY, "complete_action")
"""The same of a partner, whose actions the hub waits for."""


def may_be_entered_later(kind: str, by: Actor) -> bool:
    """Whether somebody may say of a command of this kind that it happened before it was entered."""
    return kind not in SAYS_ITSELF and kind not in OF_THE_RECORD and not _timed_by(kind, by)


def _timed_by(kind: str, by: Actor) -> bool:
    """Whether somebody would say of themselves that they were in time."""
    return kind in (OF_A_PARTNER if by.role in PARTNERS else OF_AN_AGENCY)


def check(referral: Referral, kind: str, happened_at: datetime, by: Actor, now: datetime) -> None:
    """Raises Incomplete for a time at which this cannot have happened: to come, too long ago, or before the contact was made; and
    for any time of what whoever gives it is timed by."""
    if field := SAYS_ITSELF.get(kind):
        raise Incomplete(f"this command says in a field of its own when it was ({field}): leave happened_at out", needs=[field])
    if kind in OF_THE_RECORD:
        raise Incomplete("this happens as it is entered: leave out when it happened (happened_at)", needs=["happened_at"])
    if _timed_by(kind, by):
        raise Incomplete(
            "what an agency answers or has done counts from when it is entered: leave out when it happened (happened_at). What"
            " your agency told the hub by telephone before, the hub records (record_answer_by_telephone, complete_action)",
            needs=["happened_at"],
        )
    if happened_at > now:
        raise Incomplete("what is entered has happened: check the time (happened_at)", needs=["happened_at"])
    first = max(now - MOST_BACK, _made(referral))
    if happened_at < first:
        raise Incomplete(
            f"check the time (happened_at): expected one since {dated(first)}. What is older is told in a note (add_note)",
            needs=["happened_at"],
        )


def check_order(referral: Referral, happened_at: datetime, events: Iterable[EventBase]) -> None:
    """Raises Incomplete for a time at which what an act goes by was not there yet: before the case came to the stage it is in and
    before the clocks began that the act meets. `referral` is the case before the act, `events` are what it causes."""
    met = {name for event in events if isinstance(event, ClocksStopped) and event.met for name in event.ids}
    clocks = [referral.clocks[name].started_at for name in met if name in referral.clocks]
    began = min([referral.stage_began or referral.stage_since, *clocks])
    # What was taken on paper came in when it was reported, though its first stage begins as it is entered.
    first = began if began > referral.received_at else _made(referral)
    if happened_at < first:
        raise Incomplete(
            f"the case was not there yet: check the time (happened_at), expected one since {dated(first)}. What was done before"
            " that is told in the words, without a time of its own",
            needs=["happened_at"],
        )


def _made(referral: Referral) -> datetime:
    """When the contact was made: when it was reported, where it was taken on paper, or else received."""
    return min(referral.reported_at or referral.received_at, referral.received_at)
