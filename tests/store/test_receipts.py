"""One answer per idempotency key, and every contact that was accepted is an outcome or open."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.apply import act, apply, receive
from mash.flows.store.reads.counts import conservation
from mash.flows.store.receipts import Answer, KeyReused, answer_once, record_refused
from mash.flows.store.runs import unfinished
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.rating import RateReferral
from mash.states.errors import NothingToActOn, Refusal
from mash.states.values import Actor, Subject

SCHOOL = Actor(id="school-1", role="referrer", agency="school", hub="merton")
MANAGER = Actor(id="m.manager", role="team_manager", agency="social_care", hub="merton")
DUTY = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="merton")
CHILDREN = (Subject(id="s1", cohort="child"), Subject(id="s2", cohort="child"))
BODY = {"concern": "a bruise that is not explained"}


def contact(*subjects: Subject) -> ReceiveContact:
    return ReceiveContact(contact="referral", source="1A", source_agency="school", subjects=subjects or CHILDREN[:1])


def refused(refusal: Refusal) -> Answer:
    return Answer(422, {"title": refusal.title, "facts": refusal.facts})


async def submit(store: Store, key: str, body: dict[str, Any] = BODY, by: Actor = SCHOOL, *subjects: Subject) -> Answer:
    """Submit a contact as the API does."""

    async def work(connection: AsyncConnection) -> Answer:
        if not body:
            raise NothingToActOn("neither")
        done = await receive(connection, store, contact(*subjects), [Item("concern", str(body).encode())], by)
        return Answer(201, {"reference": done.reference}, done.reference)

    return await answer_once(store, by, key, "submission", body, work, refused)


async def test_the_same_request_again_gets_the_first_answer_again(store: Store) -> None:
    first = await submit(store, "k1")
    assert await submit(store, "k1") == first
    assert [case.reference for case in await unfinished(store)] == [first.reference]


async def test_the_order_of_fields_does_not_make_another_request(store: Store) -> None:
    assert await submit(store, "k1", {"a": 1, "b": 2}) == await submit(store, "k1", {"b": 2, "a": 1})


async def test_another_request_under_the_same_key_is_refused_and_changes_nothing(store: Store) -> None:
    first = await submit(store, "k1")
    with pytest.raises(KeyReused):
        await submit(store, "k1", {"concern": "another"})
    assert [case.reference for case in await unfinished(store)] == [first.reference]


async def test_two_callers_may_use_the_same_key(store: Store) -> None:
    other = SCHOOL.model_copy(update={"id": "school-2"})
    assert (await submit(store, "k1")).reference != (await submit(store, "k1", by=other)).reference


async def test_callers_of_one_name_at_two_hubs_may_use_the_same_key(store: Store) -> None:
    other = SCHOOL.model_copy(update={"hub": "sandwell"})
    here, there = await submit(store, "k1"), await submit(store, "k1", by=other)
    assert here.status == there.status == 201 and here.reference != there.reference
    assert (await submit(store, "k1", by=other)) == there


@pytest.mark.parametrize("key", ["zero\0byte", "".join(map(chr, range(0x4E00, 0x4E00 + 9_000)))], ids=["zero byte", "long"])
async def test_any_text_is_a_key(store: Store, key: str) -> None:
    first = await submit(store, key)
    assert first.status == 201 and await submit(store, key) == first
    await record_refused(store, SCHOOL, f"{key} again", "submission", {}, Answer(400, {}))


async def test_a_key_is_kept_as_a_digest_for_it_may_name_somebody(store: Store, owner_connection: Any) -> None:
    await submit(store, "isla-canary-2026-11-23")
    await record_refused(store, SCHOOL, "isla-canary-2", "submission", {}, Answer(400, {}))
    rows = owner_connection.execute("SELECT receipt::text FROM receipt").fetchall()
    assert len(rows) == 2 and not any("canary" in row for (row,) in rows)


async def test_a_receipt_of_before_keys_were_digests_still_answers(store: Store, owner_connection: Any) -> None:
    first = await submit(store, "k1")
    owner_connection.execute("UPDATE receipt SET key = 'k1'")
    assert await submit(store, "k1") == first
    with pytest.raises(KeyReused):
        await submit(store, "k1", {"concern": "another"})
    await record_refused(store, SCHOOL, "k1", "submission", {}, Answer(400, {}))
    assert owner_connection.execute("SELECT count(*) FROM receipt").fetchone() == (1,), "it has one already"


async def test_the_same_request_sent_many_times_at_once_makes_one_referral(store: Store) -> None:
    answers = await asyncio.gather(*(submit(store, "k1") for _ in range(8)))
    assert len({answer.reference for answer in answers}) == 1
    assert len(await unfinished(store)) == 1


async def test_different_requests_with_one_key_at_once_make_one_referral(store: Store) -> None:
    answers = await asyncio.gather(*(submit(store, "k1", {"concern": str(n)}) for n in range(6)), return_exceptions=True)
    assert sum(isinstance(answer, Answer) for answer in answers) == 1
    assert sum(isinstance(answer, KeyReused) for answer in answers) == 5
    assert len(await unfinished(store)) == 1


async def test_a_command_sent_again_while_the_first_is_on_its_way_gets_its_answer_and_no_refusal(store: Store) -> None:
    reference = (await submit(store, "k1")).reference
    assert reference
    rated = RateReferral(rating=next(iter(store.hub("merton").ratings)))

    async def give() -> Answer:
        async def work(connection: AsyncConnection) -> Answer:
            done = await apply(connection, store, reference, rated, DUTY)
            await asyncio.sleep(0.2)  # the others wait for the case meanwhile
            return Answer(200, {"events": [event.kind for event in done.events]}, reference)

        return await answer_once(store, DUTY, "k2", "command", {"rating": rated.rating}, work, refused)

    first, *others = await asyncio.gather(*(give() for _ in range(4)))
    assert first.status == 200 and all(other == first for other in others)


async def test_a_refused_submission_leaves_its_receipt_and_nothing_else(store: Store) -> None:
    first = await submit(store, "k1", {})
    assert first.status == 422
    assert await submit(store, "k1", {}) == first
    with pytest.raises(KeyReused):
        await submit(store, "k1")
    assert await unfinished(store) == []
    assert await conservation(store) == {"contacts": 0, "outcomes": 0, "open": 0}


async def test_work_that_breaks_leaves_no_referral_and_no_receipt(store: Store) -> None:
    async def work(connection: AsyncConnection) -> Answer:
        await receive(connection, store, contact(), [Item("concern", b"x")], SCHOOL)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        await answer_once(store, SCHOOL, "k1", "submission", BODY, work, refused)
    assert await unfinished(store) == []
    assert (await submit(store, "k1")).status == 201


async def test_contacts_in_are_outcomes_and_open_ones_also_when_subjects_go_different_ways(store: Store) -> None:
    answers = [await submit(store, f"k{n}", BODY, SCHOOL, *CHILDREN) for n in range(3)]
    await submit(store, "k-refused", {})
    assert await conservation(store) == {"contacts": 3, "outcomes": 0, "open": 3}
    reference = answers[0].reference or ""
    await act(store, reference, RateReferral(rating="blue"), DUTY)
    both = {"s1": "no_further_action", "s2": "early_help"}
    split = await act(store, reference, RecordDecision(outcomes=both, primary_need="N4"), MANAGER, words="one of them only")
    assert split.referral.subjects.keys() == {"s2"}
    assert await conservation(store) == {"contacts": 3, "outcomes": 0, "open": 3}
    other = answers[1].reference or ""
    await act(store, other, RateReferral(rating="blue"), DUTY)
    nothing = dict.fromkeys(("s1", "s2"), "no_further_action")
    await act(store, other, RecordDecision(outcomes=nothing), MANAGER, words="no concern")
    assert await conservation(store) == {"contacts": 3, "outcomes": 1, "open": 2}


async def test_a_body_is_recognised_without_being_kept(store: Store, owner_connection: Any) -> None:
    await submit(store, "k1", {"concern": "canary-in-a-body"})
    rows = owner_connection.execute("SELECT receipt::text FROM receipt").fetchall()
    assert rows and not any("canary" in row for (row,) in rows)
