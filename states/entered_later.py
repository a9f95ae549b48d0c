"""What was done before it is entered: on paper while all was down, or by telephone. Whoever enters it says when it happened."""

from __future__ import annotations

from datetime import datetime, timedelta

from mash.states.clocks import dated
from mash.states.errors import Incomplete
from mash.states.referral import Referral

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
)  # fmt: skip
"""Commands that happen in the record itself, as they are entered: what is put right or joined in it, who reads it from now on,
and what a second person says who has read it. A second person's agreement by telephone is said with the act that it is for."""


def may_be_entered_later(kind: str) -> bool:
    """Whether somebody may say of a command of this kind that it happened before it was entered."""
    return kind not in SAYS_ITSELF and kind not in OF_THE_RECORD


def check(referral: Referral, kind: str, happened_at: datetime, now: datetime) -> None:
    """Raises Incomplete for a time at which this cannot have happened: to come, too long ago, or before the contact was made."""
    if field := SAYS_ITSELF.get(kind):
        raise Incomplete(f"this command says in a field of its own when it was ({field}): leave happened_at out", needs=[field])
    if kind in OF_THE_RECORD:
        raise Incomplete("this happens as it is entered: leave out when it happened (happened_at)", needs=["happened_at"])
    if happened_at > now:
        raise Incomplete("what is entered has happened: check the time (happened_at)", needs=["happened_at"])
    first = max(now - MOST_BACK, min(referral.reported_at or referral.received_at, referral.received_at))
    if happened_at < first:
        raise Incomplete(
            f"check the time (happened_at): expected one since {dated(first)}. What is older is told in a note (add_note)",
            needs=["happened_at"],
        )
