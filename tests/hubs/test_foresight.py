"""A hub simulated: its people and queues against queueing theory, its chance, what if, and when what-ifs are refused."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from mash.bench import made_hub
from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.foresight.arrivals import monday_of, weeks_on_record
from mash.flows.foresight.compare import Asked, Between, Report, between, plans_of, reported, weeks_of
from mash.flows.foresight.desk import Agenda, Desk, Work
from mash.flows.foresight.draws import counted, draw, one_of
from mash.flows.foresight.hub import WARM_UP, Hub, Plan
from mash.flows.foresight.inputs import Past, Turn
from mash.flows.foresight.learn import Record, Spell, quantiles, still_waiting, waiting_of
from mash.flows.foresight.measures import Went, went
from mash.flows.foresight.passage import Passage
from mash.flows.foresight.people import People, learnt_of, people_ahead, people_then
from mash.flows.foresight.run import run_once
from mash.flows.foresight.scenario import WrongScenario, changed, said
from mash.notifications.rota import Pattern, Rota, Shift
from mash.states.acts.contact import ReceiveContact
from mash.states.profile import Outcome, Profile
from mash.states.values import Subject

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


@pytest.mark.parametrize("work_of", ["one role", "each role"])
def test_who_has_two_roles_does_one_thing_at_a_time(work_of: str) -> None:
    agenda, done = Agenda(), list[tuple[str, float]]()
    desk = Desk(agenda)
    for role in ("manager", "practice_manager"):
        desk.shift(role, "one", 0.0, 100.0)
    roles = ("manager", "manager" if work_of == "one role" else "practice_manager")

    def asks(role: str) -> None:
        desk.ask(Work((role,), (0.0,), 8.0, lambda did: done.append((did, agenda.now))))

    for role in roles:
        agenda.at(0.0, partial(asks, role))
    agenda.run_to(1000.0)
    assert done == [(roles[0], 8.0), (roles[1], 16.0)]
    assert desk.people["one"].worked == ({"manager": 16.0} if work_of == "one role" else dict.fromkeys(roles, 8.0))


def test_who_is_free_in_one_role_takes_what_waits_for_another_when_its_turn_begins() -> None:
    agenda, done = Agenda(), list[tuple[str, float]]()
    desk = Desk(agenda)
    desk.shift("manager", "one", 0.0, 100.0)
    desk.shift("practice_manager", "one", 50.0, 60.0)
    agenda.at(5.0, lambda: desk.ask(Work(("practice_manager",), (0.0,), 8.0, lambda did: done.append((did, agenda.now)))))
    agenda.run_to(1000.0)
    assert done == [("practice_manager", 58.0)]


NIGHTLY_TOO = [(1, 0.5, 30_000), pytest.param(3, 2.1, 200_000, marks=LONG)]


@pytest.mark.parametrize(("servers", "load", "contacts"), NIGHTLY_TOO)
def test_contacts_of_a_simulated_hub_wait_for_its_people_as_long_as_erlang_says(servers: int, load: float, contacts: int) -> None:
    """A hub with people at all hours, contacts by chance alone, and triage without memory."""
    mean, weeks = 60.0, math.ceil(contacts / (load * 24 * 7))
    minutes = tuple(-mean * math.log(1 - (place + 0.5) / 2000) for place in range(2000))
    begins, ends = MONDAY, MONDAY + timedelta(weeks=weeks)
    turns = tuple(Turn(role=SANDWELL.raters[0], person=str(n), begins=begins - WARM_UP, ends=ends) for n in range(servers))
    chance = random.Random(4)
    came = tuple(
        sorted(
            begins - WARM_UP + timedelta(hours=chance.random() * (weeks + 4) * 168)
            for _ in range(round(load * (weeks + 4) * 168))
        )
    )
    known = made_hub.inputs(SANDWELL, begins).model_copy(update={"minutes": {"triage": minutes}})
    waits, unrated = list[float](), passed(Past(contact=CHILD)).referral

    def arrives(name: str, past: Past) -> None:
        at, took = hub.agenda.now, 60 * one_of(minutes, draw(1, name, "triage", "minutes"))
        hub.ask(name, unrated, "triage", SANDWELL.raters, lambda _: waits.append(hub.agenda.now - took - at))

    hub = Hub(Plan(SANDWELL, known, begins, ends, turns, came, ends), 1, arrives)
    hub.work()
    expected = erlang_c(servers, load) / (servers - load) * 60 * mean
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.06)


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


@pytest.mark.parametrize("name", available())
def test_no_hubs_rules_refuse_what_usually_ends_a_contact(name: str) -> None:
    """For another service, attached, transferred, in danger and rated down, several paths: each is given what its act needs."""
    profile, sorts = load_profile(name), defaultdict[object, list[Past]](list)
    for past in made_hub.inputs(profile, MONDAY).past:
        sorts[past.not_taken, past.attached, "transfer" in past.outcomes.values(), past.contact.immediate_danger].append(past)
    assert len(sorts) == 5
    for past in (past for some in sorts.values() for past in some[:6]):
        found = passed(past, profile)
        assert not found.refused and found.hub.refusals == {}, past


CHILD = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=(Subject(id="S1", cohort="child"),))


def passed(past: Past, profile: Profile = SANDWELL) -> Passage:
    """Such a contact's way through a hub in which nobody waits for anybody."""
    known = made_hub.inputs(profile, MONDAY).model_copy(update={"stages": {}, "replies": {}, "any_reply": None})
    plan = Plan(profile, known, MONDAY, MONDAY + timedelta(days=1), ())
    hub = Hub(plan, 1, lambda name, past: None)
    found = Passage(hub, "one", past, lambda _: None)
    hub.agenda.at(WARM_UP.total_seconds(), found.begin)
    hub.work()
    return found


def test_a_contact_for_another_service_and_one_that_was_attached_end_as_they_did() -> None:
    adult = CHILD.model_copy(update={"subjects": (Subject(id="S1", cohort="adult", age="adult"),)})
    assert passed(Past(contact=adult, not_taken=True)).referral.stage == "not_taken"
    for stage in ("triage", "decision"):
        case = passed(Past(contact=CHILD, attached=stage, rating="green")).referral
        assert case.part_of and case.outcomes == {"S1": "considered"} and case.decided_at
        assert (case.rating is None) == (stage == "triage")


def test_subjects_are_each_decided_as_they_were_and_a_pattern_has_no_end_that_nobody_decides() -> None:
    two = CHILD.model_copy(update={"subjects": tuple(Subject(id=f"S{n}", cohort="child") for n in (1, 2))})
    outcomes: dict[str, Outcome] = {"S1": "no_further_action", "S2": "section_47"}
    case = passed(Past(contact=two, rating="red", outcomes=outcomes))
    assert [each.event.outcomes for each in case.world.log if each.event.kind == "decision_recorded"] == [outcomes]
    with pytest.raises(ValidationError):
        Past.model_validate({"contact": CHILD, "outcomes": {"S1": "considered"}})


def test_what_the_rules_refuse_is_named_and_measured_in_nothing() -> None:
    past = Past(contact=CHILD, rating="purple")
    found = passed(past)
    assert found.refused and found.hub.refusals == {"rate_referral": 1}


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


def test_an_agency_that_was_asked_and_never_answered_does_not_answer() -> None:
    asked = MONDAY + timedelta(hours=9)
    never = waiting_of([Spell(asked, asked + timedelta(hours=200), False)] * 30, SANDWELL.calendar)
    hub = Hub(SMALL, 1, lambda name, past: None)
    assert hub.wait(never, "one", "health") is None and hub.wait(None, "one", "health") == 0


def test_an_agency_of_which_too_little_is_on_record_answers_as_all_do_and_that_is_said() -> None:
    asked = MONDAY + timedelta(hours=9)
    record = Record(SANDWELL, MONDAY + timedelta(weeks=1))
    record.replies["police"] = [Spell(asked, asked + timedelta(hours=2), True)] * 60
    record.replies["health"] = [Spell(asked, asked + timedelta(hours=9), False)]
    learnt = record.inputs(MONDAY)
    health = learnt.reply_of("health", None)
    assert health and health.asked == 61 and health.after(0.5) == 2
    [said_of] = [each for each in learnt.learnt if each.what.startswith("answers of Health")]
    assert said_of.basis == "assumed" and "as all agencies together do" in said_of.says


def checked(received: datetime, asked: datetime, answered: datetime | None) -> dict[str, Any]:
    """A case as it is stored today, of which one agency was asked."""
    clock = {"id": "check:health", "kind": "check", "due_at": (asked + timedelta(hours=4)).isoformat()}
    clock |= {"ended_at": answered.isoformat(), "met": True} if answered else {}
    check = {"requested_at": asked.isoformat(), **({"answered_at": answered.isoformat()} if answered else {})}
    return {
        "received_at": received.isoformat(), "stage": "decision", "stage_since": asked.isoformat(), "rating": "red",
        "subjects": {"S1": {}}, "checks": {"health": check}, "clocks": {"check:health": clock},
    }  # fmt: skip


def test_of_what_came_after_the_weeks_that_are_learnt_from_nothing_is_known() -> None:
    """Half of those that wait then will have been answered: whoever learns then sees twenty that wait."""
    then, asked = MONDAY, MONDAY - timedelta(hours=20)
    record = Record(SANDWELL, then)
    rated = {"kind": "referral_rated", "rating": "red"}
    decided = {"kind": "decision_recorded", "outcomes": {"S1": "section_47"}}
    for place in range(20):
        received = {"kind": "contact_received", **CHILD.model_dump(mode="json", exclude={"kind"})}
        events = [(asked, received), (asked, rated), (then + timedelta(hours=9), decided)]
        record.case(checked(asked, asked, then + timedelta(hours=5) if place % 2 else None), events)
    record.took("referral_rated", then + timedelta(hours=1), 20.0, signs=False)
    learnt = record.inputs(asked)
    waiting = learnt.reply_of("health", "red")
    assert waiting and (waiting.asked, waiting.came) == (20, 0)
    assert all(past.outcomes == {} and past.rating == "red" for past in learnt.past) and not any(record.minutes.values())


def test_work_that_is_done_as_soon_as_a_case_is_opened_is_not_taken_for_learnt() -> None:
    record = Record(SANDWELL, MONDAY)
    for place in range(40):
        record.took("referral_rated", MONDAY, 0.01 if place % 4 else 9.0, signs=False)
        record.took("decision_recorded", MONDAY, 30.0, signs=False)
        record.took("decision_recorded", MONDAY, 5.0, signs=True)
    learnt = record.inputs(MONDAY)
    assert learnt.minutes_of("triage") == (20.0,) and set(learnt.minutes_of("decision")) == {30.0}
    assert set(learnt.minutes_of("sign_off")) == {5.0}
    [triage] = [each for each in learnt.learnt if each.what == "minutes of triage"]
    assert triage.basis == "assumed" and "as soon as the case was opened" in triage.says


def test_values_that_are_thinned_out_keep_their_mean() -> None:
    values = [-math.log(1 - (place + 0.5) / 30_000) for place in range(30_000)]
    kept = quantiles(values)
    assert len(kept) == 1000 and sum(kept) / len(kept) == pytest.approx(sum(values) / len(values), rel=0.005)


def test_answers_that_come_in_the_hubs_hours_are_counted_in_them() -> None:
    friday = datetime(2026, 6, 5, 15, 0, tzinfo=UTC)
    over_the_weekend = [Spell(friday, datetime(2026, 6, 8, 9, 0, tzinfo=UTC), True)]
    found = waiting_of(over_the_weekend, SANDWELL.calendar)
    assert found.while_open and found.hours == (2.0,), "an hour to Friday's five o'clock, and one on Monday"


# --- when contacts come, and who is there ---------------------------------------------------------------------------------


def test_contacts_of_the_quarter_come_when_they_came_and_those_ahead_in_weeks_that_were() -> None:
    ends = MONDAY + timedelta(weeks=2)
    came_in = [MONDAY + timedelta(hours=hours) for hours in (3, 3, 30, 190, 200)]
    weeks = weeks_on_record(came_in, MONDAY - timedelta(hours=1), ends)
    assert [len(week) for week in weeks] == [3, 2]
    plan = replace(SMALL, begins=MONDAY, ends=ends, came=tuple(came_in), known_until=ends, weeks=weeks)
    assert sorted(at for at, _ in came(plan).values()) == came_in
    ahead = came(replace(plan, begins=ends, ends=ends + timedelta(weeks=30)))
    by_week = Counter((at - MONDAY).days // 7 for at, _ in ahead.values())
    assert {*by_week.values()} == {2, 3} and 20 < list(by_week.values()).count(2) + list(by_week.values()).count(3) <= 32


def test_the_week_of_a_day_without_contacts_is_a_week_and_the_clock_goes_back_in_it() -> None:
    since = datetime(2026, 10, 18, 23, tzinfo=UTC)  # Monday, in British Summer Time
    nine = [datetime(2026, 10, 19, 8, tzinfo=UTC), datetime(2026, 11, 2, 9, tzinfo=UTC)]
    weeks = weeks_on_record(nine, since, datetime(2026, 11, 9, tzinfo=UTC))
    assert weeks == ((9 * 3600.0,), (), (9 * 3600.0,))


def pattern(role: str, person: str, since: date, until: date | None = None) -> Pattern:
    return Pattern(role=role, person=person, days=("mon", "wed"), starts=time(9), ends=time(17), since=since, until=until)


def weekly(people: People, role: str) -> list[int]:
    """How many turns of a role there are, by week."""
    counts = Counter(monday_of(turn.begins) for turn in people.turns if turn.role == role)
    return [counts[monday] for monday in sorted({monday_of(turn.begins) for turn in people.turns})]


def test_the_quarter_has_its_own_people_and_a_rota_that_began_within_it_stands_in_for_the_weeks_before() -> None:
    ends = MONDAY + timedelta(weeks=13)
    posts = (pattern("manager", "a", date(2026, 1, 5), date(2026, 7, 15)), pattern("manager", "b", date(2026, 8, 3)))
    then = people_then(Rota(patterns=posts), SANDWELL.calendar, MONDAY, ends)
    assert weekly(then, "manager")[:7] == [2] * 7 and {turn.person for turn in then.turns} == {"1", "2"} and not then.stood_in
    assert [turn.person for turn in then.turns][-1] == "2", "the post that was filled, and not the one that ended"
    late = people_then(Rota(patterns=(pattern("manager", "a", date(2026, 8, 3)),)), SANDWELL.calendar, MONDAY, ends)
    assert weekly(late, "manager") == [2] * 13 and late.stood_in == ("manager",)
    assert "later weeks stand in for manager" in learnt_of(late, then).says


def test_ahead_patterns_go_on_what_is_written_out_is_repeated_and_a_post_that_ended_is_not_there() -> None:
    ends = MONDAY + timedelta(weeks=10)
    shifts = tuple(
        Shift(role="manager", person="a", why="turn", begins=at, ends=at + timedelta(hours=8))
        for at in (MONDAY + timedelta(days=days, hours=8) for days in (-21, -14, -7, 0, 7))
    )
    posts = (pattern("cut", "b", date(2026, 1, 5), date(2026, 5, 29)), pattern("kept", "c", date(2026, 1, 5)))
    ahead = people_ahead(Rota(patterns=posts, shifts=shifts), SANDWELL.calendar, MONDAY, ends)
    assert weekly(ahead, "manager") == [1] * 10 and ahead.stood_in == ("manager",)
    assert weekly(ahead, "kept") == [2] * 10 and weekly(ahead, "cut") == [0] * 10


def test_two_additional_people_of_one_role_are_two() -> None:
    plan = changed(SMALL, "staff duty_manager +1 mon and staff duty_manager +2 mon")
    assert {turn.person for turn in plan.turns} - {turn.person for turn in SMALL.turns} == {"more-0", "more-1", "more-2"}


# --- what if --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "in_words"),
    [
        ("staff duty_manager +1 fri", "1 more in the role duty manager on Fridays, in the hub's hours"),
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
    short = made_hub.plan(SANDWELL, 3500, MONDAY, 0.5, 1)
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
