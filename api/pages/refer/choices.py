"""What there is to choose from at /refer, in plain words, and the codes for it. No question has more than seven answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ANONYMOUS = "9"
"""Who refers without saying who they are, in the Children in Need census."""
MOST_CHOICES = 7
"""Answers that one question offers as radios; where there are more, a list opens."""


@dataclass(frozen=True)
class Referrer:
    """Who refers: in words, the source agency, and the referral source of the Children in Need census."""

    words: str
    agency: str
    code: str | None


@dataclass(frozen=True)
class Sector:
    """From where somebody writes: in words, who they are there more closely, and what they count as where that is not said."""

    words: str
    kinds: Mapping[str, Referrer]
    otherwise: Referrer


SECTORS = {
    "education": Sector(
        "School, nursery or college",
        {
            "school": Referrer("School", "education", "2A"),
            "education": Referrer("Nursery, college or other education", "education", "2B"),
        },
        Referrer("School, nursery or college", "education", None),
    ),
    "health": Sector(
        "Health",
        {
            "gp": Referrer("GP practice", "health", "3A"),
            "health_visitor": Referrer("Health visiting", "health", "3B"),
            "school_nurse": Referrer("School nursing", "health", "3C"),
            "hospital": Referrer("Accident and emergency", "health", "3E"),
            "health": Referrer("Other health service", "health", "3F"),
        },
        Referrer("Health", "health", None),
    ),
    "justice": Sector(
        "Police, probation or court",
        {
            "police": Referrer("Police", "police", "6"),
            "probation": Referrer("Probation", "probation", "7"),
            "court": Referrer("Court or Cafcass", "court", "7"),
        },
        Referrer("Police, probation or court", "unknown", None),
    ),
    "council": Sector(
        "Council or housing",
        {
            "housing": Referrer("Housing", "housing", "4"),
            "early_help": Referrer("Early help", "early_help", "5D"),
            "social_care": Referrer("Adult social care", "adult_social_care", "5A"),
            "council": Referrer("Other council service", "local_authority", "5B"),
        },
        Referrer("Council or housing", "unknown", None),
    ),
    "voluntary": Sector("Charity or voluntary organisation", {}, Referrer("Charity or voluntary organisation", "voluntary", "8")),
    "public": Sector(
        "Family, friend, neighbour or member of the public",
        {
            "relative": Referrer("Member of the family, or a friend of the family", "individual", "1A"),
            "neighbour": Referrer("Neighbour or childminder", "individual", "1B"),
            "public": Referrer("Another member of the public", "individual", "1D"),
        },
        Referrer("Family, friend, neighbour or member of the public", "individual", "1D"),
    ),
    "self": Sector("It is about me", {}, Referrer("It is about me", "individual", "1C")),
}
PUBLIC = ("public", "self")
"""The sectors of people who speak for nobody but themselves: they need not say who they are."""
AT_HOME = {
    "neglect": "Neglect: not fed, kept clean or warm, looked after, or taken to a doctor",
    "physical_abuse": "Being hurt: hit, shaken, burned, or hurt in another way",
    "emotional_abuse": "Being frightened, shamed, blamed or shut out again and again",
    "sexual_abuse": "Sexual abuse",
    "domestic_abuse": "Domestic abuse: violence or control between adults of the family",
}
OUTSIDE = {
    "exploitation": "Being used by others, for sex or for crime",
    "gangs": "Gangs, knives or drug dealing",
    "missing": "Someone is missing, or goes missing",
    "hate_crime": "Hate crime",
    "professional_concern": "Someone who works with children or adults",
}
CATEGORIES = {**AT_HOME, **OUTSIDE}
"""What it is about."""
COHORTS = {"child": "A child", "unborn": "An unborn baby", "adult": "An adult"}
AGREED = {"yes": "Yes", "no": "No", "not_asked": "I have not asked"}
YES_NO = {"yes": "Yes", "no": "No"}
WRITE = {"yes": "Yes", "no": "No, it is not safe"}
DANGER = {"yes": "Yes", "no": "No, or I do not know"}
WANTS = {"referral": "Make a referral", "advice": "Ask for advice"}


def sector_of(you: Mapping[str, str]) -> Sector | None:
    """From where somebody writes, by what they chose on the page about them; None where they chose nothing that there is."""
    return SECTORS.get(you.get("sector", ""))


def referrer_of(you: Mapping[str, str]) -> Referrer:
    """Who refers, by what they chose on the page about them."""
    sector = sector_of(you)
    if sector is None:
        return Referrer("", "unknown", None)
    return sector.kinds.get(you.get(which(you.get("sector", "")), ""), sector.otherwise)


def which(sector: str) -> str:
    """The name of the question who somebody is more closely within a sector."""
    return f"which_{sector}"
