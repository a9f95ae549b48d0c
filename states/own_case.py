"""Whose own case a referral is: who has decided something of it, was the second person in it, or has had it, does not audit it.

Each kind of event stands in one of two lists. A new kind that stands in neither is named by a test, so that nobody who decides is
forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable

from mash.states.acts.allocating import CaseAllocated
from mash.states.acts.seconding import SecondNamed
from mash.states.log import Recorded
from mash.states.values import SYSTEM

DECIDING = frozenset(
    (
        "contact_taken", "not_ours_confirmed", "consultation_concluded", "categories_recorded", "accused_recorded",
        "subject_removed", "referral_rated", "referral_rerated", "case_allocated", "meeting_cancelled", "quorum_put_right",
        "meeting_held", "dissent_recorded", "sharing_basis_recorded", "override_proposed", "countersigned", "second_agreed",
        "adult_view_recorded", "child_voice_recorded", "threshold_recorded", "contacts_weighed", "second_view_written",
        "proceeded_without_replies", "decision_proposed", "decision_recorded", "sign_off_refused", "withdrawal_proposed",
        "withdrawal_refused", "decision_withdrawn", "disagreement_raised", "disagreement_taken_further", "disagreement_settled",
        "strategy_discussion_held", "enquiries_concluded", "conference_held", "protection_order_recorded",
        "protection_order_ended", "assessment_started", "assessment_completed", "adult_enquiry_completed", "step_down_accepted",
        "step_down_returned", "hand_over_accepted", "hand_over_returned", "handed_over_to_adults", "kept_past_eighteen",
        "subjects_concluded", "referral_reopened", "contact_attached", "contact_taken_back",
    )
)  # fmt: skip
"""The kinds of events by which somebody has decided or judged something of a case: whoever did is who acted."""

NOT_DECIDING = frozenset(
    (
        # What is brought: by whoever refers, and by those who are asked.
        "contact_received", "contact_added", "check_answered", "answer_taken_down", "check_allocated",
        "information_contributed", "information_released", "disclosure_declined", "earlier_contact_shared", "note_added",
        "marker_recorded",
        # What is put right, joined or found.
        "cohort_corrected", "details_corrected", "referrer_corrected", "subject_added", "birth_recorded", "place_assigned",
        "profile_adopted", "referral_linked", "link_removed", "subject_identified", "identity_withdrawn", "match_rejected",
        "likely_known", "adult_opened", "asked_across_hubs", "glass_broken",
        # What is arranged, passed on and told.
        "checks_requested", "meeting_convened", "strategy_discussion_called", "strategy_discussion_scheduled",
        "action_recorded", "action_completed", "hand_over_offered", "hand_over_called_off", "step_down_offered",
        "referrer_told", "referrer_informed", "presence_said",
        # Whoever had it is known by whom it was allocated to; whom an act names as its second person, by name.
        "case_given_back", "second_named",
        # What follows of itself: of a decision, of time, or of a period that is over.
        "continued_from", "referral_split", "linked_case_stepped_up", "coming_of_age_said", "people_erased", "stage_entered",
        "clocks_started", "clocks_stopped", "clock_moved", "clock_warned", "clock_breached", "clock_escalated",
        "alert_acknowledged", "acknowledgement_ended", "alert_seen",
    )
)  # fmt: skip
"""All other kinds, by which nobody decides anything of a case."""


def own_case_of(story: Iterable[Recorded]) -> frozenset[str]:
    """Whose own case it is, by login in small letters."""
    found: set[str] = set()
    for each in story:
        event = each.event
        if event.kind in DECIDING:
            found.add(each.by.id.lower())
        if isinstance(event, CaseAllocated):
            found.add(event.worker.lower())
        if isinstance(event, SecondNamed) and event.second:
            found.add(event.second.lower())
    return frozenset(found - {SYSTEM})
