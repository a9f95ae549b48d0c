"""A hub simulated: its people and queues against queueing theory, its chance, what if, and when what-ifs are refused."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from mash.bench import made_hub
from mash.config.profile import load_profile
from mash.flows.foresight.compare import Asked, Between, Report, between, plans_of, reported, weeks_of
from mash.flows.foresight.desk import Agenda, Desk, Work
from mash.flows.foresight.draws import counted, draw
from mash.flows.foresight.hub import Hub, Plan
from mash.flows.foresight.inputs import Past
from mash.flows.foresight.learn import Record, Spell, still_waiting, waiting_of
from mash.flows.foresight.measures import Went, went
from mash.flows.foresight.passage import Passage
from mash.flows.foresight.run import run_once
from mash.flows.foresight.scenario import WrongScenario, changed, said

SANDWELL = load_profile("sandwell")
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
SMALL = made_hub.plan(SANDWELL, 1500, MONDAY, 1, 2)
"""A week of a small hub with two managers, after four in which it begins."""


# --- queueing theory ------------------------------------------------------------------------------------------------------


def waited(servers: int, arrivals: float, service: float, urgent: float, customers: int) -> dict[float, float]:
    """The mean wait of a queue without memory, by urgency: 0.0 for the share that is `urgent`, 1.0 for the others."""
    agenda, chance = Agenda(), random.Random(20)
    desk, waits = Desk(agenda), defaultdict[float, list[float]](list)
    for number in range(servers):
        desk.shift("manager", str(number), 0.0, math.inf)

    def arrive(left: int) -> None:
        came, takes, urgency = agenda.now, chance.expovariate(service), 0.0 if chance.random() < urgent else 1.0
        desk.ask(Work(("manager",), (urgency, came), takes, lambda _: waits[urgency].append(agenda.now - takes - came)))
        if left:
            agenda.at(agenda.now + chance.expovariate(arrivals), lambda: arrive(left - 1))

    agenda.at(0.0, lambda: arrive(customers))
    agenda.run_to(2 * customers / arrivals)
    return {urgency: sum(some) / len(some) for urgency, some in waits.items()}


def erlang_c(servers: int, load: float) -> float:
    """The share that has to wait where so many serve (Erlang's formula)."""
    last = load**servers / math.factorial(servers) / (1 - load / servers)
    return last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)


MANY = 4_000_000
LONG = pytest.mark.nightly
"""Where queues are long, what chance leaves of a mean is below half a per cent only after millions."""


@pytest.mark.parametrize(
    ("servers", "arrivals", "customers"),
    [
        (1, 0.5, 250_000),
        (2, 1.0, 250_000),
        pytest.param(3, 2.1, 4_000_000, marks=LONG),
        pytest.param(8, 6.4, 8_000_000, marks=LONG),
    ],
)
def test_who_waits_for_several_people_waits_as_long_as_erlang_says(servers: int, arrivals: float, customers: int) -> None:
    expected = erlang_c(servers, arrivals) / (servers - arrivals)
    assert waited(servers, arrivals, 1.0, 1.0, customers)[0.0] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("servers", "arrivals", "customers"), [(2, 1.0, 250_000), pytest.param(3, 2.4, 2 * MANY, marks=LONG)])
def test_the_urgent_wait_as_long_as_cobham_says_and_the_others_the_longer(servers: int, arrivals: float, customers: int) -> None:
    urgent, busy = 0.3, arrivals / servers
    left_over = erlang_c(servers, arrivals) / servers
    found = waited(servers, arrivals, 1.0, urgent, customers)
    assert found[0.0] == pytest.approx(left_over / (1 - urgent * busy), rel=0.02)
    assert found[1.0] == pytest.approx(left_over / (1 - urgent * busy) / (1 - busy), rel=0.02)


def test_what_is_begun_is_finished_past_the_shift_and_what_waits_then_waits_for_the_next() -> None:
    agenda, done = Agenda(), list[tuple[str, float]]()
    desk = Desk(agenda)
    desk.shift("manager", "one", 0.0, 10.0)
    desk.shift("manager", "one", 100.0, 110.0)

    def asks(name: str, urgency: float) -> None:
        desk.ask(Work(("manager",), (urgency,), 8.0, lambda _: done.append((name, agenda.now))))

    for name, urgency in (("first", 1.0), ("less urgent", 2.0), ("more urgent", 0.0)):
        agenda.at(5.0, partial(asks, name, urgency))
    agenda.run_to(1000.0)
    assert done == [("first", 13.0), ("more urgent", 108.0), ("less urgent", 116.0)]


# --- chance ---------------------------------------------------------------------------------------------------------------


def test_as_many_come_as_come_on_average_and_as_irregularly_as_by_chance_alone() -> None:
    found = [counted(1.7, draw(7, hour, "arrivals")) for hour in range(40_000)]
    mean = sum(found) / len(found)
    assert mean == pytest.approx(1.7, rel=0.02)
    assert sum((each - mean) ** 2 for each in found) / len(found) == pytest.approx(1.7, rel=0.03)


def came(plan: Plan, run: int = 1) -> dict[str, tuple[datetime, Past]]:
    """The contacts of a run, by name: when each came in, and as what."""
    found: dict[str, tuple[datetime, Past]] = {}
    hub: Hub = Hub(plan, run, lambda name, past: found.update({name: (hub.time, past)}))
    hub.work()
    return found


def test_a_scenario_with_more_contacts_has_all_the_others_too_at_the_same_times() -> None:
    as_it_is, more, fewer = (came(replace(SMALL, contacts=part)) for part in (1.0, 1.2, 0.8))
    assert as_it_is.items() <= more.items() and fewer.items() <= as_it_is.items()
    assert 1.1 < len(more) / len(as_it_is) < 1.3 and 0.7 < len(fewer) / len(as_it_is) < 0.9
    assert came(SMALL, 2) != as_it_is


def test_a_run_comes_out_the_same_again_and_another_run_otherwise() -> None:
    assert run_once(SMALL, 1) == run_once(SMALL, 1) != run_once(SMALL, 2)


def test_no_measure_hangs_on_whether_clocks_speak() -> None:
    """So that they need not: nobody acts on an alert in a simulation, and a clock that ran out is late, whoever was told."""
    silent, speaking = (run_once(made_hub.plan(SANDWELL, 1000, MONDAY, 1, 1, fires=fires), 3) for fires in (False, True))
    assert silent == speaking and silent.measures["response_in_time"] < 100


# --- what is learnt -------------------------------------------------------------------------------------------------------

LASTED = [
    (0.8, False), (7.3, True), (3.5, True), (5.4, False), (0.6, True), (9.1, True), (7.3, True), (3.0, False), (1.4, False),
    (11.7, True), (0.2, True), (14.1, True), (7.3, False),
]  # fmt: skip

LIFELINES_HOURS = [0.2, 0.6, 3.5, 7.3, 9.1, 11.7, 14.1]
LIFELINES_SHARES = [0.923076923077, 0.846153846154, 0.740384615385, 0.49358974359, 0.32905982906, 0.16452991453, 0.0]


def test_who_never_answered_counts_as_lifelines_counts_them() -> None:
    """The values are those of KaplanMeierFitter in lifelines 0.30.3."""
    found = still_waiting(LASTED)
    assert [hours for hours, _ in found] == LIFELINES_HOURS
    assert [share for _, share in found] == pytest.approx(LIFELINES_SHARES, abs=1e-12)


def test_an_agency_of_which_a_fifth_never_answers_never_answers_a_fifth() -> None:
    asked = MONDAY + timedelta(hours=9)
    spells = [Spell(asked, asked + timedelta(hours=1 + place), True) for place in range(80)]
    spells += [Spell(asked, asked + timedelta(hours=200), False)] * 20
    waiting = waiting_of(spells, SANDWELL.calendar)
    drawn = [waiting.after(place / 1000) for place in range(1000)]
    assert sum(hours is None for hours in drawn) == pytest.approx(200, abs=1)
    assert [hours for hours in drawn if hours is not None][-1] == 80 and (waiting.asked, waiting.came) == (100, 80)


def test_answers_that_come_in_the_hubs_hours_are_counted_in_them() -> None:
    friday = datetime(2026, 6, 5, 15, 0, tzinfo=UTC)
    over_the_weekend = [Spell(friday, datetime(2026, 6, 8, 9, 0, tzinfo=UTC), True)]
    found = waiting_of(over_the_weekend, SANDWELL.calendar)
    assert found.while_open and found.hours == (2.0,), "an hour to Friday's five o'clock, and one on Monday"


# --- what if --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "in_words"),
    [
        ("staff duty_manager +1 fri", "1 more in the role duty manager on fri, in the hub's hours"),
        ("reply health +24h", "Health safeguarding nurse answers 24 hours later"),
        ("limit red 3 h", "Red within 3 h"),
        ("contacts +20%", "20% more contacts"),
        ("contacts -10% and limit amber 1 working day", "10% fewer contacts and Amber within 1 working day"),
    ],
)
def test_what_is_asked_is_said_as_it_was_understood(scenario: str, in_words: str) -> None:
    assert changed(SMALL, scenario) != SMALL and said(scenario, SANDWELL) == in_words


@pytest.mark.parametrize(
    ("scenario", "why"),
    [
        ("more managers", "is none of: 'staff duty_manager"),
        ("staff social_worker +1 fri", "nobody of the role social_worker is in the rota"),
        ("staff duty_manager +1 friday", "'friday' is no day: expected mon, tue"),
        ("reply nobody +24h", "nobody is no agency of Sandwell MASH: expected one of police"),
        ("limit purple 3 h", "purple is no rating with a limit of its own: expected one of red, amber, green"),
        ("limit red soon", "'soon' is no length: expected one such as '3 h'"),
        ("contacts -100%", "no contacts at all cannot be simulated"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_what_can(scenario: str, why: str) -> None:
    with pytest.raises(WrongScenario, match=why):
        changed(SMALL, scenario)


def test_another_limit_holds_for_the_agencies_whose_limit_it_was_and_for_no_other_rating() -> None:
    plan = changed(SMALL, "limit red 3 h")
    red, amber = plan.profile.ratings["red"], plan.profile.ratings["amber"]
    assert red.response and str(red.response.length) == str(red.reply.length) == "3 h"
    assert amber == SANDWELL.ratings["amber"] and plan.profile.digest != SANDWELL.digest


def test_a_manager_more_helps_where_they_are_short_and_a_later_agency_does_not() -> None:
    short = made_hub.plan(SANDWELL, 3500, MONDAY, 1, 1)
    rated = {
        scenario: run_once(changed(short, scenario) if scenario else short, 1).measures["rated_in_time"]
        for scenario in ("", "staff duty_manager +1 daily", "contacts +20%")
    }
    assert rated["contacts +20%"] < rated[""] < rated["staff duty_manager +1 daily"]
    answers = [run_once(plan, 1).measures["answers_in_time:health"] for plan in (short, changed(short, "reply health +24h"))]
    assert answers[0] > answers[1]


# --- last quarter, and what is refused ------------------------------------------------------------------------------------


def test_of_twenty_runs_nine_in_ten_lie_between_the_least_and_the_greatest() -> None:
    assert between(range(20)) == Between(low=0, middle=9.5, high=19)
    assert between(range(39)) == Between(low=1, middle=19, high=37)
    with pytest.raises(ValueError, match="at least 20 runs"):
        Asked(runs=19)


def went_in(plan: Plan, run: int) -> list[Went]:
    """What would have happened, had this run been the past."""
    cases = list[Passage]()

    def arrives(name: str, past: Past) -> None:
        cases.append(Passage(hub, name, past, lambda _: None))
        cases[-1].begin()

    hub = Hub(plan, run, arrives)
    hub.work()
    return [went(case.referral) for case in cases]


def quarter_of(slower: float, scenarios: tuple[str, ...]) -> Report:
    """A quarter that happened with agencies that took so much longer than was learnt."""
    until = datetime(2026, 9, 2, tzinfo=UTC)
    begins, ends = weeks_of(until)
    happened = went_in(made_hub.plan(SANDWELL, 300, begins, 13, 1, slower=slower), 99)
    record, learnt = Record(SANDWELL, until, went=happened), made_hub.inputs(SANDWELL, begins)
    plans = plans_of(record, learnt, made_hub.rota(1), (begins, ends), 1, begins)
    return reported(record, learnt, plans, Asked(1, 20, scenarios))


@pytest.mark.nightly
def test_a_quarter_that_comes_out_as_it_was_is_followed_by_what_ifs_each_beside_the_same_runs_as_it_is() -> None:
    heard = quarter_of(1.0, ("contacts +20%",))
    assert heard.refused == "" and [each.says for each in heard.what_ifs] == ["As it is", "20% more contacts"]
    [contacts] = [each for each in heard.what_ifs[1].measures if each.name == "contacts"]
    assert contacts.differs and contacts.differs.low > 0


def test_a_quarter_that_comes_out_otherwise_is_said_so_and_no_what_if_is_simulated() -> None:
    heard = quarter_of(4.0, ("contacts +20%",))
    outside = {each.name for each in heard.compared if each.held and not each.within}
    assert "answers_in_time" in outside and heard.what_ifs == ()
    assert "Agencies’ answers in time" in heard.refused and "none is simulated" in heard.refused
