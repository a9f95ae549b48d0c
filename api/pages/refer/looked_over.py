"""What somebody has written, as they look it over before they send it, and as it stands in their copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mash.api.pages.refer.answers import ENTRY, Answers, Typed, name_of
from mash.api.pages.refer.choices import AGREED, CATEGORIES, COHORTS, DANGER, WANTS, WRITE, YES_NO, referrer_of
from mash.api.pages.refer.doubts import DATE, date_of
from mash.api.pages.refer.steps import NEW, PEOPLE, STEPS, WORRIES, YOU, Step, faults_on, person_at
from mash.api.pages.refer.submission import day_text
from mash.states.profile import Profile

Part = tuple[str, list["Row"]]


@dataclass(frozen=True)
class Row:
    """An answer: to what, in words, where it is changed, and what is wrong or may be a slip in it."""

    asked: str
    answer: str
    href: str
    slip: str = ""


def rows_of(answers: Answers, hubs: Mapping[str, Profile], today: date) -> list[Part]:
    """All answers by part, in the order in which they were asked for."""
    count = len(hubs)
    return [
        ("What this is", _first_rows(answers, hubs)),
        ("Who it is about", _people_rows(answers, today, count)),
        (WORRIES.titled(answers.advice), _worries_rows(answers, count)),
        ("Their home and family", _family_rows(answers, count)),
        ("About you", _you_rows(answers, today, count)),
    ]


def _wrong(step: Step, typed: Typed, answers: Answers, hubs: int, today: date | None = None) -> dict[str, str]:
    doubts = {name: each.text for name, each in step.doubts(typed, today).items()} if today else {}
    return {**doubts, **faults_on(step, typed, answers, hubs)}


def _first_rows(answers: Answers, hubs: Mapping[str, Profile]) -> list[Row]:
    at = "/refer/first"
    wrong = _wrong(STEPS["first"], answers.page("first"), answers, len(hubs))
    area = hubs[hub].area if (hub := answers.answer("first", "hub")) in hubs else ""
    return [
        *([Row("Area", area, f"{at}#hub", wrong.get("hub", ""))] if len(hubs) > 1 else []),
        Row("Is anyone in immediate danger now?", DANGER.get(answers.answer("first", "danger"), ""), f"{at}#danger"),
        Row("What do you want to do?", WANTS["advice" if answers.advice else "referral"], f"{at}#want"),
    ]


def _people_rows(answers: Answers, today: date, hubs: int) -> list[Row]:
    people = [
        Row(
            name_of(each),
            "\n".join(_lines(each)) or "Nothing more is known",
            person_at(each[ENTRY]),
            ". ".join(_wrong(PEOPLE, each, answers, hubs, today).values()),
        )
        for each in answers.people
    ]
    return people or [Row("People", "", person_at(NEW))]


def _lines(typed: Typed) -> list[str]:
    day = f"{found.day} {found:%B} {found.year}" if (found := date_of(typed)) else day_text(typed)
    asked = "Expected" if typed.get("cohort") == "unborn" else "Born"
    age, school = typed.get("age", "").strip(), typed.get("school", "").strip()
    lines = (
        COHORTS.get(typed.get("cohort", ""), ""),
        f"{asked} {day}" if any(typed.get(name, "").strip() for name in DATE) else "",
        f"Age: {age}" if age else "",
        typed.get("address", "").strip(),
        school,
    )
    return [line for line in lines if line]


def _worries_rows(answers: Answers, hubs: int) -> list[Row]:
    at, wrong = "/refer/worries", _wrong(WORRIES, answers.page("worries"), answers, hubs)
    about = [words for code, words in CATEGORIES.items() if code in answers.answer("worries", "categories").split(",")]
    return [
        Row("In your words", answers.answer("worries", "worries"), f"{at}#worries", wrong.get("worries", "")),
        Row("What do you need from us?", answers.answer("worries", "need"), f"{at}#need", wrong.get("need", "")),
        Row("What it is about", "\n".join(about), f"{at}#categories"),
    ]


def _family_rows(answers: Answers, hubs: int) -> list[Row]:
    at, wrong = "/refer/family", _wrong(STEPS["family"], answers.page("family"), answers, hubs)
    living = "\n".join(described(each) for each in answers.household)
    rows = ". ".join(said for name, said in wrong.items() if name not in ("why", "safe"))
    return [
        Row("Have you told the family you are contacting us?", YES_NO.get(answers.answer("family", "told"), ""), f"{at}#told"),
        Row("Do they agree?", AGREED.get(answers.answer("family", "agreed"), ""), f"{at}#agreed"),
        Row("Why you are sharing it without their agreement", answers.answer("family", "why"), f"{at}#why", wrong.get("why", "")),
        Row("Before we contact them", answers.answer("family", "safe"), f"{at}#safe", wrong.get("safe", "")),
        Row("Who lives with them", living, f"{at}#who_1", rows),
    ]


def described(typed: Mapping[str, str]) -> str:
    """Somebody who lives with them, with what they are to the others."""
    relationship = typed.get("relationship", "").strip()
    return f"{name_of(typed)}, {relationship}" if relationship else name_of(typed)


def _you_rows(answers: Answers, today: date, hubs: int) -> list[Row]:
    you, at = answers.page("you"), "/refer/you"
    wrong = _wrong(YOU, you, answers, hubs, today)

    def row(asked: str, name: str) -> Row:
        return Row(asked, answers.answer("you", name), f"{at}#{name}", wrong.get(name, ""))

    words = {
        "name": "Name",
        "role": "Role",
        "organisation": "Organisation",
        "email": "Email address",
        "phone": "Telephone number",
    }
    unclear = next((said for name, said in wrong.items() if name.startswith(("sector", "which_"))), "")
    return [
        Row("Contacting us as", referrer_of(you).words, f"{at}#sector", unclear),
        *(row(asked, name) for name, asked in words.items()),
        Row("Is it safe to write to you?", WRITE.get(answers.answer("you", "write"), ""), f"{at}#write"),
        row("How and when it is safe to reach you", "reach"),
    ]
