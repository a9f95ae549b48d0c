"""An 18th birthday in an open case: said by day, four weeks ahead and on the day, once each, and without the date."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from acting import DUTY, MANAGER, SCHOOL, START, set_time
from sqlalchemy import select

from mash.flows.carrying.coming_of_age import say_who_comes_of_age
from mash.flows.store.apply import act, receive
from mash.flows.store.log import read_log
from mash.flows.store.reads.case import read_case
from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.handing_over import AcceptHandOver
from mash.states.acts.of_age import HandOverToAdults, KeepPastEighteen
from mash.states.acts.rating import RateReferral
from mash.states.errors import Incomplete
from mash.states.values import Subject

BIRTHDAY = "2008-07-04"
SOON, EVE, DAY = (datetime(2026, *day, 9, 0, tzinfo=UTC) for day in ((6, 8), (7, 3), (7, 4)))
MONDAY = datetime(2026, 7, 6, 9, 0, tzinfo=UTC)
NIGHT = timedelta(hours=15)


async def contact(store: Store, born: str | None = BIRTHDAY, cohort: str = "child") -> str:
    """A contact about somebody born on this day, received on 2 June 2026."""
    set_time(store, START)
    subjects = (Subject.model_validate({"id": "S1", "cohort": cohort}),)
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects)
    items = [Item("concern", b"a concern"), Item("subject", json.dumps({"date_of_birth": born}).encode(), "S1")]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def look(store: Store, *at: datetime) -> None:
    """The worker looks at these times."""
    for time in at:
        set_time(store, time)
        await say_who_comes_of_age(store)


async def said(store: Store, reference: str) -> list[tuple[str, datetime]]:
    return [(each.event.when, each.at) for each in await read_log(store, reference) if each.event.kind == "coming_of_age_said"]


async def told(store: Store, reference: str) -> list[tuple[str, bool]]:
    """Which roles were told, and whether the birthday had come."""
    query = select(NOTICES).where(NOTICES.c.reference == reference, NOTICES.c.kind == "coming_of_age").order_by(NOTICES.c.id)
    async with store.single.connect() as connection:
        return [(row.role, json.loads(row.facts)["of_age"]) for row in (await connection.execute(query)).all()]


async def test_an_18th_birthday_is_said_four_weeks_ahead_and_when_the_hub_is_next_open_once_each(store: Store) -> None:
    reference = await contact(store)
    await look(store, START, SOON, SOON + timedelta(hours=1), EVE, DAY, MONDAY, MONDAY + timedelta(hours=1))
    # The birthday is a Saturday, on which Merton is closed.
    assert await said(store, reference) == [("soon", SOON), ("today", MONDAY)]
    assert await told(store, reference) == [("duty_manager", False), ("duty_manager", True)]
    subject = (await read_case(store, reference)).referral.subjects["S1"]
    assert (subject.cohort, subject.age) == ("child", "adult") and subject.counts_as_child


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE personal_item SET sealed = sealed || '\\x00'::bytea WHERE reference = %s AND kind = 'subject'",
        "UPDATE referral_key SET wrapped = wrapped || '\\x00'::bytea WHERE reference = %s",
        "UPDATE referral SET state = '{}' WHERE reference = %s",
    ],
)
async def test_one_case_that_cannot_be_read_keeps_nobody_elses_birthday_from_being_said_and_administrators_hear_once(
    store: Store, owner_connection: psycopg.Connection, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await contact(store), await contact(store)
    owner_connection.execute(broken.encode(), (first,))
    await look(store, SOON, SOON + timedelta(hours=1))
    assert await said(store, second) == [("soon", SOON)] and await said(store, first) == []
    query = select(NOTICES.c.facts).where(NOTICES.c.role == "administrator", NOTICES.c.kind == "system")
    async with store.single.connect() as connection:
        (facts,) = (await connection.scalars(query)).all()
    assert first in facts and second not in facts and "could not be looked up" in facts
    assert not re.search(r"\b2008\b", facts + capsys.readouterr().out)


async def test_nothing_is_said_at_night(store: Store) -> None:
    reference = await contact(store)
    await look(store, SOON - NIGHT, SOON - timedelta(hours=4))
    assert await said(store, reference) == []


@pytest.mark.parametrize(
    ("born", "cohort"), [(None, "child"), ("1990-07-04", "child"), ("2016-07-04", "child"), ("1990-07-04", "adult")]
)
async def test_nothing_is_said_of_who_does_not_come_of_age_in_the_case(store: Store, born: str | None, cohort: str) -> None:
    reference = await contact(store, born, cohort)
    await look(store, SOON, MONDAY)
    assert await said(store, reference) == []


async def test_the_date_is_in_no_log_and_no_notice(store: Store) -> None:
    reference = await contact(store)
    await look(store, SOON, MONDAY)
    log = "".join(each.canonical() for each in await read_log(store, reference))
    async with store.single.connect() as connection:
        facts = "".join((await connection.scalars(select(NOTICES.c.facts))).all())
    assert not re.search(r"\b2008\b", log + facts) and "07-04" not in log + facts  # within a digest it is no year


async def test_a_case_does_not_end_over_somebody_who_came_of_age_in_it(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    await look(store, SOON, MONDAY)
    ended = RecordDecision(outcomes={"S1": "no_further_action"})
    with pytest.raises(Incomplete, match="hand_over_to_adults"):
        await act(store, reference, ended, MANAGER, words="Nothing more.")
    await act(store, reference, HandOverToAdults(subject="S1", to="adult_social_care"), DUTY, words="They know.")
    assert (await read_case(store, reference)).referral.subjects["S1"].surely is None, "nobody has accepted them yet"
    await act(store, reference, AcceptHandOver(hand_over="adult_social_care"), MANAGER, words="Ms Ray has them.")
    case = (await read_case(store, reference)).referral
    assert case.subjects["S1"].surely == "adult" and case.open
    await act(store, reference, ended, MANAGER, words="Nothing more.")
    assert not (await read_case(store, reference)).referral.open


async def test_whoever_stays_is_protected_as_before(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    await look(store, SOON)
    await act(store, reference, KeepPastEighteen(subject="S1"), DUTY, words="A plan under way ends in August.")
    await look(store, MONDAY)
    decision = RecordDecision(outcomes={"S1": "section_17"}, primary_need="N1")
    await act(store, reference, decision, MANAGER, words="As planned.")
    assert (await read_case(store, reference)).referral.stage == "section_17_assessment"
