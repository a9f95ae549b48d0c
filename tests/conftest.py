"""A real PostgreSQL for all tests, started once; an empty database for each."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import psycopg
import pytest
from hub import Hub, Installation, fresh_cluster, hub_here, quick_disk, temporary_hub
from pydantic import SecretStr

from mash.config.settings import Settings
from mash.flows.installation.cluster import Cluster
from mash.flows.store.store import Store, open_store

# How long an example takes depends on what else the machine does, and says nothing.
hypothesis.settings.register_profile("mash", deadline=None)
hypothesis.settings.load_profile("mash")


HUBS = {name: ExitStack() for name in ("installation", "quick")}
"""The installations that tests share."""
FIRST = ("stack", "chaos")
"""Floors that begin first, where there are two processes: what waits most. The others fill what is left."""
FLOORS = Path(__file__).parent


def _group(item: pytest.Item) -> str:
    """Tests of one group run in one process, one after the other: those that share an installation, or a module."""
    used = getattr(item, "fixturenames", ())
    return next((name for name in HUBS if name in used), str(item.path.relative_to(FLOORS)))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say of each test with which it stays together."""
    item.add_marker(pytest.mark.xdist_group(_group(item)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put together what stays together, in whatever order it came; what takes longest begins first."""
    groups = {item: _group(item) for item in items}
    met = {group: number for number, group in enumerate(dict.fromkeys(groups.values()))}

    def place(item: pytest.Item) -> tuple[bool, bool, int]:
        floor = item.path.relative_to(FLOORS).parts[0]
        return groups[item] not in HUBS, floor not in FIRST, met[groups[item]]

    items.sort(key=place)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop a shared installation after its last test: it would go on beside all others."""
    used = _group(item)
    if used in HUBS and (nextitem is None or _group(nextitem) != used):
        HUBS[used].close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The embedded PostgreSQL with its tables, which does not wait for the disk; stopped at the end."""
    with ExitStack() as kept:
        with quick_disk():
            started = kept.enter_context(fresh_cluster())
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
    with HUBS["installation"] as kept:
        yield kept.enter_context(temporary_hub())


@pytest.fixture(scope="session")
def quick() -> Iterator[Installation]:
    """An installation at which an hour takes fifteen seconds, and whose parts may be killed."""
    with HUBS["quick"] as kept:
        yield kept.enter_context(temporary_hub(rate=240.0))


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
        database_url=SecretStr(cluster.app_url),
        system_database_url=SecretStr(cluster.system_url),
        owner_database_url=SecretStr(cluster.owner_url),
        prefect_database_url=SecretStr(cluster.prefect_url),
        master_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        token_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
    )


@pytest.fixture
def empty_database(cluster: Cluster) -> None:
    """The tables as they are after the migration: nothing in them."""
    with owner(cluster) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchall()
        connection.execute(f"TRUNCATE {', '.join(name for (name,) in names)} RESTART IDENTITY".encode())


@pytest.fixture
async def store(settings: Settings, empty_database: None) -> AsyncIterator[Store]:
    """The store, open on an empty database."""
    opened = await open_store(settings)
    yield opened
    await opened.close()
