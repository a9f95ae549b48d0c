"""Made families and contacts about them, and which person each is about: what the look for known children is measured by.

It was frozen before there was a matcher (its test holds a digest), so that nothing here was made to suit it. Each rate of error
has its source; "ours" where none was found. Two collections of the same facts disagree twice as often as one of them is wrong.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from anyascii import anyascii
from stdnum.gb import nhs, upn

from mash.bench.households import BEGINNINGS, COMMUNITIES, ENDINGS, KINDS, OTHER_SPELLINGS, SHORT_NAMES, STREETS, Community

TODAY = date(2026, 11, 2)
# Forenames disagree in 12 % and surnames in 18 % of two collections about the same children (ALSPAC: Lam, Boyd, Linacre,
# Blackburn, Harron, "Generating synthetic identifiers", IJPDS 2389). Divided by two collections, and among reasons as we judge.
GIVEN_OTHERWISE = 0.04
GIVEN_SHORT = 0.02
FAMILY_OTHERWISE = 0.04
FAMILY_CHANGED = 0.05
# Hospitals have 0.11 % of birthdays (and sex) wrong or missing (Harron et al., BMC Med Res Methodol 2017, 17:23). Referrers ask
# no register, and often write from memory or by telephone: ours.
BORN_EXCHANGED = 0.01
BORN_PART_WRONG = 0.03
BORN_MISSING = 0.08
# Postcodes differ or are missing in 53 % of the same hospital records. Ours is how that divides.
ADDRESS_MISSING = 0.25
MOVED = 0.25
ADDRESS_OLD = 0.05
POSTCODE_WRONG = 0.02
# Numbers: authorities hold a UPN of 79 to 81 % of children in need (Wales, IJPDS 1694) and NHS numbers of 95 % of those on a plan
# (CP-IS guidance); but a contact is what a referrer has at hand. Ours.
NHS_NUMBER_GIVEN = 0.3
UPN_GIVEN = 0.25
DIGIT_WRONG = 0.01
SIBLINGS_NUMBER = 0.003
# Ours: how names are typed.
EXCHANGED = 0.02
WITHOUT_ACCENTS = 0.5
MIDDLE_NAME_LEFT_OUT = 0.5
IN_ONE_PIECE = 0.15
# One maternity in 67 is multiple (ONS, birth characteristics); twins are what goes wrong, so here are more. Others: ours.
TWINS = 0.03
OTHER_FATHER = 0.2
STEP_PARENT = 0.15
NAMESAKE = 0.02
# Ours: who is named beside a child, and how often.
MOTHER_NAMED, FATHER_NAMED, SIBLING_NAMED, SIBLING_ABOUT = 0.8, 0.45, 0.5, 0.35
BORN_OF_SIBLING, BORN_OF_ADULT = 0.6, 0.3
ANOTHER_CONTACT = 0.5

OTHERWISE = {one: [*filter(one.__ne__, line.split())] for line in OTHER_SPELLINGS for one in line.split()}
SHORT = {line.split()[0]: line.split()[1:] for line in SHORT_NAMES}


@dataclass
class Person:
    """Somebody as they are in truth."""

    number: int
    given: str
    family: str
    born: date
    relationship: str
    nhs_number: str = ""
    upn: str = ""
    earlier: str = ""
    """Another surname they go by, such as the other parent's."""


@dataclass
class Family:
    """Who lives together, where, and where they lived before."""

    children: list[Person]
    adults: list[Person]
    address: dict[str, str]
    before: dict[str, str]


@dataclass(frozen=True)
class Contact:
    """What a referrer sends about a family, and whom it is about in truth."""

    reference: str
    subjects: list[dict[str, Any]]
    household: list[dict[str, Any]]
    who: list[int]
    """The number of the person behind each subject."""
    who_else: list[int]
    """The same of the household."""


@dataclass
class Maker:
    """Families and contacts, from one stream of chance."""

    chance: random.Random
    people: int = 0
    namesakes: list[tuple[str, str]] = field(default_factory=list)

    def contacts(self, families: int) -> Iterator[list[Contact]]:
        """The contacts about each of so many families."""
        for number in range(families):
            family = self._family()
            about = [self._contact(family, f"{number}-0")]
            while self.chance.random() < ANOTHER_CONTACT and len(about) < 8:
                if self.chance.random() < MOVED:
                    family.before, family.address = family.address, self._address()
                about.append(self._contact(family, f"{number}-{len(about)}"))
            yield about

    # --- families ---

    def _family(self) -> Family:
        community = self.chance.choices(COMMUNITIES, [each.share for each in COMMUNITIES])[0]
        name, other = self._surname(community), self._surname(community)
        mother = self._person(community.girls, name if self.chance.random() < 0.6 else other, self._adult(), "mother")
        adults = [mother, self._person(community.boys, name, self._adult(), "father")]
        if self.chance.random() < STEP_PARENT:
            adults.append(self._person(community.boys, self._surname(community), self._adult(), "step-father"))
        family = Family([], adults, self._address(), self._address())
        for _ in range(self.chance.choices((1, 2, 3, 4), (40, 35, 17, 8))[0]):
            self._child(community, family, name, other)
        return family

    def _child(self, community: Community, family: Family, name: str, other: str) -> None:
        born = TODAY - timedelta(days=self.chance.randrange(30, 17 * 365))
        its, earlier = (other, name) if self.chance.random() < OTHER_FATHER else (name, other)
        for _ in range(2 if self.chance.random() < TWINS else 1):
            child = self._person(self.chance.choice((community.girls, community.boys)), its, born, "sibling")
            child.earlier = earlier if earlier != its else self._surname(community)
            if self.namesakes and self.chance.random() < NAMESAKE:
                child.given, child.family = self.chance.choice(self.namesakes)
            while any(child.given == each.given for each in family.children):
                child.given = self._ranked((*community.girls, *community.boys))
            if self.chance.random() < 0.05:
                self.namesakes.append((child.given, child.family))
            child.nhs_number, child.upn = self._nhs_number(), self._upn()
            family.children.append(child)

    def _person(self, names: tuple[str, ...], family: str, born: date, relationship: str) -> Person:
        self.people += 1
        given = self._ranked(names)
        if self.chance.random() < 0.25 and (middle := self._ranked(names)) != given:
            given = f"{given}-{middle}" if self.chance.random() < 0.15 else f"{given} {middle}"
        return Person(self.people, given, family, born, relationship)

    def _ranked(self, names: tuple[str, ...]) -> str:
        """One of them, the common ones more often: by Zipf's law, flattened."""
        return names[min(int(len(names) * self.chance.random() ** 1.6), len(names) - 1)]

    def _surname(self, community: Community) -> str:
        if self.chance.random() < community.rare:
            return (
                self.chance.choice(BEGINNINGS)
                + self.chance.choice(("", "", "er", "en", "ing", "a"))
                + self.chance.choice(ENDINGS)
            )
        return self._ranked(community.families)

    def _adult(self) -> date:
        return TODAY - timedelta(days=self.chance.randrange(20 * 365, 50 * 365))

    def _address(self) -> dict[str, str]:
        """Fifteen households or so have a postcode, as in England."""
        chance = self.chance
        line = f"{chance.randrange(1, 150)} {chance.choice(STREETS)} {chance.choice(KINDS)}"
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        postcode = f"B{chance.randrange(1, 50)} {chance.randrange(1, 10)}{chance.choice(letters)}{chance.choice(letters)}"
        return {"line1": line, "postcode": postcode}

    def _nhs_number(self) -> str:
        while True:
            nine = f"{self.chance.randrange(400_000_000, 799_999_999)}"
            if (check := -nhs.checksum(f"{nine}0") % 11) < 10:
                return f"{nine}{check}"

    def _upn(self) -> str:
        twelve = f"{self.chance.choice(('333', '330', '309', '888'))}{self.chance.randrange(10**9):09d}"
        return f"{upn.calc_check_digit(twelve)}{twelve}"

    # --- contacts ---

    def _contact(self, family: Family, reference: str) -> Contact:
        chance = self.chance
        about = [chance.choice(family.children)]
        rest = [child for child in family.children if child is not about[0]]
        about += [child for child in rest if chance.random() < SIBLING_ABOUT]
        address = self._written_address(family)
        subjects = [self._subject(child, family, address) for child in about]
        named = [child for child in rest if child not in about and chance.random() < SIBLING_NAMED]
        named += [
            one for one in family.adults if chance.random() < (MOTHER_NAMED if one.relationship == "mother" else FATHER_NAMED)
        ]
        household = [self._household(one) for one in named]
        return Contact(reference, subjects, household, [one.number for one in about], [one.number for one in named])

    def _subject(self, child: Person, family: Family, address: dict[str, str]) -> dict[str, Any]:
        subject: dict[str, Any] = {"name": self._written(child), "cohort": "child"}
        if born := self._birthday(child.born):
            subject["date_of_birth"] = born
        if address:
            subject["address"] = address
        if self.chance.random() < NHS_NUMBER_GIVEN:
            other = self.chance.random() < SIBLINGS_NUMBER
            subject["nhs_number"] = self._typed(self.chance.choice(family.children).nhs_number if other else child.nhs_number)
        if (TODAY - child.born).days > 4 * 365 and self.chance.random() < UPN_GIVEN:
            subject["upn"] = self._typed(child.upn)
        return subject

    def _household(self, one: Person) -> dict[str, Any]:
        given, family = self._parts(one)
        person: dict[str, Any] = {"name": f"{given} {family}", "relationship": one.relationship}
        told = BORN_OF_SIBLING if one.relationship == "sibling" else BORN_OF_ADULT
        if self.chance.random() < told and (born := self._birthday(one.born)):
            person["date_of_birth"] = born
        return person

    def _written(self, one: Person) -> dict[str, str] | str:
        given, family = self._parts(one)
        return f"{given} {family}" if self.chance.random() < IN_ONE_PIECE else {"given": given, "family": family}

    def _parts(self, one: Person) -> tuple[str, str]:
        """A name as somebody writes it."""
        chance, given, family = self.chance, one.given, one.family
        first, _, middle = given.partition(" ")
        if chance.random() < GIVEN_SHORT and first.lower() in SHORT:
            first, middle = chance.choice(SHORT[first.lower()]).title(), ""
        elif chance.random() < GIVEN_OTHERWISE:
            first = self._otherwise(first)
        if middle and chance.random() < MIDDLE_NAME_LEFT_OUT:
            middle = ""
        if one.earlier and chance.random() < FAMILY_CHANGED:
            family = chance.choice((one.earlier, f"{one.earlier}-{family}"))
        elif chance.random() < FAMILY_OTHERWISE:
            family = self._otherwise(family)
        given = f"{first} {middle}".strip()
        if chance.random() < WITHOUT_ACCENTS:
            given, family = anyascii(given), anyascii(family)
        return (family, given) if chance.random() < EXCHANGED else (given, family)

    def _otherwise(self, name: str) -> str:
        """Another spelling that is in use, or a slip: a letter doubled, left out, exchanged with the next, or another."""
        if (spellings := OTHERWISE.get(name.lower())) and self.chance.random() < 0.7:
            return self.chance.choice(spellings).title()
        at = self.chance.randrange(1, max(2, len(name) - 1))
        slips = (
            name[:at] + name[at - 1 :],
            name[:at] + name[at + 1 :],
            name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
            name[:at] + self.chance.choice("aeiouylnrst") + name[at + 1 :],
        )
        return self.chance.choice(slips)

    def _birthday(self, born: date) -> str:
        fate = self.chance.random()
        if fate < BORN_MISSING:
            return ""
        if fate < BORN_MISSING + BORN_EXCHANGED:
            return (born.replace(month=born.day, day=born.month) if born.day <= 12 else born).isoformat()
        if fate < BORN_MISSING + BORN_EXCHANGED + BORN_PART_WRONG:
            part = self.chance.randrange(3)
            parts = [born.year, born.month, min(born.day, 28)]
            parts[part] = (born.year - self.chance.choice((1, -1, 2)), 1 + born.month % 12, 1 + parts[2] % 28)[part]
            return date(*parts).isoformat()
        return born.isoformat()

    def _written_address(self, family: Family) -> dict[str, str]:
        fate = self.chance.random()
        if fate < ADDRESS_MISSING:
            return {}
        address = dict(family.before if fate < ADDRESS_MISSING + ADDRESS_OLD else family.address)
        if self.chance.random() < POSTCODE_WRONG:
            address["postcode"] = address["postcode"][:-1] + self.chance.choice("ABDEF")
        if self.chance.random() < 0.3:
            address["postcode"] = address["postcode"].replace(" ", "").lower()
        if self.chance.random() < 0.3:
            address["line1"] = address["line1"].replace("Road", "Rd").replace("Street", "St.").replace("Avenue", "Ave")
        return address

    def _typed(self, number: str) -> str:
        """A number as it is typed: in groups or not, and with a digit wrong now and then."""
        if self.chance.random() < DIGIT_WRONG:
            at = self.chance.randrange(3, len(number))
            number = number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :] if number[at].isdigit() else number
        return f"{number[:3]} {number[3:6]} {number[6:]}" if len(number) == 10 and self.chance.random() < 0.5 else number


def contacts(seed: int, families: int = 500) -> list[Contact]:
    """The contacts about so many families, in the order in which they come; two for each family on average."""
    chance = random.Random(seed)  # noqa: S311  made data, not a secret
    made = [each for about in Maker(chance).contacts(families) for each in about]
    chance.shuffle(made)
    return made
