"""What happened to one subject of one contact, as the census speaks of it: assessments, enquiries, plans, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mash.states.log import Recorded
from mash.states.referral import Referral


@dataclass(frozen=True)
class Assessment:
    """A child and family assessment of one child. Without an end it is not finished."""

    start: date
    end: date | None = None
    factors: tuple[str, ...] = ()
    outcome: str | None = None
    reference: str = ""
    """The case in which the child stands now, and is whom (`subject`)."""
    subject: str = ""


@dataclass(frozen=True)
class Enquiry:
    """A section 47 enquiry about one child, from its strategy discussion on. It ends in a conference, or without one (`end`)."""

    start: date
    conference: date | None = None
    end: date | None = None
    planned: bool = False
    """Whether the conference gave the child a plan."""
    cut_short: bool = False
    """Whether it was over before anybody said whether a conference is needed: the case was transferred, or closed."""
    reference: str = ""
    subject: str = ""

    @property
    def open(self) -> bool:
        """Whether a conference may still be held."""
        return self.conference is None and self.end is None


@dataclass(frozen=True)
class Plan:
    """A child protection plan, from the conference that gave it."""

    start: date
    category: str | None = None
    """Of abuse, by the census' codes."""
    previous: int | None = None
    """How many plans the child had before."""
    end: date | None = None
    reference: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Ended:
    """That a subject's part in a case ended: when, with which outcome, and whose it is since."""

    on: date
    outcome: str
    to_authority: bool = False
    to_adults: bool = False


@dataclass(frozen=True)
class Course:
    """What happened to one subject of one contact."""

    reference: str
    """The case in which the subject stands now."""
    root: str
    subject: str
    received: date
    contact: str
    """The kind of contact."""
    source: str
    need: str | None
    decided: str | None = None
    """What was decided of the subject, as long as that holds."""
    checked: bool = False
    """Whether the contact came further than its triage: agencies were asked, or a meeting was held."""
    assessments: tuple[Assessment, ...] = ()
    enquiries: tuple[Enquiry, ...] = ()
    plans: tuple[Plan, ...] = ()
    ended: Ended | None = None
    part_of: str | None = None
    """The case to which the contact was added, by the hub itself."""
    cohort: str = "child"
    taken_for_an_adult: bool = False
    """Whether nothing says of which age whoever is taken for an adult is: they are in no file."""
    place: str | None = None
    worker: str | None = None
    seen: tuple[date, ...] = ()
    """The days on which somebody saw the child."""
    withdrawn: tuple[Enquiry, ...] = ()
    """Enquiries that were open as the decision that had begun them was withdrawn: they are in no file."""
    before: tuple[Before, ...] = ()
    """How it stood each time before it was reopened, or its decision withdrawn."""

    @property
    def active(self) -> bool:
        """Whether children's social care did something, beyond deciding about the contact."""
        return bool(self.assessments or self.enquiries or self.plans)


@dataclass(frozen=True)
class Before:
    """How a course stood until a day on which what had been decided, or closed, was taken back."""

    on: date
    course: Course


@dataclass(frozen=True)
class Case:
    """A referral, or a linked one: its state, and those of its events that a course is read from, in order."""

    reference: str
    state: Referral
    log: Sequence[Recorded]
