"""Prefect's tables are looked at without Prefect, and its server makes them where they are not as its release wants them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import psycopg
from alembic.script import ScriptDirectory
from hub import Installation

from mash.flows.installation.prefect_tables import STEPS, newest, up_to_date


def test_the_newest_step_is_the_one_that_prefects_own_tool_says() -> None:
    origin = getattr(find_spec("prefect"), "origin", None)
    assert origin
    steps = Path(origin).parent / STEPS
    directory = ScriptDirectory(str(steps.parent.parent), version_locations=[str(steps)])
    assert newest() == set(directory.get_heads())


def test_tables_of_an_earlier_release_and_none_at_all_are_told_from_those_of_this_one(installation: Installation) -> None:
    cluster = installation.stack.cluster
    assert cluster
    assert up_to_date(cluster.prefect_url)
    assert not up_to_date(cluster.owner_url)  # a database without any of Prefect's tables
    assert not up_to_date("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    (name,) = newest()
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="prefect", autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of_before'")
        try:
            assert not up_to_date(cluster.prefect_url)
        finally:
            connection.execute("UPDATE alembic_version SET version_num = %s", (name,))
