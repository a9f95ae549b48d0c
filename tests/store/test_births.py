"""A birth as it is stored: sealed, in the place of what was stored before, and proven by the log."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from acting import DUTY, SCHOOL, START, set_time

from mash.flows.carrying.coming_of_age import say_who_comes_of_age
from mash.flows.store.apply import act, receive
from mash.flows.store.log import read_log
from mash.flows.store.mending import Mender
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.corrections import read_corrections
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.search import find
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.birth import BirthRecorded, RecordBirth
from mash.states.acts.contact import ReceiveContact
from mash.states.errors import Incomplete
from mash.states.values import Subject

BEFORE = {"name": {"given": "Baby", "family": "Quillfeather"}, "expected_date": "2026-07-02"}
BIRTH = {"date_of_birth": "2026-06-01", "name": "Wren Nightjar"}


@pytest.fixture
async def reference(store: Store) -> str:
    """A contact about an unborn child."""
    set_time(store, START)
    subjects = (Subject(id="S1", cohort="unborn", age="unborn"),)
    command = ReceiveContact(contact="referral", source="2A", source_agency="health", subjects=subjects)
    items = [Item("concern", b"a concern"), Item("subject", json.dumps(BEFORE).encode(), "S1")]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def test_a_birth_supersedes_what_was_stored_and_keeps_it(store: Store, reference: str) -> None:
    set_time(store, START + timedelta(hours=1))
    await act(store, reference, RecordBirth(subject="S1"), DUTY, details=BIRTH)
    case = await read_case(store, reference)
    (new,) = [item for item in await read_items(store, case, DUTY) if item["kind"] == "subject"]
    assert json.loads(new["content"]) == BEFORE | BIRTH
    log = await read_log(store, reference)
    ((number, born),) = [(each.sequence, each.event) for each in log if isinstance(each.event, BirthRecorded)]
    assert case.referral.superseded == {born.instead_of: new["item"]}
    assert (born.details.item, born.age) == (new["item"], "child")
    told = {each.field: (each.was, each.now) for each in (await read_corrections(store, case, DUTY, log))[number]}
    assert told["name"] == ("Baby Quillfeather", "Wren Nightjar")


async def test_the_child_is_found_by_the_name_it_has_and_what_stands_beside_the_log_is_what_it_says(
    store: Store, reference: str
) -> None:
    await act(store, reference, RecordBirth(subject="S1"), DUTY, details=BIRTH)
    await Mender(store).look_at_all()
    assert [found.reference for found in await find(store, "Wren Nightjar", "", DUTY)] == [reference]
    assert await find(store, "Baby Quillfeather", "", DUTY) == []
    set_time(store, START + timedelta(hours=1))
    await say_who_comes_of_age(store)
    assert (await read_case(store, reference)).referral.subjects["S1"].coming_of_age is None


async def test_nothing_else_comes_with_a_birth(store: Store, reference: str) -> None:
    with pytest.raises(Incomplete, match="these are no details"):
        await act(store, reference, RecordBirth(subject="S1"), DUTY, details={**BIRTH, "email": "x@example.org"})
    with pytest.raises(Incomplete, match="date_of_birth"):
        await act(store, reference, RecordBirth(subject="S1"), DUTY)
    assert len([each for each in await read_log(store, reference) if isinstance(each.event, BirthRecorded)]) == 0
