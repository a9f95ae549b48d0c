"""What is late, at any hub: it is told to somebody who is there, not too often, and nobody has it longer than its cause lasts."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_profiles import profiles

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.telling.walk import begin
from mash.notifications.notices import notices_for
from mash.states.acts.alerts import AcknowledgeAlert, FireClocks
from mash.states.acts.rating import RerateReferral
from mash.states.clocks import Length
from mash.states.course import AlertAcknowledged, ClockBreached
from mash.states.decide import Decision
from mash.states.errors import Refusal
from mash.states.profile import Profile, Rung
from mash.states.referral import Referral
from mash.states.values import Actor
from mash.states.world import World

HUBS = [load_profile(name) for name in available()]
ANY = settings(suppress_health_check=list(HealthCheck))
DAY = timedelta(days=1)
MOST_A_DAY = 8
starts = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))
waits = st.sampled_from(("5 min", "30 min", "2 h", "8 h", "1 hub hours", "1 working day")).map(Length.model_validate)


class Told:
    """A world's witness: whoever was sent what, of which clock, at which rating."""

    def __init__(self) -> None:
        self.sent: list[tuple[datetime, str, str, str | None, str | None]] = []

    def __call__(self, world: World, before: Referral | None, decision: Decision, by: Actor) -> None:
        for draft in notices_for("R", before, world.referral, decision.events, world.profile, by, world.now):
            self.sent.append((world.now, draft.role, draft.kind, draft.clock, world.referral.rating))


def silent(profile: Profile, steps: int, at: datetime, days: int = 4) -> tuple[World, Told]:
    """A case at which nobody does anything any more, after some usual steps."""
    going = begin(profile, profile.unrated, at)
    for _ in range(steps):
        if going.referral.open:
            going.step()
    told = Told()
    left = going.world.fork(told)
    left.log.clear()
    left.run_to(left.now + days * DAY)
    return left, told


def most_in_a_day(moments: list[datetime]) -> int:
    return max(sum(at <= other < at + DAY for other in moments) for at in moments)


def not_too_often(told: Told) -> None:
    by_cause = defaultdict(list)
    for at, role, _, clock, rating in told.sent:
        if clock:
            by_cause[role, clock, rating].append(at)
    for cause, moments in by_cause.items():
        assert most_in_a_day(moments) <= MOST_A_DAY, f"{cause}: {moments}"


def somebody_was_told(world: World, told: Told) -> None:
    """Of each clock that ran out while nobody acted: at once or, where it is the day team's, at the next opening; and never a
    role for which another stands in at the time."""
    first = world.profile.ladder[0].role
    for at, _, event in world.log:
        if not isinstance(event, ClockBreached):
            continue
        clock = world.referral.clocks[event.id]
        opens = world.profile.calendar.next_open(at)
        if opens > world.now:
            continue
        alerts = [(when, role, kind) for when, role, kind, of, _ in told.sent if of == event.id and kind == "escalation"]
        if clock.kind == "step_down_offered":
            alerts = [(when, role, kind) for when, role, kind, *_ in told.sent if kind == "step_down_not_accepted"]
        late = [(when, role) for when, role, _ in alerts if when >= at]
        assert late, f"nobody heard that {event.id} ran out at {at}"
        assert late[0][0] in (at, opens)
        for when, role in late:
            if role == first:
                assert world.profile.open_at(when), "nobody holds that role now"
            if "elapsed" not in clock.why and clock.kind not in ("triage", "consultation", "strategy_discussion"):
                assert world.profile.calendar.is_open(when)


@pytest.mark.parametrize("profile", HUBS, ids=lambda profile: profile.name)
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_at_every_hub_a_silent_cause_costs_nobody_more_than_eight_messages_a_day(profile: Profile, steps: int) -> None:
    for hours in (0, 9, 33, 100):
        world, told = silent(profile, steps, datetime(2026, 1, 19, 10, tzinfo=UTC) + timedelta(hours=hours))
        not_too_often(told)
        somebody_was_told(world, told)


@ANY
@given(profiles(), st.lists(waits, min_size=1, max_size=3), st.integers(0, 8), starts)
def test_at_any_hub_too_and_each_lateness_is_told_to_somebody_who_is_there(
    profile: Profile, ladder: list[Length], steps: int, at: datetime
) -> None:
    roles = ("duty_manager", "practice_manager", "service_manager")
    climbing = tuple(Rung(role=role, wait=wait) for role, wait in zip(roles, ladder, strict=False))
    world, told = silent(profile.model_copy(update={"ladder": climbing}), steps, at)
    not_too_often(told)
    somebody_was_told(world, told)


PEOPLE = ("dm1", "dm2", "edt1")
acts = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(5, 60 * 30)),
        st.tuples(st.just("take"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("leave"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("rate"), st.integers(0, 4)),
    ),
    max_size=25,
)


class Holding:
    """Who has said that they have an alert, when, and at which rating: kept apart from what the case says of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.taken: dict[str, tuple[datetime, str, int]] = {}
        for at, by, event in world.log:  # before anybody comes and goes here
            if isinstance(event, AlertAcknowledged):
                self.taken[event.id] = (at, by.id, self.severity)

    @property
    def severity(self) -> int:
        return -self.world.profile.place(self.world.referral.rating)

    def act(self, kind: str, what: Any) -> None:
        world, rating = self.world, self.world.referral.rating
        actor = Actor(id=str(what), role="duty_manager", agency="social_care", hub="random")
        if kind == "pass":
            world.run_to(world.now + timedelta(minutes=what))
        elif kind == "take":
            for clock in world.referral.alerts:
                world.give(AcknowledgeAlert(clock=clock), actor)
                self.taken[clock] = (world.now, what, self.severity)
        elif kind == "leave":
            theirs = {clock: who for clock, (_, who, _) in self.taken.items() if who == what}
            world.give(FireClocks(left=theirs), actor)
            self.taken = {clock: had for clock, had in self.taken.items() if clock not in theirs}
        elif rating:
            self._rate(list(world.profile.ratings)[what % len(world.profile.ratings)], actor)

    def _rate(self, rating: str, actor: Actor) -> None:
        try:
            command = RerateReferral(rating=rating, agreed=self.world.profile.triage.joint)
            self.world.give(command, actor, words=self.world.fresh_words())
        except Refusal:
            return

    def check(self) -> None:

        world, rests = self.world, self.world.profile.renews_after(self.world.referral.rating)
        for clock in world.referral.running:
            if not clock.acknowledged_by:
                continue
            since, who, severity = self.taken[clock.id]
            assert clock.acknowledged_by == who
            assert severity >= self.severity, "taken on for something less urgent"
            again = clock.next_rung_at
            assert again and world.now < again, "it rests no longer than it was to"
            if severity == self.severity:
                assert again <= world.profile.calendar.next_open(world.profile.calendar.add(since, rests))


def late_at(profile: Profile, rating: str, at: datetime) -> World:
    """A case of this rating of which something is late, and which nobody has taken on."""
    going = begin(profile, rating, at)
    while going.referral.open and going.referral.rating is None:
        going.step()
    left = going.world.fork()
    while not left.referral.alerts and left.referral.next_at:
        left.run_to(left.referral.next_at)
    return left


@ANY
@given(profiles(), acts, starts)
def test_nobody_has_an_alert_longer_than_its_cause_lasts(profile: Profile, done: list[tuple[str, Any]], at: datetime) -> None:
    least = min(profile.ratings, key=lambda name: profile.ratings[name].severity)
    holding = Holding(late_at(profile, least, at))
    for kind, what in [("take", PEOPLE[0]), *done]:
        holding.act(kind, what)
        holding.check()
