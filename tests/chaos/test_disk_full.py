"""A disk that is full, as it is met: said by /health before anybody sends in vain, and over when there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hub import ORDINARY, Hub, eventually, fresh_folder, hub_in
from sqlalchemy.exc import DBAPIError

from mash.bench.chaos.disk import Disk
from mash.flows.carrying.pulse import Pulse
from mash.flows.store.reads import health
from mash.flows.store.store import Store


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk of the hub's own."""
    with fresh_folder() as folder:
        made = Disk(Path(folder) / "disk")
        if not made.mount():
            pytest.skip("only root may mount a disk")
        try:
            yield made
        finally:
            made.unmount()


def test_a_full_disk_is_said_by_health_at_once_and_the_monitor_hears_no_pulse(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PROVEN_FOR", -1.0)
    with hub_in(disk.place) as hub:
        assert hub.submit(ORDINARY).status_code == 201
        assert hub.http.get("/health").json()["ready"] is True
        hub.stored(lambda store: pulse(store, hub))
        assert hub.received.pulses == 1, "all is well"
        disk.fill()
        try:
            answer = hub.http.get("/health")
            assert (answer.status_code, answer.json()["status"]) == (503, "down"), answer.text
            assert "the disk of the database is full: make room. No referral is accepted" in answer.json()["wrong"]
            assert any("is nearly full" in each for each in answer.json()["wrong"])
            refused = [hub.submit(ORDINARY) for _ in range(20)]
            failed = next(each for each in refused if each.status_code != 201)
            assert (failed.status_code, failed.headers["Retry-After"]) == (503, "10")
            assert "mash_database_writable 0.0" in hub.http.get("/metrics").text
            hub.stored(lambda store: pulse(store, hub))
            assert hub.received.pulses == 1
        finally:
            disk.empty()
        eventually(lambda: hub.http.get("/health").json()["ready"])
        assert hub.submit(ORDINARY).status_code == 201


async def pulse(store: Store, hub: Hub) -> None:
    """What a worker does once a minute, were all well but the disk."""
    worker = Pulse(hub.settings, store)
    with suppress(DBAPIError):  # its sign of life may be the first that has no room
        await worker.beat(True)
