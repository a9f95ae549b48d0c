"""The columns of the dataset: what each means, and how it is made of a contact. Rows and dictionary are both made of these.

They are what Camden's hub recorded of each case: source, presenting issue, rating before and after, outcome, time taken. No
name, no reference, no instant: codes, counts, weeks, and minutes between two moments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Literal, get_args

from mash.config import codes
from mash.config.words import sentence
from mash.flows.store.reads.dataset import Contact
from mash.flows.store.reads.figures import SeenClock, closed_at, decided_at
from mash.states.acts.decisions import GRAVEST_FIRST
from mash.states.clocks import day_of
from mash.states.profile import Category, Cohort, ContactKind, Profile, Source
from mash.states.referral import verdict_of
from mash.states.stages import SEEN

Value = str | int | date | None
Kind = Literal["text", "whole number", "day"]
OTHER = "other"
"""Stands for what was given and is no code of the list: the dataset gives no text that somebody wrote."""
ENDS = (
    "child_protection_plan",
    "child_in_need_plan",
    "adult_section_42",
    "no_plan",
    "no_further_child_protection_action",
    "early_help",
    "transfer",
    "information_provided",
    "advice",
    "signposted",
    "considered",
    "no_further_action",
)
"""How it may have ended for somebody, the gravest first."""
DECISIONS = (*GRAVEST_FIRST, "considered")
"""What may have been decided, the gravest first."""
LIMITS = {
    "triage": "the hub's limit for the first rating",
    "response": "the limit of its rating, for the stages that the hub's rules name",
    "decision_on_response": "the statutory working day for the decision on the response",
}
"""The clocks whose fate the dataset tells, with what each is a limit for."""
VERDICTS = {"kept": "In time", "missed": "Not in time, once or more", "running": "Not over yet"}
COHORTS = {"child": "children", "unborn": "unborn children", "adult": "adults", "unknown": "of an age that is not known"}


@dataclass(frozen=True)
class Column:
    """A column: what it means, in which unit, which codes it may hold, when it is empty; and how it is made of a contact."""

    name: str
    meaning: str
    of: Callable[[Contact], Value]
    kind: Kind = "whole number"
    unit: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    empty: str = "never"


def columns(hub: str, rules: Profile) -> list[Column]:
    """All of them, for a hub and its rules."""
    return [*_came(hub, rules), *_issue(), *_people(), *_ratings(rules), *_ended(), *_times(), *_in_time(), *_earlier()]


def week_of(at: datetime) -> date:
    """The Monday of the week in which it was, in London."""
    day = day_of(at)
    return day - timedelta(days=day.weekday())


def _came(hub: str, rules: Profile) -> Iterator[Column]:
    kinds, sources = _in_words(get_args(ContactKind)), _of_census("referral_source")
    sectors = {**_in_words(get_args(Source)), OTHER: "Another sector"}
    yield Column("hub", "The hub whose contact it is.", lambda c: c.parts[0]["hub"], "text", codes={hub: rules.title})
    week, month = (f"The {first} in which it came in, in London." for first in ("Monday of the week", "first day of the month"))
    yield Column("received_week", week, lambda c: week_of(c.received_at), "day", "week")
    yield Column("received_month", month, lambda c: day_of(c.received_at).replace(day=1), "day", "month")
    yield Column("kind", "What kind of contact it is.", lambda c: c.parts[0]["contact"], "text", codes=kinds)
    source = "Who made it: the referral source of the Children in Need census."
    yield _coded("source", source, lambda c: c.parts[0]["source"], sources, "no source is recorded")
    sector = "The sector that whoever made it works in."
    yield _coded("sector", sector, lambda c: c.parts[0]["source_agency"], sectors, "no sector is recorded")


def _issue() -> Iterator[Column]:
    need = "The presenting issue: the primary need of the Children in Need census, as it is recorded now."
    needs = _of_census("primary_need")
    yield _coded("primary_need", need, lambda c: c.parts[0]["primary_need"], needs, "no primary need is recorded")
    for category in get_args(Category):
        meaning = f"Whether it is about this, as whoever made it or the hub has said: {sentence(category).lower()}."
        yield Column(f"about_{category}", meaning, partial(_is_about, category), codes={"0": "No", "1": "Yes"})


def _is_about(category: str, contact: Contact) -> int:
    return int(any(category in part["categories"] for part in contact.parts))


def _people() -> Iterator[Column]:
    yield Column("subjects", "How many people it is about.", lambda c: len(list(c.subjects)), unit="people")
    for cohort in get_args(Cohort):
        meaning = f"How many of these are {COHORTS[cohort]}."
        yield Column(f"subjects_{cohort}", meaning, partial(_of_cohort, cohort), unit="people")
    erased = "Whether its people are erased. Its row stays; nobody knows any more which other contacts are about them."
    yield Column("erased", erased, lambda c: int(c.erased), codes={"0": "No", "1": "Yes"})


def _of_cohort(cohort: str, contact: Contact) -> int:
    return sum(each["cohort"] == cohort for each in contact.subjects)


def _ratings(rules: Profile) -> Iterator[Column]:
    ratings = {name: rating.title for name, rating in rules.ratings.items()}
    without, earlier = "it has not been rated", "One of earlier rules of the hub stands as it was called then."
    first, last = f"The first rating, before the hub's work. {earlier}", f"The last rating, after it. {earlier}"
    yield Column("first_rating", first, lambda c: c.parts[0]["first_rating"], "text", codes=ratings, empty=without)
    yield Column("rating", last, lambda c: c.parts[0]["rating"], "text", codes=ratings, empty=without)


def _ended() -> Iterator[Column]:
    decisions = {**_in_words(DECISIONS), OTHER: "Another decision, of an earlier release"}
    ends = {**_in_words(ENDS), OTHER: "Another end, of an earlier release"}
    decided, ended = "What was decided; of several, the gravest.", "How it ended; of several people, the gravest."
    undecided = "nothing is decided, or somebody else was found to be there for it"
    yield Column("decision", decided, lambda c: _gravest(_decisions(c), DECISIONS), "text", codes=decisions, empty=undecided)
    yield Column("outcome", ended, lambda c: _gravest(_outcomes(c), ENDS), "text", codes=ends, empty="it has ended for nobody")
    for end, words in ends.items():
        yield Column(f"outcome_{end}", f"For how many people it ended so: {words}.", partial(_ended_so, end), unit="people")
    yield Column("open", "For how many people it has not ended.", lambda c: _number_open(c), unit="people")
    split = "Into how many referrals its people's ways have parted; 1 where they have not."
    yield Column("referrals", split, lambda c: len(c.parts), unit="referrals")
    reopened = "How many of these were closed by mistake and opened again."
    yield Column("reopened", reopened, lambda c: sum(part["reopened"] for part in c.parts), unit="referrals")


def _outcomes(contact: Contact) -> list[str]:
    return [each["outcome"] for each in contact.subjects if each["outcome"]]


def _number_open(contact: Contact) -> int:
    return sum(each["outcome"] is None for each in contact.subjects)


def _ended_so(end: str, contact: Contact) -> int:
    return sum(end == (each if each in ENDS else OTHER) for each in _outcomes(contact))


def _decisions(contact: Contact) -> list[str]:
    return [decision for part in contact.parts for decision in part["outcomes"].values()]


def _gravest(found: Sequence[str], order: Sequence[str]) -> str | None:
    return next((each for each in order if each in found), OTHER) if found else None


def _times() -> Iterator[Column]:
    waits = "it waits for a decision"
    week = "The Monday of the week in which it was decided or, without a decision, ended, in London."
    yield Column("decided_week", week, _decided_week, "day", "week", empty=waits)
    yield _minutes("rated", "it was first rated", lambda c: c.rated_at, "it has not been rated")
    decided = "it was decided or, without a decision, ended; of a contact that was split, the part that kept the reference"
    yield _minutes("decided", decided, lambda c: decided_at(c.parts[0]), waits)
    for stage in SEEN:
        never = "it never came to this stage"
        yield _minutes(f"stage_{stage}", f"it first came to this stage: {sentence(stage)}", partial(_entered, stage), never)
    yield _minutes("ended", "it had ended for everybody", _ended_at, "it has not ended for everybody")


def _minutes(what: str, words: str, at: Callable[[Contact], datetime | None], empty: str) -> Column:
    def passed(contact: Contact) -> int | None:
        when = at(contact)
        # What was done on paper before the contact was entered is entered with its own time.
        return None if when is None else max(0, (when - contact.received_at) // timedelta(minutes=1))

    return Column(f"minutes_to_{what}", f"Whole minutes from its receipt until {words}.", passed, unit="minutes", empty=empty)


def _decided_week(contact: Contact) -> date | None:
    at = decided_at(contact.parts[0])
    return week_of(at) if at else None


def _entered(stage: str, contact: Contact) -> datetime | None:
    return contact.entered.get(stage)


def _ended_at(contact: Contact) -> datetime | None:
    ends = [closed_at(part) for part in contact.parts]
    return None if None in ends else max(end for end in ends if end)


def _in_time() -> Iterator[Column]:
    for kind, words in LIMITS.items():
        empty = "no such limit ran, or it was not needed any more"
        yield Column(f"in_time_{kind}", f"Whether it kept {words}.", partial(_verdict, kind), "text", codes=VERDICTS, empty=empty)


def _verdict(kind: str, contact: Contact) -> str | None:
    """What has become of a contact's clocks of a kind: one that was missed counts first, then one that runs."""
    found = {_became(clock) for part in contact.parts for clock in part["clocks"].values() if clock["kind"] == kind}
    return next((each for each in ("missed", "running", "kept") if each in found), None)


def _became(clock: SeenClock) -> str:
    if clock.get("missed"):
        return "missed"
    breached, ended = (datetime.fromisoformat(at) if at else None for at in (clock["breached_at"], clock["ended_at"]))
    return verdict_of(datetime.fromisoformat(clock["due_at"]), breached, ended, clock["met"])


def _earlier() -> Iterator[Column]:
    within, empty = "that came in within the twelve months before", "its people are erased"
    meanings = {
        "confirmed": f"Other contacts {within} about the same child, as somebody has confirmed; none whose people are erased.",
        "of_one_child": "How many of these are about one child; of several children, about whom there are most.",
        "suggested": f"Further contacts {within} of which the software suggests it, and nobody has said otherwise.",
        "referrals_confirmed": "Of earlier_confirmed, those that are referrals; 0 where the contact itself is none.",
        "referrals_suggested": "Of earlier_suggested, those that are referrals; 0 where the contact itself is none.",
    }
    for name, meaning in meanings.items():
        yield Column(f"earlier_{name}", meaning, partial(_number_earlier, name), unit="contacts", empty=empty)


def _number_earlier(name: str, contact: Contact) -> int | None:
    return None if contact.erased else int(getattr(contact.earlier, name))


def _coded(name: str, meaning: str, of: Callable[[Contact], str | None], among: Mapping[str, str], empty: str) -> Column:
    """A column of what somebody gave: a code of the list, or OTHER for what is none."""

    def code(contact: Contact) -> str | None:
        given = of(contact)
        return None if not given else given if given in among else OTHER

    return Column(name, meaning, code, "text", codes=among, empty=empty)


def _of_census(code_set: str) -> dict[str, str]:
    return {**{code: codes.spoken(code_set, code) for code in codes.code_sets()[code_set]}, OTHER: "No code of this list"}


def _in_words(of: Iterable[str]) -> dict[str, str]:
    return {code: sentence(code) for code in of}
