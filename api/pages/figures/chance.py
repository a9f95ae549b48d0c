"""What limits say, in words: what is within chance, what is not, and by which weeks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mash.api.pages.figures.control_chart import FEWEST, Limits, verdict_of
from mash.api.pages.figures.pictures import whole

WITHIN = "Within what chance explains"
TOO_FEW = f"Fewer than {FEWEST} weeks: too few to tell"
BAND = "If nothing had changed, 3 weeks in 1,000 would fall outside the shaded band"


@dataclass(frozen=True)
class Telling:
    """What a series says: in a few words, in sentences, and written into its chart."""

    verdict: str
    sentence: str
    note: str = ""

    @property
    def stands_out(self) -> bool:
        """Whether chance does not explain its latest weeks."""
        return bool(self.note)


def tell(weeks: Sequence[datetime], values: Sequence[float], limits: Limits | None, last: str = "last week") -> Telling:
    """What these weeks say, by their Mondays, beside what chance explains. `last` is what the latest of them is called."""
    if limits is None:
        said = TOO_FEW if weeks else "Nothing to show yet"
        return Telling(said, f"{said} a change from chance." if weeks else f"{said}.")
    from_which = f"{BAND} ({_base(weeks, limits, last)})."
    verdict = verdict_of(values, limits)
    if verdict is None:
        earlier = len(limits.outside)
        beside = f" {earlier} earlier {'week is' if earlier == 1 else 'weeks are'} not." if earlier else ""
        return Telling(WITHIN, f"{WITHIN}.{beside} {from_which}")
    since = weeks[len(weeks) - verdict.weeks]
    on_side = {"lower": "Below", "higher": "Above"}[verdict.side]
    if not verdict.outside:
        said = f"{on_side} the average, {verdict.weeks} weeks running"
        note = f"{on_side} the average from {day_of(since)}"
        return Telling(said, f"{said}, which chance does not explain. {from_which}", note)
    than = f"{verdict.side.capitalize()} than chance explains, "
    said = f"{than}{last if verdict.weeks == 1 else f'{verdict.weeks} weeks'}"
    running = f"{than}{last if verdict.weeks == 1 else f'{verdict.weeks} weeks running'}"
    note = f"{on_side} the limit" if verdict.weeks == 1 else f"{on_side} the limit from {day_of(since)}"
    return Telling(said, f"{running}. {from_which}", note)


def band_of(limits: Limits | None, place: int, unit: str) -> str:
    """The limits of a week as a table has them."""
    return f"{whole(limits.low[place])} to {whole(limits.high[place])}{unit}" if limits else ""


def marks(limits: Limits | None) -> frozenset[int]:
    """The places that chance does not explain."""
    return limits.signals if limits else frozenset()


def week_of(monday: datetime) -> str:
    """A week by the day that it begins on."""
    return f"{monday.day} {monday:%b %Y}"


def day_of(at: datetime) -> str:
    """A day of these weeks."""
    return f"{at.day} {at:%B}"


def _base(weeks: Sequence[datetime], limits: Limits, latest: str) -> str:
    """By which weeks the average and the limits are reckoned: all, or those before the change."""
    whole = limits.base == len(weeks)
    to = "now" if whole and latest == "now" else day_of(weeks[limits.base - 1] + timedelta(days=6))
    return f"from {'all' if whole else 'the'} {limits.base} weeks to {to}"
