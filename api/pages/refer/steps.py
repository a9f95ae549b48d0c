"""The pages of a referral: in which order, with which fields, what must be right, and what may be a slip.

Little must be right: a concern is not refused because a date is half known or a number misspelt. That is asked about once, at the
field, and taken as it was given (doubts.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pydantic_core import PydanticCustomError

from mash.api.pages.questions import UNREADABLE
from mash.api.pages.refer.answers import ENTRY, KEPT, ROWS, Answers, Typed
from mash.api.pages.refer.choices import SECTORS, which
from mash.api.pages.refer.doubts import DATE, Doubt, Errors, doubts_of, of_person, of_writer, tokens
from mash.api.schemas.contact import MOST_SUBJECTS
from mash.api.schemas.fields import LONGEST_LINE, LONGEST_TEXT
from mash.api.text import plain
from mash.flows.store.sounds import LONGEST_NAME

CHECK = "/refer/check"
"""Where all answers are looked over, and sent."""
NEW = "new"
"""What stands in the address of the page of a person who is to be added."""
LONG = ("worries", "need", "why", "safe", "reach")
"""The fields in which somebody tells something."""
NAMES = ("given", "family", "name", *(who for who, _ in ROWS))
"""Those that hold a name, by which people are found: a name is short."""
CHOOSE_AREA = "Choose the area, so that this reaches those who can help"
CHOOSE_SECTOR = "Choose who you are contacting us as. Members of the public need not give a name."
SAY_SOMETHING = "Say what worries you, or go back and say who it is about: one of them is enough"


@dataclass(frozen=True)
class Step:
    """A page: its title, another one where somebody wants advice, its fields, what must be chosen there (by field, with what is
    said where it is not), what may be a slip, and the questions whose doubts are pointed out while they type."""

    name: str
    title: str
    fields: tuple[str, ...]
    needed: Errors = field(default_factory=dict)
    doubtful: Callable[[Typed, date], Errors] = lambda typed, today: {}
    advice_title: str = ""
    looked_at: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def titled(self, advice: bool) -> str:
        """Its title, for whoever refers or wants advice."""
        return self.advice_title if advice and self.advice_title else self.title

    def doubts(self, typed: Typed, today: date) -> dict[str, Doubt]:
        """What is in doubt here, but for what somebody has said to be right."""
        kept = tokens(typed, KEPT)
        return {name: each for name, each in doubts_of(self.doubtful(typed, today), typed).items() if each.token not in kept}


FIRST = Step("first", "Before you start", ("hub", "danger", "want"), {"hub": CHOOSE_AREA})
PEOPLE = Step(
    "people",
    "Who are you worried about?",
    ("given", "family", "cohort", *DATE, "age", "address", "school", "more"),
    doubtful=of_person,
    advice_title="Who do you want advice about?",
    looked_at={"date": DATE, "age": ("age",)},
)
WORRIES = Step("worries", "What worries you?", ("worries", "need", "categories"), advice_title="What do you want advice about?")
FAMILY = Step("family", "Their home and family", ("told", "agreed", "why", "safe", *(name for row in ROWS for name in row)))
YOU = Step(
    "you",
    "About you",
    ("sector", *map(which, SECTORS), "name", "role", "organisation", "email", "phone", "write", "reach"),
    {"sector": CHOOSE_SECTOR},
    of_writer,
    looked_at={"email": ("email",), "phone": ("phone",)},
)
STEPS = {step.name: step for step in (FIRST, PEOPLE, WORRIES, FAMILY, YOU)}
ORDER = tuple(STEPS)


def person_at(entry: str) -> str:
    """The address of a person's page."""
    return f"/refer/people/{entry}"


def address_of(step: str, answers: Answers) -> str:
    """Where a page is; that of the people begins with the first of them."""
    if step != PEOPLE.name:
        return f"/refer/{step}"
    return person_at(answers.people[0][ENTRY] if answers.people else NEW)


def after(step: str, answers: Answers) -> str:
    """Where a page leads on to."""
    if answers.looked_over or step == ORDER[-1]:
        return CHECK
    return address_of(ORDER[ORDER.index(step) + 1], answers)


def after_person(entry: str, answers: Answers, more: bool) -> str:
    """Where a person's page leads on to: the next person, one to be added where there are `more`, or what worries them."""
    if answers.looked_over:
        return CHECK
    entries = [each[ENTRY] for each in answers.people]
    if entry in entries[:-1]:
        return person_at(entries[entries.index(entry) + 1])
    return person_at(NEW) if more else after(PEOPLE.name, answers)


def before(step: str, answers: Answers) -> str:
    """Where a page leads back to."""
    if answers.looked_over:
        return CHECK
    at = ORDER.index(step)
    if at and ORDER[at - 1] == PEOPLE.name:
        return person_at(answers.people[-1][ENTRY] if answers.people else NEW)
    return address_of(ORDER[at - 1], answers) if at else "/refer"


def before_person(entry: str, answers: Answers) -> str:
    """Where a person's page leads back to: the person before, or the page before them."""
    if answers.looked_over:
        return CHECK
    entries = [each[ENTRY] for each in answers.people]
    at = entries.index(entry) if entry in entries else len(entries)
    return person_at(entries[at - 1]) if at else before(PEOPLE.name, answers)


# --- what must be right --------------------------------------------------------------------------------------------------------


def faults_on(step: Step, typed: Typed, answers: Answers, hubs: int) -> Errors:
    """What must be set right on a page, by its field: what is not chosen, what cannot be kept as it is, and nothing at all."""
    needed = {name: error for name, error in step.needed.items() if not typed.get(name) and (name != "hub" or hubs > 1)}
    wrong = {name: said for name in step.fields if (said := _text_fault(name, typed.get(name, "")))}
    people = [*answers.people, *(each for each in answers.household if each["name"])]
    if step is WORRIES and not people and not any(typed.get(name, "").strip() for name in ("worries", "need")):
        needed["worries"] = SAY_SOMETHING
    return {**needed, **wrong}


def faults(answers: Answers, hubs: int) -> Errors:
    """What must be set right before it can be sent, by the page and the field where that is done."""
    wrong: Errors = {}
    for step in STEPS.values():
        pages = {person_at(each[ENTRY]): each for each in answers.people} if step is PEOPLE else {}
        for address, typed in (pages or {f"/refer/{step.name}": answers.page(step.name)}).items():
            wrong |= {f"{address}#{name}": said for name, said in faults_on(step, typed, answers, hubs).items()}
    return wrong


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


MOST_PEOPLE = MOST_SUBJECTS
NO_MORE_PEOPLE = f"There is room for {MOST_PEOPLE} people here. Name the others where you say what worries you"
