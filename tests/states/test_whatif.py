"""What other rules would have made of what was done: late by other limits, and the first act another hub has no place for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import pytest

from mash.bench.year import History, made_year
from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.states.again import decide_log_again
from mash.states.clocks import Length
from mash.states.log import RECORDED, Recorded
from mash.states.profile import Profile
from mash.states.whatif import Coverage, Limits, Whose, acts_of, cover, is_late, reckon

SANDWELL, MERTON = load_profile("sandwell"), load_profile("merton")
Read = Callable[[list[tuple[str, str]]], list[Recorded]]


def whole(rows: list[tuple[str, str]]) -> list[Recorded]:
    return [RECORDED.validate_json(canonical) for _, canonical in rows]


def as_of_before(rows: list[tuple[str, str]]) -> list[Recorded]:
    """The log as it would have been written before an event said what had been asked, and by which edition it was decided."""
    bare = [{name: value for name, value in json.loads(text).items() if name not in ("edition", "act")} for _, text in rows]
    return acts_of((each["event"]["kind"], json.dumps(each)) for each in bare)


def end_of(histories: list[History]) -> datetime:
    return max(state.next_at or state.received_at for history in histories for state in history.states.values())


def reckoned(histories: list[History], instead: Profile, read: Read = acts_of) -> Limits:
    limits, until = Limits(), end_of(histories)
    for history in histories:
        family = {reference: read(log) for reference, log in history.logs.items()}
        were = {reference: state.clocks.values() for reference, state in history.states.items()}
        reckon(family, were, lambda digest: instead, until, limits)
    return limits


def covered(histories: list[History], profile: Profile) -> Coverage:
    coverage, until = Coverage(), end_of(histories)
    for history in histories:
        cover({reference: acts_of(log) for reference, log in history.logs.items()}, profile, until, coverage)
    return coverage


@pytest.mark.parametrize("hub", available())
def test_by_the_same_limits_late_is_what_was_late(hub: str) -> None:
    profile = load_profile(hub)
    histories = list(made_year(profile, 12))
    limits = reckoned(histories, profile)
    assert limits.contacts == 12 and not limits.not_reckoned
    assert limits.would == limits.was and limits.contacts_late == limits.contacts_would_be_late


@pytest.mark.parametrize("hub", available())
def test_a_made_contact_decided_again_comes_out_the_same(hub: str) -> None:
    profile = load_profile(hub)
    for history in made_year(profile, 8, seed=2):
        logs = {reference: whole(log) for reference, log in history.logs.items()}
        for reference in logs:
            again = decide_log_again(reference, logs, lambda digest: profile)
            assert again.decided and not again.older and [str(each) for each in again.differences] == []


@pytest.mark.parametrize("read", [whole, as_of_before], ids=["every event is read", "no event says what was asked"])
def test_however_a_log_is_read_it_comes_to_the_same(read: Read) -> None:
    histories = list(made_year(MERTON, 20, seed=3))
    limits = reckoned(histories, MERTON, read)
    assert limits == reckoned(histories, MERTON)


def test_a_shorter_limit_makes_more_of_it_late_and_says_whose_it_is() -> None:
    histories = list(made_year(SANDWELL, 30))
    shorter = SANDWELL.ratings["green"].model_copy(
        update={"reply": SANDWELL.ratings["green"].reply.model_copy(update={"length": Length.model_validate("30 min")})}
    )
    stricter = SANDWELL.model_copy(update={"ratings": {**SANDWELL.ratings, "green": shorter}})
    limits = reckoned(histories, stricter)
    police = Whose("check", "police")
    assert not limits.not_reckoned
    assert limits.would[police].clocks == limits.was[police].clocks and limits.would[police].late > limits.was[police].late
    assert limits.would[Whose("acknowledgement", "duty_manager")] == limits.was[Whose("acknowledgement", "duty_manager")]


def test_an_act_that_other_rules_refuse_is_told_and_its_contact_stands_in_no_count_of_what_was_late() -> None:
    histories = list(made_year(SANDWELL, 10))
    fewer = SANDWELL.model_copy(update={"agencies": {n: a for n, a in SANDWELL.agencies.items() if n != "housing"}})
    limits = reckoned(histories, fewer)
    assert sum(limits.not_reckoned.values()) > 0 and {stop.act for stop in limits.not_reckoned} == {"answer_check"}
    counted = {whose: tally.clocks for whose, tally in limits.was.items()}
    everything = {whose: tally.clocks for whose, tally in reckoned(histories, SANDWELL).was.items()}
    assert sum(counted.values()) < sum(everything.values())


def test_its_own_profile_covers_every_contact_and_another_one_says_where_it_first_does_not() -> None:
    histories = list(made_year(SANDWELL, 20))
    own, other = covered(histories, SANDWELL), covered(histories, MERTON)
    assert (own.contacts, own.whole, own.first) == (20, 20, {})
    assert other.contacts == other.whole + sum(other.first.values()) and other.first
    assert all(stop.why for stop in other.first)


def test_a_clock_that_still_runs_is_late_once_it_is_due() -> None:
    (history,) = made_year(SANDWELL, 1)
    clock = next(iter(history.states["MASH-26-000001"].clocks.values())).model_copy(
        update={"ended_at": None, "breached_at": None, "met": None, "missed": ()}
    )
    assert is_late(clock, clock.due_at) and not is_late(clock, clock.started_at)
