"""Stored logs decided again, and reckoned by other rules."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, START, set_time, submit, turned_away
from sqlalchemy import insert, select

from mash.config import instead
from mash.config.instead import instead_of
from mash.config.profile import load_profile
from mash.config.toml_lines import WrongFile
from mash.flows.carrying.night import OTHERWISE, check_replay
from mash.flows.store.apply import act, apply, fire_due
from mash.flows.store.playing import Case, Rules
from mash.flows.store.replay import parts_of, replay
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, NOTICES, PROFILES, REPAIRS
from mash.flows.store.whatif import cases_of, coverage_of, limits_by, limits_of, played
from mash.states.acts.checks import AnswerCheck, AskAgencies
from mash.states.acts.contact import RecordCategories
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.rating import RateReferral
from mash.states.log import RULES_EDITION
from mash.states.register import ACTS
from mash.states.whatif import Coverage, Limits, Whose

MERTON = load_profile("merton")


async def worked_on(store: Store) -> str:
    """A contact that was rated and asked about; the police answered after six hours."""
    set_time(store, START)
    reference = await submit(store, "s1", "s2")
    await act(store, reference, BASIS, DUTY)
    set_time(store, START + timedelta(minutes=20))
    await act(store, reference, RateReferral(rating="amber"), DUTY, words="seen before")
    set_time(store, START + timedelta(hours=6))
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words="a call last year")
    set_time(store, START + timedelta(days=3))
    await fire_due(store)
    return reference


async def stored(store: Store, reference: str) -> list[dict[str, object]]:
    async with store.single.connect() as connection:
        query = select(EVENTS.c.canonical).where(EVENTS.c.reference == reference).order_by(EVENTS.c.sequence)
        return [json.loads(text) for text in await connection.scalars(query)]


async def test_each_event_says_by_which_edition_it_was_decided_and_the_first_of_an_act_what_was_asked(store: Store) -> None:
    reference = await worked_on(store)
    log = await stored(store, reference)
    assert {event["edition"] for event in log} == {RULES_EDITION}
    asked = [event["act"] for event in log if "act" in event]
    assert asked == ["receive_contact", "record_sharing_basis", "rate_referral", "answer_check", "fire_clocks"]


async def test_words_for_which_an_act_had_no_place_are_an_act_of_their_own(store: Store) -> None:
    reference = await worked_on(store)
    await act(store, reference, RecordCategories(categories=("neglect",)), DUTY, words="said by the school")
    log = await stored(store, reference)
    assert [event["act"] for event in log if "act" in event][-2:] == ["record_categories", "add_note"]
    assert (await replay(store)).different == []


async def test_logs_decided_again_come_out_the_same_also_where_a_case_was_split(store: Store) -> None:
    reference = await worked_on(store)
    await turned_away(store)
    for agency in MERTON.agencies:
        if agency != "police":
            by = POLICE.model_copy(update={"id": agency, "agency": agency})
            try:
                await act(store, reference, AnswerCheck(agency=agency, known=False), by)
            except Exception:
                continue
    outcomes = {"s1": "section_17", "s2": "no_further_action"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="they differ")
    found = await replay(store)
    assert found.cases == 3 and found.decided > 8 and found.older == 0
    assert found.different == []


async def test_the_night_tells_the_administrators_of_the_hub_whose_case_comes_out_otherwise_once_a_week(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await worked_on(store)
    await check_replay(store)
    # Somebody changes what an answer comes to, and raises no edition.
    other = replace(ACTS["answer_check"], decide=ACTS["add_note"].decide)
    monkeypatch.setitem(ACTS, "answer_check", other)
    await check_replay(store)
    await check_replay(store)
    async with store.single.connect() as connection:
        repairs = (await connection.scalars(select(REPAIRS.c.what).where(REPAIRS.c.reference == reference))).all()
        told = (await connection.execute(select(NOTICES.c.hub).where(NOTICES.c.facts.contains(OTHERWISE)))).all()
    assert len(repairs) == 2
    assert f"{reference}: event" in repairs[0] and "(answer_check)" in repairs[0] and "note_added now" in repairs[0]
    assert [each.hub for each in told] == ["merton"]


@pytest.mark.parametrize("cases", [1, 200, 201, 14_400, 72_000])
async def test_each_case_has_its_turn_within_two_months_however_many_there_are(cases: int) -> None:
    nights = parts_of(cases)
    assert nights <= 64 and nights & (nights - 1) == 0
    assert nights == 64 or cases <= 200 * nights
    assert nights == 1 or cases > 200 * nights // 2


async def test_every_case_is_decided_again_once_in_as_many_nights_as_there_are_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mash.flows.store.replay.A_NIGHT", 2)
    for _ in range(6):
        await submit(store, "s1")
    tonight = date(2026, 6, 2)
    found = [await replay(store, tonight + timedelta(days=night)) for night in range(4)]
    assert sum(each.cases for each in found) == 6 and sum(each.decided for each in found) == (await replay(store)).decided


async def test_a_years_contacts_are_reckoned_by_other_limits_and_covered_by_another_profile(store: Store) -> None:
    await worked_on(store)
    since, setting = START - timedelta(days=1), ["ratings.amber.reply=30 min"]
    found = await limits_of(store, MANAGER, since, setting)
    assert await limits_by(store, MANAGER, since, instead_of(MERTON, setting)) == found
    police = Whose("check", "police")
    assert found.contacts == 1 and not found.not_reckoned
    assert (found.was[police].late, found.would[police].late) == (0, 1)
    own, other = [await coverage_of(store, MANAGER, since, load_profile(hub)) for hub in ("merton", "sandwell")]
    assert (own.contacts, own.whole) == (1, 1)
    assert other.contacts == other.whole + sum(other.first.values()) == 1


async def test_a_version_of_the_profile_that_had_no_such_limit_is_gone_by_as_it_is_and_counted(store: Store) -> None:
    await worked_on(store)
    without = MERTON.model_copy(update={"ratings": {name: each for name, each in MERTON.ratings.items() if name != "green"}})
    stored = {"digest": without.digest, "hub": "merton", "document": without.canonical, "stored_at": START}
    async with store.engine.begin() as connection:
        await connection.execute(insert(PROFILES).values(stored))
    store.hubs["merton"] = without
    await submit(store, "s1")
    store.hubs["merton"] = MERTON
    since = START - timedelta(days=1)
    found = await limits_of(store, MANAGER, since, ["ratings.green.reply=30 min"])
    assert (found.contacts, found.unset) == (2, 1) and not found.not_reckoned
    assert (await limits_of(store, MANAGER, since, ["ratings.amber.reply=30 min"])).unset == 0


async def test_a_contact_whose_log_cannot_be_read_is_not_reckoned_and_the_others_are(store: Store) -> None:
    broken, _ = await worked_on(store), await worked_on(store)
    since = START - timedelta(days=1)

    async def one_is_broken() -> AsyncGenerator[list[Case]]:
        async for some in cases_of(store, MANAGER, since):
            yield [case._replace(events=[("nobody_knows", "{}")]) if case.root == broken else case for case in some]

    rules = Rules(store.time.now(), MERTON.canonical)
    found = await played(one_is_broken(), rules, Limits())
    ((stop, contacts),) = found.not_reckoned.items()
    assert found.contacts == 2 and contacts == 1 and "cannot be read" in stop.why
    covered = await played(one_is_broken(), rules, Coverage())
    assert (covered.contacts, covered.whole, covered.first) == (2, 1, {stop: 1})


async def test_no_transaction_stands_open_while_contacts_are_reckoned(store: Store) -> None:
    await worked_on(store)
    async for _ in cases_of(store, MANAGER, START - timedelta(days=1)):
        assert store.people.pool.status().endswith("Current Checked out connections: 0")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("ratings.amber.reply", "expected KEY=VALUE"),
        ("ratings.purple.reply=2 h", "is no limit"),
        ("raters=['police']", "is no limit"),
        ("ratings.amber.reply=soon", "expected a length such as"),
    ],
)
def test_what_is_no_limit_is_refused_and_says_what_to_write(setting: str, expected: str) -> None:
    with pytest.raises(WrongFile, match=expected):
        instead_of(MERTON, [setting])


def test_what_is_wrong_with_one_of_several_is_told_with_its_place_among_them() -> None:
    with pytest.raises(WrongFile, match=r"--set:2.*expected a length such as"):
        instead_of(MERTON, ["ratings.red.reply=2 h", "ratings.amber.reply=soon"])


def test_limits_and_the_calendar_are_set_as_a_profile_writes_them() -> None:
    assert "ratings.amber.reply.length" in instead.limits_of(MERTON)
    changed = instead_of(MERTON, ["ratings.amber.reply=2 h", "calendar.bank_holidays=['2026-06-02']"])
    assert str(changed.ratings["amber"].reply.length) == "2 h"
    assert [day.isoformat() for day in changed.calendar.bank_holidays] == ["2026-06-02"]


async def test_an_act_that_was_entered_later_and_left_a_note_is_decided_again_with_the_note(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store, "s1")
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY, words="seen before")
    await act(store, reference, AnswerCheck(agency="police", known=False), POLICE)
    set_time(store, START + timedelta(hours=5))
    done: dict[str, Any] = {"happened_at": START + timedelta(hours=2), "words": "agreed by telephone"}
    async with store.transaction(DUTY) as connection:
        await apply(connection, store, reference, AskAgencies(agencies=("police",)), DUTY, **done)
    log = await stored(store, reference)
    acts = [(event["act"], event["happened_at"]) for event in log if "act" in event and "happened_at" in event]
    assert [kind for kind, _ in acts] == ["ask_agencies", "add_note"]
    assert (await replay(store)).different == []
