"""A simulation's report: last quarter simulated against what happened; and, only where that holds, what if."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from mash.flows.foresight.arrivals import WEEK, Week, weeks_on_record
from mash.flows.foresight.hub import WARM_UP, Plan
from mash.flows.foresight.inputs import FEWEST, Inputs, Learnt
from mash.flows.foresight.learn import Record
from mash.flows.foresight.measures import MEASURES, Measure, measure_of, measured
from mash.flows.foresight.people import learnt_of, people_ahead, people_then
from mash.flows.foresight.run import ADMITTED, FEWEST_RUNS, Run, Told, run_all
from mash.flows.foresight.scenario import changed, said
from mash.notifications.rota import Rota
from mash.states.clocks import LONDON, Frozen
from mash.states.profile import Profile

QUARTER = 13
"""Weeks."""
ENOUGH = 26
"""Weeks before the quarter from which on it is held against what was learnt before it alone."""
LIMITS = (
    "It simulates the way to the decision: assessments, enquiries and what else follows are others' work, and are not in it.",
    "Last quarter's contacts come when they came; in the months ahead past weeks come again, by chance: a holiday's week may come"
    " at any time of the year, and contacts that become more or fewer from year to year do not.",
    "People take the most urgent first, at the same pace however much waits: nobody tires, skips, or stays to catch up.",
    "How long work takes is read off who opened a case when: telephone calls before that are not in it, nor what people do beside"
    " cases; another case that they read meanwhile is.",
    "Meetings take place, and the hub goes on without answers, as soon as they did; more people do not make that sooner.",
    "A child is not in it: it says how long cases would wait, and nothing about whether what is decided is right.",
)
"""What a simulation cannot say."""


class Between(Frozen):
    """A measure over the runs: the middle one, and between which nine in ten lie."""

    low: float
    middle: float
    high: float


class Compared(Frozen):
    """A measure of the last quarter: what happened, and what the runs came to."""

    name: str
    title: str
    kind: Literal["count", "per cent", "hours"]
    held: bool
    """Whether what-ifs are refused where the runs miss it."""
    happened: float | None
    runs: Between | None
    within: bool


class Expected(Frozen):
    """A measure of the months to come, and by how much it differs from the same runs without the change."""

    name: str
    title: str
    kind: Literal["count", "per cent", "hours"]
    runs: Between
    differs: Between | None = None


class WhatIf(Frozen):
    """One scenario: as it was asked, as it was understood, and what the runs came to."""

    scenario: str
    says: str
    measures: tuple[Expected, ...]
    busy: dict[str, float]
    """By role: the part of their time that people are at work, in per cent, in the middle run."""


class Report(Frozen):
    """All that a simulation says."""

    hub: str
    title: str
    since: datetime
    """What is held against what happened: from then on."""
    until: datetime
    learnt_since: datetime
    learnt_until: datetime
    apart: bool
    """Whether it was learnt from other weeks than it is held against."""
    months: int
    runs: int
    learnt: tuple[Learnt, ...]
    compared: tuple[Compared, ...]
    refused: str
    """Why no what-if is simulated; empty where they are."""
    asked: tuple[str, ...]
    what_ifs: tuple[WhatIf, ...] = ()
    """The first is as it is."""
    limits: tuple[str, ...] = LIMITS


@dataclass(frozen=True)
class Asked:
    """What somebody asks to be simulated."""

    months: int = 12
    runs: int = FEWEST_RUNS
    scenarios: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.runs < FEWEST_RUNS:
            raise ValueError(f"at least {FEWEST_RUNS} runs are needed for an interval that nine in ten lie in, not {self.runs}")
        if not 1 <= self.months <= 24:
            raise ValueError(f"expected 1 to 24 months, not {self.months}")


def between(values: Sequence[float]) -> Between:
    """Between which values nine in ten further runs would lie, whatever their distribution: of twenty, the least and the
    greatest."""
    ordered = sorted(values)
    cut = max(1, int(0.05 * (len(ordered) + 1)))
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return Between(low=ordered[cut - 1], middle=middle, high=ordered[-cut])


def weeks_of(until: datetime) -> tuple[datetime, datetime]:
    """The last quarter: thirteen whole weeks to the last Monday, by the hub's own clock."""
    local = until.astimezone(LONDON)
    monday = (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return (monday - QUARTER * WEEK).astimezone(until.tzinfo), monday.astimezone(until.tzinfo)


class Plans(NamedTuple):
    """The quarter as it was, the months to come as it is, and what their arrivals and people rest on."""

    quarter: Plan
    ahead: Plan
    learnt: tuple[Learnt, ...]


def plans_of(
    record: Record, inputs: Inputs, rota: Rota, quarter: tuple[datetime, datetime], months: int, since: datetime
) -> Plans:
    """In the quarter contacts come when they came and whoever was in the rota is there: what became of them is what is held. In
    the months to come, as in weeks since `since`, and by the rota as it goes on."""
    (begins, ends), calendar = quarter, record.profile.calendar
    came = tuple(sorted(case.received_at for case in record.went))
    weeks = weeks_on_record(came, since, ends)
    over = ends + timedelta(days=round(months * 365.25 / 12))
    then = people_then(rota, calendar, begins - WARM_UP, ends)
    ahead = people_ahead(rota, calendar, ends - WARM_UP, over)
    plan = Plan(record.profile, inputs, begins, ends, then.turns, came, ends, weeks)
    return Plans(plan, replace(plan, begins=ends, ends=over, turns=ahead.turns), (_contacts(weeks), learnt_of(then, ahead)))


def _contacts(weeks: Sequence[Week]) -> Learnt:
    counted = sum(map(len, weeks))
    if not weeks:
        return Learnt(what="contacts", basis="missing", counted=0, says="no whole week is on record yet")
    says = f"the quarter's come when they came; the months ahead are made of {len(weeks)} whole weeks on record, drawn by chance"
    return Learnt(what="contacts", basis="learnt", counted=counted, says=says)


def reported(record: Record, inputs: Inputs, plans: Plans, asked: Asked, tell: Told = lambda *_: None) -> Report:
    """Hold the last quarter against what happened, and simulate what is asked where that holds. Raises WrongScenario."""
    profile, ahead = record.profile, plans.ahead
    begins, ends = plans.quarter.begins, plans.quarter.ends
    changes = [ahead, *(changed(ahead, scenario) for scenario in asked.scenarios)] if asked.scenarios else []
    of = asked.runs * (1 + len(changes))
    [quarter_runs] = run_all([plans.quarter], asked.runs, lambda done, _: tell(done, of))
    compared = tuple(_compared(measured(record.went, begins, ends), quarter_runs, profile))
    refused = _refused(compared, quarter_runs, plans)
    report = Report(
        hub=profile.name, title=profile.title, since=begins, until=ends, learnt_since=inputs.since, learnt_until=inputs.until,
        apart=inputs.until <= begins, months=asked.months, runs=asked.runs, learnt=(*plans.learnt, *inputs.learnt),
        compared=compared, refused=refused, asked=asked.scenarios,
    )  # fmt: skip
    if refused or not changes:
        return report
    base, *others = run_all(changes, asked.runs, lambda done, _: tell(asked.runs + done, of))
    as_it_is = _what_if("", "As it is", base, None, profile)
    found = (_what_if(s, said(s, profile), runs, base, profile) for s, runs in zip(asked.scenarios, others, strict=True))
    return report.model_copy(update={"what_ifs": (as_it_is, *found)})


def _titled(name: str, profile: Profile) -> Measure:
    ratings = {key: rating.title for key, rating in profile.ratings.items()}
    return measure_of(name, ratings, {key: agency.title for key, agency in profile.agencies.items()})


def _in_order(names: set[str]) -> list[str]:
    """The measures as they are shown: each, and then its own by rating or agency."""
    order = {measure.name: place for place, measure in enumerate(MEASURES)}
    return sorted(names, key=lambda name: (order[name.partition(":")[0]], name))


def _compared(happened: Mapping[str, float], runs: Sequence[Run], profile: Profile) -> list[Compared]:
    found = list[Compared]()
    for name in _in_order({*happened, *(name for run in runs for name in run.measures)}):
        measure = _titled(name, profile)
        values = [run.measures[name] for run in runs if name in run.measures]
        limits = between(values) if len(values) == len(runs) else None
        actual = happened.get(name)
        within = limits is not None and actual is not None and limits.low <= actual <= limits.high
        said = {"name": name, "title": measure.title, "kind": measure.kind, "held": measure.held}
        found.append(Compared.model_validate({**said, "happened": actual, "runs": limits, "within": within}))
    return found


def _refused(compared: Sequence[Compared], runs: Sequence[Run], plans: Plans) -> str:
    """Why no what-if is simulated; empty where last quarter came out as it was."""
    past = len(plans.quarter.inputs.past)
    if past < FEWEST or not plans.ahead.weeks:
        weeks = len(plans.ahead.weeks)
        return (
            f"There are {past} contacts and {weeks} whole weeks to learn from: at least {FEWEST} contacts and a week are needed."
        )
    refusals = sum((Counter(run.refusals) for run in runs), Counter[str]())
    counted = sum(run.measures["contacts"] for run in runs) + refusals.total()
    if refusals.total() > ADMITTED * counted:
        acts = ", ".join(f"{act.replace('_', ' ')} {number / len(runs):.1f}" for act, number in refusals.most_common())
        return (
            "The rules refused what the past would have done, in more than one of fifty contacts: the profile may have changed"
            f" since, or a simulation has no place for it. Refused in a run, on average: {acts}."
        )
    outside = [each.title for each in compared if each.held and not each.within]
    if not outside:
        return ""
    *others, last = outside
    names = f"{', '.join(others)} and {last}" if others else last
    return (
        f"Last quarter, simulated, did not come out as it was: {names} {'are' if others else 'is'} outside what nine in ten runs"
        " came to. So what-ifs would not be to be believed, and none is simulated."
    )


def _what_if(scenario: str, says: str, runs: Sequence[Run], base: Sequence[Run] | None, profile: Profile) -> WhatIf:
    names = set.intersection(*(set(run.measures) for run in [*runs, *(base or ())]))
    measures = list[Expected]()
    for name in _in_order(names):
        measure = _titled(name, profile)
        pairs = zip(runs, base, strict=True) if base else ()
        apart = [run.measures[name] - other.measures[name] for run, other in pairs]
        differs = between(apart) if apart else None
        values = between([run.measures[name] for run in runs])
        measures.append(Expected(name=name, title=measure.title, kind=measure.kind, runs=values, differs=differs))
    busy = {role: between([run.busy.get(role, 0.0) for run in runs]).middle for role in runs[0].busy}
    return WhatIf(scenario=scenario, says=says, measures=tuple(measures), busy=busy)
