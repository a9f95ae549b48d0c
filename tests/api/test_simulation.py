"""A hub's past is simulated: `mash simulate`, and the page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hub import Hub, hub_here

from mash.api.demo import history
from mash.api.demo.play import STARTS, vignettes
from mash.flows.foresight.ask import simulated
from mash.flows.foresight.compare import Asked
from mash.flows.store.store import open_store
from mash.states.values import Actor

CHIEF = Actor(id="chief", role="team_manager", agency="social_care", hub="sandwell")


@pytest.fixture(scope="module")
def remembering() -> Iterator[Hub]:
    """A hub with two years behind it, in which fewer came than in the demonstration's."""
    with pytest.MonkeyPatch.context() as patched, hub_here(time_start=STARTS.isoformat(), hubs="sandwell,merton") as hub:
        patched.setattr(history, "FIRST", (1, 6))
        patched.setattr(history, "OTHER", (0, 1))
        asyncio.run(_written(hub))
        yield hub


async def _written(hub: Hub) -> None:
    store = await open_store(hub.settings)
    try:
        history.write_history(store, hub.settings, STARTS, vignettes())
    finally:
        await store.close()


async def test_last_quarter_is_simulated_from_the_log_and_held_against_what_happened(remembering: Hub) -> None:
    store = await open_store(remembering.settings)
    try:
        heard = list[tuple[int, int]]()
        report = await simulated(store, CHIEF, Asked(), lambda done, of: heard.append((done, of)))
    finally:
        await store.close()
    print(report.model_dump_json(indent=1))
    assert heard[-1] == (20, 20) and report.apart
    [contacts] = [each for each in report.compared if each.name == "contacts"]
    [[came]] = remembering.sql(
        "SELECT count(*) FROM referral WHERE hub = 'sandwell' AND reference = root AND received_at >= %s AND received_at < %s",
        report.since, report.until,
    )  # fmt: skip
    assert contacts.happened == came > 20
