"""What the look for known children finds of made families, how many wrong ones it shows, how long it takes; and beside splink."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from mash.bench.families import Contact, contacts
from mash.bench.measure import say, spread
from mash.bench.stack import HUB, bench_settings
from mash.config.settings import Settings
from mash.flows.installation.cluster import start_cluster
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.apply import receive
from mash.flows.store.likeness import LIKELY
from mash.flows.store.marks import Facts, facts
from mash.flows.store.names import people, shared_address
from mash.flows.store.reads.known import look_for, sought
from mash.flows.store.schema import upgrade
from mash.flows.store.sounds import heard
from mash.flows.store.store import Store, open_store, system_actor
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.values import Actor, Subject

WRONG = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Wrong ones shown a contact, at which is compared how many known children are found."""
SEEDS = (11, 12)
"""Others than those that the weights were tuned on."""
ASKED = 1_500
"""Contacts of a large hub that are looked at."""
Figures = dict[str, Any]


@dataclass
class Made:
    """A hub's contacts, and who everybody in them is."""

    contacts: list[Contact]
    asked: list[int]
    """The places of the contacts that are looked at."""
    first: list[int] = field(default_factory=list)
    """The number of the first person of each contact; they are counted through, subjects first."""
    who: list[int] = field(default_factory=list)
    """Which person somebody is in truth."""
    of: list[int] = field(default_factory=list)
    """The place of their contact."""

    def __post_init__(self) -> None:
        for place, each in enumerate(self.contacts):
            self.first.append(len(self.who))
            self.who += [*each.who, *each.who_else]
            self.of += [place] * (len(self.who) - len(self.of))

    def subjects(self) -> Iterator[int]:
        """The people whom the contacts that are looked at are about."""
        for place in self.asked:
            yield from range(self.first[place], self.first[place] + len(self.contacts[place].who))


def made(seed: int, families: int, asked: int = 0) -> Made:
    """Contacts about so many families; all of them are looked at, or `asked` of them."""
    every = contacts(seed, families)
    places = range(len(every))
    return Made(every, sorted(random.Random(seed).sample(places, asked)) if asked else list(places))  # noqa: S311  no secret


def items_of(contact: Contact) -> list[Item]:
    """The people of a contact as they are sealed."""
    subjects = [Item("subject", json.dumps(each).encode(), f"S{n + 1}") for n, each in enumerate(contact.subjects)]
    return [*subjects, *(Item("household", json.dumps(each).encode()) for each in contact.household)]


Found = dict[int, list[tuple[float, int]]]
"""Of each subject: who is shown for them, with the score."""


def curve(made: Made, found: Found) -> Figures:
    """At so many wrong ones a contact: the share of known children found, and of these the share whose right one came first."""
    appear: dict[int, set[int]] = {}
    for one, place in enumerate(made.of):
        appear.setdefault(made.who[one], set()).add(place)
    known = [one for one in made.subjects() if len(appear[made.who[one]]) > 1]
    shown = {one: sorted(found.get(one, []), reverse=True) for one in made.subjects()}
    wrong = sorted((s for one, some in shown.items() for s, other in some if made.who[other] != made.who[one]), reverse=True)
    figures: Figures = {"known": len(known), "contacts": len(made.asked)}
    for limit in WRONG:
        allowed = int(limit * len(made.asked))
        least = wrong[allowed] if allowed < len(wrong) else -1_000.0
        tops = {one: [made.who[other] == made.who[one] for s, other in shown[one] if s > least] for one in known}
        right = [tops[one][0] for one in known if any(tops[one])]
        figures[f"{limit}"] = {
            "found": _share(len(right), len(known)),
            "first": _share(sum(right), len(right)),
            "from": round(least, 2),
        }
    return figures


def _share(part: int, of: int) -> float:
    return round(100 * part / max(of, 1), 2)


# --- ours ---


@contextmanager
def a_hub(folder: Path) -> Iterator[tuple[Settings, Cluster]]:
    """A PostgreSQL of its own with our tables, for a hub in which nobody works."""
    cluster = start_cluster(folder / "cluster")
    try:
        upgrade(cluster.owner_url)
        keys = {name: SecretStr(base64.b64encode(os.urandom(32)).decode()) for name in ("master_key", "token_key")}
        urls = {
            "database_url": SecretStr(cluster.app_url),
            "system_database_url": SecretStr(cluster.system_url),
            "owner_database_url": SecretStr(cluster.owner_url),
        }
        yield bench_settings(folder, 25).model_copy(update={**keys, **urls}), cluster
    finally:
        cluster.stop()


async def ours(made: Made, folder: Path) -> Figures:
    """What the product finds, and how long a look takes."""
    with a_hub(folder) as (settings, cluster):
        store = await open_store(settings)
        try:
            await _load(store, cluster, made)
            found, took = await _look_at_all(store, made)
        finally:
            await store.close()
    return {**curve(made, found), "look_ms": spread(took)}


async def _look_at_all(store: Store, made: Made) -> tuple[Found, list[float]]:
    found, took = Found(), list[float]()
    for place in made.asked:
        contact = made.contacts[place]
        began = time.perf_counter()
        async with store.transaction(system_actor(HUB)) as connection:
            wanted = sought(store.keyring.search, HUB, items_of(contact))
            matches = await look_for(connection, HUB, _reference(place), wanted)
        took.append(1_000 * (time.perf_counter() - began))
        for each in matches:
            if each.place < len(contact.subjects):
                score = each.score if each.grade == "likely" else min(each.score, LIKELY - 0.01)
                found.setdefault(made.first[place] + each.place, []).append((score, each.row.person))
    return found, took


def _reference(place: int) -> str:
    return f"MADE-{place:06d}"


async def _load(store: Store, cluster: Cluster, made: Made) -> None:
    """Have the contacts in the tables by which they are found, each copied from one that was received."""
    by = Actor(id="bench", role="referrer", agency="school", hub=HUB)
    command = ReceiveContact(
        contact="referral", source="1A", source_agency="school", subjects=(Subject(id="S1", cohort="child"),)
    )
    async with store.transaction(by) as connection:
        like = (await receive(connection, store, command, [Item("concern", b"made")], by)).reference
    with psycopg.connect(host=str(cluster.socket), user="mash_owner", dbname="mash", autocommit=True) as owner:
        names = [name for (name,) in owner.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'referral' AND is_generated = 'NEVER'").fetchall()]  # fmt: skip
        values = ", ".join("'MADE-' || lpad(n::text, 6, '0')" if name in ("reference", "root") else f"t.{name}" for name in names)
        columns, copies = ", ".join(names), f"referral t, generate_series(0, {len(made.contacts) - 1}) n"
        owner.execute(
            f"INSERT INTO referral ({columns}) SELECT {values} FROM {copies} WHERE t.reference = %s".encode(),  # noqa: S608  names of ours
            (like,),
        )
        _load_people(owner, store.keyring.search, made)


COLUMNS = (
    "id",
    "reference",
    "hub",
    "subject",
    "tokens",
    "born",
    "parts",
    "near",
    "keys",
    "nhs_number",
    "upn",
    "postcode",
    "address",
)


# Without what is looked up for each row: of ten million that takes far longer than the rows themselves.
INDEXED = """
ALTER TABLE known_key DROP CONSTRAINT known_key_pkey, DROP CONSTRAINT known_key_person_fkey;
DROP INDEX known_key_person;
SET maintenance_work_mem = '512MB';
INSERT INTO known_key SELECT unnest(keys), id FROM known_person;
ALTER TABLE known_key ADD PRIMARY KEY (key, person);
CREATE INDEX known_key_person ON known_key (person);
ALTER TABLE known_key ADD CONSTRAINT known_key_person_fkey FOREIGN KEY (person) REFERENCES known_person ON DELETE CASCADE
"""


def _load_people(owner: psycopg.Connection, key: bytes, made: Made) -> None:
    """Their rows, and the index by which they are looked for; that of their names, which nobody asks here, is left out."""
    owner.execute("ALTER TABLE known_person DISABLE TRIGGER numbered")
    owner.execute("ALTER TABLE known_person DISABLE TRIGGER keyed")
    with owner.cursor() as cursor, cursor.copy(f"COPY known_person ({', '.join(COLUMNS)}) FROM STDIN".encode()) as copy:
        for place, contact in enumerate(made.contacts):
            for n, row in enumerate(people(key, _reference(place), HUB, items_of(contact))):
                copy.write_row([made.first[place] + n, *(row[name] for name in COLUMNS[1:])])
    for statement in INDEXED.split(";"):
        owner.execute(statement.encode())
    owner.execute("VACUUM ANALYZE known_key, known_person, referral")


# --- splink ---


def beside(made: Made, python: Path, folder: Path) -> Figures:
    """What splink finds in the same contacts, on plain data."""
    asked, plain, pairs = set(made.asked), folder / "people.jsonl", folder / "pairs.csv"
    with plain.open("w") as lines:
        for place, contact in enumerate(made.contacts):
            items = items_of(contact)
            address = shared_address(items)
            for n, item in enumerate(items):
                of = {"unique_id": made.first[place] + n, "contact": place, "asked": place in asked and n < len(contact.who)}
                lines.write(json.dumps({**of, **_plain(facts(item.content, address))}) + "\n")
    program = Path(__file__).with_name("splink_beside.py")
    began = time.perf_counter()
    subprocess.run([python, program, plain, pairs, "0.6"], check=True, stdout=sys.stderr, stderr=subprocess.STDOUT)
    subjects, found = set(made.subjects()), Found()
    with pairs.open() as rows:
        for row in csv.DictReader(rows):
            for one, other in ((row["unique_id_l"], row["unique_id_r"]), (row["unique_id_r"], row["unique_id_l"])):
                if int(one) in subjects:
                    found.setdefault(int(one), []).append((float(row["match_weight"]), int(other)))
    return {**curve(made, found), "seconds": round(time.perf_counter() - began)}


def _plain(known: Facts) -> Figures:
    """A person as splink reads them: what is not known is null."""
    told = {
        "given": known.given[0] if known.given else None,
        "family": known.family[-1] if known.family else None,
        "given_sound": heard(known.given[0]) if known.given else None,
        "family_sound": heard(known.family[-1]) if known.family else None,
        "born": str(known.born) if known.born else None,
    }
    return told | {name: getattr(known, name) or None for name in ("postcode", "address", "nhs_number", "upn")}


@contextmanager
def splink_environment() -> Iterator[Path]:
    """Its newest version, in a temporary folder: it is not the product's."""
    with tempfile.TemporaryDirectory(prefix="mash-splink-") as folder:
        say("Installing splink ...")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "splink"], check=True, stdout=sys.stderr)
        yield python


# --- both ---


def run_bench_known(as_json: bool, quick: bool, seeds: Sequence[int] = SEEDS) -> int:
    """Measure both, at 500 families and at 200,000 contacts, and print it; returns the exit code."""
    sizes = [(f"500 families, seed {seed}", made(seed, 500)) for seed in seeds]
    if not quick:
        sizes += [(f"200,000 contacts, seed {seed}", made(seed, 100_000, ASKED)) for seed in seeds[:1]]
    figures: Figures = {}
    with splink_environment() as python:
        for name, each in sizes:
            say(f"{name} ...")
            with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder:
                figures[name] = {"ours": asyncio.run(ours(each, Path(folder)))}
            say(f"  {json.dumps(figures[name])}")
            with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder:
                figures[name]["splink"] = beside(each, python, Path(folder))
            say(f"  {json.dumps(figures[name]['splink'])}")
    print(json.dumps(figures, indent=None if as_json else 2), flush=True)
    return 0
