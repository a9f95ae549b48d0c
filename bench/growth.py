"""What the benchmark measures of an installation that has grown: closed referrals by the hundred thousand."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from sqlalchemy import create_engine, make_url, text

from mash.bench.dataset import triggers
from mash.bench.load import BenchPeople
from mash.bench.measure import say, spread, until
from mash.bench.stack import HUB
from mash.flows.store.sums import owe_what_is_gone

LOADED = 10_000
"""Referrals made by one statement."""
_BACK = "(1 + n % 364)"
"""How many days before a copy began."""
_TABLES = ("referral", "event", "referral_key", "personal_item", "receipt")


async def grow(people: BenchPeople, reference: str, number: int) -> None:
    """Load closed referrals while no worker looks, and wait until it has added them up, as it has where they ended one by one."""
    people.stack.kill("worker")
    await asyncio.to_thread(load_closed, people, reference, number)
    await owe_what_is_gone(people.store)
    people.stack.start("worker")
    say("Growth: until they are added up ...")
    await until(lambda: _added_up(people), "all days are added up", 1200, every=1)


async def _added_up(people: BenchPeople) -> bool:
    async with people.store.single.connect() as connection:
        owed = await connection.exec_driver_sql("SELECT EXISTS (SELECT FROM figure_owed WHERE anew)")
        return not owed.scalar()


def load_closed(people: BenchPeople, reference: str, number: int) -> None:
    """Make so many copies of a referral whose life is over, with all its rows, as every index holds them, spread over the days of
    the year before. Their chains do not verify, and no run carries them: Prefect has none any more of what is over for long."""
    say(f"Growth: loading {number:,} closed referrals ...")
    owner = people.stack.settings.owner_database_url
    engine = create_engine(make_url(owner.get_secret_value() if owner else "").set(drivername="postgresql+psycopg"))
    copy = "'OLD-' || n"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        columns = {
            table: connection.execute(
                text("""SELECT column_name FROM information_schema.columns
                    WHERE table_name = :table AND is_generated = 'NEVER' AND is_identity = 'NO'
                    ORDER BY ordinal_position"""),
                {"table": table},
            ).scalars().all()
            for table in (*_TABLES, "notice")
        }  # fmt: skip
        state = connection.execute(text("SELECT state FROM referral WHERE reference = :of"), {"of": reference}).scalar_one()
        made = {"reference": copy, "root": copy, "key": "t.key || '-' || n", "flow_run_id": "NULL"}
        made |= {name: f"t.{name} - make_interval(days => {_BACK})" for name in ("received_at", "at", "created_at")}
        made |= {name: _days_before(f"t.{name}", state) for name in ("state", "canonical")}
        for statement in triggers("DISABLE", (*_TABLES, "notice")):  # no case is put back: no day of before is owed anew
            connection.execute(text(statement))
        for start in range(0, number, LOADED):
            span = {"a": start, "b": min(start + LOADED, number) - 1, "of": reference}
            for table in _TABLES:
                chosen = ", ".join(
                    "gen_random_uuid()" if (table, name) == ("personal_item", "id") else made.get(name, f"t.{name}")
                    for name in columns[table]
                )
                connection.execute(text(_copying(table, ", ".join(columns[table]), chosen)), span)
            names = [name for name in columns["notice"] if name != "id"]
            chosen = ", ".join(made.get(name, f"t.{name}") for name in names)
            connection.execute(text(_copying("notice", ", ".join(names), chosen)), span)
        for statement in triggers("ENABLE", (*_TABLES, "notice")):
            connection.execute(text(statement))
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def _days_before(text_of: str, state: str) -> str:
    """A text in which each day of a life is as many days earlier as its copy is: the earliest first, so that none is put back
    twice."""
    for day in sorted(set(re.findall(r"\d{4}-\d\d-\d\d", state))):
        text_of = f"replace({text_of}, '{day}', to_char(date '{day}' - {_BACK}, 'YYYY-MM-DD'))"
    return text_of


def _copying(table: str, columns: str, values: str) -> str:
    """The statement that copies a referral's rows once for each number. The names are the database's own."""
    numbers = "generate_series(CAST(:a AS integer), CAST(:b AS integer)) n"
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t, {numbers} WHERE t.reference = :of"  # noqa: S608  table names of ours


async def board(people: BenchPeople, looks: int) -> dict[str, Any]:
    """How long a page of a hundred open cases takes, from the soonest due on."""
    took, after, by = list[float](), "", people.headers_of(people.duty_manager)
    for _ in range(looks):
        began = time.perf_counter()
        answer = await people.http.get("/cases", params={"limit": 100, "after": after}, headers=by)
        took.append((time.perf_counter() - began) * 1000)
        page = answer.json()["cases"]
        after = page[-1]["reference"] if page else ""
    return {"hub": HUB, **spread(took)}


PAGES = ("/board", "/board?late=true", "/wall", "/manager?weeks=52")


async def pages(people: BenchPeople, looks: int) -> dict[str, Any]:
    """How long pages take, rendered, with all that is open and closed."""
    found: dict[str, Any] = {}
    for path in PAGES:
        took = list[float]()
        for _ in range(looks if path != PAGES[-1] else 3):
            began = time.perf_counter()
            answer = await people.http.get(path, headers=people.headers_of(people.duty_manager))
            answer.raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
        found[path] = spread(took)
    return found
