"""What other rules would have made of what was done: late by other limits, and the first act another hub has no place for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from mash.bench.year import History, made_year
from mash.config.instead import instead_of
from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.acts.upkeep import AdoptProfile
from mash.states.again import decide_log_again
from mash.states.clocks import Length
from mash.states.decide import Decision
from mash.states.log import GENESIS, RECORDED, Recorded, chained
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import Actor, Subject
from mash.states.whatif import Coverage, Limits, Whose, acts_of, cover, is_late, reckon
from mash.states.world import World, system

SANDWELL, MERTON = load_profile("sandwell"), load_profile("merton")
Read = Callable[[list[tuple[str, str]]], list[Recorded]]


def whole(rows: list[tuple[str, str]]) -> list[Recorded]:
    return [RECORDED.validate_json(canonical) for _, canonical in rows]


def texts(rows: list[tuple[str, str]]) -> list[str]:
    return [canonical for _, canonical in rows]


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
        logs = {reference: texts(log) for reference, log in history.logs.items()}
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


# --- rules that were adopted ----------------------------------------------------------------------------------------------

MORNING = datetime(2026, 6, 2, 9, tzinfo=UTC)
"""A Tuesday."""


def adopted_after(before: Profile, adopted: Profile, answers: timedelta) -> History:
    """A contact that is rated amber and asked about by some rules, and goes on by others an hour later; the police answer after
    so long."""
    history = History()

    def stored(case: World, was: Referral | None, decision: Decision, by: Actor) -> None:
        log = history.logs.setdefault(case.reference, [])
        head = Recorded.digest(log[-1][1]) if log else GENESIS
        log += [(link.recorded.event.kind, link.canonical) for link in chained(case.reference, decision, by, case.now, head)]
        history.states[case.reference] = decision.after if decision.events else case.referral

    world = World(before, MORNING, "R", stored)
    duty = Actor(id="a.duty_manager", role="duty_manager", agency="social_care", hub=before.name)
    subject = Subject(id="S1", cohort="child", age="child")
    contact = ReceiveContact(contact="referral", source="2A", source_agency="school", subjects=(subject,))
    world.give(contact, system(before), words=world.fresh_words())
    world.give(RateReferral(rating="amber"), duty, words=world.fresh_words())
    basis = RecordSharingBasis(
        purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=False
    )
    world.give(basis, duty, words=world.fresh_words())
    world.now, world.profile = MORNING + timedelta(hours=1), adopted
    world.give(AdoptProfile(digest=adopted.digest), duty)
    world.run_to(MORNING + answers)
    police = Actor(id="a.police", role="agency", agency="police", hub=before.name)
    world.give(AnswerCheck(agency="police", known=False), police)
    return history


def reckoned_by(history: History, profiles: Mapping[str, Profile]) -> Limits:
    limits = Limits()
    family = {reference: acts_of(log) for reference, log in history.logs.items()}
    were = {reference: state.clocks.values() for reference, state in history.states.items()}
    reckon(family, were, profiles.__getitem__, MORNING + timedelta(days=1), limits)
    return limits


def test_a_contact_that_went_on_by_other_rules_does_so_when_it_is_reckoned_and_has_their_time_for_what_ran() -> None:
    before, adopted = (instead_of(SANDWELL, [f"ratings.amber.reply={length}"]) for length in ("4 h", "8 h"))
    history = adopted_after(before, adopted, timedelta(hours=6))
    elsewhere = {each.digest: instead_of(each, ["ratings.green.reply=5 h"]) for each in (before, adopted)}
    limits = reckoned_by(history, elsewhere)
    police = Whose("check", "police")
    assert limits.was[police].clocks == 1 and limits.was[police].late == 0
    assert limits.would == limits.was


def test_an_adoption_decided_again_comes_out_the_same_with_the_times_that_it_moved() -> None:
    before, adopted = (instead_of(SANDWELL, [f"ratings.amber.reply={length}"]) for length in ("4 h", "8 h"))
    history = adopted_after(before, adopted, timedelta(hours=6))
    profiles = {each.digest: each for each in (before, adopted)}
    assert "clock_moved" in {kind for kind, _ in history.logs["R"]}
    again = decide_log_again("R", {"R": texts(history.logs["R"])}, profiles.__getitem__)
    assert again.decided >= 5 and [str(each) for each in again.differences] == []


# --- what ran out before a contact stops ----------------------------------------------------------------------------------


def test_what_would_have_run_out_before_a_contact_stops_is_counted_apart() -> None:
    histories = list(made_year(SANDWELL, 60))
    limits = reckoned(histories, instead_of(SANDWELL, ["stages.step_down_offered=1 min"]))
    (stop,) = limits.not_reckoned
    assert stop.act == "accept_step_down"
    assert limits.late_by_then[stop] == limits.not_reckoned[stop]
    would, was = (
        sum(of[whose] for whose in of if whose.clock == "step_down_offered") for of in (limits.would_by_then, limits.was_by_then)
    )
    assert was < limits.not_reckoned[stop] <= would
    assert not any(tally.late for whose, tally in limits.would.items() if whose.clock == "step_down_offered")


# --- deciding again: every letter counts ----------------------------------------------------------------------------------


def a_log() -> list[str]:
    return texts(next(made_year(SANDWELL, 1)).logs["MASH-26-000001"])


def again_with(log: list[str]) -> list[str]:
    found = decide_log_again("MASH-26-000001", {"MASH-26-000001": log}, {SANDWELL.digest: SANDWELL}.__getitem__)
    return [each.what for each in found.differences]


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("happened_at", "2025-12-24T10:00:00Z", "happened_at"),
        ("schema_number", 0, "schema_number"),
        ("sequence", 7_000, "sequence"),
        ("previous", "f" * 64, "previous"),
    ],
)
def test_an_event_that_says_something_else_beside_what_happened_is_named_with_the_field(
    field: str, value: object, named: str
) -> None:
    log = a_log()
    assert again_with(log) == []
    place = next(n for n, text in enumerate(log) if n and "act" not in json.loads(text))
    log[place] = json.dumps(json.loads(log[place]) | {field: value}, separators=(",", ":"))
    assert any(what.endswith(named) and "says something else now" in what for what in again_with(log))


def test_a_text_that_is_written_otherwise_is_told_though_it_says_the_same() -> None:
    log = a_log()
    log[1] = json.dumps(json.loads(log[1]))
    assert again_with(log)[0].endswith("how it is written")


def test_an_act_that_left_more_events_than_it_does_now_is_told() -> None:
    log = a_log()
    place = next(n for n, text in enumerate(log) if n > 1 and "act" in json.loads(text))
    assert "is nothing now" in " ".join(again_with([*log[:place], log[place - 1], *log[place:]]))


def test_a_log_that_cannot_be_read_is_told_and_stops_nothing() -> None:
    assert again_with([*a_log(), "{}"]) == ["its log cannot be read: `mash log verify` says where"]
