"""What somebody has written, as the contact that is sent, and as they look it over before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from mash.api.pages.refer.steps import DATE, ENTRY, PEOPLE, PUBLIC, STEPS, Answers, Typed, date_of
from mash.api.schemas.contact import Submission
from mash.states.profile import Profile

ANONYMOUS = "9"
FROM: dict[str, tuple[str, str, str]] = {
    "school": ("School", "education", "2A"),
    "education": ("Nursery, college or other education", "education", "2B"),
    "gp": ("GP practice", "health", "3A"),
    "health_visitor": ("Health visiting", "health", "3B"),
    "school_nurse": ("School nursing", "health", "3C"),
    "hospital": ("Accident and emergency", "health", "3E"),
    "health": ("Other health service", "health", "3F"),
    "police": ("Police", "police", "6"),
    "housing": ("Housing", "housing", "4"),
    "early_help": ("Early help", "early_help", "5D"),
    "social_care": ("Adult social care", "adult_social_care", "5A"),
    "council": ("Other council service", "local_authority", "5B"),
    "probation": ("Probation", "probation", "7"),
    "court": ("Court or Cafcass", "court", "7"),
    "voluntary": ("Charity or voluntary organisation", "voluntary", "8"),
    "relative": ("Member of the family, or a friend of the family", "individual", "1A"),
    "neighbour": ("Neighbour or childminder", "individual", "1B"),
    "self": ("It is about me", "individual", "1C"),
    "public": ("Another member of the public", "individual", "1D"),
}
"""Who refers: in words, the source agency, and the referral source of the Children in Need census."""
CATEGORIES = {
    "domestic_abuse": "Domestic abuse",
    "missing": "Someone is missing, or goes missing",
    "exploitation": "Exploitation, sexual or criminal",
    "hate_crime": "Hate crime",
    "gangs": "Gangs",
    "professional_concern": "Someone who works with children or adults",
}
COHORTS = {"child": "A child", "unborn": "An unborn baby", "adult": "An adult"}
AGREED = {"yes": "Yes", "no": "No", "not_asked": "I have not asked"}
YES_NO = {"yes": "Yes", "no": "No"}
WRITE = {"yes": "Yes", "no": "No, it is not safe"}
DANGER = {"yes": "Yes", "no": "No, or I do not know"}
WANTS = {"referral": "Make a referral", "advice": "Ask for advice"}
POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\b", re.IGNORECASE)


def agency_of(answers: Answers) -> str:
    """The source agency of whoever writes."""
    return FROM[kind][1] if (kind := answers.answer("you", "kind")) in FROM else "unknown"


def submission_of(answers: Answers) -> Submission:
    """The contact that is sent: the same as a referrer's system sends."""
    worries = answers.pages.get("worries", {})
    return Submission.model_validate(
        {
            "kind": "advice" if answers.advice else "referral",
            "source": _source(answers),
            "subjects": [_subject(each) for each in answers.people],
            "household": [_texts(each, "name", "relationship") for each in answers.household],
            "concern": {
                "summary": _text(worries, "worries"),
                "categories": [each for each in CATEGORIES if each in worries.get("categories", "").split(",")],
                "immediate_danger": _text(answers.pages.get("danger", {}), "danger"),
            },
            "consent": _consent(answers.pages.get("consent", {})),
        }
    )


def _text(typed: Mapping[str, str], name: str) -> str | None:
    return typed.get(name, "").strip() or None


def _texts(typed: Mapping[str, str], *names: str) -> dict[str, str | None]:
    return {name: _text(typed, name) for name in names}


def _source(answers: Answers) -> dict[str, Any]:
    you = answers.pages.get("you", {})
    known = _texts(you, "name", "role", "organisation", "email", "phone")
    kind = you.get("kind", "")
    code = FROM[kind][2] if kind in FROM else None
    nobody = kind in PUBLIC and not any(known[name] for name in ("name", "email", "phone"))
    safe = {"safe_to_write": you.get("write") or None, "how_to_reach": _text(you, "reach")}
    return {**known, **safe, "agency": agency_of(answers), "code": ANONYMOUS if nobody else code}


def _subject(typed: Typed) -> dict[str, Any]:
    address = _text(typed, "address")
    postcode = POSTCODE.search(address or "")
    return {
        "name": _texts(typed, "given", "family"),
        "cohort": _text(typed, "cohort"),
        "expected_date" if typed.get("cohort") == "unborn" else "date_of_birth": _day_text(typed),
        "age_estimate": _text(typed, "age"),
        "school": _text(typed, "school"),
        "address": {"line1": address, "postcode": postcode[0].upper() if postcode else None} if address else None,
    }


def _day_text(typed: Typed) -> str | None:
    """A date as it is sent: one that is half known, or is none, as it was given."""
    if day := date_of(typed):
        return day.isoformat()
    parts = [typed.get(name, "").strip() for name in DATE]
    return " ".join(each or "?" for each in parts) if any(parts) else None


def _consent(typed: Typed) -> dict[str, Any]:
    agreed = typed.get("agreed", "")
    return {
        "family_informed": _text(typed, "told"),
        "asked": agreed in ("yes", "no") if agreed else None,
        "given": agreed if agreed in ("yes", "no") else None,
        "override_reason": _text(typed, "why"),
        "safe_contact": _text(typed, "safe"),
    }


# --- as they look it over ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """An answer: to what, in words, where it is changed, and what may be a slip in it."""

    asked: str
    answer: str
    href: str
    slip: str = ""


def name_of(typed: Mapping[str, str]) -> str:
    """What a person of a list is called there."""
    names = " ".join(value for name in ("given", "family", "name") if (value := typed.get(name, "").strip()))
    return names or "Name not known"


def described(typed: Mapping[str, str]) -> str:
    """A person of a list, with what they are to the others."""
    relationship = typed.get("relationship", "").strip()
    return f"{name_of(typed)}, {relationship}" if relationship else name_of(typed)


def rows_of(answers: Answers, hubs: Mapping[str, Profile], today: date) -> list[tuple[str, list[Row]]]:
    """All answers by part, in the order in which they were asked for."""
    area = hubs[hub].title if (hub := answers.answer("area", "hub")) in hubs else ""
    first = [
        Row(STEPS["danger"].title, DANGER.get(answers.answer("danger", "danger"), ""), "/refer/danger"),
        Row(STEPS["want"].title, WANTS["advice" if answers.advice else "referral"], "/refer/want"),
    ]
    return [
        ("What this is", [*([Row("Area", area, "/refer/area")] if len(hubs) > 1 else []), *first]),
        ("Who it is about", _people_rows(answers, today)),
        (STEPS["worries"].titled(answers.advice), _worries_rows(answers)),
        ("What the family knows", _consent_rows(answers)),
        ("About you", _you_rows(answers, today)),
    ]


def _people_rows(answers: Answers, today: date) -> list[Row]:
    people = [
        Row(
            name_of(each),
            "\n".join(_lines(each)) or "Nothing more is known",
            f"/refer/people/{each[ENTRY]}",
            ". ".join(PEOPLE.slips(each, today).values()),
        )
        for each in answers.people
    ]
    living = "\n".join(described(each) for each in answers.household)
    return [*(people or [Row("People", "", "/refer/people")]), Row("Who lives with them", living, "/refer/household")]


def _lines(typed: Typed) -> list[str]:
    day = f"{found.day} {found:%B} {found.year}" if (found := date_of(typed)) else _day_text(typed)
    asked = "Expected" if typed.get("cohort") == "unborn" else "Born"
    age, school = typed.get("age", "").strip(), typed.get("school", "").strip()
    lines = (
        COHORTS.get(typed.get("cohort", ""), ""),
        f"{asked} {day}" if day else "",
        f"Age: {age}" if age else "",
        typed.get("address", "").strip(),
        school,
    )
    return [line for line in lines if line]


def _worries_rows(answers: Answers) -> list[Row]:
    about = [words for code, words in CATEGORIES.items() if code in answers.answer("worries", "categories").split(",")]
    return [
        Row("In your words", answers.answer("worries", "worries"), "/refer/worries"),
        Row("What it is about", "\n".join(about), "/refer/worries#categories"),
    ]


def _consent_rows(answers: Answers) -> list[Row]:
    at = "/refer/consent"
    return [
        Row("Have you told the family you are contacting us?", YES_NO.get(answers.answer("consent", "told"), ""), at),
        Row("Do they agree?", AGREED.get(answers.answer("consent", "agreed"), ""), f"{at}#agreed"),
        Row("Why you are sharing it without their agreement", answers.answer("consent", "why"), f"{at}#why"),
        Row("Before we contact them", answers.answer("consent", "safe"), f"{at}#safe"),
    ]


def _you_rows(answers: Answers, today: date) -> list[Row]:
    kind, slips = answers.answer("you", "kind"), STEPS["you"].slips(answers.pages.get("you", {}), today)

    def row(asked: str, name: str) -> Row:
        return Row(asked, answers.answer("you", name), f"/refer/you#{name}", slips.get(name, ""))

    words = {
        "name": "Name",
        "role": "Role",
        "organisation": "Organisation",
        "email": "Email address",
        "phone": "Telephone number",
    }
    return [
        Row("Contacting us as", FROM[kind][0] if kind in FROM else "", "/refer/you#kind"),
        *(row(asked, name) for name, asked in words.items()),
        Row("Is it safe to write to you?", WRITE.get(answers.answer("you", "write"), ""), "/refer/you#write"),
        Row("How and when it is safe to reach you", answers.answer("you", "reach"), "/refer/you#reach"),
    ]
