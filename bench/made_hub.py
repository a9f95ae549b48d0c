"""A hub that is made up: so many contacts a year, people at their desks, agencies that answer when such agencies do."""

from __future__ import annotations

import math
import random
from datetime import datetime, time, timedelta

from mash.flows.foresight.hub import WARM_UP, Plan
from mash.flows.foresight.inputs import HOURS, Inputs, Past, Turn, Waiting
from mash.states.acts.contact import ReceiveContact
from mash.states.clocks import LONDON, day_of
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
Week = tuple[float, ...]


def inputs(profile: Profile, contacts: float, begins: datetime, turns: tuple[Turn, ...], *, slower: float = 1.0) -> Inputs:
    """What would have been learnt of it. `slower` is how much longer its agencies take."""
    replies = {agency: _waiting((4 + place) * slower, 0.05) for place, agency in enumerate(profile.agencies)}
    return Inputs(
        hub=profile.name, since=begins, until=begins, arrivals=_week(contacts / WEEKS_A_YEAR), past=_past(profile),
        replies=replies, patience=_waiting(8, 0.0), stages={"mash_meeting": _waiting(3, 0.0)}, minutes={}, turns=turns,
    )  # fmt: skip


def plan(
    profile: Profile, contacts: float, begins: datetime, weeks: float, managers: int, *, slower: float = 1.0, fires: bool = False
) -> Plan:
    """So many weeks of it, with so many managers at their desks from nine to five, and one at night and at weekends."""
    ends = begins + timedelta(weeks=weeks)
    turns = _turns(begins - WARM_UP, ends, managers)
    return Plan(profile, inputs(profile, contacts, begins, turns, slower=slower), begins, ends, turns, fires=fires)


def _turns(begins: datetime, ends: datetime, managers: int) -> tuple[Turn, ...]:
    found, day = list[Turn](), day_of(begins)
    while day <= day_of(ends):
        nine, five, next_nine = (
            datetime.combine(at, time(hour), LONDON) for at, hour in ((day, 9), (day, 17), (day + timedelta(days=1), 9))
        )
        at_desks = managers if day.weekday() < 5 else 0
        found += [Turn(role="duty_manager", person=str(number), begins=nine, ends=five) for number in range(at_desks)]
        found.append(Turn(role="out_of_hours", person="night", begins=five if at_desks else nine, ends=next_nine))
        day += timedelta(days=1)
    return tuple(found)


def _week(contacts: float) -> Week:
    hours = [(place // 24, place % 24) for place in range(HOURS)]
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
    found = list[Past]()
    for _ in range(PATTERNS):
        [place] = chance.choices(range(len(ratings)), SHARES[: len(ratings)])
        children = tuple(
            Subject(id=f"S{number}", cohort="child", age="child") for number in range(1, 1 + chance.choice((1, 1, 2)))
        )
        contact = ReceiveContact(
            contact="referral", source="2A", source_agency="education", subjects=children, primary_need="N1"
        )  # fmt: skip
        again = ((5.0, ratings[0]),) if place == 1 and chance.random() < 0.1 else ()
        found.append(Past(contact=contact, rating=ratings[place], rerated=again, outcome=chance.choice(OUTCOMES[place])))
    return tuple(found)
