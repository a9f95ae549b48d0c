"""What is counted is counted one after another: of many at the same moment no more get through than may."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from mash.flows.store.api_keys import NewKey, api_keys, make_api_key, rotate_api_key
from mash.flows.store.drafts import NoRoom, begin_draft
from mash.flows.store.sessions import SignIn, begin_attempt, keep_sign_in, take_sign_in, use_code
from mash.flows.store.store import Store
from mash.flows.store.trouble import tell_administrators
from mash.states.errors import NotFound

AT_ONCE = 10


async def test_administrators_are_told_once_however_many_find_it_at_the_same_moment(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    hour = timedelta(hours=1)
    await asyncio.gather(
        *(tell_administrators(store, "merton", "a flow run failed", "", at_most_every=hour) for _ in range(AT_ONCE))
    )
    assert owner_connection.execute("SELECT count(*) FROM notice WHERE kind = 'system'").fetchone() == (1,)


async def test_drafts_that_are_begun_at_the_same_moment_take_no_more_room_than_there_is(store: Store) -> None:
    answers = {"pages": {"worries": {"worries": "x" * 900}}}

    async def begin() -> bool:
        try:
            await begin_draft(store, answers, 2_500)
        except NoRoom:
            return False
        return True

    begun = await asyncio.gather(*(begin() for _ in range(AT_ONCE)))
    assert sum(begun) == 3, "two leave room for another, three do not"


async def test_a_code_and_the_way_back_from_the_provider_are_good_once_at_the_same_moment(store: Store) -> None:
    used = await asyncio.gather(*(use_code(store, "anna", 1) for _ in range(AT_ONCE)))
    await keep_sign_in(store, SignIn("state", "browser", "nonce", "verifier", "/"))
    back = await asyncio.gather(*(take_sign_in(store, "state", "browser") for _ in range(AT_ONCE)))
    assert (sum(used), sum(each is not None for each in back)) == (1, 1)


async def test_attempts_at_the_same_moment_are_as_many_as_one_after_another(store: Store) -> None:
    begun = await asyncio.gather(
        *(begin_attempt(store, {"login:anna@192.0.2.1": 4, "place:192.0.2.1": 50}) for _ in range(AT_ONCE))
    )
    assert sum(each is not None for each in begun) == 4


async def test_a_key_is_replaced_once_and_no_other_new_one_is_left(store: Store) -> None:
    name = (await make_api_key(store, NewKey("school", "merton", "education"))).split("_")[1]
    made = await asyncio.gather(*(rotate_api_key(store, name, 365, 7) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, str) for each in made) == 1 and sum(isinstance(each, NotFound) for each in made) == 3
    assert len(await api_keys(store)) == 2
    with pytest.raises(NotFound, match="was replaced already"):
        await rotate_api_key(store, name, 365, 7)
