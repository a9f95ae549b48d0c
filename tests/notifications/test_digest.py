"""A storm is folded: one message to each recipient, naming every referral; what must stand alone stands alone."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from acting import DUTY, START, set_time, submit
from hypothesis import given
from hypothesis import strategies as st

from mash.flows.store.apply import fire_due
from mash.flows.store.outbox import claim, record_delivered
from mash.flows.store.store import Store
from mash.notifications.digest import ALONE, FOLD_FROM, digest, folded
from mash.notifications.wording import REFERRER, Message


@dataclass(frozen=True)
class Notice:
    hub: str
    role: str
    kind: str
    number: int


KINDS = ("escalation", "warning", "contact_to_rate", *ALONE)
notices = st.lists(
    st.builds(
        Notice,
        hub=st.sampled_from(("north", "south")),
        role=st.sampled_from(("duty_manager", "police_lead", REFERRER)),
        kind=st.sampled_from(KINDS),
        number=st.integers(),
    ),
    max_size=40,
)


@given(notices)
def test_every_notice_is_sent_once_and_only_to_its_own_recipient(waiting: list[Notice]) -> None:
    batches = folded(waiting)
    assert sorted(map(repr, waiting)) == sorted(repr(notice) for batch in batches for notice in batch)
    for batch in batches:
        assert len({(notice.hub, notice.role) for notice in batch}) == 1
        if len(batch) > 1:
            assert len(batch) >= FOLD_FROM
            assert not any(notice.kind in ALONE or notice.role == REFERRER for notice in batch)


def test_one_message_of_many_names_every_referral_and_where_to_acknowledge_it() -> None:
    many = [Message(title=f"LATE: MASH-26-00000{n}, triage", body=f"Late.\nhttp://hub/alerts/{n}") for n in range(4)]
    message = digest([*many, Message(title="MASH-26-000009 waits for a rating", body="Unrated.\nhttp://hub/cases/9")])
    assert message.title == "5 alerts, 4 of them late"
    for n in range(4):
        assert f"MASH-26-00000{n}, triage\nhttp://hub/alerts/{n}" in message.body
    assert "http://hub/cases/9" in message.body


async def test_a_storm_of_clocks_is_claimed_as_one_message_and_each_alert_keeps_its_own_try(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    set_time(store, START)
    references = [await submit(store) for _ in range(30)]
    while claimed := await claim(store, limit=100):
        for notice in claimed:
            await record_delivered(store, [notice], "test ok")
    set_time(store, START.replace(hour=START.hour + 1))
    assert await fire_due(store) == 30
    claimed = await claim(store, limit=1)
    (late,) = [batch for batch in folded(claimed) if batch[0].role == DUTY.role]
    assert {notice.reference for notice in late} == set(references)
    await record_delivered(store, late, "test ok")
    done = owner_connection.execute(
        "SELECT count(DISTINCT notice) FROM delivery JOIN notice ON notice.id = notice"
        " WHERE kind = 'escalation' AND result = 'test ok'"
    ).fetchone()
    assert done == (30,)
