"""The forms by which facts about people are put right: whose they are is chosen first, then they stand there as stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mash.api.pages.filled import Filled
from mash.api.pages.forms import DETAIL, Asked
from mash.config import codes
from mash.config.words import CODED, DAYS, is_day, sentence
from mash.flows.store.details import FIELDS, Kind, in_one_piece
from mash.flows.store.names import NAMED

CHOOSES = "correct_details"
KINDS: dict[str, Kind] = {"correct_details": "subject", "correct_referrer": "referrer", "add_subject": "subject"}
"""The commands that details come with, and whose they are where nobody is chosen."""
PARTS = {"name": ("given", "family"), "address": ("line1", "postcode")}
LABELS = {
    "name.given": "Given name",
    "name.family": "Family name",
    "address.line1": "Address",
    "address.postcode": "Postcode",
    "school": "School",
    "email": "Email address",
    "phone": "Telephone",
    "how_to_reach": "How they are reached",
    "role": "What they are there",
}
HINTS = {"expected_date": "For an unborn baby"}
SEVERAL = ("disability",)


@dataclass(frozen=True)
class Person:
    """Somebody whose details are put right, with what is stored of them."""

    item: str
    kind: Kind
    title: str
    fields: Mapping[str, Any]


def people(items: Iterable[Mapping[str, Any]], subjects: Iterable[str]) -> list[Person]:
    """Whose details somebody may put right: those that they read, and subjects of whom nothing is stored yet."""
    whole = [item for item in items if item["view"] == "whole" and item["kind"] in (*NAMED, "referrer")]
    found = [Person(item["item"], item["kind"], _title(item), item["fields"] or {}) for item in whole]
    there = {item["subject"] for item in whole}
    return [
        *found,
        *(Person(sid, "subject", "Somebody of whom nothing is stored yet", {}) for sid in subjects if sid not in there),
    ]


def _title(item: Mapping[str, Any]) -> str:
    fields = item["fields"] or {}
    name = in_one_piece(fields.get("name"))
    if item["subject"]:
        return name or "Somebody without a name"
    return f"{sentence(fields.get('relationship') or item['kind'])}: {name or 'no name'}"


def chosen(kind: str, known: list[Person], item: str) -> Person | None:
    """Whose details are put right; None until somebody is chosen."""
    if kind == CHOOSES:
        return next((person for person in known if person.item == item and person.kind in NAMED), None)
    stored = (person for person in known if person.kind == "referrer") if kind == "correct_referrer" else iter(())
    return next(stored, Person("", KINDS[kind], "", {}))


def asked_of(kind: str, asked: list[Asked], known: list[Person], person: Person | None) -> list[Asked]:
    """What the form asks: whose details, then each of them."""
    offered = [person] if person else [each for each in known if each.kind in NAMED]
    choices = tuple((each.item, each.title) for each in offered)
    default = person.item if person else ""
    own = [replace(each, choices=choices, shape="one", default=default) for each in asked if each.name == "item"]
    others = [each for each in asked if each.name != "item"]
    return [*own, *others, *(_fields(person) if person else ())]


def _fields(person: Person) -> Iterator[Asked]:
    for name in FIELDS[person.kind]:
        stored = person.fields.get(name)
        if isinstance(stored, dict) or (name in PARTS and stored is None and person.kind == "subject"):
            parts = dict.fromkeys((*PARTS.get(name, ()), *(stored or {})))
            yield from (_line(f"{name}.{part}") for part in parts)
        elif name in CODED:
            yield _coded(name, stored)
        elif name in DAYS and (not stored or is_day(stored)):
            yield replace(_line(name), shape="day")
        else:
            yield _line(name)


def _line(name: str) -> Asked:
    label = LABELS.get(name) or sentence(name.rpartition(".")[2])
    return Asked(DETAIL + name, label, "line", False, hint=HINTS.get(name, ""))


def _coded(name: str, stored: Any) -> Asked:
    """A field that has a code; what is stored and is none can stay."""
    known = codes.code_sets()[CODED[name]]
    others = [each for each in (stored if isinstance(stored, list) else [stored]) if each and each not in known]
    choices = (*((code, f"{code}: {text}") for code, text in known.items()), *((str(each), str(each)) for each in others))
    return Asked(DETAIL + name, sentence(name), "many" if name in SEVERAL else "one", False, choices)


def filled_with(person: Person, filled: Filled) -> Filled:
    """The form with what is stored of somebody in it, but for what was filled in already."""
    stored: dict[str, list[str]] = {}
    for name in FIELDS[person.kind]:
        value = person.fields.get(name)
        if isinstance(value, dict):
            stored |= {f"{DETAIL}{name}.{part}": [str(each)] for part, each in value.items() if each is not None}
        elif value is not None:
            stored[DETAIL + name] = [str(each) for each in (value if isinstance(value, list) else [value])]
    return Filled({**stored, **filled.values}, filled.errors)
