"""Who says that the family is not to learn of a contact, wherever and however a submission says so: taken for that until somebody
has read it. A warning too many costs a question; one that is missing may cost more."""

from __future__ import annotations

import re

from mash.api.schemas.contact import Submission

_FAMILY = r"(family|parents?|mother|mum|father|dad|step\w+|carers?|partner|husband|wife|them|they|him|he|her|she|anyone at home)"
_NOT_TO_TELL = re.compile(
    r"\b(do ?n[o'’]?t|never|must ?n[o'’]?t|should ?n[o'’]?t|cannot|can['’]t|not safe to|unsafe to|without)[\w ,]{0,30}\b"
    rf"(tell(ing)?|inform(ing)?|alert(ing)?|warn(ing)?|tip(ping)?|notify(ing)?)\b[\w ,]{{0,25}}\b{_FAMILY}\b"
    rf"|\b{_FAMILY}\b[\w ,]{{0,20}}\b(must|should|can|may) ?n[o'’]?t (be (told|informed|alerted|warned)|know|learn|find out|hear)"
    rf"|\bmust not find out\b|\b(tell|inform)ing {_FAMILY}[\w ,]{{0,15}} (could|would|may|might|will)\b",
    re.IGNORECASE,
)
"""Words by which somebody asks that the family is not told."""


def not_to_tell(submission: Submission) -> bool:
    """Whether whoever refers says, in an answer or in words, that the family is not to learn of it."""
    consent, concern = submission.consent, submission.concern
    if consent.safe_to_tell is not None:
        return not consent.safe_to_tell
    said = (consent.in_words, consent.override_reason, consent.safe_contact, concern.summary, concern.narrative)
    return consent.said_otherwise("safe_to_tell") or bool(_NOT_TO_TELL.search(" \n".join(filter(None, said))))
