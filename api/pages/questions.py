"""What is said of an answer that a form cannot take: what to enter instead."""

from __future__ import annotations

from pydantic_core import ErrorDetails

WHEN = "When did it happen?"
WHEN_HINT = "Only where it was before now: done on paper, or by telephone. At most 14 days ago"
REDACTED = "Redacted version for others (leave blank to release it all)"

CHECK = "Check this"
SUPPOSED = "As known so far: check it"
WHY = "Say why, in a sentence"
LOGIN = "Enter the login as it is typed to sign in"
REFERENCE = "Enter a reference such as MASH-26-000001"
AUTHORITY = "Enter 3 digits, such as 330, or E and 8 digits, such as E08000025"
UNREADABLE = "Remove the characters that cannot be read here: they came with pasted text. Typing it again helps"
NOT_YET_KNOWN, LEAVE_OPEN = "Not yet known", "Leave this open while it is not yet known"
NUMBER = "Enter a whole number, such as 0"
DATE, MOMENT = "Enter a date, such as 20 11 2026", "Enter a date and a time, such as 20 11 2026 14:30"
WRONG = {
    ("string_pattern_mismatch", "other"): REFERENCE,
    ("string_pattern_mismatch", "person"): LOGIN,
    ("string_pattern_mismatch", "reference"): REFERENCE,
    ("string_pattern_mismatch", "to"): LOGIN,
    ("string_pattern_mismatch", "authority"): AUTHORITY,
    ("string_pattern_mismatch", "transfer_to"): AUTHORITY,
    ("string_too_short", "name"): "Enter at least 2 letters of the name",
    ("ends_before", "until"): "Choose a day that is not before the first",
    ("time", "since"): DATE,
    ("time", "until"): DATE,
    ("time", "happened_at"): MOMENT,
    ("missing", "kind"): "Choose what it is",
    ("missing", "rule"): "Choose which decisions are meant",
    ("missing", "since"): DATE,
    ("missing", "until"): DATE,
    ("missing", "words"): "Say in a sentence what happened",
    ("missing", "why"): "Choose why it is closed",
    ("missing", "asked_for"): "Choose for whom you ask",
    ("missing", "reference"): REFERENCE,
    ("value_error", "should_have"): "Choose what should have been done. “As was done” stands alone, and beside no answer “No”",
    ("value_error", "reference"): "Enter one of a reference, a child’s name and a login",
}
"""What to enter, by the kind of error and the field."""
WRONG_ANYWHERE = {
    "bool_parsing": "Choose yes or no",
    "date_from_datetime_inexact": DATE,
    "date_from_datetime_parsing": DATE,
    "date_parsing": DATE,
    "datetime_from_date_parsing": MOMENT,
    "datetime_parsing": MOMENT,
    "greater_than_equal": "Enter a number of {ge} or more",
    "int_parsing": NUMBER,
    "int_type": NUMBER,
    "less_than_equal": "Enter a number of {le} or less",
    "literal_error": "Choose what it is",
    "missing": "Fill this in",
    "no_authority": "No authority has this code. Enter 3 digits, such as 330, or E and 8 digits, such as E08000025",
    "plain_text": UNREADABLE,
    "timezone_aware": "This hour comes twice, or never, when the clocks change: enter another time",
    "string_too_long": "Shorten this to {max_length:,} characters",
    "too_long": "Choose fewer",
    "too_short": "Choose at least one",
    "whole_text": UNREADABLE,
}


def needed(label: str) -> str:
    """What is said of a question that nobody has answered, by its label."""
    return f"Answer “{label}”" if label.endswith("?") else f"Fill in “{label}”"


def wrong(error: ErrorDetails, field: str) -> str:
    """What to enter instead, in a field that Pydantic does not take as it is."""
    text = WRONG.get((error["type"], field)) or WRONG_ANYWHERE.get(error["type"]) or CHECK
    return text.format(**error.get("ctx", {}))
