"""The parts of a referral as somebody writes it, one thing on each page: in which order, with which fields, and what is wrong.

Little must be right: a concern is not refused because a date is half known or an address misspelt. That is asked about once, and
taken as it was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from mash.api.pages.questions import UNREADABLE
from mash.api.schemas.contact import MOST_HOUSEHOLD, MOST_SUBJECTS
from mash.api.schemas.fields import LONGEST_LINE, LONGEST_TEXT
from mash.api.text import plain
from mash.config.addresses import Judged, judged
from mash.flows.store.sounds import LONGEST_NAME

Typed = dict[str, str]
"""The fields of a page, each as it was typed."""
Errors = dict[str, str]
"""What is wrong, by the field it stands beside."""
CHECK = "/refer/check"
"""Where all answers are looked over, and sent."""
ENTRY = "id"
"""By what a person of a list is known, however the list changes."""


class Answers(BaseModel):
    """What somebody has written so far. Wrong answers are kept too, as they were typed."""

    pages: dict[str, Typed] = {}
    people: list[Typed] = []
    household: list[Typed] = []
    at: str = "/refer"
    """Where they were."""
    looked_over: bool = False
    """Whether they have come to the check page: each change leads back there."""
    begun_again: bool = False
    """Whether what they had written before could not be found."""
    sent: str = ""
    """Which referral it has become."""
    sent_at: str = ""
    shown: bool = False
    """Whether that was shown to them."""

    def answer(self, page: str, field: str) -> str:
        """An answer, without the blanks around it."""
        return self.pages.get(page, {}).get(field, "").strip()

    @property
    def advice(self) -> bool:
        """Whether they want advice, and not yet refer."""
        return self.answer("want", "want") == "advice"

    def with_page(self, page: str, typed: Typed) -> Answers:
        """These answers, with those of a page."""
        return self.model_copy(update={"pages": {**self.pages, page: typed}})

    def entries(self, which: str) -> list[Typed]:
        """The people of a list."""
        return self.people if which == "people" else self.household

    def with_entry(self, which: str, entry: str, typed: Typed) -> Answers:
        """These answers, with a person added to a list or changed in it; one of whom nothing is said is none."""
        entries, new = self.entries(which), {ENTRY: entry, **typed}
        if not says(typed):
            people = [each for each in entries if each[ENTRY] != entry]
        elif any(each[ENTRY] == entry for each in entries):
            people = [new if each[ENTRY] == entry else each for each in entries]
        else:
            people = [*entries, new]
        return self.model_copy(update={which: people})


def says(typed: Mapping[str, str]) -> bool:
    """Whether anything was typed that says something of a person."""
    return any(value.strip() for name, value in typed.items() if name not in (ENTRY, "cohort"))


@dataclass(frozen=True)
class Step:
    """A page: its title, another one where somebody wants advice, its fields, what must be chosen there (by field, with what is
    said where it is not), and what may be a slip."""

    name: str
    title: str
    fields: tuple[str, ...] = ()
    needed: Errors = field(default_factory=dict)
    slips: Callable[[Typed, date], Errors] = lambda typed, today: {}
    advice_title: str = ""

    def titled(self, advice: bool) -> str:
        """Its title, for whoever refers or wants advice."""
        return self.advice_title if advice and self.advice_title else self.title

    def faults(self, typed: Typed) -> Errors:
        """What must be set right: what is not chosen, and what cannot be kept as it is."""
        missing = {name: error for name, error in self.needed.items() if not typed.get(name)}
        return {**missing, **{name: wrong for name in self.fields if (wrong := _text_fault(name, typed.get(name, "")))}}


@dataclass(frozen=True)
class List(Step):
    """A page with a list of people; each has a page, with the fields. `most` is how many there may be."""

    each: str = ""
    advice_each: str = ""
    most: int = 0


LONG = ("worries", "why", "safe", "reach")
"""The fields in which somebody tells something."""
NAMES = ("given", "family", "name")
"""Those that hold a name, by which people are found: a name is short."""


def _text_fault(name: str, text: str) -> str:
    longest = LONGEST_TEXT if name in LONG else LONGEST_NAME if name in NAMES else LONGEST_LINE
    if len(text) > longest:
        rest = ", and write the rest where you say what worries you" if name in NAMES else ""
        return f"Shorten this to {longest:,} characters{rest}; it has {len(text):,}"
    try:
        plain(text)
    except PydanticCustomError:
        return UNREADABLE
    return ""


DATE = ("day", "month", "year")
OR_AGE = "or leave the date empty and give an age"


def _person(typed: Typed, today: date) -> Errors:
    parts = {name: typed.get(name, "").strip() for name in DATE}
    missing = [name for name in DATE if not parts[name]]
    if len(missing) == len(DATE):
        return {}
    if missing:
        return {missing[0]: f"Enter the {' and the '.join(missing)} too, {OR_AGE}"}
    if not re.fullmatch("[0-9]{4}", parts["year"]):
        return {"year": f"Enter the year in four figures, such as 2015, {OR_AGE}"}
    if (day := date_of(typed)) is None:
        return {"day": f"Enter a real date in figures, such as 27 3 2015, {OR_AGE}"}
    return _date_out_of_place(day, typed.get("cohort") == "unborn", today)


def _date_out_of_place(day: date, unborn: bool, today: date) -> Errors:
    if day.year < 1900:
        return {"year": f"Enter a year from 1900 on, {OR_AGE}"}
    if not unborn and day > today:
        return {"year": "This date of birth is in the future. If the baby is not born yet, choose “An unborn baby”"}
    if unborn and abs((day - today).days) > 366:
        return {"year": "The date the baby is expected is more than a year away. Check it, or leave it empty"}
    return {}


def date_of(typed: Mapping[str, str]) -> date | None:
    """The date in three boxes; None where it is none."""
    parts = [typed.get(name, "").strip() for name in ("year", "month", "day")]
    if not all(re.fullmatch("[0-9]{1,4}", each) for each in parts):
        return None
    try:
        return date(*(int(each) for each in parts))
    except ValueError:
        return None


def _you(typed: Typed, _: date) -> Errors:
    name, email, phone = (typed.get(each, "").strip() for each in ("name", "email", "phone"))
    wrong: Errors = {}
    professional = typed.get("kind", "") not in ("", *PUBLIC)
    if professional and not name:
        wrong["name"] = "Enter your name, so that we know who to ask for"
    if professional and not email and not phone:
        wrong["email"] = "Enter an email address or a telephone number, so that we can reach you"
    if (found := judged(email)).slip:
        wrong["email"] = _email_slip(found)
    return wrong


def _email_slip(found: Judged) -> str:
    said = "is probably mistyped" if found.can_be else "cannot be an email address"
    meant = f". Did you mean {found.meant}?" if found.meant else ". Enter it in this form: name@example.org"
    return f"{found.address} {said}, and what we write would not reach you{meant}"


KIND = "Choose who you are contacting us as. Members of the public need not give a name."
PUBLIC = ("relative", "neighbour", "self", "public")
"""The kinds of people who speak for nobody but themselves: they need not say who they are."""
PEOPLE = List(
    "people",
    "The people you are worried about",
    ("given", "family", "cohort", *DATE, "age", "address", "school"),
    slips=_person,
    advice_title="The people you want advice about",
    each="Who are you worried about?",
    advice_each="Who do you want advice about?",
    most=MOST_SUBJECTS,
)
HOUSEHOLD = List(
    "household",
    "Who lives with them?",
    ("name", "relationship"),
    each="Someone who lives with them",
    most=MOST_HOUSEHOLD,
)
STEPS = {
    step.name: step
    for step in (
        Step("area", "Where do they live?", ("hub",), {"hub": "Choose the area, so that this reaches those who can help"}),
        Step("danger", "Is anyone in immediate danger now?", ("danger",)),
        Step("want", "What do you want to do?", ("want",)),
        PEOPLE,
        HOUSEHOLD,
        Step("worries", "What worries you?", ("worries", "categories"), advice_title="What do you want advice about?"),
        Step("consent", "Does the family know?", ("told", "agreed", "why", "safe")),
        Step(
            "you", "About you", ("name", "role", "organisation", "kind", "email", "phone", "write", "reach"), {"kind": KIND}, _you
        ),
    )
}
LISTS = {each.name: each for each in (PEOPLE, HOUSEHOLD)}


def order(hubs: int) -> list[str]:
    """The pages in their order; where there is but one hub, nobody is asked which."""
    return [name for name in STEPS if hubs > 1 or name != "area"]


def after(step: str, answers: Answers, hubs: int) -> str:
    """Where a page leads on to."""
    if answers.looked_over:
        return CHECK
    names = order(hubs)
    later = names[names.index(step) + 1 :] if step in names else names
    return f"/refer/{later[0]}" if later else CHECK


def before(step: str, answers: Answers, hubs: int) -> str:
    """Where a page leads back to."""
    if answers.looked_over:
        return CHECK
    names = order(hubs)
    at = names.index(step) if step in names else 0
    return f"/refer/{names[at - 1]}" if at else "/refer"


def faults(answers: Answers, hubs: int) -> Errors:
    """What must be set right before it can be sent, by the page where that is done."""
    wrong: Errors = {}
    for name in order(hubs):
        pages = {f"/refer/{name}/{each[ENTRY]}": each for each in answers.entries(name)} if name in LISTS else {}
        for address, typed in (pages or {f"/refer/{name}": answers.pages.get(name, {})}).items():
            if text := next(iter(STEPS[name].faults(typed).values()), ""):
                wrong[address] = text
    people = [*answers.people, *(each for each in answers.household if each.get("name", "").strip())]
    if not answers.answer("worries", "worries") and not people:
        wrong["/refer/worries"] = "Say what worries you, or who it is about: one of them is enough"
    return wrong
