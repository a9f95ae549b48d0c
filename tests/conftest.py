"""A real PostgreSQL for all tests, started once; an empty database for each."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from emptying import emptying
from hub import Hub, Installation, fresh_cluster, hub_here, quick_disk, temporary_hub
from pydantic import SecretStr
from sqlalchemy import event
from xdist.scheduler import LoadScopeScheduling

from mash.config.settings import Settings
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.store import Store, open_store

# How long an example takes depends on what else the machine does, and says nothing.
hypothesis.settings.register_profile("mash", deadline=None, max_examples=60)
hypothesis.settings.register_profile("nightly", deadline=None, max_examples=1_000)
hypothesis.settings.load_profile("mash")
# Tests wait for what Prefect hands out to a worker; in life, who asks every ten seconds asks often enough.
os.environ.update(PREFECT_WORKER_QUERY_SECONDS="1", PREFECT_WORKER_HEARTBEAT_SECONDS="10")

HUBS = {name: ExitStack() for name in ("installation", "quick")}
"""The installations that tests share."""
FIRST = ("stack", "chaos", "pages/test_words_on_pages.py")
"""What begins first, where there are two processes: floors that wait most, and what takes longest. The others fill what is
left."""
NIGHTLY = ("clients", "chaos")
FLOORS = Path(__file__).parent


@cache
def _group(path: str) -> str:
    """Tests of one group run in one process, one after the other: those of a module, and of all that share an installation."""
    floor, *_ = Path(path).parts
    text = (FLOORS / path).read_text(encoding="utf-8")
    if floor in FIRST and "quick: " in text:
        if "installation: " in text:
            raise pytest.UsageError(f"tests/{path} uses both installations that tests share: each is stopped after its last test")
        return "quick"
    return "installation" if "installation: " in text or (floor == "stack" and "hub: " in text) else path


class Groups(LoadScopeScheduling):
    """Each process takes the next group."""

    # Not --dist loadgroup: with pytest 9.2, xdist 3.8 makes no groups, and says nothing.

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.partition("::")[0].removeprefix("tests/"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """How the tests are given to processes, where there are two."""
    return Groups(config, log)


def _uses(item: pytest.Item) -> str:
    """Which of the shared installations a test uses."""
    return next((name for name in HUBS if name in getattr(item, "fixturenames", ())), "")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Of the nightly floor is whatever stands on it."""
    if item.path.relative_to(FLOORS).as_posix().startswith(NIGHTLY):
        item.add_marker("nightly")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put together what stays together, in whatever order it came; what takes longest begins first."""
    paths = [item.path.relative_to(FLOORS).as_posix() for item in items]
    met = {group: number for number, group in enumerate(dict.fromkeys(map(_group, paths)))}

    def place(item: pytest.Item) -> tuple[bool, bool, int, int]:
        path = item.path.relative_to(FLOORS).as_posix()
        group = _group(path)
        return group not in HUBS, not path.startswith(FIRST), met[group], [*HUBS, ""].index(_uses(item))

    items.sort(key=place)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop a shared installation after its last test: it would go on beside all others."""
    if (used := _uses(item)) and (nextitem is None or _uses(nextitem) != used):
        HUBS[used].close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The embedded PostgreSQL with its tables, which does not wait for the disk; stopped at the end."""
    with ExitStack() as stack:
        with quick_disk():
            started = stack.enter_context(fresh_cluster())
        yield started


def owner(cluster: Cluster) -> psycopg.Connection:
    """A connection of the tables' owner, who may do what the application may not."""
    return psycopg.connect(host=str(cluster.socket), user="mash_owner", dbname="mash", autocommit=True)


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    """A Thursday morning, minute by minute: one hub, its application in this process, for all tests that only use it."""
    with hub_here() as running:
        yield running


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Everything running on a Thursday morning, minute by minute: for all tests that only use it."""
    with HUBS["installation"] as stack:
        yield stack.enter_context(temporary_hub())


@pytest.fixture(scope="session")
def quick() -> Iterator[Installation]:
    """An installation at which an hour takes fifteen seconds, and whose parts may be killed."""
    with HUBS["quick"] as stack:
        yield stack.enter_context(temporary_hub(rate=240.0))


@pytest.fixture
def owner_connection(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """Somebody with the owner's rights, for tests that look everywhere or tamper."""
    with owner(cluster) as connection:
        yield connection


@pytest.fixture
def settings(cluster: Cluster, tmp_path: Path) -> Settings:
    """Settings of an installation that serves Sandwell and Merton, with fresh secrets."""
    return Settings(
        data_dir=tmp_path,
        hubs="sandwell,merton",
        database_url=SecretStr(cluster.app_url),
        system_database_url=SecretStr(cluster.system_url),
        owner_database_url=SecretStr(cluster.owner_url),
        prefect_database_url=SecretStr(cluster.prefect_url),
        master_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        token_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
    )


EMPTY = emptying("relname <> 'alembic_version'")
FROM_THE_FIRST = b"""
SELECT setval(CAST(d.objid AS regclass), s.seqstart, false) FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
WHERE d.deptype IN ('a', 'i')"""


@pytest.fixture
def empty_database(cluster: Cluster) -> None:
    """The tables as they are after the migration: nothing in them."""
    with owner(cluster) as connection:
        connection.execute(EMPTY)
        connection.execute(FROM_THE_FIRST)


@pytest.fixture
async def store(settings: Settings, empty_database: None) -> AsyncIterator[Store]:
    """The store, open on an empty database. No statement may have asyncpg ask the catalogue what a type is: each new connection
    would, for 10 ms."""
    opened, asked = await open_store(settings), list[str]()

    def listen(connection: Any, _: object) -> None:
        connection.driver_connection.add_query_logger(lambda said: asked.append(said.query) if "typeinfo" in said.query else None)

    for engine in (opened.engine, opened.people):
        await engine.dispose()
        event.listen(engine.sync_engine, "connect", listen)
    yield opened
    await opened.close()
    assert not asked, "an array that is not of text: send and read it as flows/store/number_arrays.py does"
