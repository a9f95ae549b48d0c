"""A hub with a past: the demonstration's two years, as the product would have written them, but with fewer contacts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hub import Hub, hub_here

from mash.api.demo import history
from mash.api.demo.play import STARTS, vignettes
from mash.flows.store.store import open_store


@contextmanager
def remembering_hub() -> Iterator[Hub]:
    """A hub with two years behind it, in which fewer came than in the demonstration's, and some hundred all the same."""
    with pytest.MonkeyPatch.context() as patched, hub_here(time_start=STARTS.isoformat(), hubs="sandwell,merton") as hub:
        patched.setattr(history, "FIRST", (1, 6))
        patched.setattr(history, "OTHER", (0, 1))
        assert asyncio.run(_written(hub)) > 150
        yield hub


async def _written(hub: Hub) -> int:
    store = await open_store(hub.settings)
    try:
        return history.write_history(store, hub.settings, STARTS, vignettes())
    finally:
        await store.close()
