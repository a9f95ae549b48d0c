"""Who asked not to be written to, or how to be reached, wherever and however a submission says so: taken for that until somebody
has read it. Too much is called rather than written; that costs minutes."""

from __future__ import annotations

import re

from mash.api.schemas.codes import SOURCES
from mash.api.schemas.contact import ConcernGiven, Fields, SourceGiven, Submission
from mash.states.referral import no_professional

_OF_CONTACT = re.compile(
    r"(un)?safe_?(contact|to|for|time|way|method)|(do_?not|dont|no)_?(contact|write|e?mail|call|phone|text|ring|reply)"
    r"|how_?to_?(reach|contact)|contact_?(safely|preference|method|by|warning|instructions)|preferred_?contact"
)
"""Names of further fields in which somebody says how people may be reached."""
_SILENCE = re.compile(
    r"(do ?n[o'’]?t|never|please no|not safe to|unsafe to)[\w ,]{0,30}\b"
    r"(write|e-?mail|mail|text|message|reply|letters?|post|(contact|send|get in touch with)[\w ,]{0,15}\b(me|us|anything))\b"
    r"|\b(reads?|checks?|sees?|looks? (through|at)|opens?|goes through|has) (all )?(my|our) "
    r"(\w+ )?(messages?|e-?mails?|mails?|post|letters?|phone|inbox|texts?)\b",
    re.IGNORECASE,
)
"""Words by which somebody asks not to be written to."""


def warns(submission: Submission) -> bool:
    """Whether a further field, outside of who refers, says how somebody may be reached: a person reads it first."""
    return any(
        _says_of_contact(part)
        for part in (submission, submission.concern, submission.consent, *submission.subjects, *submission.household)
    )


def _says_of_contact(part: Fields) -> bool:
    return any(
        _OF_CONTACT.search(name.lower()) and value not in (None, "", True, [], {}) and not part.of_ours(name)
        for name, value in (part.model_extra or {}).items()
    )


def writing_unsafe(source: SourceGiven, concern: ConcernGiven) -> bool:
    """Whether whoever refers is not written to: they say so; or say how else, or anything but that writing is safe."""
    if _says_of_contact(source) or asks_for_silence(source, concern):
        return True
    otherwise = bool(source.how_to_reach) or source.said_otherwise("safe_to_write")
    return source.safe_to_write is False or (source.safe_to_write is None and otherwise)


def asks_for_silence(source: SourceGiven, concern: ConcernGiven) -> bool:
    """Whether somebody who is no professional may have asked in their words not to be written to, and did not say that it is
    safe. What a professional tells so is of the family."""
    public = no_professional(source.code, source.agency if source.agency in SOURCES else "unknown")
    return public and source.safe_to_write is not True and bool(_SILENCE.search(concern.said))
