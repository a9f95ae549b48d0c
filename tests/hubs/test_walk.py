"""Walking cases through the MASH: under any valid profile a referral reaches an end, and nothing waits unheard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_profiles import calendars, profiles

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.telling.at_night import at_night
from mash.flows.telling.walk import STARTS, Walk, as_text, begin, walk, walk_all
from mash.states.clocks import local
from mash.states.course import ClockEscalated, ClockWarned
from mash.states.profile import Profile

HUBS, OF_2026 = ([load_profile(name, None, edition) for name in available()] for edition in ("2023", "2026"))
ANY = settings(suppress_health_check=list(HealthCheck))
starts = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))


def check(done: Walk) -> None:
    """What holds at the end of any walk."""
    assert not done.referral.open
    for clock in done.referral.clocks.values():
        assert clock.due_at >= clock.started_at, "due before it started"
        assert clock.why and clock.source and clock.owner
    for line in done.lines:
        assert line.sort != "due" or (line.due_at and line.source)


@pytest.mark.parametrize("profile", [*HUBS, *OF_2026], ids=lambda profile: f"{profile.name} {profile.edition.name}")
def test_a_referral_of_each_rating_of_each_hub_reaches_an_end(profile: Profile) -> None:
    walks = walk_all(profile)
    assert {done.rating for done in walks} == set(profile.ratings)
    for done in walks:
        check(done)


@pytest.mark.parametrize("profile", HUBS, ids=lambda profile: profile.name)
def test_what_is_the_day_teams_leaves_the_night_alone(profile: Profile) -> None:
    walks = walk_all(profile)
    told = at_night(walks)
    assert (told.late_of_day, told.reminders_of_day) == (0, 0)
    assert told.late == sum(line.what.startswith("LATE") for done in walks for line in done.lines)
    for done in walks:
        for at, _, event in done.world.log:
            if isinstance(event, ClockWarned | ClockEscalated) and "elapsed" not in done.referral.clocks[event.id].why:
                assert profile.calendar.is_open(at) and event.role != profile.out_of_hours.role, f"{event.id} at {local(at)}"


@ANY
@given(profiles(), starts)
def test_under_any_valid_profile_every_referral_reaches_an_end(profile: Profile, at: datetime) -> None:
    for rating in profile.ratings:
        check(walk(profile, rating, at))


def nobody_acts_from_here(going: Walk) -> None:
    """Somebody is told that it is late, though nobody does anything any more."""
    left = going.fork()
    assert all(clock.owner for clock in left.referral.running)
    for _ in range(100):
        assert left.referral.next_at is not None, f"{left.referral.stage} waits without a clock"
        left.pass_to(left.referral.next_at)
        if any(line.sort == "alert" and line.what.startswith("LATE") for line in left.lines):
            return
    pytest.fail(f"nobody hears that {left.profile.name} waits at {going.referral.stage}")


@pytest.mark.parametrize("profile", HUBS, ids=lambda profile: profile.name)
def test_no_stage_of_a_hub_waits_without_a_clock_an_owner_and_an_escalation(profile: Profile) -> None:
    for rating in profile.ratings:
        going = begin(profile, rating)
        while going.referral.open:
            nobody_acts_from_here(going)
            going.step()


@settings(ANY, max_examples=15)
@given(profiles(), starts)
def test_no_stage_of_any_valid_profile_waits_without_a_clock_an_owner_and_an_escalation(profile: Profile, at: datetime) -> None:
    for rating in profile.ratings:
        going = begin(profile, rating, at)
        while going.referral.open:
            nobody_acts_from_here(going)
            going.step()


@ANY
@given(calendars(), starts)
def test_closing_hours_never_lengthen_a_red_clock_that_runs_on(calendar: object, at: datetime) -> None:
    sandwell = load_profile("sandwell")
    shut = Profile.model_validate({**sandwell.model_dump(), "calendar": calendar})
    due = [walk(profile, "red", at).referral.clocks["response"].due_at for profile in (sandwell, shut)]
    assert due == [at + timedelta(hours=4)] * 2


def test_a_walk_says_every_step_with_who_when_and_why() -> None:
    text = "\n".join(as_text(walk(load_profile("sandwell"), "red").lines))
    assert "Mon 19 Jan 10:36  duty_manager: rates it red" in text
    assert "due Mon 19 Jan 14:00: red: 4 h from receipt (Mon 19 Jan 10:00), elapsed [Home Office 2014: 'Red 4 hours'" in text
    assert "-> womens_aid_lead: LATE: R, reply of Sandwell Women's Aid" in text
    assert "now at Strategy discussion" in text and "now at Section 47 concluded" in text
    assert "referrer: The outcome of your referral R" in text


def test_walks_of_the_same_profile_are_the_same() -> None:
    profile = load_profile("merton")
    assert [line for done in walk_all(profile) for line in done.lines] == [
        line for done in walk_all(profile) for line in done.lines
    ]
    assert walk(profile, "amber").lines[0].at == STARTS
