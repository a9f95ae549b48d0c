"""Who was found, as the rows of a page: each a person, what is the same and what is not, and the contacts that name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import Request

from mash.config.words import age, decoded
from mash.flows.store.marks import day
from mash.flows.store.particulars import Comparison, Particulars
from mash.flows.store.reads.people import Named
from mash.states.clocks import day_of

PARTS = {
    "name": "name",
    "birthday": "birthday",
    "address": "address",
    "postcode": "postcode",
    "nhs_number": "NHS number",
    "upn": "UPN",
}
AGREEING = {
    ("name", "in_part"): "“{asked}” in the name",
    ("name", "alike"): "name nearly the same",
    ("name", "sounds_alike"): "name sounds alike",
    ("name", "exchanged"): "given and family name exchanged",
    ("birthday", "in_part"): "{asked} of the birthday",
    ("birthday", "exchanged"): "birthday with day and month exchanged",
    ("address", "alike"): "address (written differently)",
}
"""What is said of a part that is not wholly the same."""


@dataclass(frozen=True)
class Differing:
    """A part that is on record otherwise than it was asked for."""

    part: str
    here: str
    asked: str


@dataclass(frozen=True)
class InContact:
    """A contact that names somebody."""

    named: Named
    called: str
    """What they are called there, where that is not what the row says."""
    outcome: str
    """What came of it for them, as a code; empty where nothing has yet."""

    def beside(self, reference: str, subject: str) -> str:
        """Where they and a subject of a case are set side by side."""
        return beside(reference, subject, self.named)


@dataclass(frozen=True)
class Row:
    """A person, by the contact in which they are most like whom somebody looks for."""

    name: str
    age: str
    born: str
    lives: str
    role: str
    asked: bool
    """Whether they were compared with anybody."""
    matches: tuple[str, ...]
    differs: tuple[Differing, ...]
    unclear: tuple[str, ...]
    not_recorded: tuple[str, ...]
    perhaps: tuple[tuple[str, str], ...]
    """The contacts of other rows that are likely about the same child, of which nobody has said so yet; and where the two are set
    side by side."""
    contacts: tuple[InContact, ...]


@dataclass(frozen=True)
class Group:
    """Who was found for one person."""

    whom: str
    """Whom somebody looked for, by their name, or by the number that was asked for."""
    said: str
    """What else was asked of them: when they were born, where they live."""
    subject: str
    """Which subject they are of the case that is looked from; empty where they are none, or there is no case."""
    rows: list[Row]
    likely: bool
    """Whether any of them is likely meant."""


def today_in(request: Request) -> date:
    """The day in London, as of which people have an age."""
    return day_of(request.app.state.store.time.now())


def rows(found: Sequence[Named], today: date) -> list[Row]:
    """The rows, in the order of who was found. Those of whom somebody has confirmed that they are one child are one row."""
    return [_row(same, found, today) for same in _together(found)]


def _together(found: Sequence[Named]) -> list[list[Named]]:
    groups: list[list[Named]] = []
    for each in found:
        same = next((group for group in groups if any(_confirmed(each, other) for other in group)), None)
        if same is None:
            groups.append([each])
        else:
            same.append(each)
    return groups


def _confirmed(one: Named, other: Named) -> bool:
    """Whether somebody has confirmed that the two are one child, and has not taken it back."""
    return one.child is not None and one.child == other.child


def _likeness(here: Named, there: Named) -> str:
    """What the contact of the one has of the other: that they are likely the same, or nothing."""
    pair = here.subject, there.reference, there.subject
    return next((match.likeness for match in here.referral.matches if match.pair == pair), "")


def _perhaps(same: list[Named], found: Sequence[Named]) -> Iterator[tuple[str, str]]:
    for here in same:
        for there in found:
            if here.subject and there.subject and there not in same and _likeness(here, there) == "likely":
                yield there.reference, beside(here.reference, here.subject, there)


def beside(reference: str, subject: str, other: Named) -> str:
    """Where a subject of a case and somebody of another contact are set side by side."""
    of_other = f"&other_subject={other.subject}" if other.subject else ""
    return f"/case/{reference}/beside/{other.reference}?subject={subject}{of_other}"


def _row(same: list[Named], found: Sequence[Named], today: date) -> Row:
    first, who = same[0], same[0].who
    latest_first = sorted(same, key=lambda each: each.received_at, reverse=True)
    return Row(
        name=(who.name or "Name not recorded") if who else "On record, but not for you to read",
        age=age(who.birthday, today) if who and who.birthday else "",
        born=_sentence(born(who)) if who else "",
        lives=_sentence(_lives(who)) if who else "",
        role=_role(first),
        asked=bool(first.compared),
        matches=tuple(_agreeing(each) for each in first.compared if each.how not in ("other", "unclear", "not_recorded")),
        differs=tuple(_differing(each) for each in first.compared if each.how == "other"),
        unclear=tuple(f"{PARTS[each.part]} (“{each.here}” here)" for each in first.compared if each.how == "unclear"),
        not_recorded=tuple(PARTS[each.part] for each in first.compared if each.how == "not_recorded"),
        perhaps=tuple(dict.fromkeys(_perhaps(same, found))),
        contacts=tuple(_contact(each, first) for each in latest_first),
    )


def _contact(named: Named, first: Named) -> InContact:
    called = named.name if named.name != first.name else ""
    return InContact(named, called, ", ".join(dict.fromkeys(_outcomes(named))))


def _outcomes(named: Named) -> Iterator[str]:
    """What came of it for them; of a household, for those whom the contact is about."""
    for subject, state in named.referral.subjects.items():
        if state.outcome and subject == (named.subject or subject):
            yield state.outcome


def _agreeing(part: Comparison) -> str:
    return AGREEING.get((part.part, part.how), PARTS[part.part]).format(asked=part.asked)


def _differing(part: Comparison) -> Differing:
    on = "date_of_birth" if part.part == "birthday" else ""
    return Differing(PARTS[part.part], decoded(on, part.here), decoded(on, part.asked))


def born(who: Particulars) -> str:
    """When somebody was born, as far as it is on record."""
    if who.born:
        return f"born {decoded('date_of_birth', who.born)}" if who.birthday else f"born “{who.born}”, as it was written"
    if who.expected:
        known = day(who.expected) is not None
        return f"expected {decoded('expected_date', who.expected)}" if known else f"expected “{who.expected}”"
    return f"birthday not recorded; age given as {who.age}" if who.age else "birthday not recorded"


def whom(who: Particulars) -> tuple[str, str]:
    """Whom somebody looks for: what they are called, or their number; and what else is known of them."""
    numbers = [f"{PARTS[name]} {each}" for name, each in (("nhs_number", who.nhs_number), ("upn", who.upn)) if each]
    said = [born(who) if who.born or who.expected else "", who.address]
    return who.name or ", ".join(numbers), ", ".join(each for each in said if each)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lives(who: Particulars) -> str:
    if not who.address:
        return "address not recorded"
    return f"{who.address} (where the others live)" if who.address_of_others else who.address


def _role(named: Named) -> str:
    """Who they are in their contact."""
    subject = named.referral.subjects.get(named.subject or "")
    if named.subject:
        cohort = subject.cohort if subject else ""
        return {"child": "Child", "adult": "Adult", "unborn": "Unborn child"}.get(cohort, "Child or adult: not recorded")
    relationship = named.who.relationship if named.who else ""
    return f"In the household: {relationship}" if relationship else "In the household"
