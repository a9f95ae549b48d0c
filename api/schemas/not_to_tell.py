"""Who says that the family is not to learn of a contact, wherever and however a submission says so: taken for that until somebody
has read it. A warning too many costs a question; one that is missing may cost more."""

from __future__ import annotations

import re

from mash.api.schemas.contact import Submission


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_RELATED = _any(
    r"family", r"relatives?", r"parents?", r"mother", r"mum(?:my)?", r"mam", r"father", r"dad(?:dy)?",
    r"step[- ]?\w+", r"(?:foster )?carers?",
    r"guardians?", r"(?:ex[- ])?partner", r"(?:ex[- ])?boyfriend", r"(?:ex[- ])?girlfriend",
    r"(?:ex[- ])?husband", r"(?:ex[- ])?wife",
    r"grand(?:parents?|mother|father|ma|pa|dad|mum)", r"gran(?:ny)?", r"nan(?:ny|a)?", r"uncles?",
    r"aunt(?:ie|y|s)?", r"cousins?", r"brothers?",
    r"sisters?", r"siblings?", r"in-laws", r"perpetrators?", r"abusers?", r"household", r"any ?(?:one|body) at home",
)  # fmt: skip
"""Of whom a child's family consists, and who may harm them."""
_PRONOUN = _any("them", "they", "him", "he", "her", "she")
_FAMILY = _any(_RELATED, _PRONOUN)
_MEANT = _any(_RELATED, "them", "him", r"her(?!\s*\w)")
"""The family, but for 'her' of 'her school'."""
_NOT = _any(
    r"do ?n[o'’]?t", "never", r"must ?n[o'’]?t", r"should ?n[o'’]?t", "cannot", r"can['’]t", "not safe to", "unsafe to", "without"
)
_ASKED_NOT = _any(r"do ?n[o'’]?t", "never", r"must ?n[o'’]?t", r"should ?n[o'’]?t", "not to", "not safe to", "unsafe to")
"""Before a word that also says what somebody cannot or does not do: a request, not 'we cannot contact' or 'I do not speak'."""
_TELL = _any("tell(?:ing)?", "inform(?:ing)?", "alert(?:ing)?", "warn(?:ing)?", "tip(?:ping)?", "notify(?:ing)?")
_REACH = _any(
    "contact", "approach", "ring", "phone", "call", "text", "e-?mail", "message", "write to", "visit", "speak",
    "talk", "say", "discuss", "share", "disclose", "mention", "reveal", "pass",
)  # fmt: skip
_TOLD = _any(
    "told", "informed", "alerted", "warned", "notified", "contacted", "approached", "rung", "phoned", "called",
    "visited", "spoken to", "made aware", "aware",
)  # fmt: skip
_PASSED_ON = _any("shared", "discussed", "disclosed", "mentioned", "passed on", "revealed")
_LEARN = _any("know", "learn", "find out", "hear", "see", "get to know")
_HIDDEN = _any("confidential", "secret", "private", "hidden", "quiet", "away")
_SHALL_NOT = _any(r"(?:must|should|can|may) ?n[o'’]?t", r"(?:is|are) not to", "not to")
_NOT_TO_TELL = re.compile(
    "|".join(
        rf"\b{way}\b"
        for way in (
            rf"{_NOT}[\w ,]{{0,30}}\b{_TELL}\b[\w ,'’-]{{0,25}}\b{_FAMILY}",
            rf"{_NOT}[\w ,]{{0,20}}\blet(?:ting)?\b[\w ,'’-]{{0,25}}\b{_FAMILY}\b[\w ,]{{0,15}}\b{_LEARN}",
            rf"(?<!\bI )(?<!\bwe )(?<!\bthey )\b{_ASKED_NOT}(?: please| ever| yet| try to)?,? {_REACH}\b"
            rf"[\w ,'’-]{{0,25}}\b{_MEANT}",
            rf"{_FAMILY}\b[\w ,]{{0,20}}\b{_SHALL_NOT} (?:be {_TOLD}|know|learn|find out|hear)",
            rf"not (?:to )?be {_PASSED_ON}\b[\w ,]{{0,20}}\b(?:with|to)\b[\w ,'’-]{{0,20}}\b{_MEANT}",
            rf"{_RELATED}\b[\w ,]{{0,20}}\bunaware\b[^\n]{{0,80}}\b(?:stay|remain|keep)\b[\w ]{{0,10}}\b(?:way|so)",
            rf"{_RELATED}\b[\w ,]{{0,20}}\b(?:must|should) (?:stay|remain|be kept) (?:unaware|in the dark)",
            rf"(?:keep|kept|keeping)\b[\w ,]{{0,30}}\b{_HIDDEN} from\b[\w ,'’-]{{0,15}}\b{_MEANT}",
            rf"keep (?:this|it|that|everything) from\b[\w ,'’-]{{0,15}}\b{_MEANT}",
            rf"(?:nobody|no ?one) (?:in|of|from|at) (?:the |her |his |their )?(?:family|home|house(?:hold)?)"
            rf" (?:must|should|may|can|is to) (?:{_LEARN}|be {_TOLD})",
            r"must not find out",
            rf"(?:tell|inform)ing {_FAMILY}[\w ,]{{0,15}} (?:could|would|may|might|will)",
        )
    ),
    re.IGNORECASE,
)
"""Words by which somebody asks that the family is not told."""


def not_to_tell(submission: Submission) -> bool:
    """Whether whoever refers says, in an answer or in words, that the family is not to learn of it."""
    consent, concern = submission.consent, submission.concern
    if consent.safe_to_tell is not None:
        return not consent.safe_to_tell
    said = (consent.in_words, consent.override_reason, consent.safe_contact, concern.said)
    return consent.said_otherwise("safe_to_tell") or bool(_NOT_TO_TELL.search(" \n".join(filter(None, said))))
