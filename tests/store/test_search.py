"""Finding people by name, spelt a little differently too, without a plain name at rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from acting import DUTY, SCHOOL, confirmed
from hypothesis import given
from hypothesis import strategies as st
from jellyfish import metaphone

from mash.api import demo
from mash.bench.families import OTHERWISE, SHORT
from mash.flows.store.apply import receive
from mash.flows.store.erasure import erase
from mash.flows.store.marks import number
from mash.flows.store.names import MOST_NUMBERS, tokens
from mash.flows.store.reads.accesses import accesses_to
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.search import ALIKE, MOST_IF_NOBODY, find, known_elsewhere
from mash.flows.store.sounds import comparable
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.closing import ErasePeople
from mash.states.acts.contact import ReceiveContact
from mash.states.values import Actor, Subject

DEMO = Path(demo.__file__).parent
SANDWELL = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="sandwell")
GOVERNANCE = Actor(id="i.governor", role="information_governance", agency="social_care", hub="merton")
POLICE = Actor(id="p.navigator", role="agency", agency="police", hub="merton")


async def known(store: Store, *people: tuple[str, dict[str, Any]], cohort: Any = "child") -> str:
    """A contact about these people; its reference."""
    subjects = (Subject(id="S1", cohort=cohort, age=cohort),)
    command = ReceiveContact(contact="referral", source="1A", source_agency="school", subjects=subjects)
    items = [Item("concern", b"a concern")]
    items += [Item(kind, json.dumps(person).encode(), "S1" if kind == "subject" else None) for kind, person in people]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


def child(first: str, family: str, born: str = "") -> tuple[str, dict[str, Any]]:
    return "subject", {"name": {"given": first, "family": family}, "date_of_birth": born}


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        (("Siân", "Ó Briain"), "sian o briain"),
        (("Zebediah", "Quillfeather"), "Zebedia Quilfeather"),
        (("Małgorzata", "Wójcik"), "Malgorzata Wojcik"),
        (("محمد", "الأحمد"), "محمد الأحمد"),
        (("Anne-Marie", "O'Neill"), "Annemarie ONeill"),
        (("Isla", "Example"), "Example, Isla"),
        (("Łucja", "Gołąb"), "Lucja Golab"),
        (("Lucja", "Golab"), "Łucja Gołąb"),
        (("Đỗ", "Phương"), "Do Phuong"),
        (("Işıl", "Kılıç"), "Isil Kilic"),
        (("Đorđe", "Đokić"), "Djordje Djokic"),
        (("Đorđe", "Đokić"), "Dorde Dokic"),
        (("Søren", "Ørsted"), "Soeren Oersted"),
        (("Þóra", "Mæhlum"), "Thora Maehlum"),
        (("Heike", "Strauß"), "Heike Strauss"),
        (("Aisha", "Khan"), "Ayesha Kahn"),
        (("Hussain", "Choudhury"), "Hossein Chowdhry"),
    ],
)
async def test_a_name_is_found_however_it_is_spelt(store: Store, stored: tuple[str, str], asked: str) -> None:
    reference = await known(store, child(*stored))
    await known(store, child("Tobias", "Underhill"))
    found = await find(store, asked, "", DUTY)
    assert [each.reference for each in found] == [reference] and found[0].name == " ".join(stored)


async def test_who_is_likely_meant_is_shown_without_everybody_who_is_called_a_little_like_it(store: Store) -> None:
    meant = await known(store, child("Aisha", "Khan", "2014-03-02"))
    for first, born in (("Aina", "2012-05-06"), ("Asma", "2011-01-09"), ("Alishba", ""), ("Anisha", "2015-07-21")):
        await known(store, child(first, "Khan", born))
    assert [each.reference for each in await find(store, "Aisha Khan", "2014-03-02", DUTY)] == [meant]
    assert len(await find(store, "Asia Khan", "2009-09-09", DUTY)) == MOST_IF_NOBODY, "nobody is likely: some who may be"


async def test_whoever_was_born_that_day_comes_first(store: Store) -> None:
    await known(store, child("Isla", "Example", "2014-01-01"))
    twin = await known(store, child("Isla", "Exampel", "2015-12-20"))
    assert (await find(store, "Isla Example", "2015-12-20", DUTY))[0].reference == twin


async def test_people_of_the_household_are_found_too(store: Store) -> None:
    reference = await known(store, child("Isla", "Example"), ("household", {"name": "Ruth Quillfeather"}))
    assert [(each.reference, each.subject) for each in await find(store, "Ruth Quillfeather", "", DUTY)] == [(reference, None)]


async def test_each_of_a_household_is_shown_by_their_own_name_birthday_and_address(store: Store) -> None:
    lives = {"line1": "46 Larkfield Gdns", "postcode": "ZZ4 9NE"}
    mother = {"name": "Magda Quillfeather", "relationship": "mother", "date_of_birth": "1990-05-06"}
    uncle = {"name": "Magdalen Quillfeather", "relationship": "uncle", "date_of_birth": "about 1970"}
    aunt = {"name": "Magda Quillfeather", "relationship": "aunt", "date_of_birth": "1961-01-02"}
    who = {**child("Ewa", "Quillfeather", "2017-09-28")[1], "address": lives}
    await known(store, ("subject", who), *(("household", each) for each in (mother, uncle, aunt)))
    found = await find(store, "Magda Quillfeather", "", DUTY)
    shown = [
        (each.name, each.who.relationship, each.who.born, each.who.address) for each in found if each.who and not each.subject
    ]
    assert sorted(shown) == [
        ("Magda Quillfeather", "aunt", "1961-01-02", "46 Larkfield Gdns, ZZ4 9NE"),
        ("Magda Quillfeather", "mother", "1990-05-06", "46 Larkfield Gdns, ZZ4 9NE"),
        ("Magdalen Quillfeather", "uncle", "about 1970", "46 Larkfield Gdns, ZZ4 9NE"),
    ]


async def test_two_of_a_household_with_one_name_and_no_birthday_are_two_people(store: Store) -> None:
    people = [{"name": "Yusuf Quillfeather", "relationship": each} for each in ("father", "brother")]
    await known(store, child("Isla", "Example"), *(("household", each) for each in people))
    found = await find(store, "Yusuf Quillfeather", "", DUTY)
    assert sorted(each.who.relationship for each in found if each.who) == ["brother", "father"]


async def test_no_other_hub_and_no_partner_finds_anybody(store: Store) -> None:
    await known(store, child("Zebediah", "Quillfeather"))
    assert await find(store, "Zebediah Quillfeather", "", SANDWELL) == []
    assert await find(store, "Zebediah Quillfeather", "", POLICE) == []


REFERRALS_BY_ID = {row["id"]: row for row in map(json.loads, (DEMO / "referrals.jsonl").read_text(encoding="utf-8").splitlines())}


@pytest.mark.parametrize(("first", "second"), [("V006", "V044"), ("V018", "V019"), ("V022", "V023")])
async def test_contacts_that_belong_together_find_each_other_though_nothing_in_them_says_so(
    store: Store, first: str, second: str
) -> None:
    ids = [row for row in REFERRALS_BY_ID if row not in (first, second)][:20]
    references = {}
    for row in (*ids, first, second):
        subjects = [("subject", each) for each in REFERRALS_BY_ID[row]["subjects"]]
        references[row] = await known(store, *subjects, *(("household", each) for each in REFERRALS_BY_ID[row]["household"]))
    for one, other in ((first, second), (second, first)):
        case = await look_at(store, references[one], DUTY, "find_people")
        found, _ = await known_elsewhere(store, case, DUTY)
        assert references[other] in {each.reference for some in found.values() for each in some}
        assert references[one] not in {each.reference for some in found.values() for each in some}


async def test_each_one_shown_is_an_access(store: Store) -> None:
    reference = await known(store, child("Zebediah", "Quillfeather"))
    await find(store, "Zebediah Quillfeather", "", DUTY)
    accesses = await accesses_to(store, [reference], GOVERNANCE)
    assert [(row.person, row.action) for row in accesses] == [("d.manager", "find_people")]


async def test_who_was_erased_is_not_found_and_leaves_no_number(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await confirmed(store, await known(store, child("Zebediah", "Quillfeather"), cohort="adult"))
    by = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
    await erase(store, reference, ErasePeople(why="retention"), by)
    assert await find(store, "Zebediah Quillfeather", "", DUTY) == []
    assert owner_connection.execute("SELECT count(*) FROM known_person").fetchone() == (0,)


async def test_no_plain_name_is_at_rest(store: Store, owner_connection: psycopg.Connection) -> None:
    await known(store, child("Zebediah", "Quillfeather"))
    tables = owner_connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (table,) in tables:
        rows = owner_connection.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()
        assert not any("quillfeather" in str(row).lower() for row in rows), table


@given(st.text(), st.binary(min_size=32, max_size=32))
def test_any_name_has_numbers_and_the_same_ones_each_time(name: str, key: bytes) -> None:
    numbers = tokens(key, name)
    assert numbers == tokens(key, name) == sorted(set(numbers))
    assert bool(numbers) == bool(comparable(name))
    assert all(-(2**63) <= number < 2**63 for number in numbers)


@given(st.text(min_size=3), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_without_the_key_the_numbers_say_nothing(name: str, one: bytes, other: bytes) -> None:
    if one != other:
        assert not set(tokens(one, name)) & set(tokens(other, name))


WORDS = sorted({*OTHERWISE, *SHORT, *["łucja", "gołąb", "đỗ", "işıl", "þóra", "mæhlum", "strauß", "ørsted"]})
NAMES = st.lists(st.sampled_from(WORDS), min_size=2, max_size=3)


def numbers_of_before(name: str) -> set[str]:
    """By what a name was found before its letters were folded."""
    words = {*comparable(name), *("".join(comparable(part)) for part in name.split())} - {""}
    threes = {f"three:{word[at : at + 3]}" for each in words for word in [f"  {each} "] for at in range(len(word) - 2)}
    return {f"word:{word}" for word in words} | {f"sound:{metaphone(word)}" for word in words if metaphone(word)} | threes


@given(NAMES, st.integers(0, 30), st.sampled_from("aeinrst"))
def test_whoever_was_found_before_letters_were_folded_is_found_still(name: list[str], at: int, letter: str) -> None:
    stored = " ".join(name)
    asked = stored[: at % len(stored)] + letter + stored[at % len(stored) + 1 :]
    before = [numbers_of_before(stored), numbers_of_before(asked)]
    if len(before[0] & before[1]) >= ALIKE * len(before[0] | before[1]):
        now = [set(tokens(b"k" * 32, each)) for each in (stored, asked)]
        assert len(now[0] & now[1]) >= ALIKE * len(now[0] | now[1])


@given(st.text(max_size=60))
def test_what_stands_of_before_is_asked_for_beside_what_is_written_now(name: str) -> None:
    key = b"k" * 32
    now = tokens(key, name)
    assert len(now) == MOST_NUMBERS or {number(key, each) for each in numbers_of_before(name)} <= {*now}
