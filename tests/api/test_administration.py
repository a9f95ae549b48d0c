"""The administrator's page: what it says of the whole agrees with all that it shows beside it; and whose time its times are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from acting import submit
from sqlalchemy import insert, select

from mash.api.app import create_app
from mash.config.settings import Settings
from mash.flows.store.mending import Mender
from mash.flows.store.reads.health import give_sign_of_life
from mash.flows.store.sessions import begin_session
from mash.flows.store.store import Store, open_store
from mash.flows.store.tables import DELIVERIES, NOTICES, PULSES
from mash.flows.store.trouble import tell_administrators
from mash.states.values import Actor

SCHOOL = Actor(id="school-1", role="referrer", agency="school", hub="sandwell")
ADMINISTRATOR = Actor(id="administrator.hub", role="administrator", agency="hub", hub="sandwell")
AT_WORK: dict[str, Any] = {"prefect": True, "late": {"buckets": [], "sum": 0}, "sent": {}}
ALL_WELL = "Nothing is wrong."


@pytest.fixture
async def there(settings: Settings, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator at an installation with one worker at work, which shows the wall's time."""
    async with _signed_in(settings, store) as client:
        await give_sign_of_life(store, "worker here-1", AT_WORK)
        yield client


@asynccontextmanager
async def _signed_in(settings: Settings, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    headers = {"Authorization": f"Bearer {await begin_session(store, [ADMINISTRATOR], 'command_line')}"}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.base_url, headers=headers) as client:
            yield client


async def page(client: httpx.AsyncClient, path: str = "/admin") -> str:
    """What a page says."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def silent_for(store: Store, part: str, minutes: int, **pulse: Any) -> None:
    """A worker was last heard of so long ago."""
    await give_sign_of_life(store, part, {**AT_WORK, **pulse})
    async with store.single.connect() as connection:
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        await connection.execute(PULSES.update().where(PULSES.c.part == part).values(at=at))


async def test_the_page_says_that_nothing_is_wrong_where_nothing_is(there: httpx.AsyncClient) -> None:
    text = await page(there)
    assert ALL_WELL in text and "To look at" not in text


async def test_it_does_not_say_so_beside_a_worker_that_is_missed(there: httpx.AsyncClient, store: Store) -> None:
    await silent_for(store, "worker gone-1", 22)
    text = await page(there)
    assert "no response for 22 min" in text and ALL_WELL not in text
    assert "1 worker stopped responding" in text and "clocks run and notices are sent" in text


async def test_a_worker_that_was_stopped_on_purpose_is_not_missed(there: httpx.AsyncClient, store: Store) -> None:
    await silent_for(store, "worker old-1", 22, stopped=True)
    text = await page(there)
    assert "stopped on purpose 22 min ago" in text and "no response" not in text and ALL_WELL in text


async def test_it_does_not_say_so_beside_a_channel_that_failed(there: httpx.AsyncClient, store: Store) -> None:
    await tell_administrators(store, "sandwell", "a trial", "of the channels")
    async with store.single.connect() as connection:
        notice = await connection.scalar(select(NOTICES.c.id))
        row = {"notice": notice, "started_at": datetime.now(UTC), "channels": "duty_manager", "result": "failed; no route"}
        await connection.execute(insert(DELIVERIES).values(row))
    text = await page(there)
    assert "1 failed; no route" in text and ALL_WELL not in text and "messages to duty manager did not go" in text


async def test_pages_speak_of_demo_time_only_where_it_is_not_the_time_on_the_wall(there: httpx.AsyncClient) -> None:
    assert "demo time" not in (await page(there)).lower()
    assert "demo time" not in (await page(there, "/refer")).lower()


async def test_a_demonstration_calls_its_time_demo_time_and_real_times_real(settings: Settings, empty_database: None) -> None:
    played = settings.model_copy(update={"time_start": "2026-05-18T09:37:00+00:00"})
    store = await open_store(played)
    try:
        async with _signed_in(played, store) as client:
            assert "Demo time: Mon 18 May 10:37" in await page(client)
            assert "The times here are real times, not demo time" in await page(client)
            assert "These are real times, not demo time" in await page(client, "/account")
            assert "Demo time: Mon 18 May 10:37" in await page(client, "/refer")
    finally:
        await store.close()


async def test_what_was_put_back_beside_a_log_is_shown_with_what_stood_there(
    there: httpx.AsyncClient, store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await submit(store, by=SCHOOL)
    owner_connection.execute("UPDATE referral SET next_at = '2030-01-01', due_at = '2030-01-01'")
    await Mender(store).look_at_urgent()
    page = (await there.get("/admin")).text
    assert reference in page and "next at was 2030-01-01 00:00:00, and the log says" in page
