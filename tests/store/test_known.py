"""Who of a contact is probably known already from others of the hub: whom it finds, whom it tells apart, and what it says why."""

from __future__ import annotations

import json
from typing import Any, Literal

import psycopg
import pytest
from acting import DUTY, SCHOOL, confirmed
from sqlalchemy import text

from mash.flows.store.apply import receive
from mash.flows.store.erasure import erase
from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.reads.known import Match, likely_known
from mash.flows.store.store import Store, system_actor
from mash.flows.store.writes import Item
from mash.states.acts.closing import ErasePeople
from mash.states.acts.contact import ReceiveContact
from mash.states.values import Actor, Subject

HOME = {"line1": "9 Elm Road", "postcode": "B70 1AA"}
ELSEWHERE = {"line1": "140 Mill Lane", "postcode": "B21 4ZZ"}
NHS_NUMBER, OTHER_NHS_NUMBER = "9434765919", "9876543210"


def child(given: str, family: str, born: str = "", **more: Any) -> dict[str, Any]:
    return {"name": {"given": given, "family": family}, "date_of_birth": born, **more}


def adult(name: str, relationship: str = "mother") -> dict[str, Any]:
    return {"name": name, "relationship": relationship}


async def contact(
    store: Store,
    *subjects: dict[str, Any],
    household: tuple[dict[str, Any], ...] = (),
    by: Actor = SCHOOL,
    cohort: Literal["child", "adult"] = "child",
) -> str:
    """A contact about these people; its reference."""
    ids = [f"S{n + 1}" for n in range(len(subjects))]
    about = tuple(Subject(id=each, cohort=cohort, age=cohort) for each in ids)
    command = ReceiveContact(contact="referral", source="1A", source_agency="school", subjects=about)
    items = [Item("concern", b"a concern")]
    items += [Item("subject", json.dumps(each).encode(), its) for its, each in zip(ids, subjects, strict=True)]
    items += [Item("household", json.dumps(each).encode()) for each in household]
    async with store.transaction(by) as connection:
        return (await receive(connection, store, command, items, by)).reference


async def known(store: Store, reference: str, hub: str = "merton") -> list[Match]:
    async with store.transaction(system_actor(hub)) as connection:
        return await likely_known(connection, store, reference)


async def others(store: Store) -> None:
    """People whom the contacts of a hub are about, so that a name is not rare because it is the only one."""
    names = "Tobias Jane Underhill, Zofia Ewa Nowak, Amir Sadia Hussain, Grace Ama Okafor, Leo Carol Smith, Ava Tracey Jones"
    for n, name in enumerate(names.split(", ")):
        first, mother, family = name.split()
        await contact(store, child(first, family, f"201{n}-0{n + 1}-1{n}"), household=(adult(f"{mother} {family}"),))


def likely(matches: list[Match]) -> list[tuple[str | None, str, str | None]]:
    return [(each.subject, each.reference, each.other) for each in matches if each.grade == "likely"]


async def test_a_child_is_known_again_and_it_is_said_by_what(store: Store) -> None:
    await others(store)
    before = await contact(store, child("Isla", "Example", "2015-12-20", address=HOME))
    (match,) = await known(store, await contact(store, child("Isla", "Example", "2015-12-20", address=HOME)))
    assert (match.subject, match.reference, match.other, match.grade) == ("S1", before, "S1", "likely")
    assert match.why == ("same_name", "born_same", "same_address")


@pytest.mark.parametrize(
    ("again", "why"),
    [
        (child("Ilsa", "Example", "2015-12-20"), "name_alike"),
        (child("Example", "Isla", "2015-12-20"), "names_exchanged"),
        (child("Izla", "Exampel", "2015-12-20"), "name_sounds_alike"),
        (child("Isla", "Example", "2015-12-02", address=HOME), "born_near"),
        (child("Isla", "Other", "2015-12-20", address=HOME), "other_name"),
        (child("Isla", "Example", nhs_number=f"{NHS_NUMBER[:3]} {NHS_NUMBER[3:6]} {NHS_NUMBER[6:]}"), "nhs_number"),
    ],
)
async def test_a_child_is_known_again_though_something_is_written_otherwise(
    store: Store, again: dict[str, Any], why: str
) -> None:
    await others(store)
    before = await contact(store, child("Isla", "Example", "2015-12-20", address=HOME, nhs_number=NHS_NUMBER))
    matches = await known(store, await contact(store, again))
    assert likely(matches) == [("S1", before, "S1")] and why in matches[0].why


async def test_who_is_likely_known_is_found_without_reading_all_that_anybody_is_found_by(store: Store) -> None:
    await others(store)
    await contact(store, child("Isla", "Example", "2015-12-20", address=HOME))
    again = await contact(store, child("Isla", "Example", "2015-12-20", address=HOME))
    read = text("SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'known_key'")
    async with store.transaction(system_actor("merton")) as connection:
        assert await likely_known(connection, store, again)
        whole, by_key = (await connection.execute(read)).one()
    assert by_key and not whole


async def test_day_and_month_may_be_exchanged(store: Store) -> None:
    await others(store)
    before = await contact(store, child("Isla", "Example", "2015-03-04", address=HOME))
    (match,) = await known(store, await contact(store, child("Isla", "Example", "2015-04-03", address=HOME)))
    assert match.reference == before and match.grade == "likely" and "born_exchanged" in match.why


async def test_twins_of_one_birthday_are_told_apart(store: Store) -> None:
    await others(store)
    before = await contact(
        store, child("Isla", "Example", "2015-12-20", address=HOME), child("Rowan", "Example", "2015-12-20", address=HOME)
    )
    again = await contact(store, child("Rowan", "Example", "2015-12-20", address=HOME))
    assert likely(await known(store, again)) == [("S1", before, "S2")]


async def test_a_twin_who_was_not_named_before_is_not_taken_for_the_other(store: Store) -> None:
    await others(store)
    await contact(store, child("Isla", "Example", "2015-12-20", address=HOME), household=(adult("Ruth Example"),))
    again = await contact(store, child("Rowan", "Example", "2015-12-20", address=HOME), household=(adult("Ruth Example"),))
    assert [each for each in likely(await known(store, again)) if each[0] == "S1"] == []


async def test_half_siblings_with_other_surnames_are_each_known_again(store: Store) -> None:
    await others(store)
    mother = (adult("Ruth Quillfeather"),)
    before = await contact(store, child("Isla", "Example", "2015-12-20"), child("Jonah", "Tarn", "2011-02-03"), household=mother)
    again = await contact(store, child("Jonah", "Tarn"), household=mother)
    matches = await known(store, again)
    assert ("S1", before, "S2") in likely(matches) and ("S1", before, "S1") not in likely(matches)
    assert "same_household" in next(each.why for each in matches if each.subject == "S1")


async def test_a_family_that_moved_is_known_again(store: Store) -> None:
    await others(store)
    before = await contact(store, child("Isla", "Example", "2015-12-20", address=HOME), household=(adult("Ruth Example"),))
    again = await contact(store, child("Isla", "Example", "2015-12-20", address=ELSEWHERE), household=(adult("Ruth Example"),))
    assert {(each[0], each[1]) for each in likely(await known(store, again))} == {("S1", before), (None, before)}


async def test_a_number_of_another_child_is_only_possible(store: Store) -> None:
    await others(store)
    before = await contact(store, child("Isla", "Example", "2015-12-20", nhs_number=NHS_NUMBER))
    matches = await known(store, await contact(store, child("Tomasz", "Wieczorek", "2009-05-06", nhs_number=NHS_NUMBER)))
    assert [(each.reference, each.grade) for each in matches] == [(before, "possible")]
    assert {"nhs_number", "other_name", "other_birthday"} <= {*matches[0].why}


async def test_a_number_that_cannot_be_one_says_nothing(store: Store) -> None:
    await others(store)
    await contact(store, child("Isla", "Example", "2015-12-20", nhs_number="1234567890"))
    assert await known(store, await contact(store, child("Tomasz", "Wieczorek", "2009-05-06", nhs_number="1234567890"))) == []


async def test_another_number_speaks_against_it(store: Store) -> None:
    await others(store)
    await contact(store, child("Isla", "Example", "2015-12-20", nhs_number=NHS_NUMBER))
    (match,) = await known(store, await contact(store, child("Isla", "Example", "2015-12-20", nhs_number=OTHER_NHS_NUMBER)))
    assert "other_nhs_number" in match.why


async def test_a_rare_name_that_sounds_alike_is_enough(store: Store) -> None:
    await others(store)
    before = await contact(store, child("Zebediah", "Quillfeather"))
    matches = await known(store, await contact(store, child("Zebadiah", "Quilfether")))
    assert [(each.reference, "name_sounds_alike" in each.why) for each in matches] == [(before, True)]


async def test_who_is_named_beside_another_child_is_known_again(store: Store) -> None:
    await others(store)
    sibling = {"name": "Isla Example", "relationship": "sibling", "date_of_birth": "2015-12-20"}
    before = await contact(store, child("Rowan", "Example", "2012-01-30"), household=(sibling,))
    assert ("S1", before, None) in likely(await known(store, await contact(store, child("Isla", "Example", "2015-12-20"))))


async def test_nobody_of_another_hub_is_ever_known(store: Store) -> None:
    there = SCHOOL.model_copy(update={"hub": "sandwell"})
    isla = child("Isla", "Example", "2015-12-20", address=HOME, nhs_number=NHS_NUMBER)
    await contact(store, isla, by=there)
    assert await known(store, await contact(store, isla)) == []


async def test_whoever_was_erased_is_known_to_nobody_and_leaves_no_number(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    isla = child("Isla", "Example", "2015-12-20", nhs_number=NHS_NUMBER)
    before, again = await contact(store, isla, cohort="adult"), await contact(store, isla)
    by = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
    for reference in (before, again):
        assert [each.reference for each in await known(store, reference)] == [again if reference == before else before]
    await confirmed(store, before)
    await erase(store, before, ErasePeople(why="retention"), by)
    assert await known(store, again) == []
    with pytest.raises(KeyDestroyed):
        await known(store, before)
    left = "SELECT count(*) FROM known_key k LEFT JOIN known_person p ON p.id = k.person WHERE p.reference IS DISTINCT FROM %s"
    assert owner_connection.execute(left.encode(), (again,)).fetchone() == (0,)


async def test_people_who_act_cannot_read_the_index(store: Store) -> None:
    await contact(store, child("Isla", "Example"))
    for statement in (
        "SELECT * FROM known_key",
        "SELECT how_many_share(ARRAY[1]::bigint[], 1)",
        "SELECT people_of_hub('merton')",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with store.transaction(DUTY) as connection:
                await connection.exec_driver_sql(statement)
