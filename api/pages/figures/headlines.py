"""The five figures that a manager looks at first: each with its number, what that means, and what its weeks say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mash.api.pages.figures.chance import Telling, band_of, marks, tell, week_of
from mash.api.pages.figures.control_chart import limits_among, limits_of_shares, limits_of_values
from mash.api.pages.figures.pictures import Dots, Series, whole
from mash.api.pages.figures.reckoning import LATELY, Tally
from mash.api.pages.figures.tables import Beside, Figure, Rows, shares
from mash.api.pages.words import date_of, span
from mash.config.words import sentence
from mash.flows.store.reads.same_child import AGAIN
from mash.states.clocks import Length, Unit

NOTHING_YET = "none"


@dataclass(frozen=True)
class Headline:
    """One of the five: its number and what that means, what the weeks say, and the figure that it leads to."""

    name: str
    figure: Figure
    value: str
    plain: str
    told: Telling
    beside: str = ""
    """The name of the figure that is shown below it."""


def headlines_of(tally: Tally, beside: Beside, rated_within: Length | None) -> list[Headline]:
    """The five. `rated_within` is the time that the hub has for a rating; None where its rating has no clock of its own."""
    answered, rated = tally.shares_by_week(tally.answered), tally.shares_by_week(tally.rated)
    answers, ratings = "Agencies’ answers in time", f"Rated within {_length(rated_within)}" if rated_within else "Rated in time"
    return [
        _open(tally),
        _took(tally),
        _share(tally, shares("rated", ratings, ("Due", "In time"), rated), rated, "ratings"),
        _share(tally, shares("answers", answers, ("Asked", "In time"), answered), answered, "answers-by-agency"),
        _back(tally, beside),
    ]


def by_agency(tally: Tally, titles: Mapping[str, str]) -> Figure:
    """Each agency's answers in time in the last whole weeks, beside the hub's average before any change."""
    found = sorted((titles.get(name, sentence(name)), part, of) for name, (part, of) in tally.lately.items())
    counts = [(part, of) for _, part, of in found]
    weeks = list(tally.shares_by_week(tally.answered).values())
    limits = limits_of_shares(weeks)
    mean = limits.mean if limits else 100 * sum(part for part, _ in weeks) / (sum(of for _, of in weeks) or 1)
    among = limits_among(mean, counts) if counts else None
    rows: Rows = tuple((name, of, part, f"{100 * part // of}%") for name, part, of in found)
    below = [name for place, (name, part, of) in enumerate(found) if among and place in among.outside and 100 * part / of < mean]
    title, heads = f"By agency, last {LATELY} weeks", ("Agency", "Asked", "In time", "Share")
    dots = Dots([100 * part / of for part, of in counts], among) if found else None
    outside = among.outside if among else ()
    marked = frozenset(outside)
    return Figure("answers-by-agency", title, _below(below, bool(found)), heads, rows, dots, of_people=2, marked=marked)


def _below(names: list[str], any_asked: bool) -> str:
    if not any_asked:
        return "Nobody was to answer."
    if not names:
        return "No agency is below what chance explains."
    *others, last = names
    if not others:
        return f"{last} is below what chance explains."
    return f"{', '.join(others)} and {last} are below what chance explains."


def _length(length: Length) -> str:
    """A length as a limit is said: the hour, 30 min, 2 hours, 1 working day."""
    if length.unit is not Unit.ELAPSED_HOURS:
        return str(length.write())
    if length.amount == 1:
        return "the hour"
    return f"{length.amount:g} hours" if length.amount > 1 else span(timedelta(hours=length.amount))


def _open(tally: Tally) -> Headline:
    number = len(tally.ages)
    found = {**tally.open_by_week(), tally.mondays[-1]: float(number)}
    plain = f"{tally.late or 'none'} of them late" if number else "Nothing is open"
    figure, told = _values("open", "Open now", "Open at its end", found, "", "now")
    rows: Rows = (*figure.rows[:-1], ("Now", *figure.rows[-1][1:]))
    titled = replace(figure, title="Open at the end of each week, and now", rows=rows)
    return Headline(figure.title, titled, str(number), plain, told, "ages")


def _took(tally: Tally) -> Headline:
    found = tally.half_took_by_week()
    took = tally.took_last_week(50, 90)
    half, most = map(span, took) if took else (NOTHING_YET, NOTHING_YET)
    figure, told = _values("time-to-outcome", "Contact to outcome", "Half within, hours", found, " h")
    plain = f"half are quicker; 9 in 10 within {most}" if took else "Nothing was decided last week"
    title = "From contact to outcome: hours within which half had theirs, by week"
    return Headline(figure.title, replace(figure, title=title), half, plain, told, "outcome-times")


def _values(
    name: str, title: str, head: str, found: Mapping[datetime, float], unit: str, last: str = "last week"
) -> tuple[Figure, Telling]:
    values = list(found.values())
    limits = limits_of_values(values)
    told = tell(list(found), values, limits, last)
    rows: Rows = tuple(
        (week_of(monday), whole(value), band_of(limits, at, unit)) for at, (monday, value) in enumerate(found.items())
    )
    drawn = Series(found, limits, unit, note=told.note, said=f"{whole(values[-1])}{unit} {last}") if found else None
    heads = ("Week from", head, "Chance limits")
    return Figure(name, title, told.sentence, heads, rows, drawn, marked=marks(limits)), told


def _share(tally: Tally, figure: Figure, found: Mapping[datetime, tuple[int, int]], beside: str) -> Headline:
    told = _told(figure, found)
    value, plain = _last(tally, found, "Nothing was due yet")
    return Headline(figure.title, replace(figure, title=f"{figure.title}, by week"), value, plain, told, beside)


def _told(figure: Figure, found: Mapping[datetime, tuple[int, int]]) -> Telling:
    limits = figure.drawn.limits if isinstance(figure.drawn, Series) else None
    return tell(list(found), [100 * part / of for part, of in found.values()], limits)


def _last(tally: Tally, found: Mapping[datetime, tuple[int, int]], nothing: str) -> tuple[str, str]:
    """The latest share, and what it is of."""
    if not found:
        return NOTHING_YET, nothing
    monday, (part, of) = list(found.items())[-1]
    when = "last week" if monday == tally.mondays[-2] else f"in the week of {week_of(monday)}"
    return f"{100 * part // of}%", f"{part} of {of} {when}"


def _back(tally: Tally, beside: Beside) -> Headline:
    found = tally.back_by_week()
    figure = shares("back", "Back within 12 months", ("Referrals", "Back"), found, of_people=2)
    told = _told(figure, found)
    value, plain = _last(tally, found, "No referral came in")
    since = (beside.began_at or tally.now) + AGAIN
    if found and next(iter(found)) < since:
        # A child's earlier referral is not known from before the hub's records begin: the share would seem to climb.
        said = f"Too early to compare: 12 months are on record from {date_of(since).split(' ', 1)[1]}"
        told = Telling("Too early to compare", f"{said}.")
        figure = _without_limits(figure)
    says = (
        f"{told.sentence} Of the referrals that came in, those about a child of another referral within the twelve months "
        "before: confirmed by somebody, or likely and nobody has said otherwise."
    )
    titled = replace(figure, title=f"{figure.title}, by week", says=says)
    return Headline(figure.title, titled, value, plain, told, "adding-up")


def _without_limits(figure: Figure) -> Figure:
    drawn = replace(figure.drawn, limits=None, note="") if isinstance(figure.drawn, Series) else None
    rows: Rows = tuple((*row[:-1], "") for row in figure.rows)
    return replace(figure, rows=rows, drawn=drawn, marked=frozenset())
