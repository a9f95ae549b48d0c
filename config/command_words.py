"""Commands as people call them: what the button says, what the page says once it is done, and help for filling the form in."""

from __future__ import annotations

from typing import NamedTuple


class CommandWords(NamedTuple):
    """The words of one command."""

    button: str
    done: str
    help: str


COMMAND_WORDS = {
    "conclude_consultation": CommandWords(
        "End the consultation",
        "Consultation ended",
        "Say whether it ends with advice alone, or goes on as a referral. No threshold has been applied until now.",
    ),
    "assign_place": CommandWords(
        "Choose the area it belongs to",
        "Area chosen",
        "Choose the authority or local hub that the case belongs to. Where that area rates its own referrals, its people are"
        " asked to rate this one.",
    ),
    "rate_referral": CommandWords(
        "Rate the referral",
        "Referral rated",
        "The rating decides what happens next and by when. It can be changed later.",
    ),
    "rerate_referral": CommandWords(
        "Change the rating",
        "Rating changed",
        "Give a reason. Due times move with the rating: a higher rating brings them forward.",
    ),
    "record_sharing_basis": CommandWords(
        "Record the reason for sharing",
        "Reason for sharing recorded",
        "Record why information may or may not be shared. No agency is asked anything until you have.",
    ),
    "record_adult_view": CommandWords(
        "Record what the adult wants",
        "The adult's view recorded",
        "Record whether the adult can decide about this, and what they want to happen. If they could not be asked, say why.",
    ),
    "record_threshold": CommandWords(
        "Record whether the harm threshold is met",
        "Harm threshold recorded",
        "Say whether the child has suffered, or is likely to suffer, significant harm, and why. Some hubs share information only"
        " once the threshold is met.",
    ),
    "record_marker": CommandWords(
        "Add or end a warning",
        "Warnings updated",
        "Everyone on the case sees a warning at the top of its page. Give a reason when you end one.",
    ),
    "record_categories": CommandWords(
        "Change what the case is about",
        "What the case is about was changed",
        "Choose all that apply. Agencies that are asked only about these subjects will be asked now.",
    ),
    "correct_cohort": CommandWords(
        "Correct child, unborn or adult",
        "Child, unborn or adult corrected",
        "Use this if someone was taken for a child who is an adult, or the other way round. Agencies that are asked only about"
        " children, or only about adults, may be asked now.",
    ),
    "ask_agencies": CommandWords(
        "Ask more agencies",
        "Agencies asked",
        "Choose the agencies to ask. Each gets a request with a time to answer by.",
    ),
    "answer_check": CommandWords(
        "Answer the check",
        "Check answered",
        "Say whether your agency knows the family. What you write stays your agency's own until you release it.",
    ),
    "allocate_check": CommandWords(
        "Hand to a colleague",
        "Check handed to a colleague",
        "Your colleague is named beside the check. Your agency still has to answer in time.",
    ),
    "break_glass": CommandWords(
        "Open in an emergency",
        "Case opened in an emergency",
        "Open a case your agency is not involved in, for a few hours. Give a reason; information governance is told at once.",
    ),
    "contribute_information": CommandWords(
        "Add what your agency holds",
        "Information added",
        "What you write stays your agency's own until you release it. Others see only that you hold something.",
    ),
    "release_information": CommandWords(
        "Release information",
        "Information released",
        "Share what your agency holds with those who work on the case: all of it, or a version you have redacted.",
    ),
    "proceed_without_replies": CommandWords(
        "Go on without the missing replies",
        "Going on without the missing replies",
        "Give a reason. The agencies that have not answered are no longer waited for; a late answer still counts.",
    ),
    "convene_meeting": CommandWords(
        "Set the meeting time",
        "Meeting time set",
        "The agencies that take part are invited at once.",
    ),
    "record_meeting": CommandWords(
        "Record the meeting",
        "Meeting recorded",
        "Say who attended, what was said and what was agreed. A new rating decides what happens next.",
    ),
    "record_dissent": CommandWords(
        "Record that you do not agree",
        "Disagreement recorded",
        "Your agency's view stays on the record with its reason. Nothing else changes: to have it decided again, dispute it.",
    ),
    "record_decision": CommandWords(
        "Record the decision",
        "Decision recorded",
        "Choose an outcome for each person. If the outcomes differ, each goes on as a linked referral of its own.",
    ),
    "sign_off_decision": CommandWords(
        "Sign off the decision",
        "Sign-off recorded",
        "If you agree, the decision takes effect at once. If you do not, say why, and it is decided again.",
    ),
    "call_strategy_discussion": CommandWords(
        "Call a strategy discussion",
        "Strategy discussion called",
        "Social care, police and health are asked to take part at once.",
    ),
    "record_strategy_discussion": CommandWords(
        "Record the strategy discussion",
        "Strategy discussion recorded",
        "Say who attended and whether section 47 enquiries begin. If they do not, say why.",
    ),
    "conclude_enquiries": CommandWords(
        "End the section 47 enquiries",
        "Section 47 enquiries ended",
        "Say whether they lead to a child protection conference.",
    ),
    "record_conference": CommandWords(
        "Record the child protection conference",
        "Conference recorded",
        "Enter the day it was held. It cannot be a Saturday or a Sunday.",
    ),
    "start_assessment": CommandWords(
        "Start a section 17 assessment",
        "Assessment started",
        "The assessment runs beside the section 47 enquiries, with its own due time.",
    ),
    "complete_assessment": CommandWords(
        "Complete the assessment",
        "Assessment completed",
        "Choose the assessment factors and what the assessment leads to.",
    ),
    "offer_step_down": CommandWords(
        "Offer to a service",
        "Offered to a service",
        "The service is asked to accept. Until it does, the case stays open with the hub.",
    ),
    "accept_step_down": CommandWords(
        "Accept for the service",
        "Accepted by the service",
        "The service takes the family on, and the hub's work on the case ends. If you work at the hub, say how the service"
        " agreed.",
    ),
    "return_step_down": CommandWords(
        "Return to the hub",
        "Returned to the hub",
        "The service does not take the family on. Say why: the hub decides again.",
    ),
    "complete_adult_enquiry": CommandWords(
        "End the adult enquiry",
        "Adult enquiry ended",
        "Say what the section 42 enquiry found about the risk. The case is then closed.",
    ),
    "raise_disagreement": CommandWords(
        "Dispute the rating or decision",
        "Dispute begun",
        "Someone named in the hub's procedure must settle it within a time limit. Say why you disagree.",
    ),
    "settle_disagreement": CommandWords(
        "Settle a dispute",
        "Dispute settled",
        "Say whether the rating or decision stands or changes, and why. Whoever disputed it is told.",
    ),
    "take_disagreement_further": CommandWords(
        "Take a dispute further",
        "Dispute taken further",
        "Say why you are not satisfied. The next person in the hub's procedure must settle it.",
    ),
    "link_referral": CommandWords(
        "Link to another referral",
        "Referrals linked",
        "Each referral then shows the other. The people named in them stay separate.",
    ),
    "acknowledge_alert": CommandWords(
        "Acknowledge an alert",
        "Alert acknowledged",
        "Acknowledging says that you are dealing with it. No one else is alerted for now.",
    ),
    "reopen_referral": CommandWords(
        "Reopen the referral",
        "Referral reopened",
        "Use this only if it was closed by mistake. A new worry is a new referral, which you can link to this one.",
    ),
    "adopt_profile": CommandWords(
        "Use the hub's current rules",
        "Current rules in use",
        "The case goes on under the rules the hub has now. Choose a rating if its present one no longer exists.",
    ),
    "add_note": CommandWords(
        "Add a note",
        "Note added",
        "The hub's staff can read the note. It cannot be changed or deleted.",
    ),
}
"""By the command's kind."""
