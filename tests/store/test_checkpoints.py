"""Signed checkpoints: a chain that its owner wrote anew, so that it proves itself, does not stand against one kept elsewhere."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

import psycopg
import pytest
from acting import BASIS, DUTY, SCHOOL, submit
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mash.flows.carrying.night import check_conservation
from mash.flows.store.apply import act
from mash.flows.store.checkpoints import NONE_BEFORE, Signed, check_signatures, make_checkpoint, read_checkpoints
from mash.flows.store.held_against import verify_against
from mash.flows.store.log import fold, read_log, verify
from mash.flows.store.reads.accesses import accesses_of
from mash.flows.store.reads.look import look_at, note_list
from mash.flows.store.receipts import Answer, record_refused
from mash.flows.store.store import Store
from mash.states.acts.rating import RateReferral
from mash.states.log import GENESIS, Recorded
from mash.states.values import Actor

GOVERNANCE = Actor(id="i.governor", role="information_governance", agency="social_care", hub="merton")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


async def held_against(store: Store, before: list[Signed]) -> list[str]:
    return [sentence async for sentence in verify_against(store, before)]


async def test_each_checkpoint_holds_what_is_new_and_names_the_one_before(store: Store) -> None:
    reference = await submit(store)
    first = await make_checkpoint(store, KEY)
    await act(store, reference, BASIS, DUTY)
    await look_at(store, reference, DUTY, "read_case")
    second = await make_checkpoint(store, KEY)
    third = await make_checkpoint(store, KEY)
    count = len(first.contents["events"][reference][1])
    assert second.contents["events"][reference][0] == count + 1 and third.contents["events"] == {}
    assert second.contents["accesses"]["count"] == 1 and third.contents["accesses"]["count"] == 0
    assert (second.contents["previous"], third.contents["previous"]) == (first.digest, second.digest)
    assert [each.contents["number"] for each in await read_checkpoints(store)] == [1, 2, 3]
    assert check_signatures(await read_checkpoints(store), KEY.public_key()) == []
    assert await held_against(store, [first, second, third]) == []


async def test_a_checkpoint_counts_what_came_in_what_became_of_it_and_what_was_refused(store: Store) -> None:
    await submit(store)
    await record_refused(store, SCHOOL, "k-1", "submission", {}, Answer(422, {}))
    contents = (await make_checkpoint(store, KEY)).contents["contacts"]
    # The store's own submission has no receipt here: that is what the check is there to find.
    assert contents == {"contacts": 0, "outcomes": 0, "open": 1, "refused": 1}


async def test_a_contact_that_is_missing_is_alarmed_in_every_hub(store: Store) -> None:
    await submit(store)
    # The store's own submission has no receipt: one contact more than was accepted.
    await check_conservation(store)
    async with store.single.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT hub, role, facts FROM notice WHERE kind = 'system'")).all()
        repairs = (await connection.exec_driver_sql("SELECT what FROM repair")).scalars().all()
    assert {(row.hub, row.role) for row in rows} == {
        (hub, role) for hub in store.hubs for role in ("administrator", "information_governance")
    }
    assert all("0 contacts were received" in row.facts and "1 are open" in row.facts for row in rows)
    assert [what for what in repairs if "conservation fails" in what]


def write_anew(owner: psycopg.Connection, log: list[Recorded], reference: str) -> None:
    """What an owner could do: another history, every hash reckoned anew."""
    head = GENESIS
    for recorded in log:
        anew = recorded.model_copy(update={"previous": head})
        canonical = anew.canonical()
        head = Recorded.digest(canonical)
        owner.execute(
            "UPDATE event SET canonical = %s, hash = %s WHERE reference = %s AND sequence = %s",
            (canonical, head, reference, anew.sequence),
        )
    state = fold(log).model_dump_json()
    owner.execute("UPDATE referral SET head_hash = %s, state = %s WHERE reference = %s", (head, state, reference))


async def test_a_chain_written_anew_proves_itself_but_not_against_a_checkpoint_which_names_the_event(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference, other = await submit(store), await submit(store)
    await act(store, reference, RateReferral(rating="green"), DUTY)
    before = [await make_checkpoint(store, KEY)]
    log = await read_log(store, reference)
    place = next(n for n, recorded in enumerate(log) if recorded.event.kind == "referral_rated")
    log[place] = log[place].model_copy(update={"by": SCHOOL})
    write_anew(owner_connection, log, reference)
    assert [s async for s in verify(store) if "words" not in s] == [], "by itself it holds"
    wrong = await held_against(store, before)
    assert len(wrong) == 1 and wrong[0].startswith(f"{reference}: event {place + 1}, signed on") and "was changed" in wrong[0]
    assert other not in str(wrong)


async def test_a_removed_event_and_a_removed_case_are_named(store: Store, owner_connection: psycopg.Connection) -> None:
    reference, other = await submit(store), await submit(store)
    before = [await make_checkpoint(store, KEY)]
    owner_connection.execute("DELETE FROM event WHERE reference = %s AND sequence = 2", (reference,))
    owner_connection.execute("DELETE FROM event WHERE reference = %s", (other,))
    wrong = await held_against(store, before)
    assert any(s.startswith(f"{reference}: event 2,") and "was removed" in s for s in wrong)
    assert any(s.startswith(f"{other}: event 1,") and "was removed" in s for s in wrong)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM access", "UPDATE access SET person = 'nobody'", "UPDATE access SET reference = 'X'"]
)
async def test_who_looked_cannot_be_taken_back(store: Store, owner_connection: psycopg.Connection, statement: str) -> None:
    reference = await submit(store)
    await look_at(store, reference, DUTY, "read_case")
    before = [await make_checkpoint(store, KEY)]
    owner_connection.execute(statement.encode())
    assert any("accesses 1 to 1 are not as they were signed" in s for s in await held_against(store, before))


async def test_who_asked_what_a_person_looked_at_is_signed_too(store: Store, owner_connection: psycopg.Connection) -> None:
    await accesses_of(store, "d.manager", GOVERNANCE)
    before = [await make_checkpoint(store, KEY)]
    assert before[0].contents["accesses"]["count"] == 1 and await held_against(store, before) == []
    owner_connection.execute("UPDATE access SET about = 'somebody.else'")
    assert any("accesses 1 to 1 are not as they were signed" in s for s in await held_against(store, before))


async def test_that_other_cases_were_among_those_that_somebody_was_shown_is_found(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    await note_list(store, ["MASH-26-000001", "MASH-26-000002"], DUTY, "read_board")
    before = [await make_checkpoint(store, KEY)]
    assert before[0].contents["accesses"]["count"] == 1 and await held_against(store, before) == []
    owner_connection.execute("UPDATE access SET shown = ARRAY['MASH-26-000001']")
    assert any("accesses 1 to 1 are not as they were signed" in s for s in await held_against(store, before))


async def test_a_checkpoint_of_before_accesses_said_whom_they_are_about_holds(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await submit(store)
    await look_at(store, reference, DUTY, "read_case")
    (row,) = owner_connection.execute("SELECT id, at, person, role, agency, hub, reference, action, why FROM access").fetchall()
    signed = json.dumps([[row[0], row[1].astimezone(UTC).isoformat(), *row[2:]]], separators=(",", ":"))
    accesses = {"after": 0, "to": row[0], "count": 1, "digest": hashlib.sha256(signed.encode()).hexdigest()}
    contents = {"number": 1, "previous": NONE_BEFORE, "at": "2026-11-23T00:00:00+00:00", "events": {}, "accesses": accesses}
    of_then = Signed(json.dumps(contents), "")
    owner_connection.execute("INSERT INTO checkpoint VALUES (1, now(), %s, '')", (of_then.document,))
    wrong = await held_against(store, [of_then])
    assert [sentence for sentence in wrong if "written later" not in sentence] == []


async def test_a_forged_a_changed_and_a_left_out_checkpoint_are_found(store: Store) -> None:
    await submit(store)
    one, two, three = [await make_checkpoint(store, KEY) for _ in range(3)]
    forged = Signed(two.document, Ed25519PrivateKey.generate().sign(two.document.encode()).hex())
    contents = two.contents | {"contacts": {"contacts": 0, "outcomes": 0, "open": 0, "refused": 0}}
    changed = Signed(json.dumps(contents), two.signature)
    public = KEY.public_key()
    assert any("signature does not hold" in s for s in check_signatures([one, forged, three], public))
    assert any("signature does not hold" in s for s in check_signatures([one, changed, three], public))
    assert any("left out" in s for s in check_signatures([one, three], public))
    assert check_signatures([one, two, three], Ed25519PrivateKey.generate().public_key()) != []
