"""Who a case is about, the worry in the referrer's words, and how the family is safely reached: as far as one may read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mash.api.pages.find.found import born
from mash.config.words import about, age, listed, worded
from mash.flows.store.details import place_of, secret_address
from mash.flows.store.particulars import Particulars, particulars
from mash.states.clocks import day_of
from mash.states.referral import NOT_TO_TELL, Referral

FIRST_WORDS = 60
"""Words of the worry that are shown at once: what is read in a quarter of a minute."""
LEAST = 25
"""Words below which a cut at the end of a clause would say too little."""
SEXES = {"F": ("Girl", "Woman"), "M": ("Boy", "Man")}
UNBORN = "unborn"
SAFE_CONTACT = "safe_contact"
OF_ONESELF = "1C"
"""The census' code of a contact by the person themselves."""
TELEPHONE = re.compile(r"\+?\d[\d ()-]{7,}\d")


@dataclass(frozen=True)
class Person:
    """A subject as a heading names them."""

    subject: str
    name: str
    age: str
    """In words: '8', '9 months', 'unborn'; empty where it is not known."""
    line: str
    """What they are, and when they were born: 'Girl, born 28 September 2017'."""

    @property
    def title(self) -> str:
        """Their name and age."""
        return ", ".join(filter(None, (self.name, self.age)))


@dataclass(frozen=True)
class Worry:
    """What the referrer is worried about, in their words."""

    shown: str
    whole: int
    """How many words there are."""
    cut: bool
    by: str
    """Who says it: a role and an organisation."""
    needed: str
    """What they need from the hub, in the first of their words; empty where they did not say."""


@dataclass(frozen=True)
class SafeContact:
    """How the family is safely reached, and what must not be done."""

    way: str
    ask: str
    """How whoever referred is reached, in their words; it is not the family's way."""
    telephone: str
    """Theirs."""
    unasked: str
    """Why the family was not asked, in the referrer's words."""
    family: str
    """Whether the family knows of the contact."""
    not_to_tell: bool

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The way, in parts: each text, and the telephone number that it is, if it is one."""
        found, end = [], 0
        for number in TELEPHONE.finditer(self.way):
            found += [(self.way[end : number.start()], ""), (number[0], re.sub(r"[^\d+]", "", number[0]))]
            end = number.end()
        return [part for part in (*found, (self.way[end:], "")) if part[0]]


def people_of(items: Sequence[Mapping[str, Any]], referral: Referral, now: datetime) -> list[Person]:
    """The subjects, in order, each by what may be read of them."""
    told = [item for item in items if item["kind"] == "subject" and item["view"] == "whole"]
    sexes = {item["subject"]: str((item["fields"] or {}).get("sex")) for item in told}
    known = {item["subject"]: particulars(item["content"].encode()) for item in told}
    today, several = day_of(now), len(referral.subjects) > 1
    return [
        _person(sid, subject.cohort, sexes.get(sid, ""), known.get(sid), several=several, today=today)
        for sid, subject in referral.subjects.items()
    ]


def heading_of(people: Sequence[Person]) -> str:
    """Who a case is about, in a line."""
    titles = [person.title for person in people]
    return ", and ".join(titles) if len(titles) < 3 else f"{'; '.join(titles[:2])} and {len(titles) - 2} more"


def _unnamed(sid: str, cohort: str, several: bool) -> str:
    kind = {"child": "Child", "adult": "Adult"}.get(cohort, "Unborn child")
    return f"{kind} {sid.removeprefix('S')}" if several else kind


def _person(sid: str, cohort: str, sex: str, who: Particulars | None, *, several: bool, today: date) -> Person:
    """One of them; `who` they are is None where that is not for whoever looks."""
    name, birthday = (who.name, who.birthday) if who else ("", None)
    name = name or _unnamed(sid, cohort, several)
    kind, said = SEXES.get(sex, ("Child", "Adult"))[cohort == "adult"], _born(who)
    if cohort == UNBORN and birthday is None:
        return Person(sid, name, UNBORN, said[:1].upper() + said[1:] or "Not yet born")
    words = age(birthday, today) if birthday else about(who.age if who else "")
    return Person(sid, name, words, f"{kind}, {said or 'birthday not recorded'}" if who else kind)


def _born(who: Particulars | None) -> str:
    """When they were born or are expected, as it is on record; empty where it is not."""
    return born(who) if who and (who.born or who.expected) else ""


def lives_with(items: Sequence[Mapping[str, Any]]) -> str:
    """With whom they live and where, in a sentence; empty where nothing of it may be read."""
    readable = [item for item in items if item["view"] == "whole" and item["fields"]]
    household = [_member(item["fields"]) for item in readable if item["kind"] == "household"]
    addresses = dict.fromkeys(filter(None, (_address(item["fields"]) for item in readable if item["kind"] == "subject")))
    with_whom = f"with {listed(household)}" if household else ""
    said = ", ".join(filter(None, (with_whom, *addresses)))
    return f"Lives {said}." if with_whom else f"Address: {said}." if said else ""


def _member(fields: Mapping[str, Any]) -> str:
    name, relation = str(fields.get("name") or "somebody").strip(), str(fields.get("relationship") or "").strip()
    return f"{name} ({relation})" if relation else name


def _address(fields: Mapping[str, Any]) -> str:
    place = place_of(fields.get("address"))
    return f"{place} (keep it secret)" if place and secret_address(fields) else place


def worry_of(items: Sequence[Mapping[str, Any]]) -> Worry | None:
    """The worry; None where it is not for whoever looks, or nobody has put it in words."""
    said = _first(items, "concern")
    text, needed = (str(said.get(name) or "").strip() for name in ("narrative", "needed_from_us"))
    text = text or str(said.get("summary") or "").strip()
    if not text and not needed:
        return None
    shown, whole = first_words(text)
    first, all_words = first_words(needed)
    needed = f"{first} …" if all_words > len(first.split()) else first
    return Worry(shown, whole, whole > len(shown.split()), _who(_first(items, "referrer")), needed)


def _who(referrer: Mapping[str, Any]) -> str:
    said = [str(referrer.get(field) or "").strip() for field in ("role", "organisation")]
    text = ", ".join(filter(None, said)) or worded(referrer.get("agency"))
    return text[:1].upper() + text[1:]


def first_words(text: str, most: int = FIRST_WORDS) -> tuple[str, int]:
    """The first words of a text, up to the last whole clause among them, and how many words it has in all."""
    words = text.split()
    if len(words) <= most:
        return text, len(words)
    ends = [place for place, word in enumerate(words[:most], 1) if word[-1] in ".;:,!?" and place >= LEAST]
    return " ".join(words[: ends[-1] if ends else most]).rstrip(",;:"), len(words)


def safe_contact_of(items: Sequence[Mapping[str, Any]], referral: Referral) -> SafeContact | None:
    """How the family is safely reached; None where nothing warns of contact."""
    if not {SAFE_CONTACT, NOT_TO_TELL} & set(referral.warnings):
        return None
    consent, referrer = _first(items, "submission").get("consent") or {}, _first(items, "referrer")
    how = str(referrer.get("how_to_reach") or "").strip().rstrip(".")
    themselves = referrer.get("code") == OF_ONESELF
    way = str(consent.get("safe_contact") or (how if themselves else "")).strip().rstrip(".")
    telephone = "" if TELEPHONE.search(way) else str(referrer.get("phone") or "").strip()
    told = consent.get("family_informed")
    family = "" if told is None else "The family knows." if told else "The family does not know."
    why = str(consent.get("override_reason") or "").strip() if way else ""
    return SafeContact(way, "" if themselves else how, telephone, why, family, NOT_TO_TELL in referral.warnings)


def _first(items: Iterable[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    return next((item["fields"] for item in items if item["kind"] == kind and item["view"] == "whole" and item["fields"]), {})
