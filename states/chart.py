"""The statechart, made of the stages: which moves are legal from where, and where they lead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from statemachine import StateChart
from statemachine.contrib.diagram.formatter import formatter
from statemachine.exceptions import TransitionNotAllowed
from statemachine.io import create_machine_class_from_definition
from statemachine.orderedset import OrderedSet

from mash.states.errors import Owed
from mash.states.stages import ALL, GROUPS, STAGES, Group, Guarded, Leads, Stage, came_from

HOME = "states/stages.py"


@dataclass
class Position:
    """Where a referral stands: the chart's active states, and the stage a strategy discussion was called from."""

    state: OrderedSet[str] | str | None
    came_from: str | None = None


class NoSuchMove(LookupError):
    """The chart has no such move from here."""


def _transitions(leads: Leads) -> dict[str, list[dict[str, Any]]]:
    """Moves as the state machine's definition has them."""
    places = {move: (to,) if isinstance(to, str) else to for move, to in leads.items()}
    return {
        move: [{"target": to.to, "cond": to.when} if isinstance(to, Guarded) else {"target": to} for to in several]
        for move, several in places.items()
    }


def _members(place: Stage | Group) -> tuple[str, ...]:
    return (place.name,) if isinstance(place, Stage) else tuple(s.name for s in STAGES if s.within == place.name)


def _leads(place: Stage | Group) -> Leads:
    """What may follow, with the detour by a strategy discussion: from where it may be called, and back there."""
    if place.name == "section_47":
        back = tuple(Guarded(each.name, came_from(*_members(each))) for each in (*STAGES, *GROUPS) if each.interrupted)
        return {"resume": back, **place.leads}
    return {"call_strategy_discussion": "section_47", **place.leads} if place.interrupted else place.leads


def _definition(within: str) -> dict[str, Any]:
    """The states of a group, or those that belong to none; the first is the one it is entered by."""
    states: dict[str, Any] = {}
    for place in _in_order(within):
        states[place.name] = {"name": place.title, "on": _transitions(_leads(place))}
        if isinstance(place, Group):
            states[place.name] |= {"states": _definition(place.name), "parallel": place.parallel}
    first = next(iter(states))
    states[first]["initial"] = True
    return states


def _in_order(within: str) -> list[Stage | Group]:
    """Stages and groups in the order of the stages; a group stands where its first stage does."""
    groups = {group.name: group for group in GROUPS}

    def top(name: str) -> str:
        return name if groups[name].within == within else top(groups[name].within)

    def inside(name: str) -> bool:
        return name == within or (name in groups and inside(groups[name].within))

    places: dict[str, Stage | Group] = {}
    for stage in STAGES:
        if stage.within == within:
            places[stage.name] = stage
        elif stage.within and inside(stage.within):
            places.setdefault(top(stage.within), groups[top(stage.within)])
    return list(places.values())


def _check() -> None:
    """Refuse stages that nothing leads to or from, and moves to nowhere. Raises Owed."""
    names = {place.name for place in (*STAGES, *GROUPS)}
    first_of = {group.name: _members(group)[:1] for group in GROUPS}
    # The way back from a strategy discussion does not count: one comes back only to where one was.
    owed, reached = [], {STAGES[0].name, "section_47", *first_of["section_47"]}
    for place in (*STAGES, *GROUPS):
        for move, to in place.leads.items():
            for each in (to,) if isinstance(to, str) else to:
                target = each.to if isinstance(each, Guarded) else each
                if target not in names:
                    owed.append(f"{HOME}: {place.name} leads to '{target}' by '{move}': expected a stage or a group of that name")
                reached |= {target, *first_of.get(target, ())}
        if place.within and place.within not in {group.name for group in GROUPS}:
            owed.append(f"{HOME}: {place.name} is within '{place.within}': expected a group of that name")
    for stage in STAGES:
        if stage.name not in reached and not stage.beside and not stage.within:
            owed.append(f"{HOME}: nothing leads to {stage.name}: expected a move in `leads` of a stage before it")
        if not stage.leads and not stage.concluded and not stage.within:
            owed.append(f"{HOME}: {stage.name} leads nowhere: expected its `leads`, or `concluded=True`")
    if owed:
        raise Owed(owed)


_check()
ReferralChart: type[StateChart[Position]] = create_machine_class_from_definition(
    "ReferralChart",
    _definition(""),
    # By default a chart swallows an event it has no transition for, and turns a guard's error into an event.
    allow_event_without_transition=False,
    catch_errors_as_events=False,
)


def stage_of(configuration: Iterable[str]) -> str:
    """The one stage people speak of, out of the chart's active states."""
    active = set(configuration)
    return next(stage for stage in ALL if stage in active)


@cache  # A chart costs 0.6 ms to make, and where a move leads depends on nothing else.
def move(configuration: tuple[str, ...], event: str, came_from: str | None = None) -> tuple[str, ...]:
    """The active states after `event`. Raises NoSuchMove when the chart has no such move from here."""
    chart = ReferralChart(model=Position(OrderedSet(configuration), came_from))
    try:
        chart.send(event)
    except TransitionNotAllowed as refused:
        raise NoSuchMove(f"no move '{event}' from {stage_of(configuration)}") from refused
    return tuple(sorted(chart.configuration_values))


def diagram() -> str:
    """The chart as a Mermaid state diagram."""
    return str(formatter.render(ReferralChart, "mermaid"))
