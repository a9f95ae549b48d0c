"""Where a simulation stands: one in an installation, alive as long as somebody says so, and shown to its hub's managers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from acting import START
from psycopg.errors import InsufficientPrivilege

from mash.api.self_test.walls import be
from mash.config.permissions import read_permissions
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.simulations import (
    GIVEN_UP,
    GONE,
    Standing,
    begin_simulation,
    end_simulation,
    note_runs,
    simulation_of,
)
from mash.flows.store.store import Store
from mash.states.values import Actor

CHIEF = Actor(id="chief", role="team_manager", agency="social_care", hub="merton")
THERE = CHIEF.model_copy(update={"hub": "sandwell"})


@pytest.fixture
def application(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """The application's own connection, at which somebody types what they like."""
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as connection:
        yield connection


@pytest.fixture
def superuser(cluster: Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="mash", autocommit=True) as connection:
        yield connection


async def test_of_managers_of_several_hubs_who_ask_at_once_one_is_served(store: Store) -> None:
    begun = await asyncio.gather(*(begin_simulation(store, by) for by in (CHIEF, THERE, CHIEF, THERE)))
    [since] = [each for each in begun if each]
    [by] = [by for by in (CHIEF, THERE) if (await simulation_of(store, by)).begun_at]
    other = THERE if by == CHIEF else CHIEF
    assert await begin_simulation(store, other) is None
    await end_simulation(store, by, since, report="{}")
    assert (await simulation_of(store, by)).report == "{}"
    assert await begin_simulation(store, other) is not None


async def test_a_simulation_that_somebody_still_waits_for_is_not_taken_for_gone_however_long_a_run_takes(
    store: Store, superuser: psycopg.Connection
) -> None:
    since = await begin_simulation(store, CHIEF)
    assert since
    ready_at = datetime.now(UTC) + timedelta(hours=2)
    superuser.execute("UPDATE simulation SET touched_at = touched_at - interval '1 h'")
    assert await note_runs(store, CHIEF, since, 0, 60, ready_at), "a word is enough, without a run that is done"
    assert await simulation_of(store, CHIEF) == Standing(since, 0, 60, ready_at)
    assert await begin_simulation(store, THERE) is None


async def test_one_that_was_given_up_writes_into_no_row_of_the_next(store: Store, superuser: psycopg.Connection) -> None:
    first = await begin_simulation(store, CHIEF)
    assert first
    superuser.execute("UPDATE simulation SET touched_at = touched_at - %s", (2 * GIVEN_UP,))
    assert (await simulation_of(store, CHIEF)).failed == GONE
    second = await begin_simulation(store, THERE)
    assert second and (await simulation_of(store, CHIEF)) == Standing(failed=GONE)
    await end_simulation(store, THERE, second)
    third = await begin_simulation(store, CHIEF)
    assert third and not await note_runs(store, CHIEF, first, 9, 20, None)
    await end_simulation(store, CHIEF, first, report="of the first")
    assert await simulation_of(store, CHIEF) == Standing(third)


async def test_the_database_shows_it_to_those_who_may_simulate_and_lets_nobody_write_it(
    store: Store, application: psycopg.Connection
) -> None:
    since = await begin_simulation(store, CHIEF)
    assert since
    await end_simulation(store, CHIEF, since, report="{}")
    table = read_permissions()
    for role in sorted(table.reach["hub"] | table.reach["involved"] | table.reach["own"]):
        be(application, CHIEF.model_copy(update={"role": role}), START, store.caller_key)
        shown = application.execute("SELECT count(report) FROM simulation").fetchone()
        assert shown == (int(role in table.actions["simulate"]),), role
        with pytest.raises(InsufficientPrivilege):
            application.execute("UPDATE simulation SET report = '{}'")
        application.rollback()
    be(application, THERE, START, store.caller_key)
    assert application.execute("SELECT count(*) FROM simulation").fetchone() == (0,)
