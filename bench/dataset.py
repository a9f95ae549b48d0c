"""What the dataset costs: rows a second and memory of `mash dataset`, of a year's contacts and of twice as many."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil
import psycopg

from mash.bench.known import a_hub
from mash.bench.measure import BenchFailed, say
from mash.bench.stack import HUB, RATING, cpu_of
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.flows.installation.postmaster import Cluster
from mash.flows.telling.walk import Walk, walk
from mash.states.log import GENESIS, SCHEMA, Recorded
from mash.states.values import Match

WEEKS = 52
KNOWN = 4
"""Each fourth contact is about a child of whom others are confirmed to be, at most FAMILY of them."""
FAMILY = 6
Figures = dict[str, Any]


class Spent(NamedTuple):
    """What a command took: by the clock, of the processor with what PostgreSQL did for it, and of memory at most."""

    seconds: float
    cpu: float
    peak_mb: float


def run_bench_dataset(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    figures: Figures = {}
    first = datetime.now(UTC) - timedelta(weeks=WEEKS + 1)
    for number in (1_000,) if quick else (14_400, 28_800):
        with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder, a_hub(Path(folder)) as (settings, cluster):
            say(f"{number:,} contacts ...")
            _load(cluster, settings, number, first)
            try:
                figures[f"{number:,} contacts"] = _measured(settings, cluster, Path(folder), number, first)
            except BenchFailed as failed:
                say(f"mash: {failed}")
                return 1
            say(f"  {json.dumps(figures[f'{number:,} contacts'])}")
    print(json.dumps(figures, indent=None if as_json else 2), flush=True)
    return 0


def _measured(settings: Settings, cluster: Cluster, folder: Path, number: int, first: datetime) -> Figures:
    """Each form, beside the same command for a week in which nothing came in: what it costs to begin at all."""
    postgres = psutil.Process(cluster.server.pid if cluster.server else None)

    def extract(file: Path, form: str, *span: datetime) -> Spent:
        days = ("--from", f"{span[0]:%Y-%m-%d}", "--until", f"{span[1]:%Y-%m-%d}")
        return taken(settings, postgres, "dataset", *days, "--format", form, "--out", str(file))

    week_before, week_over = first - timedelta(days=9), datetime.now(UTC) - timedelta(weeks=1)
    extract(folder / "first.csv", "csv", week_before, week_before)  # the first start of all seals the rows that were copied in
    begun = extract(folder / "none.csv", "csv", week_before, week_before)
    figures: Figures = {"to_begin": {"s": round(begun.seconds, 2), "cpu_s": round(begun.cpu, 2), "peak_mb": round(begun.peak_mb)}}
    for form in ("csv", "parquet"):
        file = folder / f"all.{form}"
        spent = extract(file, form, first, week_over)
        figures[form] = {
            "s": round(spent.seconds, 2),
            "cpu_s": round(spent.cpu, 2),
            "rows_per_cpu_s": round(number / (spent.cpu - begun.cpu)),
            "peak_mb": round(spent.peak_mb),
            "file_kb": round(file.stat().st_size / 1_000),
        }
    if (rows := (folder / "all.csv").read_bytes().count(b"\n") - 1) != number:
        raise BenchFailed(f"{rows} rows of {number} contacts")
    return figures


def taken(settings: Settings, postgres: psutil.Process, *arguments: str) -> Spent:
    """Run a `mash` command as somebody at the machine does. Raises BenchFailed where it does not end well."""
    before = cpu_of(postgres)
    secrets = ("database_url", "system_database_url", "owner_database_url", "master_key", "token_key")
    environment = {f"MASH_{name.upper()}": getattr(settings, name).get_secret_value() for name in secrets}
    environment |= {
        "MASH_DATA_DIR": str(settings.data_dir),
        "MASH_PROFILES_DIR": str(settings.profiles_dir),
        "MASH_HUBS": settings.hubs,
    }
    command = [sys.executable, "-m", "mash.api.commands.mash", *arguments]
    began = time.perf_counter()
    # Not subprocess: what one child took of memory at most is told to whoever waits for it.
    pid = os.posix_spawn(sys.executable, command, {**os.environ, **environment}, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
    _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise BenchFailed(f"mash {arguments[0]} did not end well: what it says stands above")
    cpu = used.ru_utime + used.ru_stime + cpu_of(postgres) - before
    return Spent(time.perf_counter() - began, cpu, used.ru_maxrss / 1_000)


# --- a year's contacts ----------------------------------------------------------------------------------------------------


def _load(cluster: Cluster, settings: Settings, number: int, first: datetime) -> None:
    """Have contacts in the tables, spread over a year: each week's are copies of one that was walked to its end, with its whole
    log. Their chains do not verify."""
    chances = random.Random(14)  # noqa: S311  no secret
    profile = load_profile(HUB, settings.profiles_dir)
    with loading(cluster.owner_url) as owner:
        for week in range(WEEKS):
            done = walk(profile, RATING, first + timedelta(weeks=week, hours=chances.randrange(100)))
            places = range(number * week // WEEKS, number * (week + 1) // WEEKS)
            for table, rows in (("referral", _referrals(done, places)), ("event", _events(done, places))):
                copy_in(owner, table, rows)
        owner.execute(
            """INSERT INTO identity SELECT 'link' || lpad(n::text, 20, '0'), reference, hub, 'S1', n / (%s * %s), '\\x00'
               FROM (SELECT reference, hub, row_number() OVER (ORDER BY reference) - 1 n FROM referral) r WHERE n %% %s = 0""",
            (KNOWN, FAMILY, KNOWN),
        )


def triggers(how: Literal["DISABLE", "ENABLE"], tables: Iterable[str]) -> Iterator[str]:
    """The statements by which what follows a row that is written follows in these tables, or does not; but for the columns that
    are filled by it."""
    yield from (f"ALTER TABLE {table} {how} TRIGGER USER" for table in tables)
    yield "ALTER TABLE referral ENABLE TRIGGER follows_from_state"


@contextmanager
def loading(url: str) -> Iterator[psycopg.Connection]:
    """A connection of the owner's, who copies contacts into the tables."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
        for statement in triggers("DISABLE", COLUMNS):
            owner.execute(statement.encode())
        for table in COLUMNS:
            # What PostgreSQL does for a command is measured, and not how it tidies up after the loading.
            owner.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)".encode())
        yield owner
        owner.execute("VACUUM ANALYZE")


def copy_in(owner: psycopg.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy rows of these columns into a table."""
    with owner.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


COLUMNS = {
    "referral": (
        "reference", "root", "hub", "caller", "version", "head_hash", "state", "stage", "rating", "is_open", "finished",
        "received_at", "shown", "urgency", "for_all", "made",
    ),
    "event": ("reference", "sequence", "kind", "at", "canonical", "hash", "hub"),
}  # fmt: skip


def _reference(place: int) -> str:
    return f"MASH-26-{place:06d}"


def _referrals(done: Walk, places: range) -> Iterator[tuple[Any, ...]]:
    r = done.referral
    for place in places:
        reference, matches = _reference(place), r.matches
        if place % KNOWN == 1 and place > KNOWN:
            other = {"reference": _reference(place - KNOWN), "received_at": r.received_at, "other": "S1"}
            matches = (Match.model_validate({"subject": "S1", "likeness": "likely", "why": ("same_name",), **other}),)
        state = r.model_copy(update={"hub": HUB, "matches": matches}).model_dump_json()
        yield (reference, reference, HUB, "bench", r.version, GENESIS, state, r.stage, r.rating, r.open, r.finished,
               r.received_at, r.version, 0, 0, 2)  # fmt: skip


def _events(done: Walk, places: range) -> Iterator[tuple[Any, ...]]:
    log = [
        (number, each.event.kind, each.at, Recorded(
            reference="R", sequence=number, at=each.at, by=each.by, profile=done.referral.profile, schema_number=SCHEMA,
            event=each.event, previous=GENESIS).canonical())
        for number, each in enumerate(done.world.log, 1)
    ]  # fmt: skip
    for place in places:
        for number, kind, at, canonical in log:
            yield _reference(place), number, kind, at, canonical, GENESIS, HUB
