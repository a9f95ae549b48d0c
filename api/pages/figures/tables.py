"""Managers' figures: what the numbers of a hub say, as tables with a sentence each. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from mash.api.few import FEWEST, withheld, withheld_of_table
from mash.api.pages.figures.chance import band_of, marks, tell, week_of
from mash.api.pages.figures.control_chart import limits_of_shares, limits_of_values
from mash.api.pages.figures.pictures import Bars, Dots, Panels, Series, whole
from mash.api.pages.figures.reckoning import HOUR, Clocks, Tally, percentile, share
from mash.api.pages.figures.same_child import How, Month, month_of
from mash.api.pages.words import duration
from mash.config import codes
from mash.config.words import sentence, worded
from mash.flows.store.reads.figures import SecondLook
from mash.states.clocks import LONDON

HOURS = {50: "Median, hours", 85: "85 per cent within, hours", 95: "95 per cent within, hours"}
"""The percentiles of how long something took that has ended."""
AGES = (
    ("under 1 day", 1),
    ("1 to 3 calendar days", 3),
    ("3 to 10 calendar days", 10),
    ("10 to 45 calendar days", 45),
    ("over 45 calendar days", math.inf),
)
NONE_ENDED = "none ended"
ENDS = ("as_proposed", "otherwise")
MOST_ROWS = 20
FEW_WORDS = ("The first within twelve months", "The second", "The third", "The fourth or a later one")
NOTHING = "Nothing to show yet."
WITHHELD = "c"
WITHHELD_IN_WORDS = f"{WITHHELD}: not given, because a count under {FEWEST} could be worked out"
Rows = tuple[tuple[str | int | float, ...], ...]
K = TypeVar("K")


@dataclass(frozen=True)
class Figure:
    """One figure: what it says, its table, and what is drawn of it."""

    name: str
    title: str
    says: str
    heads: tuple[str, ...]
    rows: Rows
    drawn: Series | Bars | Dots | Panels | None = None
    of_people: int = 0
    """How many of the columns beside the names count people by what they are: what is small there is not taken away in a file."""
    crossed: bool = False
    """Whether what these columns count may be added up along the rows too."""
    marked: frozenset[int] = frozenset()
    """The rows that chance does not explain."""

    @property
    def share(self) -> int:
        """The column that chance explains or does not: the share, where there is one, or else the first number."""
        return self.heads.index("Share") if "Share" in self.heads else 1

    @property
    def taken_away(self) -> Rows:
        """Its rows for a file, which is passed on: of people, counts that could say something of one are withheld, and what is
        reckoned from them."""
        if self.crossed:
            places = withheld_of_table([[int(cell) for cell in row[1 : 1 + self.of_people]] for row in self.rows])
            few = {column + 1: {at for at, other in places if other == column} for column in range(self.of_people)}
        else:
            few = {
                column: withheld({place: int(row[column]) for place, row in enumerate(self.rows)})
                for column in range(1, self.of_people + 1)
            }
        return tuple(
            self._without(row, {column for column in few if place in few[column]}) for place, row in enumerate(self.rows)
        )

    def _without(self, row: tuple[str | int | float, ...], few: set[int]) -> tuple[str | int | float, ...]:
        return tuple(WITHHELD if at in few or (few and at > self.of_people) else cell for at, cell in enumerate(row))


@dataclass(frozen=True)
class Beside:
    """What referrals do not add up to: how many contacts were decided today."""

    decided: int
    began_at: datetime | None = None
    """When the first contact came in that is on record."""


def figures_of(tally: Tally, beside: Beside, titles: Mapping[str, str]) -> dict[str, list[Figure]]:
    """All figures behind the first five, by what they are about. `titles` is what the agencies are called."""
    return {
        "Contacts": [
            _weekly("contacts", "Contacts by week", tally.contacts_by_week()),
            _counted("sources", "Contacts by source", tally.sources, lambda code: codes.spoken("referral_source", code)),
            _counted("kinds", "Contacts by kind", tally.kinds, sentence),
            _counted("needs", "Primary need", tally.needs, lambda code: codes.spoken("primary_need", code) or "Not recorded"),
            _counted("ratings", "Rating at first and now", tally.ratings, lambda of: f"{sentence(of[0])} to {worded(of[1])}"),
            _counted("outcomes", "Outcomes", tally.outcomes, sentence),
        ],
        "Children": [
            _adding_up(tally),
            _same_child(tally),
            _repeats(tally),
            _second_looks(tally.second_looks),
        ],
        "Work and time": [
            _today(tally, beside.decided),
            _ages(tally.ages),
            _took(tally),
            _clocks("stages", "Clocks kept, by what they are for", tally.stages, sentence),
            _clocks(
                "agencies", "How long agencies take to answer", tally.agencies, lambda name: titles.get(name, sentence(name))
            ),
            _kept(tally),
            _alerts(tally),
        ],
    }


def short(value: float) -> str:
    """A number to one place, never rounded up."""
    return f"{math.floor(value * 10) / 10:g}"


def _number_of(number: int, what: str) -> str:
    """So many of something."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _today(tally: Tally, decided: int) -> Figure:
    is_open = len(tally.ages)
    rows: Rows = (
        ("Came in today", tally.came_today),
        ("Decided today", decided),
        ("Open", is_open),
        ("Late", tally.late),
        ("Missed deadlines that nobody has acknowledged", tally.unheard),
    )
    says = f"{is_open} open, {tally.late} of them late; {tally.came_today} came in today, {decided} decided."
    return Figure("today", "Today", says, ("What", "Number"), rows, _simple(rows))


def _weekly(name: str, title: str, found: Mapping[datetime, float]) -> Figure:
    weeks = list(found)
    limits = limits_of_values(list(found.values()))
    rows: Rows = tuple(
        (week_of(monday), whole(value), band_of(limits, at, "")) for at, (monday, value) in enumerate(found.items())
    )
    told = tell(weeks, list(found.values()), limits)
    drawn = Series(found, limits, note=told.note, said=f"{whole(list(found.values())[-1])} last week") if rows else None
    return Figure(name, title, told.sentence, ("Week from", "Number", "Chance limits"), rows, drawn, marked=marks(limits))


def _kept(tally: Tally) -> Figure:
    return shares("in-time", "Clocks of every kind kept", ("Due", "In time"), tally.shares_by_week(tally.kept_by_week))


def shares(name: str, title: str, heads: tuple[str, str], found: Mapping[datetime, tuple[int, int]], **more: Any) -> Figure:
    """Shares by week, with what each is of. `heads` says what the whole and the part are."""
    limits = limits_of_shares(list(found.values()))
    values = {monday: 100 * part / of for monday, (part, of) in found.items()}
    rows: Rows = tuple(
        (week_of(monday), of, part, f"{math.floor(values[monday])}%", band_of(limits, at, "%"))
        for at, (monday, (part, of)) in enumerate(found.items())
    )
    told = tell(list(found), list(values.values()), limits)
    drawn = None
    if rows:
        drawn = Series(values, limits, "%", 100, told.note, f"{math.floor(list(values.values())[-1])}% last week")
    every = ("Week from", *heads, "Share", "Chance limits")
    return Figure(name, title, told.sentence, every, rows, drawn, marked=marks(limits), **more)


def _counted(name: str, title: str, counted: Counter[K], word: Callable[[K], str]) -> Figure:
    total, rows = counted.total(), sorted(((word(what), n) for what, n in counted.items()), key=lambda row: (-row[1], row[0]))
    says = f"{rows[0][0]} comes first with {rows[0][1]} of {total}." if rows else NOTHING
    if rest := sum(number for _, number in rows[MOST_ROWS:]):
        rows = [*rows[:MOST_ROWS], ("All others", rest)]
    table = tuple((label, number, share(number, total)) for label, number in rows)
    drawn = Bars([(label, number, 0, f"{number} ({math.floor(per_cent)}%)") for label, number, per_cent in table])
    return Figure(name, title, says, ("What", "Number", "Per cent"), table, drawn if table else None, of_people=1)


def _clocks(name: str, title: str, found: Mapping[str, Clocks], word: Callable[[str], str]) -> Figure:
    rows: Rows = tuple(sorted((_row(word(what), clocks) for what, clocks in found.items()), key=lambda row: (row[1], row[0])))
    heads = ("What", "Kept, per cent", "Clocks", "Of these ended", *HOURS.values())
    if not rows:
        return Figure(name, title, "None was due yet.", heads, rows)
    least, per_cent = rows[0][:2]
    says = "All were on time." if per_cent == 100 else f"{least} has the lowest share on time: {short(float(per_cent))} per cent."
    drawn = Bars([(str(row[0]), float(row[1]), 0, f"{math.floor(float(row[1]))}% of {row[2]}") for row in rows])
    return Figure(name, title, f"{says} Hours are of those that have ended.", heads, rows, drawn)


def _row(label: str, clocks: Clocks) -> tuple[str | int | float, ...]:
    ended = clocks.tenths.total()
    within = (clocks.within(each) if ended else NONE_ENDED for each in HOURS)
    return label, share(clocks.in_time, clocks.number), clocks.number, ended, *within


def _repeats(tally: Tally) -> Figure:
    known, number = tally.same_child.referrals(), tally.referrals
    rows: Rows = (
        ("The same child within twelve months, confirmed", known["confirmed"]),
        ("The same child within twelve months, suggested", known["suggested"]),
        ("Other referrals", number - known["confirmed"] - known["suggested"]),
        ("Closures corrected by reopening", tally.reopened),
    )
    says = f"{_about_the_same_child(known, number, 'referral')}." if number else "No referral came in."
    if tally.reopened:
        says += f" {_number_of(tally.reopened, 'closure')} {'was' if tally.reopened == 1 else 'were'} corrected by reopening."
    found = rows if number or tally.reopened else ()
    return Figure("re-referrals", "Re-referrals", says, ("What", "Number"), found, _simple(found), of_people=1)


def _simple(rows: Rows) -> Bars | None:
    """A bar for each row, with its number."""
    return Bars([(str(row[0]), float(row[1]), 0, str(row[1])) for row in rows]) if rows else None


def _adding_up(tally: Tally) -> Figure:
    sure, likely = (_by_times(tally.same_child.adding_up(suggested=suggested)) for suggested in (False, True))
    rows: Rows = tuple(zip(FEW_WORDS, sure, likely, strict=True)) if any(sure) else ()
    several, more = sum(sure[2:]), sum(likely[2:])
    says = (
        f"{_number_of(several, 'contact')} {'was' if several == 1 else 'were'} at least the third about one child within twelve "
        f"months, by what people have confirmed; {more} if the software is right in what it suggests. Each may be small; "
        "together they may not be."
        if rows
        else "No contact came in."
    )
    heads = ("About the same child", "Confirmed", "With those suggested")
    bars = Bars([(str(row[0]), float(row[2]), 0, str(row[2])) for row in rows]) if rows else None
    return Figure("adding-up", "Contacts that add up", says, heads, rows, bars, of_people=2)


def _by_times(found: Mapping[int, int]) -> list[int]:
    """How many contacts are the first about a child, the second, and so on; the last of them or a later one."""
    last = len(FEW_WORDS)
    return [sum(number for times, number in found.items() if min(times, last) == place) for place in range(1, last + 1)]


def _took(tally: Tally) -> Figure:
    found = sorted(((sentence(what), sorted(took)) for what, took in tally.took_for.items() if what), key=lambda each: each[0])
    rows: Rows = tuple((what, len(took), *(percentile(took, each) // HOUR for each in (50, 90))) for what, took in found)
    says = "Whole hours from the contact to its outcome: what was decided, or how it ended." if rows else NOTHING
    heads = ("Outcome", "Contacts", "Half within, hours", "9 in 10 within, hours")
    drawn = Bars([(str(row[0]), float(row[2]), 0, f"{row[2]} h; 9 in 10 within {row[3]} h") for row in rows]) if rows else None
    return Figure("outcome-times", "Contact to outcome, by outcome", says, heads, rows, drawn, of_people=1)


def _about_the_same_child(known: Mapping[How, int], number: int, what: str) -> str:
    sure, likely = known.get("confirmed", 0), known.get("suggested", 0)
    return (
        f"{sure} of {_number_of(number, what)} ({short(share(sure, number))} per cent) {'is' if sure == 1 else 'are'} about the "
        f"same child as another within the twelve months before, as someone has confirmed. The software suggests it of {likely} "
        f"more ({short(share(likely, number))} per cent)"
    )


def _same_child(tally: Tally) -> Figure:
    found, known = tally.same_child.contacts(), Counter[How]()
    for (_, how), number in found.items():
        known[how] += number
    rows = tuple((_month(tally, month), found[month, "confirmed"], found[month, "suggested"]) for month in tally.months)
    says = f"{_about_the_same_child(known, known.total(), 'contact')}." if known else "No contact came in."
    heads = ("Month", "Confirmed", "Suggested")
    title = "Contacts about the same child as another within twelve months, by month"
    drawn = Bars([(str(month), sure, likely, f"{sure} + {likely}") for month, sure, likely in rows])
    return Figure("same-child", title, says, heads, rows if known else (), drawn if known else None, of_people=2)


def _month(tally: Tally, month: Month) -> str:
    """A month; and from or up to which day it is counted, where that is not all of it."""
    first, last = tally.first.astimezone(LONDON), tally.now.astimezone(LONDON)
    begun = f", from {first:%d %b}" if month == month_of(first) and first.day > 1 else ""
    return f"{datetime(*month, 1):%b %Y}{begun}{f', to {last:%d %b}' if month == month_of(last) else ''}"


def _second_looks(looks: Sequence[SecondLook]) -> Figure:
    title, heads = "Second looks at contacts that add up", ("What", "Number", HOURS[50])
    if not looks:
        says = "No decision went to a second person because contacts about one child add up."
        return Figure("second-looks", title, says, heads, ())
    agreed, otherwise = ([each.took for each in looks if each.ended == how and each.took is not None] for how in ENDS)
    waiting = len(looks) - len(agreed) - len(otherwise)
    rows: Rows = (
        ("Signed off as first decided", len(agreed), _median_hours(agreed)),
        ("Sent back, or decided otherwise", len(otherwise), _median_hours(otherwise)),
        ("Not signed off yet", waiting, NONE_ENDED),
    )
    ended = [*agreed, *otherwise]
    says = (
        f"{_number_of(len(looks), 'decision')} went to a second person because contacts about one child add up. Of these, "
        f"{len(otherwise)} {'was' if len(otherwise) == 1 else 'were'} sent back or decided otherwise, and {waiting} "
        f"{'is' if waiting == 1 else 'are'} not signed off yet."
    )
    if ended:
        says += f" Half of those that ended took {duration(percentile(ended, 50))} at most."
    return Figure("second-looks", title, says, heads, rows, _simple(rows), of_people=1)


def _median_hours(took: Sequence[timedelta]) -> float | str:
    return round(percentile(took, 50) / timedelta(hours=1), 1) if took else NONE_ENDED


def _ages(ages: Sequence[timedelta]) -> Figure:
    counted = Counter(next(label for label, days in AGES if age / timedelta(days=1) < days) for age in ages)
    rows: Rows = tuple((label, counted[label]) for label, _ in AGES)
    oldest = AGES[-1][0]
    says = f"{len(ages)} open, {counted[oldest]} of them for {oldest}." if ages else "Nothing is open."
    found = rows if ages else ()
    return Figure("ages", "Open, by age", says, ("Age", "Number"), found, _simple(found))


def _alerts(tally: Tally) -> Figure:
    rows: Rows = (
        ("Deadlines missed", sum(tally.due) - sum(tally.in_time)),
        ("Escalated further", tally.climbed),
        ("Alerts acknowledged", len(tally.acknowledged)),
        ("Not acknowledged yet", tally.unheard),
    )
    says = f"{_acknowledged(tally.acknowledged)}; {tally.unheard} {'is' if tally.unheard == 1 else 'are'} not acknowledged yet."
    found = rows if any(row[1] for row in rows) else ()
    return Figure("alerts", "Alerts", says, ("What", "Number"), found, _simple(found))


def _acknowledged(took: Sequence[timedelta]) -> str:
    if len(took) < 2:
        return f"One alert was acknowledged, within {duration(took[0])}" if took else "No alert was acknowledged"
    half, most = (duration(percentile(took, each)) for each in (50, 95))
    return f"Of the {len(took)} alerts acknowledged, half were within {half}, 95 per cent within {most}"
