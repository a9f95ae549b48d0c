"""A census year, and what of an episode belongs in its return: what was so at its end, as it is known today.

A closure that was corrected since is none; what happened after the year's end is not in it. For some things the census has no
place: they are left out of the file, and said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from mash.flows.returns.course import Assessment, Enquiry, Plan
from mash.flows.returns.episodes import NO_FACTORS, Episode, as_it_stood
from mash.states.census import census_year

WRITTEN = range(2025, 2028)
"""The census years whose form is written, and with whose rules of the outside validator it was checked: from 2024-25, the
first that has `Sex`. The rules of these three are the same."""
RETURN_DUE = (7, 31)
"""The month and day until which the return of the year before is being made."""


@dataclass(frozen=True)
class Year:
    """The census year that ends on 31 March of `number`."""

    number: int

    @property
    def start(self) -> date:
        """Its first day."""
        return date(self.number - 1, 4, 1)

    @property
    def end(self) -> date:
        """Its last day, the reference date."""
        return date(self.number, 3, 31)

    @property
    def title(self) -> str:
        """Such as 2025-26."""
        return f"{self.number - 1}-{self.number % 100:02}"

    @property
    def written_as(self) -> Year:
        """The year in whose form its file is written, and with whose rules it is checked: its own, or the nearest that is."""
        return Year(min(max(self.number, WRITTEN[0]), WRITTEN[-1]))


def year_of(day: date) -> Year:
    """The census year in which a day lies."""
    return Year(census_year(day))


def in_the_making(day: date) -> list[Year]:
    """The years whose return is being made on a day, the one to be handed in first: until the end of July the one that has just
    ended, and always the one that goes on."""
    this = year_of(day)
    last = Year(this.number - 1)
    return [last, this] if day <= date(last.number, *RETURN_DUE) else [this]


@dataclass(frozen=True)
class LeftOut:
    """What stands in the record and not in the file, by the rule that has no place for it: of whom in which case, since when."""

    rule: str
    reference: str
    subject: str
    on: date


def as_of(episode: Episode, year: Year) -> tuple[Episode | None, list[LeftOut]]:
    """An episode as the year's return has it, and what is left out of it; None where it is of another year."""
    if episode.referred > year.end or (episode.nfa and episode.referred < year.start):
        return None, []
    if episode.nfa:
        return episode, []
    closed = episode.closed if episode.closed and episode.closed <= year.end else None
    if closed and closed < year.start:
        return None, []
    left: list[LeftOut] = []
    assessments = tuple(_assessments(episode, closed, year, left))
    enquiries = tuple(_enquiries(episode, closed, year, left))
    plans = tuple(_plans(episode, year))
    reason = episode.reason if closed else None
    return replace(episode, assessments=assessments, enquiries=enquiries, plans=plans, closed=closed, reason=reason), left


def _assessments(episode: Episode, closed: date | None, year: Year, left: list[LeftOut]) -> Iterable[Assessment]:
    for each in episode.assessments:
        if each.start > year.end or (each.end and each.end < year.start):
            continue
        if each.end and each.end <= year.end:
            yield replace(each, factors=_factors(each.factors))
        elif closed:
            left.append(LeftOut("8867", each.reference, each.subject, each.start))
        elif each.start < year.start:
            left.append(LeftOut("8736", each.reference, each.subject, each.start))
        else:
            yield replace(each, end=None, factors=())


def _factors(factors: Iterable[str]) -> tuple[str, ...]:
    """Each once (rule 8898); that there are none stands alone (rule 8869)."""
    once = tuple(dict.fromkeys(factors))
    return tuple(factor for factor in once if factor != NO_FACTORS) or once


def _enquiries(episode: Episode, closed: date | None, year: Year, left: list[LeftOut]) -> Iterable[Enquiry]:
    for enquiry in episode.enquiries:
        each = as_it_stood(enquiry, year.end)
        if each.start > year.end or ((ended := each.conference or each.end) and ended < year.start):
            continue
        if each.open and closed:
            yield replace(each, end=closed, cut_short=True)
        elif each.open and each.start < year.start:
            left.append(LeftOut("8740", each.reference, each.subject, each.start))
        else:
            yield each


def _plans(episode: Episode, year: Year) -> Iterable[Plan]:
    for each in episode.plans:
        if each.start <= year.end and not (each.end and each.end < year.start):
            yield replace(each, end=each.end if each.end and each.end <= year.end else None)
