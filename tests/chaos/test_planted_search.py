"""A planted referral of endless names among 20,000 people on record: it is looked for, and so is anybody else, at once."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from statistics import median

import httpx
import psutil
import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hub import Hub, hub_here

from mash.flows.store.keys import Keyring, seal
from mash.flows.store.names import people
from mash.flows.store.store import Store
from mash.flows.store.writes import Item

CASES, OF_EACH = 5_000, 4
"""Referrals on record, and people in each."""
MOST = 0.2
"""Seconds of the processor, of API and database together: the machine may have other things to do."""
TIMES = 9
SOUNDS = (
    ("b", "br", "c", "ch", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "sh", "st", "t", "th", "w", "z"),
    ("a", "e", "i", "o", "u", "ay", "ea", "ie"),
    ("ck", "ll", "m", "n", "r", "s", "th"),
)
"""A syllable begins, sounds and ends with one of these."""


def on_record() -> list[dict[str, str]]:
    """The people, the same ones each time: of their names a fifth are among ten that many have, of their birthdays a tenth are a
    first of January."""
    chance = random.Random(CASES)

    def name(choice: list[str]) -> str:
        return chance.choice(choice if chance.random() > 0.2 else choice[:10])

    first, family = ([word(chance) for _ in range(number)] for number in (300, 3_000))
    known = []
    for n in range(CASES * OF_EACH):
        day = f"{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}" if n % 10 else "01-01"
        known.append({"name": f"{name(first)} {name(family)}", "date_of_birth": f"{chance.randint(1970, 2025)}-{day}"})
    return known


def word(chance: random.Random) -> str:
    """A name of two syllables."""
    return "".join(chance.choice(sounds) for sounds in SOUNDS * 2).capitalize()


KNOWN = on_record()
NAMES = [each["name"] for each in KNOWN]
PLANTED = [
    # One name that is on record, over and over; or many of them, one after the other.
    {**KNOWN[n], "name": (f"{NAMES[n]} " * 200 if n % 2 else " ".join(NAMES[n * 100 :][:200]))[:2_000], "relationship": "uncle"}
    for n in range(60)
]


@pytest.fixture(scope="module")
def crowded() -> Iterator[Hub]:
    """A hub with all these people on record."""
    with hub_here() as hub:
        like = hub.referral(household=[])
        rows = hub.stored(rows_of_all)
        with hub.connection("mash_owner") as owner:
            for statement in (*(statement_for(owner, table) for table in TABLES), PEOPLE):
                owner.execute(statement.encode(), {"like": like, "rows": rows})
            owner.execute("VACUUM ANALYZE")
        yield hub


def statement_for(owner: psycopg.Connection, table: str) -> str:
    """What makes a table's rows, of all columns but those that the database reckons."""
    names = [name for (name,) in owner.execute(COLUMNS.encode(), (table,))]
    values = ", ".join(f"made.{name}" for name in names)
    return MADE.format(table=table, columns=", ".join(names), values=values, **TABLES[table])


async def rows_of_all(store: Store) -> str:
    """The rows of all cases, as JSON, sealed and numbered as the product does it."""
    return json.dumps([row for case in range(CASES) for row in rows_of(store.keyring, case)])


def rows_of(keyring: Keyring, case: int) -> Iterator[dict[str, object]]:
    """The rows of a case: one of the case itself, and one of each person."""
    reference = f"OLD-{case:05d}"
    key, wrapped = keyring.new_key(reference)
    yield {"of": "case", "reference": reference, "root": reference, "wrapped": f"\\x{wrapped.hex()}"}
    cipher = AESGCM(key)
    for person in KNOWN[case * OF_EACH :][:OF_EACH]:
        content = json.dumps(person).encode()
        (known,) = people(keyring.search, reference, "sandwell", [Item("household", content)])
        yield {"of": "person", **known, "kind": "household", "sealed": f"\\x{seal(cipher, content, reference).hex()}"}


# What is not said is as in the referral that they are made like.
MADE = """
INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t, jsonb_array_elements(%(rows)s::jsonb) n,
jsonb_populate_record(t, n {more}) made WHERE t.reference = %(like)s AND n ->> 'of' = '{of}' {further}"""
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
NEW = "|| jsonb_build_object('id', gen_random_uuid())"
TABLES = {
    "referral": {"more": "", "of": "case", "further": ""},
    "referral_key": {"more": "", "of": "case", "further": ""},
    "personal_item": {"more": NEW, "of": "person", "further": "AND t.kind = 'subject'"},
}
PEOPLE = """
INSERT INTO known_person (reference, hub, subject, tokens, born)
SELECT reference, hub, subject, tokens, born FROM jsonb_populate_recordset(NULL::known_person, %(rows)s::jsonb)
WHERE tokens IS NOT NULL"""


def took(hub: Hub, what: str, asked: Callable[[int], httpx.Response]) -> float:
    """The median of the processor's seconds, of this process, in which the API is, and of the database's; both are printed."""
    asked(0)
    database = [psutil.Process(pid) for (pid,) in hub.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'mash_app'")]
    assert database, "the time of the API alone would show little"

    def spent() -> float:
        return time.process_time() + sum(sum(process.cpu_times()[:2]) for process in database)

    processor, clock = list[float](), list[float]()
    for n in range(TIMES):
        before, began = spent(), time.perf_counter()
        assert asked(n).status_code == 200
        clock.append(time.perf_counter() - began)
        processor.append(spent() - before)
    figures = [f"{1000 * median(each):.0f} ms (at most {1000 * max(each):.0f})" for each in (processor, clock)]
    print(f"\n{what}: of the processor {figures[0]}, by the clock {figures[1]}")
    return median(processor)


def test_neither_the_planted_referral_nor_anybody_elses_search_is_held_up(crowded: Hub) -> None:
    assert crowded.sql("SELECT count(*) >= 20000 FROM known_person") == [(True,)]
    page, by = f"/people/in/{crowded.referral(household=PLANTED)}", crowded.staff("duty_manager")
    assert "OLD-" in crowded.http.get(page, headers=by).text

    def search(name: str) -> httpx.Response:
        answer = crowded.http.post("/people/search", json={"name": name}, headers=by)
        assert answer.json()["people"], "nobody is found: that shows nothing"
        return answer

    usual = took(crowded, "a search for somebody", lambda n: search(NAMES[n]))
    assert usual < MOST
    assert took(crowded, "a search for an endless name", lambda n: search(PLANTED[n]["name"][:200])) < 3 * usual
    # Of the same machine at the same hour: a quarter of what a search for each of its people would cost.
    of_page = took(crowded, "the page of the planted referral's people", lambda _: crowded.http.get(page, headers=by))
    assert of_page < len(PLANTED) / 4 * usual
