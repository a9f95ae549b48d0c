"""Two of each part beside Redis: any one of a pair may die, and every referral goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mash.api.demo.mailbox import Mailbox
from mash.bench.load import contact
from mash.bench.run import completed, to_outcome
from mash.bench.scale import KILLED, InsistingPeople, ScaledBench, decided_once, lives
from mash.bench.stack import bench_settings
from mash.flows.installation.scaled import REDIS
from mash.flows.store.log import verify
from mash.flows.store.reads.counts import conservation
from mash.flows.store.store import open_store

pytestmark = pytest.mark.skipif(
    shutil.which(REDIS) is None and not os.environ.get("CI"), reason=f"{REDIS} is not installed (apt-get install {REDIS})"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[ScaledBench]:
    """The scaled stack; nothing of it stays behind."""
    folder = Path(tempfile.mkdtemp(prefix="mash-scaled-"))
    folder.chmod(0o755)
    controller, mail_port = Mailbox().serve()
    try:
        with ScaledBench(bench_settings(folder, mail_port)) as started:
            started.wait_ready()
            pids = list(started.processes.values())
            yield started
            pids += started.processes.values()
        assert not any(psutil.pid_exists(pid) for pid in pids)
    finally:
        controller.stop()
        shutil.rmtree(folder)


async def lived(stack: ScaledBench) -> None:
    """Referrals that were open when one of each was killed, and one that came after, are led to their outcomes."""
    store = await open_store(stack.settings, pool_size=4)
    people = await InsistingPeople.of(stack, store)
    try:
        references = await lives(people, 1)
        opened = [await people.submit(contact()) for _ in range(4)]
        # At rest: what a killed worker is sending is sent again only when its lease is over, after a minute.
        await people.parked(opened, "Awaiting triage")
        for part in KILLED:
            stack.kill(part)
        async with people.another() as http:
            await asyncio.gather(*(to_outcome(people, one, http) for one in opened))
        references += [*opened, *await lives(people, 1)]
        await completed(people, references)
        assert await decided_once(store, references) == len(references)
        assert [wrong async for wrong in verify(store)] == []
        assert await conservation(store) == {"contacts": len(references), "outcomes": len(references), "open": 0}
    finally:
        await people.close()
        await store.close()


def test_one_worker_one_api_and_one_replica_are_killed_and_every_referral_goes_on(stack: ScaledBench) -> None:
    asyncio.run(lived(stack))
    assert not set(KILLED) & stack.processes.keys()


def test_redis_asks_for_a_password_that_only_we_can_read(stack: ScaledBench) -> None:
    with socket.create_connection(("127.0.0.1", stack.redis_port), timeout=5) as stranger:
        stranger.sendall(b"KEYS *\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")
    assert (stack.settings.data_dir / "redis" / "redis.conf").stat().st_mode & 0o777 == 0o600
    assert not any(stack.redis_password in word for part in stack.processes for word in stack.process(part).cmdline())
