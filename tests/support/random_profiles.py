"""Profiles that no hub has written, but one could: any ratings, routes, clocks, agencies, gatherings and procedures."""

from __future__ import annotations

from datetime import date, time
from typing import Any, get_args

from hypothesis import strategies as st

from mash.config.agreement import disagreements
from mash.config.profile import load_profile
from mash.states.clocks import Calendar, Change, Length, Window
from mash.states.profile import (
    MODES,
    Agency,
    Category,
    ClockRule,
    Consultation,
    ContactKind,
    Disagreements,
    Firewall,
    Gathering,
    Intake,
    OutOfHours,
    Place,
    Profile,
    Rating,
    Referee,
    Service,
    Sharing,
    SignOff,
    Triage,
)

BASE, OF_2026 = load_profile("sandwell"), load_profile("sandwell", None, "2026")
ROUTES = (
    ("decision",),
    ("agency_checks", "decision"),
    ("mash_meeting", "decision"),
    ("agency_checks", "mash_meeting", "decision"),
    ("strategy_discussion", "decision"),
    ("agency_checks", "strategy_discussion"),
    ("agency_checks", "mash_meeting", "strategy_discussion", "decision"),
)
AGENCIES = ("police", "health", "social_care", "education", "fire", "housing")
MANAGERS = ("duty_manager", "practice_manager", "team_manager", "service_manager", "operational_manager")

lengths = st.one_of(
    st.integers(1, 96).map(lambda n: Length.model_validate(f"{n} h")),
    st.integers(1, 40).map(lambda n: Length.model_validate(f"{n} hub hours")),
    st.integers(1, 10).map(lambda n: Length.model_validate(f"{n} working days")),
)


def some(values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Some of the values, perhaps none."""
    return st.lists(st.sampled_from(values), unique=True, max_size=3).map(tuple)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Opening hours of one or two windows on some weekdays; perhaps others from a date on."""

    def week(days: list[Any]) -> dict[Any, tuple[Window, ...]]:
        return {day: draw(st.sampled_from(WINDOWS)) for day in days}

    weekdays = st.lists(st.sampled_from(("mon", "tue", "wed", "thu", "fri", "sat", "sun")), unique=True, min_size=1)
    changes = (Change(since=draw(st.dates(date(2026, 1, 1), date(2026, 12, 1))), windows=week(draw(weekdays))),)
    opens = draw(st.sampled_from(((), BASE.calendar.bank_holidays[-40:])))
    return BASE.calendar.model_copy(
        update={"windows": week(draw(weekdays)), "changes": draw(st.sampled_from(((), changes))), "open_bank_holidays": opens}
    )


WINDOWS = tuple(
    tuple(Window(opens=time(a), closes=time(b)) for a, b in day) for day in (((9, 17),), ((8, 12), (13, 20)), ((0, 6), (20, 23)))
)


@st.composite
def ratings(draw: st.DrawFn) -> dict[str, Rating]:
    """One to five ratings, with and without a limit of their own."""
    names = draw(st.lists(st.sampled_from(("red", "amber", "green", "blue", "urgent", "high", "low")), unique=True, min_size=1))
    made = {}
    for severity, name in enumerate(names):
        route = draw(st.sampled_from(ROUTES))
        limited = draw(st.booleans())
        made[name] = Rating(
            title=name.title(),
            severity=severity,
            route=route,
            response=ClockRule(length=draw(lengths), start="receipt", source="random") if limited else None,
            covers=route[: draw(st.integers(1, len(route)))] if limited else (),
            reply=ClockRule(length=draw(lengths), start=draw(st.sampled_from(("receipt", "stage"))), source="random"),
            source="random",
        )
    return made


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """A valid profile."""
    rated, named = draw(ratings()), draw(st.lists(st.sampled_from(AGENCIES), unique=True))
    some_ratings, some_categories = some(tuple(rated)), some(get_args(Category))
    gatherings = {
        name: Gathering(
            title=name, at=time(draw(st.integers(0, 23))), ratings=draw(some_ratings), categories=draw(some_categories)
        )
        for name in draw(some(("daily", "conference")))
    }
    profile = BASE.model_copy(
        update={
            "edition": draw(st.sampled_from((BASE.edition, OF_2026.edition))),
            "name": "random",
            "ratings": rated,
            "raters": ("duty_manager", "out_of_hours"),
            "deciders": (draw(st.sampled_from(MANAGERS)),),
            "whole_family": draw(st.booleans()),
            "assess_first": draw(st.sampled_from(((), ("early_help", "transfer")))),
            "intake": {
                "some": Intake(title="Some", kinds=draw(some(get_args(ContactKind))), cohorts=draw(some(("child", "adult")))),
            },
            "consultation": Consultation(kinds=draw(some(get_args(ContactKind))), asks_partners=draw(st.booleans())),
            "triage": Triage(stage=draw(st.booleans()), joint=draw(some(("police", "social_care", "health")))),
            "places": draw(st.sampled_from(({}, PLACES))),
            "agencies": {
                name: Agency(
                    title=name.title(),
                    role=f"{name}_navigator",
                    lead=f"{name}_lead",
                    cohorts=draw(some(("child", "unborn", "adult"))),
                    ratings=draw(some_ratings),
                    categories=draw(some_categories),
                    asked=draw(st.sampled_from(("always", "always", "on_request"))),
                )
                for name in named
            },
            "sharing": Sharing(
                consent=draw(st.sampled_from(("hub_decides", "sought_unless_child_protection"))),
                families_told=draw(st.sampled_from(("hub_decides", "beforehand_unless_at_risk"))),
            ),
            "firewall": Firewall(
                threshold=draw(st.sampled_from(("none", "significant_harm"))),
                redaction=draw(st.sampled_from(("where_needed", "always"))),
            ),
            "gatherings": gatherings,
            "meeting": BASE.meeting.model_copy(
                update={
                    "gathering": draw(st.sampled_from((None, *gatherings))),
                    "second_rating": draw(st.booleans()),
                    "modes": draw(st.sampled_from((MODES, ("telephone",)))),
                }
            ),
            "sign_off": {
                name: SignOff(ratings=(name,), outcomes=("no_further_action",), role=draw(st.sampled_from(MANAGERS)))
                for name in draw(some_ratings)
            },
            "services": {"anybody": Service(title="Anybody"), "some": Service(title="Some", cohorts=("child",))},
            "disagreements": Disagreements(
                rating=(Referee(role=draw(st.sampled_from(MANAGERS))),),
                decision=(Referee(role="practice_manager"), Referee(role="service_manager", within=draw(lengths))),
            ),
            "out_of_hours": OutOfHours(role="out_of_hours", service=draw(st.sampled_from(("takes_over", "same_service")))),
            "calendar": draw(calendars()),
            "stages": {
                name: rule.model_copy(update={"length": draw(lengths)}) if name != "triage" else rule
                for name, rule in BASE.stages.items()
            },
        }
    )
    valid = Profile.model_validate(profile.model_dump())
    assert list(disagreements(valid)) == []
    return valid


PLACES = {
    "north": Place(title="North", kind="authority", virtual=True, triage_role="partner_duty_manager"),
    "south": Place(title="South", kind="satellite"),
}
