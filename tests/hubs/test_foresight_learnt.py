"""A hub is played by what is known of it, written to a log as any is, and learnt again from that: it comes out as it was, and a
what-if follows from a log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from statistics import mean, median
from typing import Any

import pytest

from mash.bench import made_hub
from mash.config.profile import load_profile
from mash.flows.foresight.compare import Report, weeks_of
from mash.flows.foresight.draws import draw, one_of
from mash.flows.foresight.hub import WARM_UP, Hub, Plan
from mash.flows.foresight.inputs import Inputs, Past
from mash.flows.foresight.learn import KINDS, SIGN_OFF, Record
from mash.flows.foresight.passage import Passage
from mash.flows.foresight.people import people_then
from mash.flows.foresight.process import report_of, serve
from mash.states.referral import Referral

SANDWELL = load_profile("sandwell")
UNTIL = datetime(2026, 9, 2, 12, tzinfo=UTC)
QUARTER = weeks_of(UNTIL)
BEGAN = QUARTER[0] - timedelta(weeks=39)
CONTACTS = 600
ROTA = made_hub.rota(1)
MINUTES = {"triage": tuple(float(each) for each in range(20, 61)), "decision": tuple(float(each) for each in range(30, 91))}
KIND_OF = {"triage": "referral_rated", "decision": "decision_recorded", "attaching": "contact_attached"}
KIND_OF |= {"sign_off": "decision_recorded", "to_confirm_not_ours": "contact_taken", "consultation": "consultation_concluded"}


class Watched(Hub):
    """A hub of which is written down how long everybody was at what they did."""

    took: list[str]

    def ask(self, name: str, r: Referral, stage: str, roles: tuple[str, ...], done: Callable[[str], None]) -> None:
        minutes = one_of(self.inputs.minutes_of(stage), draw(self.run, name, stage, "minutes"))

        def written(role: str) -> None:
            if stage in KIND_OF:
                took = {"kind": KIND_OF[stage], "signs": stage == SIGN_OFF, "at": self.time.isoformat(), "minutes": minutes}
                self.took.append(json.dumps({"took": took}))
            done(role)

        super().ask(name, r, stage, roles, written)


@dataclass
class Lived:
    """What happened: each contact's way, in their order, and how long work took."""

    cases: list[Passage] = field(default_factory=list)
    took: list[str] = field(default_factory=list)

    def lines(self, scenarios: tuple[str, ...] = ()) -> Iterator[str]:
        """What the simulation's process reads of a hub on whose record all this stands."""
        head = {"profile": SANDWELL.canonical, "rota": ROTA.model_dump(mode="json"), "until": UNTIL.isoformat()}
        yield json.dumps({**head, "began_at": BEGAN.isoformat(), "months": 1, "runs": 20, "scenarios": scenarios})
        for case in self.cases:
            state, log = case.referral.model_dump(mode="json"), case.world.log
            events = [(entry.at.isoformat(), entry.event.model_dump(mode="json")) for entry in log if entry.event.kind in KINDS]
            yield json.dumps({"case": state, "events": events})
        yield from self.took


def made(slower: float = 1.0) -> Inputs:
    """What is known of the hub that is played."""
    return made_hub.inputs(SANDWELL, BEGAN, slower=slower).model_copy(update={"minutes": MINUTES})


def lived(run: int, begins: datetime, ends: datetime, known: Inputs) -> Lived:
    """These weeks of the hub, as they came about by this run's chance."""
    people = people_then(ROTA, SANDWELL.calendar, begins, ends)
    weeks = made_hub.weeks_of(CONTACTS, seed=run)
    plan = Plan(SANDWELL, known, begins + WARM_UP, ends, people.turns, weeks=weeks)
    found = Lived()

    def arrives(name: str, past: Past) -> None:
        found.cases.append(Passage(hub, name, past, lambda _: None))
        found.cases[-1].begin()

    hub = Watched(plan, run, arrives)
    hub.took = found.took
    hub.work()
    return found


@cache
def a_year(run: int = 99) -> Lived:
    """A year of which all went as it usually goes."""
    return lived(run, BEGAN, UNTIL, made())


def report(past: Lived, *scenarios: str) -> Report:
    return report_of(past.lines(scenarios))


def learnt(past: Lived, until: datetime = UNTIL) -> Inputs:
    record = Record(SANDWELL, until)
    for line in list(past.lines())[1:]:
        read: dict[str, Any] = json.loads(line)
        if "took" in read:
            took = read["took"]
            record.took(took["kind"], datetime.fromisoformat(took["at"]), took["minutes"], signs=took["signs"])
        else:
            record.case(read["case"], [(datetime.fromisoformat(at), event) for at, event in read["events"]])
    return record.inputs(BEGAN)


def test_a_hub_learnt_from_its_log_comes_out_as_it_was_and_what_if_follows() -> None:
    found = report(a_year(), "contacts +20% and reply health +24h")
    assert found.refused == "" and found.apart
    as_it_is, otherwise = found.what_ifs
    assert (as_it_is.says, otherwise.says) == (
        "As it is", "20% more contacts and Health safeguarding nurse answers 24 hours later",
    )  # fmt: skip
    apart = {each.name: each.differs for each in otherwise.measures}
    assert apart["contacts"] and apart["contacts"].low > 0
    assert apart["answers_in_time:health"] and apart["answers_in_time:health"].high < 0
    assert otherwise.busy["duty_manager"] > as_it_is.busy["duty_manager"] > 10


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_of_hubs_that_are_as_they_were_each_measure_lies_mostly_where_nine_in_ten_runs_do() -> None:
    """Learnt from a year, held against the quarter after it; by chance one in ten is outside, of each measure."""
    reports = [report(a_year(run)) for run in range(1, 9)]
    for name in ("rated_in_time", "response_in_time", "answers_in_time", "half_decided"):
        within = [each.within for found in reports for each in found.compared if each.name == name]
        assert sum(within) >= 5, name  # fewer than five of eight: once in 200, where it is nine in ten
    assert any(found.refused == "" for found in reports)


def test_a_hub_whose_agencies_became_slower_in_the_quarter_is_not_taken_for_what_it_was() -> None:
    before, slower = lived(7, BEGAN, QUARTER[0], made()), lived(7, QUARTER[0], UNTIL, made(slower=4.0))
    found = report(Lived([*before.cases, *slower.cases], [*before.took, *slower.took]), "contacts +20%")
    assert "Agencies’ answers in time" in found.refused and found.what_ifs == ()


def test_what_is_learnt_is_what_was_put_in() -> None:
    known, found = made(), learnt(a_year())
    assert sum(past.attached == "triage" for past in found.past) / len(found.past) == pytest.approx(0.16, abs=0.05)
    assert sum(past.not_taken for past in found.past) / len(found.past) == pytest.approx(0.06, abs=0.03)
    assert {"transfer", "section_47", "no_further_action"} <= {each for past in found.past for each in past.outcomes.values()}
    mixed = [len({*past.outcomes.values()}) > 1 for past in found.past]
    assert sum(mixed) / len(mixed) == pytest.approx(mean(len({*each.outcomes.values()}) > 1 for each in known.past), abs=0.05)
    for work, minutes in MINUTES.items():
        assert median(found.minutes[work]) == pytest.approx(median(minutes), rel=0.1)
    never = [found.replies[agency].still[-1] for agency in SANDWELL.agencies]
    assert mean(never) == pytest.approx(made_hub.NEVER, abs=0.03)
    for agency in ("police", "health"):
        halves = (each.replies[agency].after(0.5) for each in (known, found))
        one, other = (half for half in halves if half)
        assert other == pytest.approx(one, rel=0.15)
    ratings, put_in = (Counter(past.rating for past in each.past if past.rating) for each in (found, known))
    assert ratings["red"] / ratings.total() == pytest.approx(put_in["red"] / put_in.total(), abs=0.05)


def test_a_log_that_the_simulation_cannot_play_is_said_by_sort_and_place_and_by_no_word_of_it() -> None:
    heard = StringIO()
    lines = [*a_year().lines()]
    serve([lines[0], json.dumps({"case": {"secret": "a name"}, "events": []})], heard)
    answer = json.loads(heard.getvalue())
    assert answer["failed"] == "KeyError" and "learn.py" in answer["at"][-1] and "a name" not in heard.getvalue()
