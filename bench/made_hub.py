"""A hub that is made up: so many contacts a year, people at their desks, agencies that answer when such agencies do."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from mash.flows.foresight.arrivals import Week
from mash.flows.foresight.draws import counted
from mash.flows.foresight.hub import WARM_UP, Plan
from mash.flows.foresight.inputs import Inputs, Past, Waiting
from mash.flows.foresight.people import people_then
from mash.notifications.rota import Pattern, Rota
from mash.states.acts.contact import ReceiveContact
from mash.states.clocks import WEEKDAYS, Weekday
from mash.states.profile import Outcome, Profile
from mash.states.values import Subject

PATTERNS = 600
WEEKS_A_YEAR = 365.25 / 7
STEPS = 300
BY_DAY, BY_NIGHT, AT_WEEKENDS = 6.0, 0.6, 0.25
"""How many contacts come in an hour, beside one another."""
SHARES = (0.15, 0.35, 0.5)
"""Of the ratings, the most urgent first."""
OUTCOMES: tuple[tuple[Outcome, ...], ...] = (
    ("section_47", "section_17", "early_help"),
    ("section_17", "early_help", "no_further_action"),
    ("no_further_action", "early_help", "advice"),
)
SORTS = (0.7, 0.06, 0.16, 0.03, 0.05)
"""Of contacts: decided, not taken, attached, transferred, in danger (and decided)."""
NEVER = 0.05
"""The part of checks that are never answered."""


def inputs(profile: Profile, begins: datetime, *, slower: float = 1.0) -> Inputs:
    """What would have been learnt of it. `slower` is how much longer its agencies take."""
    replies = {agency: _waiting((4 + place) * slower, NEVER) for place, agency in enumerate(profile.agencies)}
    return Inputs(
        hub=profile.name, since=begins, until=begins, past=_past(profile), replies=replies, patience=_waiting(8, 0.0),
        stages={"mash_meeting": _waiting(3, 0.0)}, minutes={},
    )  # fmt: skip


def plan(
    profile: Profile, contacts: float, begins: datetime, weeks: float, managers: int, *, slower: float = 1.0, fires: bool = False
) -> Plan:
    """So many weeks of it, with so many managers at their desks from nine to five, and one at night and at weekends."""
    ends, known = begins + timedelta(weeks=weeks), inputs(profile, begins, slower=slower)
    there = people_then(rota(managers), profile.calendar, begins - WARM_UP, ends)
    return Plan(profile, known, begins, ends, there.turns, weeks=weeks_of(contacts), fires=fires)


def rota(managers: int) -> Rota:
    """Who is there, every week."""
    days, weekend = WEEKDAYS[:5], WEEKDAYS[5:]
    by_day = (_pattern("duty_manager", f"m{number}", days, 9, 17) for number in range(managers))
    on_call = (_pattern("out_of_hours", "night", days, 17, 9), _pattern("out_of_hours", "night", weekend, 9, 9))
    return Rota(patterns=(*by_day, *on_call))


def _pattern(role: str, person: str, days: tuple[Weekday, ...], starts: int, ends: int) -> Pattern:
    return Pattern(role=role, person=person, days=days, starts=time(starts), ends=time(ends), since=date(2024, 1, 1))


def weeks_of(contacts: float, number: int = 52, seed: int = 3) -> tuple[Week, ...]:
    """Weeks of so many contacts a year, each by chance alone."""
    chance = random.Random(seed)  # noqa: S311  no secret
    means = _week(contacts / WEEKS_A_YEAR)
    return tuple(tuple(sorted(_seconds(means, chance))) for _ in range(number))


def _seconds(means: Week, chance: random.Random) -> Iterator[float]:
    for hour, mean in enumerate(means):
        for _ in range(counted(mean, chance.random())):
            yield 3600 * (hour + chance.random())


def _week(contacts: float) -> Week:
    hours = [(place // 24, place % 24) for place in range(24 * 7)]
    shape = [(BY_DAY if 9 <= hour < 17 else BY_NIGHT) if day < 5 else AT_WEEKENDS for day, hour in hours]
    return tuple(part * contacts / sum(shape) for part in shape)


def _waiting(mean: float, never: float) -> Waiting:
    """Without memory, in the hub's hours; a part never comes."""
    parts = [(place + 0.5) / STEPS for place in range(STEPS)]
    hours = tuple(-mean * math.log(1 - part) for part in parts)
    still = tuple(1 - (1 - never) * (place + 1) / STEPS for place in range(STEPS))
    return Waiting(hours=hours, still=still, while_open=True, asked=STEPS, came=round(STEPS * (1 - never)))


def _past(profile: Profile) -> tuple[Past, ...]:
    chance = random.Random(5)  # noqa: S311  no secret
    ratings = sorted(profile.ratings, key=lambda name: -profile.ratings[name].severity)[: len(SHARES)]
    return tuple(_pattern_of(ratings, chance) for _ in range(PATTERNS))


def _pattern_of(ratings: list[str], chance: random.Random) -> Past:
    """A contact that is decided; or of those that are not: for another service, or about a child whose case is open."""
    [sort] = chance.choices(("decided", "not taken", "attached", "transferred", "in danger"), SORTS)
    [place] = chance.choices(range(len(ratings)), SHARES[: len(ratings)])
    number, danger = chance.choice((1, 1, 2)), sort == "in danger"
    children = tuple(Subject(id=f"S{place}", cohort="child", age="child") for place in range(1, number + 1))
    adult = (Subject(id="S1", cohort="adult", age="adult"),)
    contact = ReceiveContact(
        contact="referral", source="2A", source_agency="education", subjects=adult if sort == "not taken" else children,
        primary_need="N1", immediate_danger=danger,
    )  # fmt: skip
    if sort == "not taken":
        return Past(contact=contact, not_taken=True)
    if sort == "attached":
        return Past(contact=contact, attached="triage")
    again = ((5.0, ratings[0]),) if place == 1 and chance.random() < 0.1 else ()
    outcomes = {child.id: "transfer" if sort == "transferred" else chance.choice(OUTCOMES[place]) for child in children}
    return Past(contact=contact, rating=ratings[place], rerated=again, outcomes=outcomes)
