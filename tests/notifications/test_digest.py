"""A storm is folded: one message to each recipient, naming every referral; what must stand alone stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import psycopg
from acting import START, submit
from hypothesis import given
from hypothesis import strategies as st
from posting import at, gateway, postman, send_all

from mash.config.settings import Settings
from mash.flows.store.apply import fire_due
from mash.flows.store.store import Store
from mash.notifications.digest import ALONE, FOLD_FROM, MOST_ALONE, folded
from mash.notifications.notices import DANGER, LATE, ORDINARY, RED, REFERRER
from mash.notifications.wording import Message, digest


@dataclass(frozen=True)
class Notice:
    hub: str
    role: str
    kind: str
    number: int
    person: str | None = None
    urgency: int = 3
    reference: str | None = None
    labels: tuple[str, ...] = ("1: mailto",)


KINDS = ("escalation", "warning", "contact_to_rate", *ALONE)
notices = st.lists(
    st.builds(
        Notice,
        hub=st.sampled_from(("north", "south")),
        role=st.sampled_from(("duty_manager", "police_lead", REFERRER)),
        kind=st.sampled_from(KINDS),
        number=st.integers(),
        person=st.sampled_from((None, "p1", "p2")),
        reference=st.integers(1, 30).map("MASH-26-{:06}".format),
        urgency=st.sampled_from((DANGER, RED, LATE, ORDINARY)),
    ),
    max_size=80,
)


@given(notices)
def test_every_notice_is_sent_once_and_only_to_its_own_recipient(waiting: list[Notice]) -> None:
    batches = folded(waiting)
    assert sorted(map(repr, waiting)) == sorted(repr(notice) for batch in batches for notice in batch)
    for batch in batches:
        assert len({(notice.hub, notice.person or notice.role) for notice in batch}) == 1
        if len(batch) > 1:
            red = min(notice.urgency for notice in batch) < LATE
            one = len({notice.reference for notice in batch}) == 1
            of_late = one and all(notice.kind == "escalation" for notice in batch)
            assert len(batch) >= FOLD_FROM or red or of_late
            assert one or not red or len({n.reference for n in batch}) > MOST_ALONE, "red stays alone"
            assert not any(notice.kind in ALONE or notice.role == REFERRER for notice in batch)


@given(notices)
def test_the_urgent_goes_first(waiting: list[Notice]) -> None:
    urgencies = [min(notice.urgency for notice in batch) for batch in folded(waiting)]
    assert urgencies == sorted(urgencies)


def test_one_message_of_many_names_every_referral_and_where_to_acknowledge_it() -> None:
    many = [
        Message(title=f"LATE: MASH-26-00000{n}, triage", lines=("Late.",), links=(("Acknowledge", f"http://hub/alerts/{n}"),))
        for n in range(4)
    ]
    message = digest(
        [
            *many,
            Message(title="MASH-26-000009 waits for a rating", lines=("Unrated.",), links=(("Rate it", "http://hub/cases/9"),)),
        ]
    )
    assert message.title == "5 alerts, 4 of them late"
    for n in range(4):
        assert f"MASH-26-00000{n}, triage: http://hub/alerts/{n}" in message.body
    assert "http://hub/cases/9" in message.body


async def test_a_storm_of_clocks_is_one_message_and_each_alert_keeps_its_own_try(
    store: Store, settings: Settings, owner_connection: psycopg.Connection
) -> None:
    with gateway() as phones:
        post = postman(store, settings, ["[merton]", f'"*" = ["{phones.url("role")}"]'])
        at(store, START)
        references = [await submit(store) for _ in range(30)]
        await send_all(post)
        before = len(phones.titles("role"))
        at(store, START + timedelta(minutes=61))
        assert await fire_due(store) == 30
        await send_all(post)
        (late,) = [body for body in phones.bodies("role")[before:] if "LATE" in body]
        assert all(reference in late for reference in references)
    done = owner_connection.execute(
        "SELECT count(DISTINCT notice) FROM delivery JOIN notice ON notice.id = notice"
        " WHERE kind = 'escalation' AND result = 'ok'"
    ).fetchone()
    assert done == (30,)
