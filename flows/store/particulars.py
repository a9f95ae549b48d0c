"""What one contact says of a person, in the clear, and how that compares with whom somebody looks for: part by part, what
was asked beside what is on record. Pure.

`likeness` reckons how likely it is that two are one; this says to a person what is the same and what is not, and judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

from jellyfish import damerau_levenshtein_distance

from mash.flows.store.likeness import ALIKE
from mash.flows.store.marks import Facts, day, facts
from mash.flows.store.names import name_of
from mash.flows.store.sounds import LONGEST_NAME, comparable, heard, mixed, short_for, spellings

Part = Literal["name", "birthday", "address", "postcode", "nhs_number", "upn"]
How = Literal["same", "in_part", "alike", "sounds_alike", "exchanged", "other", "unclear", "not_recorded"]
"""`in_part` is what both have of a part of which they do not have all; `unclear`, what is on record and cannot be compared."""
AGREES: tuple[How, ...] = ("same", "exchanged", "alike", "sounds_alike", "in_part")


@dataclass(frozen=True)
class Comparison:
    """A part of what was asked beside the same of what is on record."""

    part: Part
    how: How
    asked: str
    here: str
    """As it is on record; empty where nothing is."""


@dataclass(frozen=True)
class Particulars:
    """What one contact says of a person, as it was written there."""

    name: str
    born: str = ""
    """A day as ISO writes it, or whatever words were given instead."""
    expected: str = ""
    """When an unborn child is expected, in the same way."""
    age: str = ""
    """As somebody estimated it."""
    relationship: str = ""
    """To the child, of somebody of the household."""
    address: str = ""
    address_of_others: bool = False
    """Whether the address is that of the contact's others: of this person none is said."""
    nhs_number: str = ""
    upn: str = ""
    content: bytes = b"{}"
    others_address: str = ""
    """As JSON: where the contact's others live, if that is one place."""

    @cached_property
    def facts(self) -> Facts:
        """The same made comparable."""
        return facts(self.content, self.others_address)

    @property
    def birthday(self) -> date | None:
        """The day on which they were born; None where nobody said, or said it in words."""
        return day(self.born)


def particulars(content: bytes, others_address: str = "") -> Particulars:
    """What an item about a person says of them; `others_address` is where the contact's others live, as JSON."""
    said = json.loads(content)
    own = in_a_line(said.get("address"))
    place = own or (in_a_line(json.loads(others_address)) if others_address else "")
    return Particulars(
        name=" ".join(name_of(content)[:LONGEST_NAME].split()),
        born=_text(said.get("date_of_birth")),
        expected=_text(said.get("expected_date")),
        age=_text(said.get("age_estimate")),
        relationship=_text(said.get("relationship")),
        address=place,
        address_of_others=bool(place and not own),
        nhs_number=_text(said.get("nhs_number")),
        upn=_text(said.get("upn")),
        content=content,
        others_address=others_address,
    )


def in_a_line(address: Any) -> str:
    """An address in its parts, or as text, as one line, the postcode last."""
    if not isinstance(address, Mapping):
        return _text(address)
    parts = {name: _text(part) for name, part in address.items()}
    parts["postcode"] = parts.pop("postcode", "")
    return ", ".join(part for part in parts.values() if part)


def _text(said: Any) -> str:
    return " ".join(str(said).split()) if isinstance(said, str | int | float) else ""


def compared(asked: Particulars, here: Particulars) -> tuple[Comparison, ...]:
    """What was asked beside what is on record, part by part; nothing of what was not asked."""
    return (*_names(asked, here), *_birthdays(asked, here), *_places(asked, here), *_numbers(asked, here))


def _names(asked: Particulars, here: Particulars) -> Iterator[Comparison]:
    ours, theirs = comparable(asked.name), comparable(here.name)
    if not ours:
        return
    if not theirs:
        yield Comparison("name", "not_recorded", asked.name, "")
        return
    if "".join(ours) == "".join(theirs):
        yield Comparison("name", "same", asked.name, here.name)
        return
    found = {word: _word(word, theirs) for word in ours}
    missing = [word for word, how in found.items() if how is None]
    hows = [how for how in found.values() if how is not None]
    if not hows:
        yield Comparison("name", "other", asked.name, here.name)
    elif missing:
        yield Comparison("name", "in_part", _as_written(asked.name, set(ours) - {*missing}), here.name)
        yield Comparison("name", "other", _as_written(asked.name, {*missing}), here.name)
    elif worst := max(hows, key=_WORSE.index):
        whole = worst != "same" or len({*theirs}) <= len({*ours})
        yield Comparison(
            "name", (_placed(asked, here) if worst == "same" else worst) if whole else "in_part", asked.name, here.name
        )


_WORSE: tuple[How, ...] = ("same", "sounds_alike", "alike")


def _placed(asked: Particulars, here: Particulars) -> How:
    """Whether what one has for a given name is the other's family name, where both are given in parts."""
    in_parts = all(isinstance(json.loads(each.content).get("name"), Mapping) for each in (asked, here))
    return "exchanged" if in_parts and {*asked.facts.given} & {*here.facts.family} - {*here.facts.given} else "same"


def _word(word: str, others: Sequence[str]) -> How | None:
    """How the likest of other words is like this one; None where none is."""
    ours = {*spellings(word)}
    if any(ours & {*spellings(other)} for other in others):
        return "same"
    if any(heard(word) == heard(other) for other in others):
        return "sounds_alike"
    return "alike" if any(_alike(word, other) for other in others) else None


def _alike(word: str, other: str) -> bool:
    """Whether one is short for the other, or mistyped."""
    if {*short_for(word)} & {*short_for(other)} or mixed(word) == mixed(other):
        return True
    if min(len(word), len(other)) > 2 and damerau_levenshtein_distance(word, other) == 1:
        return True
    threes = _threes(word)
    return len(threes & _threes(other)) >= ALIKE * len(threes)


def _threes(word: str) -> set[str]:
    edged = f"  {word} "
    return {edged[at : at + 3] for at in range(len(edged) - 2)}


def _as_written(name: str, words: set[str]) -> str:
    """Of a name those words, as they were written."""
    return " ".join(part for part in name.replace(",", " ").split() if {*comparable(part)} & words)


def _birthdays(asked: Particulars, here: Particulars) -> Iterator[Comparison]:
    ours, theirs = asked.birthday, here.birthday
    if not asked.born:
        return
    if not here.born:
        yield Comparison("birthday", "not_recorded", asked.born, "")
    elif ours is None or theirs is None:
        yield Comparison("birthday", "same" if asked.born == here.born else "unclear", asked.born, here.born)
    elif ours == theirs:
        yield Comparison("birthday", "same", asked.born, here.born)
    elif (ours.year, ours.day, ours.month) == (theirs.year, theirs.month, theirs.day):
        yield Comparison("birthday", "exchanged", asked.born, here.born)
    else:
        same = [name for name in ("day", "month", "year") if getattr(ours, name) == getattr(theirs, name)]
        if len(same) > 1:
            yield Comparison("birthday", "in_part", " and ".join(same), here.born)
        yield Comparison("birthday", "other", asked.born, here.born)


def _places(asked: Particulars, here: Particulars) -> Iterator[Comparison]:
    ours, theirs = asked.facts, here.facts
    if not asked.address:
        return
    if not here.address:
        yield Comparison("address", "not_recorded", asked.address, "")
    elif (ours.address and ours.address == theirs.address) or comparable(asked.address) == comparable(here.address):
        yield Comparison("address", "same", asked.address, here.address)
    elif ours.postcode and ours.postcode == theirs.postcode:
        yield Comparison("postcode", "same", asked.address, here.address)
        if ours.address and theirs.address:
            numbers = [[word for word in each.address.split()[:-1] if word[0].isdigit()] for each in (ours, theirs)]
            how: How = "alike" if numbers[0] == numbers[1] else "other"
            yield Comparison("address", how, asked.address, here.address)
    else:
        clear = ours.postcode and theirs.postcode
        yield Comparison("address", "other" if clear else "unclear", asked.address, here.address)


def _numbers(asked: Particulars, here: Particulars) -> Iterator[Comparison]:
    parts: tuple[Part, ...] = ("nhs_number", "upn")
    for part in parts:
        ours, theirs = getattr(asked, part), getattr(here, part)
        if ours:
            how: How = "not_recorded" if not theirs else "same" if _plain(ours) == _plain(theirs) else "other"
            yield Comparison(part, how, ours, theirs)


def _plain(number: str) -> str:
    return "".join(each for each in number if each.isalnum()).upper()
