"""After an upgrade, states and what people are found by are made anew while people work; what cannot be read is passed over."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from acting import DUTY, SCHOOL

from mash.flows.store.anew import Anew
from mash.flows.store.apply import act, receive
from mash.flows.store.edition import EDITION
from mash.flows.store.log import verify
from mash.flows.store.looking import look_next
from mash.flows.store.mending import Mender
from mash.flows.store.reads.case import read_case
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import AddNote
from mash.states.values import Subject

THEO = {"name": {"given": "Theodore", "family": "Quillfeather"}, "date_of_birth": "2017-03-04"}


async def contact(store: Store) -> str:
    subjects = (Subject(id="S1", cohort="child"),)
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects)
    items = [Item("concern", b"a concern"), Item("subject", json.dumps(THEO).encode(), "S1")]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


def as_before(owner: psycopg.Connection) -> None:
    """The rows as an earlier release has left them: states without what it did not fold, people without what it did not know."""
    owner.execute(
        "UPDATE referral SET state = (CAST(state AS jsonb) - 'rated_by' - 'looked' - 'version_for_all')::text, made = 0"
    )
    owner.execute("UPDATE known_person SET keys = '{}', near = '{}', parts = NULL, postcode = NULL, address = NULL")
    owner.execute("DELETE FROM to_look")
    owner.execute("DELETE FROM made_anew")


async def all_anew(store: Store) -> None:
    anew = Anew(store)
    while await anew.batch():
        pass


async def looked(store: Store) -> None:
    while await look_next(store):
        pass


async def test_what_an_earlier_release_stored_is_made_anew_and_its_children_are_found(
    store: Store, owner_connection: Any
) -> None:
    first, second = await contact(store), await contact(store)
    await act(store, first, RateReferral(rating="red"), DUTY, words="He is not safe.")
    as_before(owner_connection)
    assert [wrong async for wrong in verify(store)] == [] == await Mender(store).look_at_all(), "an upgrade is no contradiction"
    await looked(store)
    await all_anew(store)
    await looked(store)
    assert (await read_case(store, first)).referral.rated_by == (DUTY.id,)
    assert [match.reference for match in (await read_case(store, second)).referral.matches] == [first]
    assert [wrong async for wrong in verify(store)] == [] == await Mender(store).look_at_all()


async def test_whoever_acts_meanwhile_acts_on_what_the_log_says(store: Store, owner_connection: Any) -> None:
    reference = await contact(store)
    await act(store, reference, RateReferral(rating="red"), DUTY, words="He is not safe.")
    as_before(owner_connection)
    await act(store, reference, AddNote(), DUTY, words="Rang the school.")
    assert (await read_case(store, reference)).referral.rated_by == (DUTY.id,)


async def test_a_log_that_cannot_be_read_holds_up_no_other_and_is_reported(store: Store, owner_connection: Any) -> None:
    broken, sound = await contact(store), await contact(store)
    as_before(owner_connection)
    owner_connection.execute("UPDATE event SET canonical = '{}' WHERE reference = %s AND sequence = 1", (broken,))
    await all_anew(store)
    made = dict(owner_connection.execute("SELECT reference, made FROM referral").fetchall())
    assert made == {broken: 0, sound: EDITION}
    assert any(broken in wrong for wrong in [each async for each in verify(store)])


async def test_a_row_of_an_earlier_release_that_appears_afterwards_is_reported(store: Store, owner_connection: Any) -> None:
    reference = await contact(store)
    await all_anew(store)
    owner_connection.execute('UPDATE referral SET state = replace(state, \'"rating":null\', \'"rating":"green"\'), made = 0')
    (found,) = await Mender(store).look_at_all()
    assert found.reference == reference and "made was 0" in " ".join(found.mended)
