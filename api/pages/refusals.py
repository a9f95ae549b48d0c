"""Refusals as people read them on a page: without codes, and without the names of fields. Programs get what the API says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mash.api.pages.forms import DETAIL, Asked
from mash.api.pages.words import button
from mash.config.commands import COMMANDS
from mash.config.permissions import may
from mash.config.words import stage_title, worded
from mash.states.errors import Refusal
from mash.states.messages import STAFF_ACTS
from mash.states.profile import Profile
from mash.states.stages import ALL
from mash.states.values import Actor

TITLES = {"NotYours": "You cannot do this", "Internal": "Sorry, something went wrong"}
NO_PAGE, ADDRESS = "This page's address is not right", "Check the address, or go back and try again."
CHANGED = "Someone else has changed this case since you opened the form. Look at what has happened, then send it again."
SENT_BEFORE = "This form was sent before, with other answers. Send it again only if this is still needed."
REASON = "Enter the reason in words."
_FIELD = re.compile(r" \([a-z]+(?:_[a-z0-9]+)*\)")
"""Which field of a request is meant: a form names it in its own way."""
_CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")


def in_words(refusal: Refusal, by: Actor | None = None) -> str:
    """What a refusal says to whoever reads a page."""
    return answer_in_words({"type": type(refusal).__name__, "detail": refusal.reason, **refusal.facts}, by)


def title_of(answer: Mapping[str, Any]) -> str:
    """What a page is called that says the API's answer."""
    return NO_PAGE if "fields" in answer else TITLES.get(_kind(answer)) or str(answer["title"])


def answer_in_words(answer: Mapping[str, Any], by: Actor | None = None, rules: Profile | None = None) -> str:
    """What the API's answer, when it is a refusal, says to whoever reads a page; named as the `rules` of a case name things."""
    if "fields" in answer:
        return ADDRESS
    match _kind(answer):
        case "ImpossibleMove":
            return _impossible(answer, by, rules)
        case "ReasonNeeded":
            return REASON
        case "KeyReused":
            return SENT_BEFORE
        case "VersionConflict":
            return CHANGED
    text = _CODE.sub(lambda code: worded(code[0], rules), _FIELD.sub("", answer.get("detail", "")))
    # An empty text has its end already.
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.?!' else '.'}"


def place_of(answer: Mapping[str, Any], asked: Sequence[Asked], words: str) -> str:
    """The field of a form that a refusal is about: the one that it names, where the form asks it (of whoever it names, or of the
    first); `words` for a reason; '' for what is wrong with none of them."""
    if _kind(answer) == "ReasonNeeded":
        return words
    detail = str(answer.get("detail", ""))
    named = "attended" if _kind(answer) == "QuorumNotMet" else next(reversed(_FIELD.findall(detail)), "").strip(" ()")
    fields = [field.name for field in asked if field.name.removeprefix(DETAIL).partition(".")[0] == named]
    return next((name for name in fields if name.partition(".")[2] in detail), fields[0]) if fields else ""


def _kind(answer: Mapping[str, Any]) -> str:
    return str(answer["type"]).rpartition(":")[2]


def _impossible(answer: Mapping[str, Any], by: Actor | None, rules: Profile | None) -> str:
    """At which stage the case is, and what can be done there that cannot be done at every stage."""
    what = f"“{button(answer['command'], rules)}”" if answer["command"] in COMMANDS else "This"
    now = [kind for kind in answer["possible"] if STAFF_ACTS[kind].stages != ALL and (by is None or may(by.role, kind))]
    offered = "; ".join(button(kind, rules) for kind in now)
    onward = f" At this stage you can: {offered}." if offered else ""
    return f"{what} is not possible while the case is at “{stage_title(answer['stage'], rules)}”.{onward}"
