"""Who somebody is, in the words of a list: names with ages, then birthdays, address and household, as far as they are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mash.config.words import about, age, listed
from mash.flows.store.details import day, in_one_piece, place_of, secret_address
from mash.flows.store.reads.opened import Said

NOT_NAMED = "Not named"
HIDDEN = "Address is secret and not shown."
PARENTS = ("mother", "father")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Whom:
    """Whom a case is about: who they are, with ages; their names alone; what is known of them, in sentences; by what of that they
    can be looked up; and whether others live with them."""

    who: str
    names: str
    known: str
    looked_up_by: str
    household: bool


def whom(people: Sequence[Said], today: date) -> Whom:
    """The people of a case, as far as they were given. Birthdays stand in the order of the names; one address is said once."""
    subjects = [person.fields for person in people if person.kind == "subject"]
    others = [person.fields for person in people if person.kind == "household"]
    named = [*_named(subjects)]
    aged = [", ".join(filter(None, (name, age_in_words(each, today)))) for name, each in zip(named, subjects, strict=True)]
    who = ", and ".join(aged) if len(aged) < 3 else f"{'; '.join(aged[:-1])}; and {aged[-1]}"
    born = [each for fields in subjects if (each := day(str(fields.get("date_of_birth") or "")))]
    place = _address((*subjects, *others))
    known = (_birthdays(born), place, _household(others))
    parts = (
        "these names" if len(people) > 1 else "this name",
        "" if not born else "this birthday" if len(born) == 1 else "these birthdays",
        "" if place in ("", HIDDEN) else "this address",
    )
    return Whom(
        who=who or NOT_NAMED,
        names=listed(named) or NOT_NAMED,
        known=" ".join(filter(None, known)),
        looked_up_by=listed([*filter(None, parts)]),
        household=bool(others),
    )


def _named(subjects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What each is called; a family name is not said twice in a row."""
    family = ""
    for fields in subjects:
        given, own = _parts(fields)
        name = given if own and own == family and given else " ".join(filter(None, (given, own)))
        family = own or family
        yield name or NOT_NAMED


def age_in_words(fields: Mapping[str, Any], today: date) -> str:
    """How old somebody is, or when they are expected; without a birthday, what was estimated."""
    born, expected = day(str(fields.get("date_of_birth") or "")), day(str(fields.get("expected_date") or ""))
    if born is not None and born <= today:
        return age(born, today)
    if expected:
        return f"expected {_dated(expected)}"
    return about(_text(fields.get("age_estimate")))


def _birthdays(born: Sequence[date]) -> str:
    return f"Born {listed([_dated(each) for each in born])}." if born else "Birthday not known."


def _address(people: Iterable[Mapping[str, Any]]) -> str:
    """Where they live; of one who is hidden nothing is said of anybody's."""
    people = tuple(people)
    if any(secret_address(fields) for fields in people):
        return HIDDEN
    places = dict.fromkeys(filter(None, (place_of(fields.get("address")) for fields in people)))
    return "; ".join(places) + "." if places else ""


def _household(others: Sequence[Mapping[str, Any]]) -> str:
    """'Mother Magda Nowicka, father Darek': a family name once it was said is left out."""
    said, people = "", []
    for fields in sorted(others, key=_parents_first):
        given, own = _parts(fields)
        name = given if own and own == said else " ".join(filter(None, (given, own)))
        said = own or said
        people.append(" ".join(filter(None, (_text(fields.get("relationship")), name))))
    text = ", ".join(filter(None, people))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _parents_first(fields: Mapping[str, Any]) -> int:
    relationship = _text(fields.get("relationship")).lower()
    return PARENTS.index(relationship) if relationship in PARENTS else len(PARENTS)


def _parts(fields: Mapping[str, Any]) -> tuple[str, str]:
    """A name as given names and family name; in one piece, its last word is the family's."""
    name = fields.get("name")
    if isinstance(name, Mapping):
        return _text(name.get("given")), _text(name.get("family"))
    given, _, family = _text(in_one_piece(name)).rpartition(" ")
    return (given, family) if given else (family, "")


def _dated(on: date) -> str:
    return f"{on.day} {on:%b %Y}"


def _text(value: Any) -> str:
    """What was typed, in one line."""
    return _SPACES.sub(" ", str(value or "")).strip()
