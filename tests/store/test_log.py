"""The chain proves the log: whoever changes, removes, inserts or exchanges something is found out."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest
from acting import turned_away

from mash.flows.store.apply import act, receive
from mash.flows.store.erasure import erase
from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.log import read_log, verify
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.items import read_items
from mash.flows.store.receipts import Answer, answer_once
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.closing import ErasePeople, PeopleErased
from mash.states.acts.contact import ReceiveContact, RecordCategories
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import AddNote
from mash.states.errors import Incomplete, NotFound
from mash.states.log import Recorded
from mash.states.values import Actor, Subject

SCHOOL = Actor(id="school-1", role="referrer", agency="school", hub="merton")
DUTY = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="merton")
MANAGER = Actor(id="m.manager", role="team_manager", agency="social_care", hub="merton")
GOVERNOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
MISTAKE = ErasePeople(why="recorded_by_mistake")
Tamper = Callable[[psycopg.Connection, str], object]


async def submit(store: Store) -> str:
    """A contact about two children, with its receipt; its reference."""

    async def work(connection: object) -> Answer:
        subjects = (Subject(id="s1", cohort="child"), Subject(id="s2", cohort="child"))
        command = ReceiveContact(contact="referral", source="1A", source_agency="school", subjects=subjects)
        done = await receive(connection, store, command, [Item("concern", b"a concern")], SCHOOL)
        return Answer(201, {}, done.reference)

    answer = await answer_once(store, SCHOOL, str(uuid4()), "submission", {}, work, lambda refusal: Answer(422, {}))
    return answer.reference or ""


async def a_case(store: Store) -> str:
    """A referral with words of several people, and its linked one."""
    reference = await submit(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="only a question")
    await act(store, reference, AddNote(), DUTY, words="rang back")
    outcomes = {"s1": "advice", "s2": "early_help"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N4"), MANAGER, words="as agreed")
    return reference


async def found(store: Store) -> list[str]:
    return [wrong async for wrong in verify(store)]


async def test_a_healthy_log_is_silent(store: Store) -> None:
    for _ in range(2):
        await a_case(store)
    assert await found(store) == []


def change_words_of_log(owner: psycopg.Connection, reference: str) -> None:
    owner.execute(
        "UPDATE event SET canonical = replace(canonical, 'blue', 'red') WHERE reference = %s AND kind = 'referral_rated'",
        (reference,),
    )


def change_and_hash_again(owner: psycopg.Connection, reference: str) -> None:
    row = owner.execute("SELECT canonical FROM event WHERE reference = %s AND kind = 'referral_rated'", (reference,)).fetchone()
    assert row
    changed = row[0].replace('"blue"', '"amber"')
    owner.execute(
        "UPDATE event SET canonical = %s, hash = %s WHERE reference = %s AND kind = 'referral_rated'",
        (changed, Recorded.digest(changed), reference),
    )


def remove_from_the_middle(owner: psycopg.Connection, reference: str) -> None:
    owner.execute("DELETE FROM event WHERE reference = %s AND kind = 'note_added'", (reference,))


def remove_and_close_the_gap(owner: psycopg.Connection, reference: str) -> None:
    row = owner.execute("SELECT sequence FROM event WHERE reference = %s AND kind = 'note_added'", (reference,)).fetchone()
    assert row
    remove_from_the_middle(owner, reference)
    owner.execute("UPDATE event SET sequence = -(sequence - 1) WHERE reference = %s AND sequence > %s", (reference, row[0]))
    owner.execute("UPDATE event SET sequence = -sequence WHERE reference = %s AND sequence < 0", (reference,))


def cut_off(owner: psycopg.Connection, reference: str) -> None:
    owner.execute(
        "DELETE FROM event WHERE reference = %s AND sequence > (SELECT max(sequence) - 2 FROM event WHERE reference = %s)",
        (reference, reference),
    )


def remove_all_events(owner: psycopg.Connection, reference: str) -> None:
    owner.execute("DELETE FROM event WHERE reference = %s", (reference,))


def append_one(owner: psycopg.Connection, reference: str) -> None:
    row = owner.execute(
        "SELECT canonical, hash, sequence FROM event WHERE reference = %s ORDER BY sequence DESC LIMIT 1", (reference,)
    ).fetchone()
    assert row
    forged = Recorded.model_validate_json(row[0]).model_copy(update={"sequence": row[2] + 1, "previous": row[1]}).canonical()
    owner.execute(
        "INSERT INTO event SELECT reference, sequence + 1, kind, at, %s, %s, hub FROM event"
        " WHERE reference = %s AND sequence = %s",
        (forged, Recorded.digest(forged), reference, row[2]),
    )


def insert_between(owner: psycopg.Connection, reference: str) -> None:
    owner.execute("UPDATE event SET sequence = -(sequence + 1) WHERE reference = %s AND sequence > 3", (reference,))
    owner.execute("UPDATE event SET sequence = -sequence WHERE reference = %s AND sequence < 0", (reference,))
    owner.execute(
        "INSERT INTO event SELECT reference, 4, kind, at, canonical, hash, hub FROM event WHERE reference = %s AND sequence = 3",
        (reference,),
    )


def exchange_words(owner: psycopg.Connection, reference: str) -> None:
    """Two people's words change places: both still open."""
    owner.execute(
        """UPDATE personal_item a SET sealed = b.sealed FROM personal_item b WHERE a.reference = %s AND b.reference = %s
           AND a.kind = 'add_note' AND b.kind = 'rate_referral'""",
        (reference, reference),
    )


def garble_words(owner: psycopg.Connection, reference: str) -> None:
    owner.execute(
        "UPDATE personal_item SET sealed = sealed || '\\x00'::bytea WHERE reference = %s AND kind = 'add_note'", (reference,)
    )


def remove_words(owner: psycopg.Connection, reference: str) -> None:
    owner.execute("DELETE FROM personal_item WHERE reference = %s AND kind = 'add_note'", (reference,))


def change_state(owner: psycopg.Connection, reference: str) -> None:
    owner.execute("UPDATE referral SET state = replace(state, '\"early_help\"', '\"advice\"') WHERE reference = %s", (reference,))


def remove_referral(owner: psycopg.Connection, reference: str) -> None:
    owner.execute("DELETE FROM referral WHERE reference = %s", (reference,))


def remove_every_trace_but_the_receipt(owner: psycopg.Connection, reference: str) -> None:
    remove_referral(owner, reference)
    remove_all_events(owner, reference)


@pytest.mark.parametrize(
    ("tamper", "finding"),
    [
        (change_words_of_log, "was changed"),
        (change_and_hash_again, "does not follow the one before it"),
        (remove_from_the_middle, "was removed"),
        (remove_and_close_the_gap, "does not follow the one before it"),
        (cut_off, "was cut off after event"),
        (remove_all_events, "was cut off after event 0"),
        (append_one, "was inserted at the end"),
        (insert_between, "does not follow the one before it"),
        (exchange_words, "the words of event"),
        (garble_words, "the words of event"),
        (remove_words, "the words of event"),
        (change_state, "the stored state is not what the log says"),
        (remove_referral, "the referral is gone"),
        (remove_every_trace_but_the_receipt, "the referral is gone"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_tampering_is_found_and_only_where_it_happened(
    store: Store, owner_connection: psycopg.Connection, tamper: Tamper, finding: str
) -> None:
    await a_case(store)
    reference = await a_case(store)
    tamper(owner_connection, reference)
    wrong = await found(store)
    assert wrong and all(sentence.startswith(f"{reference}: ") for sentence in wrong)
    assert any(finding in sentence for sentence in wrong), wrong


async def test_erasing_people_leaves_a_log_that_still_proves_itself_and_says_so(store: Store) -> None:
    reference, other = await turned_away(store), await a_case(store)
    before = await read_log(store, reference)
    assert await erase(store, reference, MISTAKE, GOVERNOR) == [reference]
    assert await found(store) == []
    after = await read_log(store, reference)
    assert after[: len(before)] == before and after[-1].event == PeopleErased(why="recorded_by_mistake")
    with pytest.raises(KeyDestroyed):
        await read_items(store, await read_case(store, reference), DUTY)
    assert "a concern" in [item["content"] for item in await read_items(store, await read_case(store, other), DUTY)]


async def test_nobody_is_erased_of_a_case_that_is_open(store: Store) -> None:
    reference = await a_case(store)
    with pytest.raises(Incomplete, match="open"):
        await erase(store, reference, MISTAKE, GOVERNOR)
    assert "a concern" in [item["content"] for item in await read_items(store, await read_case(store, reference), DUTY)]


async def test_after_erasure_a_changed_event_is_still_found(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await turned_away(store)
    await erase(store, reference, MISTAKE, GOVERNOR)
    owner_connection.execute("UPDATE event SET canonical = replace(canonical, 'school-1', 'school-2') WHERE sequence = 1")
    assert any("was changed" in sentence for sentence in await found(store))


async def test_there_is_no_log_and_no_key_of_a_referral_that_never_was(store: Store) -> None:
    with pytest.raises(NotFound):
        await read_log(store, "MASH-26-999999")
    with pytest.raises(NotFound):
        await erase(store, "MASH-26-999999", MISTAKE, GOVERNOR)


async def test_a_key_that_vanished_without_an_erasure_is_found(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await a_case(store)
    owner_connection.execute("DELETE FROM referral_key WHERE reference = %s", (reference,))
    assert await found(store) != []


async def test_words_that_come_with_an_act_that_has_no_place_for_them_stay_with_the_case_as_a_note(store: Store) -> None:
    reference = await submit(store)
    await act(store, reference, RecordCategories(categories=("domestic_abuse",)), DUTY, words="She has said so at school.")
    said = [each["content"] for each in await read_items(store, await read_case(store, reference), DUTY)]
    assert "She has said so at school." in said
    assert [each.event.kind for each in await read_log(store, reference)][-2:] == ["categories_recorded", "note_added"]
    assert [wrong async for wrong in verify(store)] == []
