"""How like each other two people of two contacts are: weights for and against, as Fellegi and Sunter reckon them. Pure.

A weight is the logarithm, to base two, of how much more often something is so of one person named twice than of two people. What
a name weighs depends on how many of the hub's people bear it. Whoever shares a household shares surname, address and household
with others: so what is a person's own (given name, birthday, numbers) has to speak for it as well. docs/build/decisions/0040 has
where the weights are from, and what they come to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log2
from typing import Literal, NamedTuple

from mash.flows.store.marks import Facts, number, single
from mash.flows.store.sounds import heard, mixed, short_for

Grade = Literal["likely", "possible"]
LIKELY, POSSIBLE = 0.5, -6.0
"""From which score on a match is shown, and from which it is counted."""
MOST_OF_NAME = 13.0
ALIKE = 0.45
"""What share of a word's letters by threes is in another name that may be the same, mistyped."""
BESIDE, MOST_OF_HOUSEHOLD = 5.0, 14.0
"""What somebody else of a contact has to weigh before they count, and how much all of them do at most."""
OWN = 1.5
"""What is a person's own has to weigh so much: a twin has the same birthday, and all that a household shares."""


@dataclass(frozen=True)
class Row:
    """A person of another contact, as they stand in the table: numbers alone."""

    person: int
    reference: str
    subject: str | None
    tokens: frozenset[int]
    born: int | None
    parts: tuple[int, ...]
    near: frozenset[int]
    nhs_number: int | None
    upn: int | None
    postcode: int | None
    address: int | None


@dataclass(frozen=True)
class Word:
    """A word of a name, by its numbers."""

    here: int
    """In its place, given or family."""
    there: int
    """In the other."""
    sound: int
    short: frozenset[int]
    letters: int
    """Of its letters in whatever order."""
    threes: tuple[int, ...]
    count: int
    """Its number in the index, by which those who bear it are counted."""
    sounding: int
    """The same of those whose name sounds so."""


@dataclass(frozen=True)
class Person:
    """A person who is looked for."""

    subject: str | None
    given: tuple[Word, ...]
    family: tuple[Word, ...]
    born: int | None
    exchanged: int | None
    parts: tuple[int, ...]
    single: Mapping[str, int | None]
    keys: tuple[int, ...]
    """What they are looked for by."""


class Weighed(NamedTuple):
    """What speaks for and against, and how much."""

    score: float
    why: tuple[str, ...]


@dataclass(frozen=True)
class Likeness:
    """Somebody who is probably a person of another contact."""

    place: int
    """Which of the people that were looked for."""
    row: Row
    score: float
    grade: Grade
    why: tuple[str, ...]


def wanted(key: bytes, hub: str, subject: str | None, known: Facts, keys: Sequence[int]) -> Person:
    """A person as they are looked for."""

    def word(text: str, here: str, there: str) -> Word:
        edged = f"  {text} "
        return Word(
            number(key, f"{here}:{text}"),
            number(key, f"{there}:{text}"),
            number(key, f"heard:{heard(text)}"),
            frozenset(number(key, f"short:{each}") for each in short_for(text)) if here == "given" else frozenset(),
            number(key, f"letters:{mixed(text)}"),
            tuple(number(key, f"three:{edged[at : at + 3]}") for at in range(len(edged) - 2)),
            number(key, f"{hub}:word:{text}"),
            number(key, f"{hub}:heard:{heard(text)}"),
        )

    born = known.born
    exchanged = born.replace(month=born.day, day=born.month) if born and born.day <= 12 and born.day != born.month else None
    return Person(
        subject,
        tuple(word(each, "given", "family") for each in known.given),
        tuple(word(each, "family", "given") for each in known.family),
        number(key, f"born:{born}") if born else None,
        number(key, f"born:{exchanged}") if exchanged else None,
        _parts(key, born),
        {name: number(key, part) if part else None for name, part in single(known).items()},
        tuple(keys),
    )


def _parts(key: bytes, born: date | None) -> tuple[int, ...]:
    return tuple(number(key, f"{name}:{getattr(born, name)}") for name in ("year", "month", "day")) if born else ()


@dataclass(frozen=True)
class Hub:
    """How many people a hub's contacts name, and how many of them bear a name."""

    people: int
    shares: Mapping[int, int]

    def rarity(self, count: int) -> float:
        """What it weighs that two people bear a name, of which so many do: the one who is looked for is among them."""
        return min(MOST_OF_NAME, log2(max(self.people, 2) / max(self.shares.get(count, 0) - 1, 1)))


def compared(people: Sequence[Person], rows: Sequence[Row], hub: Hub) -> list[Likeness]:
    """Who of the rows is probably one of these people, the likest first; no row is two of them, and of each contact each of them
    is one."""
    contacts: dict[str, list[Row]] = {}
    for row in rows:
        contacts.setdefault(row.reference, []).append(row)
    found: list[Likeness] = []
    for theirs in contacts.values():
        own = [[_own(person, row, hub) for row in theirs] for person in people]
        pairs = [_likeness(place, people, row, own, here, hub) for place in range(len(people)) for here, row in enumerate(theirs)]
        taken: set[tuple[str, int]] = set()
        for each in sorted(pairs, key=lambda each: -each.score):
            if each.score >= POSSIBLE and not {("wanted", each.place), ("row", each.row.person)} & taken:
                taken |= {("wanted", each.place), ("row", each.row.person)}
                found.append(each)
    return sorted(found, key=lambda each: (each.grade != "likely", -each.score, each.row.reference))


class Own(NamedTuple):
    """The weights of what is a person's own, and of their surname."""

    given: Weighed
    family: Weighed
    born: Weighed
    numbers: Weighed


def _own(person: Person, row: Row, hub: Hub) -> Own:
    return Own(
        _name(person.given, row, hub, -5.0), _name(person.family, row, hub, -3.0), _born(person, row), _numbers(person, row)
    )


def _likeness(place: int, people: Sequence[Person], row: Row, own: list[list[Own]], here: int, hub: Hub) -> Likeness:
    person = people[place]
    its = own[place][here]
    lives, household = _lives(person, row), _household(place, here, own, people)
    parts = (*its, lives, household)
    total = sum(part.score for part in parts) - log2(max(hub.people, 2))
    score = min(total, _of_own(its))
    # A number alone may be another child's, typed into the wrong form.
    against = "other_name" in its.given.why and {"other_birthday"} & {*its.born.why}
    grade: Grade = "likely" if score >= LIKELY and not against else "possible"
    why = tuple(
        dict.fromkeys(code for part in (its.numbers, its.given, its.family, its.born, lives, household) for code in part.why)
    )
    return Likeness(place, row, score, grade, why)


def _of_own(its: Own) -> float:
    """The most that somebody's score can be, whatever a household shares: of a birthday half counts, as twins have one."""
    return its.given.score + min(its.born.score, 6.0) + its.numbers.score - OWN


def _name(words: Sequence[Word], row: Row, hub: Hub, otherwise: float) -> Weighed:
    """The word of a name that agrees best."""
    if not words or not row.near:
        return Weighed(0.0, ())
    best = max((_word(word, row, hub) for word in words), key=lambda each: each.score)
    return best if best.why else Weighed(otherwise, ("other_name",))


def _word(word: Word, row: Row, hub: Hub) -> Weighed:
    if word.here in row.near:
        return Weighed(hub.rarity(word.count), ("same_name",))
    if word.there in row.near:
        return Weighed(max(hub.rarity(word.count) - 3.0, 0.5), ("names_exchanged",))
    if word.sound in row.near:
        return Weighed(max(hub.rarity(word.sounding) - 3.0, 0.5), ("name_sounds_alike",))
    if word.short & row.near or word.letters in row.near:
        return Weighed(4.0, ("name_alike",))
    if sum(three in row.tokens for three in word.threes) >= ALIKE * len(word.threes):
        return Weighed(3.0, ("name_alike",))
    return Weighed(-99.0, ())


def _born(person: Person, row: Row) -> Weighed:
    if person.born is None or row.born is None:
        return Weighed(0.0, ())
    if row.born == person.born:
        return Weighed(12.0, ("born_same",))
    if row.born == person.exchanged:
        return Weighed(5.0, ("born_exchanged",))
    same = sum(one == other for one, other in zip(person.parts, row.parts, strict=False))
    return Weighed(1.5, ("born_near",)) if same == 2 else Weighed(-6.0, ("other_birthday",))


def _numbers(person: Person, row: Row) -> Weighed:
    score, why = 0.0, list[str]()
    for name, weight, against in (("nhs_number", 18.0, -6.0), ("upn", 16.0, -6.0)):
        mine, theirs = person.single[name], getattr(row, name)
        if mine is not None and theirs is not None:
            score += weight if mine == theirs else against
            why.append(name if mine == theirs else f"other_{name}")
    return Weighed(score, tuple(why))


def _lives(person: Person, row: Row) -> Weighed:
    address, postcode = person.single["address"], person.single["postcode"]
    if address is not None and address == row.address:
        return Weighed(13.0, ("same_address",))
    if postcode is not None and postcode == row.postcode:
        return Weighed(9.0, ("same_postcode",))
    return Weighed(-0.7 if postcode is not None and row.postcode is not None else 0.0, ())


def _household(place: int, here: int, own: list[list[Own]], people: Sequence[Person]) -> Weighed:
    """Whether other people of the one contact are other people of the other. That they share a surname says nothing more."""
    weight, surname = 0.0, {word.here for word in people[place].family}
    for other, weights in enumerate(own):
        if other != place:
            shared = any(word.here in surname for word in people[other].family)
            alike = [_beside(each, shared) for there, each in enumerate(weights) if there != here]
            weight += max(0.0, max(alike, default=0.0) - BESIDE)
    return Weighed(min(weight, MOST_OF_HOUSEHOLD), ("same_household",)) if weight > 0 else Weighed(0.0, ())


def _beside(each: Own, shared: bool) -> float:
    """What it weighs that somebody is named beside both, whose surname is shared with whom they are beside, or is not."""
    if "other_name" in each.given.why or (shared and "other_name" in each.family.why):
        return each.numbers.score
    return each.given.score + each.born.score + each.numbers.score + (0.0 if shared else each.family.score)
