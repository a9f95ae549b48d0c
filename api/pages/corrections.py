"""The forms by which facts about people are put right: whose they are is chosen first, then they stand there as stored. One of
them asks only what the census does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mash.api.pages import questions
from mash.api.pages.filled import Filled
from mash.api.pages.forms import DETAIL, NOT_YET_KNOWN, Asked
from mash.config import codes
from mash.config.commands import COMMANDS
from mash.config.words import CODED, DAYS, is_day, sentence
from mash.flows.store.details import FIELDS, Kind, in_one_piece
from mash.flows.store.names import NAMED
from mash.flows.store.reads.census import Questions, asked_by_census
from mash.states.referral import Referral

CHOOSES = "correct_details"
KINDS: dict[str, Kind] = {"correct_details": "subject", "correct_referrer": "referrer", "add_subject": "subject"}
"""The commands that details come with, and whose they are where nobody is chosen."""
PARTS = {"name": ("given", "family"), "address": ("line1", "postcode")}
SEVERAL = ("disability",)
FOR_CENSUS = "census"
"""What the address says of the form that asks only what the census does."""


@dataclass(frozen=True)
class Person:
    """Somebody whose details are put right, with what is stored of them."""

    item: str
    kind: Kind
    title: str
    fields: Mapping[str, Any]
    subject: str | None = None


def people(items: Iterable[Mapping[str, Any]], subjects: Iterable[str]) -> list[Person]:
    """Whose details somebody may put right: those that they read, and subjects of whom nothing is stored yet."""
    whole = [item for item in items if item["view"] == "whole" and item["kind"] in (*NAMED, "referrer")]
    found = [Person(item["item"], item["kind"], _title(item), item["fields"] or {}, item["subject"]) for item in whole]
    there = {item["subject"] for item in whole}
    return [
        *found,
        *(Person(sid, "subject", "Somebody of whom nothing is stored yet", {}, sid) for sid in subjects if sid not in there),
    ]


def _title(item: Mapping[str, Any]) -> str:
    fields = item["fields"] or {}
    name = in_one_piece(fields.get("name"))
    if item["subject"]:
        return name or "Somebody without a name"
    return f"{sentence(fields.get('relationship') or item['kind'])}: {name or 'no name'}"


def of_census(known: Iterable[Person], asked: Mapping[str, Questions]) -> list[Person]:
    """Of these people, those of whom the census has still to be told something; where that is nobody, those of whom it asks."""
    of = [person for person in known if person.subject in asked]
    return [person for person in of if asked[str(person.subject)].owed] or of


def chosen(kind: str, known: list[Person], item: str) -> Person | None:
    """Whose details are put right; None until somebody is chosen."""
    if kind == CHOOSES:
        return next((person for person in known if person.item == item and person.kind in NAMED), None)
    stored = (person for person in known if person.kind == "referrer") if kind == "correct_referrer" else iter(())
    return next(stored, Person("", KINDS[kind], "", {}))


@dataclass(frozen=True)
class Correction:
    """A form by which somebody is put right, for whoever fills it in."""

    known: list[Person]
    """Whose details it can be."""
    person: Person | None
    """Whose it is; None until somebody is chosen."""
    census: Mapping[str, Questions] | None
    """By subject, what the census asks, in the form that asks only that."""

    @classmethod
    def of(cls, kind: str, items: Sequence[Mapping[str, Any]], case: Referral, filled: Filled, now: datetime) -> Correction:
        """The form of this command, as the address or what was sent says whose details it asks, and whether for the census."""
        known, item = people(items, case.subjects), filled.value("item")
        asked = asked_by_census(case, items, now) if (kind, filled.value("asks")) == (CHOOSES, FOR_CENSUS) else {}
        if not asked:
            return cls(known, chosen(kind, known, item), None)
        owing = of_census(known, asked)
        only = owing[0] if len(owing) == 1 and not item else None
        return cls(owing, only or chosen(kind, [each for each in known if each.subject in asked], item), asked)


def asked_of(asked: list[Asked], correction: Correction, sent: Collection[str] | None = None) -> list[Asked]:
    """What the form asks: whose details, then each of them, or of those what the census asks; of fields that were `sent`, only
    what it asked when it was opened, so that nothing else is taken out."""
    person, census = correction.person, correction.census
    offered = [person] if person else [each for each in correction.known if each.kind in NAMED]
    choices = tuple((each.item, each.title) for each in offered)
    default = person.item if person else ""
    own = [replace(each, choices=choices, shape="one", default=default) for each in asked if each.name == "item"]
    others = [each for each in asked if each.name != "item"]
    if person is None or census is None:
        return [*own, *others, *(_fields(person) if person else ())]
    fields = _for_census(person, census[str(person.subject)].fields)
    return [*own, *others, *(each for each in fields if sent is None or each.shape == "many" or each.name in sent)]


def _for_census(person: Person, fields: Sequence[str]) -> Iterator[Asked]:
    """What the census asks of somebody, in the order of a form: each can be left open."""
    names = {*fields, *(("upn_unknown",) if "upn" in fields else ())}
    for each in _fields(person):
        name = each.name.removeprefix(DETAIL)
        if name not in names:
            continue
        if not each.choices:
            yield replace(each, hint=questions.LEAVE_OPEN)
            continue
        choices = (choice for choice in each.choices if name != "upn_unknown" or choice[0] != codes.NO_FURTHER_ACTION)
        yield replace(each, choices=((NOT_YET_KNOWN, questions.NOT_YET_KNOWN), *choices), default=NOT_YET_KNOWN)


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
    return Asked(DETAIL + name, _label(name), "line", False, hint=COMMANDS[CHOOSES].detail_hints.get(name, ""))


def _label(name: str) -> str:
    return COMMANDS[CHOOSES].details.get(name) or sentence(name.rpartition(".")[2])


def _coded(name: str, stored: Any) -> Asked:
    """A field that has a code; what is stored and is none can stay."""
    known = codes.reasons_without_upn() if name == "upn_unknown" else codes.code_sets()[CODED[name]]
    others = [each for each in (stored if isinstance(stored, list) else [stored]) if each and each not in known]
    choices = (*((code, f"{code}: {text}") for code, text in known.items()), *((str(each), str(each)) for each in others))
    hint = COMMANDS[CHOOSES].detail_hints.get(name, "")
    return Asked(DETAIL + name, _label(name), "many" if name in SEVERAL else "one", False, choices, hint)


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
