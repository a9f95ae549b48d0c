"""What was said beside a case, as its page shows it: by its parts, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mash.api.schemas.codes import CATEGORIES, COHORTS, CONTACT_KINDS, SOURCES
from mash.api.schemas.contact import (
    Address,
    ConcernGiven,
    ConsentGiven,
    HouseholdGiven,
    Name,
    SourceGiven,
    SubjectGiven,
    Submission,
)
from mash.config.words import decoded, sentence, worded
from mash.flows.store.names import name_of

FORMS = (Submission, ConcernGiven, SubjectGiven, Name, Address, HouseholdGiven, SourceGiven, ConsentGiven)
ORDER = {name: place for place, name in reversed(list(enumerate(name for model in FORMS for name in model.model_fields)))}
"""The order in which a form asks, which is the one in which an answer is read."""
LISTED = {"kind": CONTACT_KINDS, "cohort": COHORTS, "agency": SOURCES, "categories": CATEGORIES}
"""Fields of which lists of our own say what they may hold: what is in them is read in words."""
READ_FIRST = ("concern", "subject", "household", "referrer", "submission")


def in_parts(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items with their parts: what came with the referral in the order in which it is read, subject by subject; then what
    was said later, as it was."""
    return [{**item, "parts": parts_of(item)} for item in sorted(items, key=_first_things_first)]


def _first_things_first(item: dict[str, Any]) -> tuple[int, str]:
    if item["kind"] in READ_FIRST:
        return READ_FIRST.index(item["kind"]), item["subject"] or ""
    return len(READ_FIRST), ""


def names_of(items: Iterable[dict[str, Any]]) -> dict[str, str]:
    """What the subjects are called, by their number, as far as it is known to whoever looks."""
    subjects = (item for item in items if item["kind"] == "subject" and item["view"] == "whole")
    return {item["subject"]: name_of(item["content"].encode()) for item in subjects}


def about(items: Iterable[dict[str, Any]]) -> list[str]:
    """Who the subjects are, a line each, as far as it is known to whoever looks."""
    subjects = (item for item in items if item["kind"] == "subject" and item["view"] == "whole")
    return [f"{item['subject']}: {', '.join(_known(item))}" for item in sorted(subjects, key=lambda item: str(item["subject"]))]


def _known(item: dict[str, Any]) -> Iterator[str]:
    fields = item["fields"] or {}
    yield name_of(item["content"].encode()).strip() or "not named"
    for field, what in (("date_of_birth", "born"), ("expected_date", "expected")):
        if fields.get(field):
            yield f"{what} {decoded(field, fields[field])}"


def parts_of(item: dict[str, Any]) -> list[tuple[str, str]]:
    """What was said in an item, as labels and texts; one text without a label where it has no parts."""
    if item["content"] is None:
        return []
    return [("", item["content"])] if item["fields"] is None else list(flat("", item["fields"]))


def flat(label: str, content: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Fields as labels and texts, in the order in which a form asks."""
    if isinstance(content, dict):
        for name, value in sorted(content.items(), key=lambda part: ORDER.get(part[0], len(ORDER))):
            yield from flat(f"{label}, {name}" if label else name, value, name)
    elif isinstance(content, list) and not all(isinstance(each, str | int | float) for each in content):
        for number, each in enumerate(content, 1):
            yield from flat(f"{label} {number}", each)
    elif content not in (None, "", []):
        values = content if isinstance(content, list) else [content]
        yield sentence(label), "; ".join(_read(field, each) for each in values)


def _read(field: str, value: object) -> str:
    return worded(value) if value in LISTED.get(field, ()) else decoded(field, value)
