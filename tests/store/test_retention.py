"""People whose time is over: announced first, held where somebody asks, and then erased; never those of an open case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from acting import DUTY, MANAGER, START, set_time, submit, turned_away

from mash.flows.carrying.night import keep_to_retention
from mash.flows.store.apply import act
from mash.flows.store.erasure import erase
from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.items import read_items
from mash.flows.store.retention import erase_listed, hold, list_due, listed
from mash.flows.store.store import Store
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.errors import Incomplete, NotFound
from mash.states.values import Actor

YEAR = timedelta(days=366)


@pytest.fixture
async def reference(store: Store) -> str:
    """A contact that Merton did not take, in June 2026: its people are kept for two years."""
    set_time(store, START)
    return await turned_away(store)


async def is_erased(store: Store, reference: str) -> bool:
    try:
        await read_items(store, await read_case(store, reference), DUTY)
    except KeyDestroyed:
        return True
    return False


async def test_people_are_announced_for_a_month_before_they_are_erased(store: Store, reference: str) -> None:
    merton = store.hub("merton")
    set_time(store, START + 2 * YEAR - timedelta(days=5))
    assert await list_due(store, merton) == []
    set_time(store, START + 2 * YEAR)
    assert (await list_due(store, merton), await list_due(store, merton)) == ([reference], [])
    set_time(store, START + 2 * YEAR + timedelta(days=29))
    assert await erase_listed(store, merton) == [] and not await is_erased(store, reference)
    set_time(store, START + 2 * YEAR + timedelta(days=31))
    assert await erase_listed(store, merton) == [reference] and await is_erased(store, reference)
    assert await listed(store) == [] and await erase_listed(store, merton) == []


async def test_what_somebody_holds_is_kept_until_they_let_go(store: Store, reference: str) -> None:
    merton = store.hub("merton")
    set_time(store, START + 2 * YEAR)
    await list_due(store, merton)
    await hold(store, reference, "cli:governor", "inquiry")
    set_time(store, START + 4 * YEAR)
    assert await erase_listed(store, merton) == []
    await hold(store, reference, None, None)
    assert await erase_listed(store, merton) == [reference]


async def test_what_is_held_is_not_erased_by_hand_either_and_what_was_is_off_the_list(store: Store, reference: str) -> None:
    by = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
    set_time(store, START + 2 * YEAR)
    await list_due(store, store.hub("merton"))
    await hold(store, reference, "cli:governor", "inquiry")
    with pytest.raises(Incomplete, match="held \\(inquiry\\)"):
        await erase(store, reference, ErasePeople(why="right_to_erasure"), by)
    await hold(store, reference, None, None)
    await erase(store, reference, ErasePeople(why="right_to_erasure"), by)
    assert await listed(store) == [] and await is_erased(store, reference)


async def test_the_time_of_what_was_reopened_and_concluded_again_begins_anew(store: Store, reference: str) -> None:
    merton = store.hub("merton")
    set_time(store, START + 2 * YEAR)
    await list_due(store, merton)
    set_time(store, START + 2 * YEAR + timedelta(days=5))
    await act(store, reference, ReopenReferral(), MANAGER, words="The adult was a child.")
    set_time(store, START + 2 * YEAR + timedelta(days=31))
    assert await erase_listed(store, merton) == [] and await listed(store) == []
    assert await list_due(store, merton) == [] and not await is_erased(store, reference)


async def test_only_what_is_on_the_list_can_be_held(store: Store, reference: str) -> None:
    with pytest.raises(NotFound, match="retention list"):
        await hold(store, reference, "cli:governor", "inquiry")


async def test_an_open_case_is_never_on_the_list(store: Store, reference: str) -> None:
    await submit(store)
    set_time(store, START + 100 * YEAR)
    assert await list_due(store, store.hub("merton")) == [reference]


async def test_information_governance_is_told_before_and_after(store: Store, reference: str) -> None:
    set_time(store, START + 2 * YEAR)
    await keep_to_retention(store)
    set_time(store, START + 2 * YEAR + timedelta(days=31))
    await keep_to_retention(store)
    async with store.single.connect() as connection:
        expected = (
            await connection.exec_driver_sql("SELECT facts FROM notice WHERE role = 'information_governance' ORDER BY id")
        ).all()
    assert [("about to be erased" in row.facts, "were erased" in row.facts) for row in expected] == [(True, False), (False, True)]
