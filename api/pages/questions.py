"""What forms ask, in words; and what is said of an answer that cannot be taken."""

from __future__ import annotations

from pydantic_core import ErrorDetails

from mash.config.words import sentence

ASKED = {
    "about": "What is it about?",
    "agencies": "Agencies to ask",
    "agreed": "Do you agree?",
    "agrees": "Does the adult agree?",
    "apologies": "Who sent apologies?",
    "at": "Date and time",
    "attended": "Who attended?",
    "capacity": "The adult's capacity to decide",
    "categories": "What the case is about",
    "clock": "Alert",
    "cohort": "Is this person a child, an unborn baby or an adult?",
    "digest": "Version of the hub's rules",
    "disagreement": "Which dispute?",
    "factors": "Assessment factors",
    "family_informed": "Has the family been told?",
    "held_on": "Day it was held",
    "holds": "Does this still apply?",
    "item": "What to release",
    "known": "Is the family known to you?",
    "marker": "Warning",
    "mode": "How it is held",
    "necessity": "Why it is necessary",
    "not_informed": "If not, why not?",
    "other": "Reference of the other referral",
    "place": "Area",
    "proportionality": "How much of it is needed?",
    "purpose": "Purpose of sharing",
    "recommendation": "What do you recommend?",
    "relation": "How are they linked?",
    "relevant": "Is what you hold relevant?",
    "sensitive": "Is it sensitive?",
    "share": "May information be shared?",
    "significant_harm": "Is the threshold of significant harm met?",
    "subject": "Which person?",
    "suggested_rating": "Rating you suggest",
    "to": "Your colleague's login",
    "transfer_to": "Receiving authority, if the case is transferred",
}
"""What a field asks; where it is not here, its own name says it."""
ASKED_BY = {
    ("adopt_profile", "rating"): "New rating, if the hub no longer has the present one",
    ("complete_adult_enquiry", "outcome"): "What did the enquiry find?",
    ("complete_assessment", "outcome"): "What does the assessment lead to?",
    ("conclude_consultation", "outcome"): "How does it end?",
    ("conclude_enquiries", "outcome"): "What do the enquiries lead to?",
    ("raise_disagreement", "rating"): "Rating you think is right",
    ("record_conference", "outcome"): "What did the conference decide?",
    ("record_meeting", "rating"): "Rating after the meeting",
    ("record_strategy_discussion", "outcome"): "What was decided?",
    ("rate_referral", "agreed"): "Agencies that agreed the rating",
    ("rerate_referral", "agreed"): "Agencies that agreed the rating",
    ("settle_disagreement", "outcome"): "Does it stand?",
    ("settle_disagreement", "rating"): "New rating, if the rating is changed",
}
"""What a field asks in one command's form alone."""
HINTS = {
    "factors": "Choose all that apply. “No factors identified” stands alone",
    "mode": "Leave this out if it is held in the hub's usual way",
    "other": "For example, MASH-26-000001",
    "primary_need": "Needed unless no further action is taken",
    "transfer_to": "3 digits, such as 330, or E and 8 digits, such as E08000025",
}
HOLDS = "What your agency holds (it stays your agency's own until you release it)"
WORDS = {
    "add_note": "Note",
    "answer_check": HOLDS,
    "break_glass": "Why you need to open this case now",
    "contribute_information": HOLDS,
    "raise_disagreement": "Why you disagree",
    "record_adult_view": "What the adult wants, or why they could not be asked",
    "record_decision": "The decision and the reasons for it",
    "record_dissent": "Why your agency does not agree",
    "release_information": "Why this much is needed, and no more",
}
"""What the words of a command are."""
IN_PARTS = {
    "record_meeting": {
        "views": "Views: what each agency said, and why",
        "actions": "Actions agreed: who does what, and by when",
    }
}
"""Commands whose words are written in parts, each in a field of its own: kept together, under these headings."""
REASON = "Reasons, in your own words"
REDACTED = "Redacted version for others (leave blank to release it all)"

NEEDED, CHOOSE, CHECK = "Fill this in", "Choose one", "Check this"
LOGIN = "Enter the login as it is typed to sign in"
REFERENCE = "Enter a reference such as MASH-26-000001"
UNREADABLE = "Remove the characters that cannot be read here: they came with pasted text. Typing it again helps"
DATE, MOMENT = "Enter a date, such as 20 11 2026", "Enter a date and a time, such as 20 11 2026 14:30"
WRONG = {
    ("string_pattern_mismatch", "other"): REFERENCE,
    ("string_pattern_mismatch", "person"): LOGIN,
    ("string_pattern_mismatch", "reference"): REFERENCE,
    ("string_pattern_mismatch", "to"): LOGIN,
    ("string_pattern_mismatch", "transfer_to"): "Enter 3 digits, such as 330, or E and 8 digits, such as E08000025",
    ("string_too_short", "name"): "Enter at least 2 letters of the name",
    ("value_error", "reference"): "Enter either a reference or a login",
}
"""What to enter, by the kind of error and the field."""
WRONG_ANYWHERE = {
    "bool_parsing": CHOOSE,
    "date_from_datetime_inexact": DATE,
    "date_from_datetime_parsing": DATE,
    "date_parsing": DATE,
    "datetime_from_date_parsing": MOMENT,
    "datetime_parsing": MOMENT,
    "literal_error": CHOOSE,
    "missing": NEEDED,
    "plain_text": UNREADABLE,
    "string_too_long": "Shorten this to {max_length:,} characters",
    "too_long": "Choose fewer",
    "too_short": "Choose at least one",
    "whole_text": UNREADABLE,
}


def asked(kind: str, name: str) -> str:
    """What a field of a command asks."""
    return ASKED_BY.get((kind, name)) or ASKED.get(name) or sentence(name)


def wrong(error: ErrorDetails, field: str) -> str:
    """What to enter instead, in a field that Pydantic does not take as it is."""
    said = WRONG.get((error["type"], field)) or WRONG_ANYWHERE.get(error["type"]) or CHECK
    return said.format(**error.get("ctx", {}))
