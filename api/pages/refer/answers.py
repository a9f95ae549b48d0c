"""What somebody has written of a referral so far, page by page and person by person; wrong answers too, as they were typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, model_validator

from mash.api.pages.refer.choices import SECTORS, which
from mash.api.schemas.contact import MOST_HOUSEHOLD

Typed = dict[str, str]
"""The fields of a page, each as it was typed."""
ENTRY = "id"
"""By what a person is known, however many there are."""
ASKED, KEPT = "asked", "kept"
"""Which doubts were pointed out on a page, and which of them somebody has said to be right (doubts.py)."""
COPIED = ("address", "school")
"""What the next person's page has from the one before: brothers and sisters mostly share it."""
NO_PERSON = (ENTRY, ASKED, KEPT, "cohort", "more")
"""What is no word about a person."""
ROWS = tuple((f"who_{number}", f"is_{number}") for number in range(1, MOST_HOUSEHOLD + 1))
"""The fields of who lives with them: a name, and what they are to the others."""
OF_BEFORE = {"area": "first", "danger": "first", "want": "first", "household": "family", "consent": "family"}
"""Pages that there were once: where their answers are now."""


class Answers(BaseModel):
    """A draft of a referral."""

    pages: dict[str, Typed] = {}
    people: list[Typed] = []
    at: str = "/refer"
    """Where they were."""
    tried: str = ""
    """The page on which something was pointed out to them, as long as they are there."""
    looked_over: bool = False
    """Whether they have come to the check page: each change leads back there."""
    begun_again: bool = False
    """Whether what they had written before could not be found."""
    sent: str = ""
    """Which referral it has become."""
    sent_at: str = ""
    shown: bool = False
    """Whether that was shown to them."""

    @model_validator(mode="before")
    @classmethod
    def of_before(cls, stored: Any) -> Any:
        """Read a draft of when there was a page for each question, as one of now."""
        if not isinstance(stored, dict) or not OF_BEFORE.keys() & {*stored, *stored.get("pages", ())}:
            return stored
        pages: dict[str, Typed] = {}
        for name, typed in stored.get("pages", {}).items():
            page = OF_BEFORE.get(name, name)
            pages[page] = {**pages.get(page, {}), **typed}
        for (who, what), each in zip(ROWS, stored.get("household", []), strict=False):
            pages.setdefault("family", {}).update({who: each.get("name", ""), what: each.get("relationship", "")})
        if kind := pages.get("you", {}).get("kind"):
            pages["you"] = {**pages["you"], **_sector(kind)}
        was = re.match("/refer/([a-z]+)", at := stored.get("at", "/refer"))
        return {**stored, "pages": pages, "at": f"/refer/{OF_BEFORE[was[1]]}" if was and was[1] in OF_BEFORE else at}

    def page(self, name: str) -> Typed:
        """What was typed on a page."""
        return self.pages.get(name, {})

    def answer(self, page: str, field: str) -> str:
        """An answer, without the blanks around it."""
        return self.page(page).get(field, "").strip()

    @property
    def advice(self) -> bool:
        """Whether they want advice, and not yet refer."""
        return self.answer("first", "want") == "advice"

    @property
    def household(self) -> list[Typed]:
        """Who lives with them: `name` and `relationship` of each of whom anything is said."""
        typed = self.page("family")
        rows = ({"name": typed.get(who, "").strip(), "relationship": typed.get(what, "").strip()} for who, what in ROWS)
        return [each for each in rows if any(each.values())]

    def with_page(self, page: str, typed: Typed) -> Answers:
        """These answers, with those of a page."""
        return self.model_copy(update={"pages": {**self.pages, page: typed}})

    def person(self, entry: str) -> Typed | None:
        """A person, by what they are known by."""
        return next((each for each in self.people if each[ENTRY] == entry), None)

    def with_person(self, entry: str, typed: Typed) -> Answers:
        """These answers, with a person added or changed; one of whom nothing is said is none."""
        new, others = {ENTRY: entry, **typed}, [each for each in self.people if each[ENTRY] != entry]
        if not self._says(new, others):
            people = others
        elif self.person(entry):
            people = [new if each[ENTRY] == entry else each for each in self.people]
        else:
            people = [*self.people, new]
        return self.model_copy(update={"people": people})

    def without_person(self, entry: str) -> Answers:
        """These answers, without a person."""
        return self.model_copy(update={"people": [each for each in self.people if each[ENTRY] != entry]})

    def _says(self, typed: Typed, others: list[Typed]) -> bool:
        """Whether anything is said of a person: a page that has only what was copied into it says something once it is said what
        they are."""
        said = {name for name, value in typed.items() if name not in NO_PERSON and value.strip()}
        copied = not said - {*COPIED} and any(all(each.get(name) == typed.get(name) for name in said) for each in others)
        return bool(said) and (not copied or bool(typed.get("cohort")))

    @property
    def copied(self) -> Typed:
        """What the page of another person begins with."""
        last = self.people[-1] if self.people else {}
        return {name: last[name] for name in COPIED if last.get(name, "").strip()}


def _sector(kind: str) -> Typed:
    """Who somebody said they were, when one question had all the answers."""
    return {
        field: value
        for name, sector in SECTORS.items()
        if (kind == name and not sector.kinds) or kind in sector.kinds
        for field, value in (("sector", name), (which(name), kind if kind in sector.kinds else ""))
    }


def name_of(typed: Mapping[str, str]) -> str:
    """What a person is called."""
    names = " ".join(value for name in ("given", "family", "name") if (value := typed.get(name, "").strip()))
    return names or "Name not known"


def rows_shown(typed: Typed) -> Iterator[tuple[str, str]]:
    """The rows of who lives with them that a page has: three, and always one that is empty."""
    last = max((number for number, row in enumerate(ROWS, 1) if any(typed.get(name, "").strip() for name in row)), default=0)
    yield from ROWS[: max(3, last + 1)]
