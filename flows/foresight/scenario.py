"""What if: what is other than it was, as somebody writes it, and the plan that follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from mash.flows.foresight.hub import WARM_UP, Plan
from mash.flows.foresight.inputs import Turn
from mash.states.clocks import WEEKDAYS, Length, day_of
from mash.states.profile import Profile

FORMS = (
    "'staff duty_manager +1 fri' (a role, how many more, on which days or 'daily')",
    "'reply health +24h' (an agency, how many hours later)",
    "'limit red 3 h' (a rating, the length)",
    "'contacts +20%'",
)
"""What can be asked, as it is written."""
_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_ON: dict[str, str] = dict(zip(WEEKDAYS, _NAMES, strict=True))
"""Days as they are written, and as they are said."""


class WrongScenario(ValueError):
    """What is asked cannot be simulated; says why, and what can."""


Change = Callable[[Plan], Plan]


def changed(plan: Plan, scenario: str) -> Plan:
    """The plan with what a scenario changes; several changes are joined by ' and '. Raises WrongScenario."""
    for part in scenario.split(" and "):
        words = part.strip()
        for pattern, change in _CHANGES:
            if match := pattern.fullmatch(words):
                plan = change(plan, *match.groups())
                break
        else:
            raise WrongScenario(f"'{words}' is none of: {'; '.join(FORMS)}")
    return plan


def said(scenario: str, profile: Profile) -> str:
    """A scenario in words, as it was understood."""
    return " and ".join(_in_words(part.strip(), profile) for part in scenario.split(" and "))


def _in_words(part: str, profile: Profile) -> str:
    sort, *words = part.split()
    match sort:
        case "staff":
            when = "every day" if words[2] == "daily" else f"on {', '.join(_ON[day] for day in words[2].split(','))}"
            return f"{words[1].removeprefix('+')} more in the role {words[0].replace('_', ' ')} {when}, in the hub's hours"
        case "reply":
            return f"{profile.agencies[words[0]].title} answers {words[1].removeprefix('+').removesuffix('h')} hours later"
        case "limit":
            return f"{profile.ratings[words[0]].title} within {' '.join(words[1:])}"
        case _:
            return f"{words[0].lstrip('+-')} {'fewer' if words[0].startswith('-') else 'more'} contacts"


def _staff(plan: Plan, role: str, more: str, days: str) -> Plan:
    roles = sorted({turn.role for turn in plan.turns})
    if role not in roles:
        there = ", ".join(roles) or "none: import a rota first (mash rota import)"
        raise WrongScenario(f"nobody of the role {role} is in the rota, so nothing is known of them: expected one of {there}")
    wanted = WEEKDAYS if days == "daily" else tuple(days.split(","))
    if unknown := [day for day in wanted if day not in WEEKDAYS]:
        raise WrongScenario(f"'{unknown[0]}' is no day: expected {', '.join(WEEKDAYS)}, joined by commas, or daily")
    before = len({turn.person for turn in plan.turns if turn.person.startswith("more-")})
    found, day = list(plan.turns), day_of(plan.begins - WARM_UP)
    while day <= day_of(plan.ends):
        if WEEKDAYS[day.weekday()] in wanted:
            for opens, closes in plan.profile.calendar.open_on(day):
                found += [Turn(role=role, person=f"more-{before + n}", begins=opens, ends=closes) for n in range(int(more))]
        day += timedelta(days=1)
    return replace(plan, turns=tuple(sorted(found, key=lambda turn: turn.begins)))


def _reply(plan: Plan, agency: str, hours: str) -> Plan:
    if agency not in plan.profile.agencies:
        raise WrongScenario(f"{agency} is no agency of {plan.profile.title}: expected one of {', '.join(plan.profile.agencies)}")
    return replace(plan, later={**plan.later, agency: plan.later.get(agency, 0.0) + float(hours)})


def _limit(plan: Plan, rating: str, length: str) -> Plan:
    rules = plan.profile.ratings.get(rating)
    if rules is None or rules.response is None:
        limited = [name for name, each in plan.profile.ratings.items() if each.response]
        raise WrongScenario(f"{rating} is no rating with a limit of its own: expected one of {', '.join(limited) or 'none here'}")
    try:
        new = Length.model_validate(length)
    except ValueError:
        raise WrongScenario(f"'{length}' is no length: expected one such as '3 h', '30 min' or '1 working day'") from None
    response = rules.response.model_copy(update={"length": new})
    # Where agencies have as long as the hub has, theirs is the same limit.
    same = rules.reply.length == rules.response.length and rules.reply.start == rules.response.start
    reply = rules.reply.model_copy(update={"length": new}) if same else rules.reply
    ratings = {**plan.profile.ratings, rating: rules.model_copy(update={"response": response, "reply": reply})}
    return replace(plan, profile=plan.profile.model_copy(update={"ratings": ratings}))


def _contacts(plan: Plan, sign: str, per_cent: str) -> Plan:
    part = float(per_cent) / 100
    if sign == "-" and part >= 1:
        raise WrongScenario("no contacts at all cannot be simulated: expected less than -100%")
    return replace(plan, contacts=plan.contacts * (1 + part if sign == "+" else 1 - part))


_CHANGES: tuple[tuple[re.Pattern[str], Callable[..., Plan]], ...] = (
    (re.compile(r"staff ([a-z_]+) \+([1-9]) ([a-z,]+)"), _staff),
    (re.compile(r"reply ([a-z_]+) \+(\d{1,3})h"), _reply),
    (re.compile(r"limit ([a-z_0-9]+) (.+)"), _limit),
    (re.compile(r"contacts ([+-])(\d{1,3})%"), _contacts),
)
