"""A notice on its way to a person: to whom, by which channels, when it stops, and what becomes of it when nothing takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from acting import BASIS, DUTY, START, submit
from posting import Gateway, at, gateway, postman, send_all, ways, weekly
from pydantic import SecretStr
from sqlalchemy import text

from mash.config.channels import Channel
from mash.config.settings import Settings
from mash.flows.carrying.postman import Postman
from mash.flows.store import outbox
from mash.flows.store.apply import act, fire_due
from mash.flows.store.deliveries import LAST_ROUND, Sent, record_arrived
from mash.flows.store.reads.case import read_case
from mash.flows.store.rotas import store_rota
from mash.flows.store.store import Store
from mash.flows.store.trouble import revive
from mash.notifications.notices import Tried
from mash.notifications.rota import Rota, Shift
from mash.notifications.routing import Recipient, Step
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.rating import RateReferral
from mash.states.values import Actor

HOUR = timedelta(hours=1, minutes=1)


@pytest.fixture
def phones() -> Iterator[Gateway]:
    """What everybody gets."""
    with gateway() as running:
        yield running


async def late_triage(store: Store) -> str:
    """A referral that nobody has rated within the hour: the ladder's first rung is told."""
    at(store, START)
    reference = await submit(store)
    at(store, START + HOUR)
    await fire_due(store)
    return reference


def about(phones: Gateway, path: str, word: str) -> int:
    return sum(word in title for title in phones.titles(path))


async def test_a_notice_goes_to_whoever_is_on_duty_and_not_to_the_role(store: Store, settings: Settings, phones: Gateway) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("day", ends="10:30"), weekly("late", starts="10:30"))), "test")
    post = postman(store, settings, ways(phones, day=["day"], late=["late"]))
    at(store, START)
    first = await submit(store)
    await send_all(post)
    assert phones.titles("day") == [f"{first} waits for a rating"] and not phones.titles("late")
    assert f"{settings.base_url}/case/{first}" in phones.bodies("day")[0], "the page, which leads to where one signs in"
    at(store, START + HOUR)  # half past ten in London's summer: the shift has changed
    second = await submit(store)
    await send_all(post)
    assert about(phones, "late", second) == 1 and about(phones, "day", second) == 0


async def test_everybody_who_holds_the_role_is_told(store: Store, settings: Settings, phones: Gateway) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("one"), weekly("two"))), "test")
    at(store, START)
    reference = await submit(store)
    await send_all(postman(store, settings, ways(phones, one=["one"], two=["two"])))
    assert about(phones, "one", reference) == about(phones, "two", reference) == 1


async def test_in_a_gap_of_the_rota_the_roles_own_channel_stands_in(store: Store, settings: Settings, phones: Gateway) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("night", starts="22:00", ends="06:00"),)), "test")
    at(store, START)
    reference = await submit(store)
    await send_all(postman(store, settings, ways(phones, night=["night"])))
    assert about(phones, "role", reference) and not phones.titles("night")


async def test_a_notice_that_has_not_arrived_follows_the_rota(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("day", ends="10:30"), weekly("late", starts="10:30"))), "test")
    post = postman(store, settings, ways(phones, day=["day"], late=["late"]))
    phones.answers["day"] = (500, {})
    at(store, START)
    reference = await submit(store)
    await send_all(post)
    at(store, START + HOUR)
    await send_now(owner_connection, post)
    assert about(phones, "late", reference) == 1, "whoever went home at half past ten is not asked again"


async def test_what_nobody_has_acknowledged_is_handed_over_at_the_change_of_shift(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    rota = Rota(patterns=(weekly("day", starts="09:00", ends="17:00"), weekly("edt", "out_of_hours", "17:00", "09:00")))
    await store_rota(store, "merton", rota, "test")
    post = postman(store, settings, ways(phones, day=["day"], edt=["edt"]))
    five = START.replace(hour=16)  # in London's summer
    at(store, five - HOUR - timedelta(minutes=5))
    left, taken = await submit(store), await submit(store)
    at(store, five - timedelta(minutes=4))
    await fire_due(store)
    await send_all(post)
    await act(store, taken, AcknowledgeAlert(clock="triage"), DUTY)
    await post.hand_over()
    await send_all(post)
    assert phones.bodies("day")[-1].count("LATE") == 2 and not phones.titles("edt")
    for minutes in (1, 2):
        at(store, five + timedelta(minutes=minutes))
        await post.hand_over()
        await send_all(post)
    assert [title for title in phones.titles("edt") if "LATE" in title] == [f"LATE: {left}, triage"], "once"


async def test_the_next_channel_is_used_at_once_when_one_is_down(store: Store, settings: Settings, phones: Gateway) -> None:
    phones.answers["teams"] = (500, {})
    await store_rota(store, "merton", Rota(patterns=(weekly("dm"),)), "test")
    post = postman(store, settings, ways(phones, dm=["teams", {"url": "text", "after": "5 min"}]))
    reference = await late_triage(store)
    await send_all(post)
    assert about(phones, "text", f"LATE: {reference}") == 1


async def test_the_next_channel_is_used_after_its_wait_unless_somebody_acknowledges(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("dm"),)), "test")
    post = postman(store, settings, ways(phones, dm=["teams", {"url": "text", "after": "5 min"}]))
    silent = await late_triage(store)
    await send_all(post)
    heard = await late_triage(store)
    await send_all(post)
    assert about(phones, "teams", "LATE") == 2 and about(phones, "text", "LATE") == 0
    await act(store, heard, AcknowledgeAlert(clock="triage"), DUTY)
    at(store, START + HOUR + timedelta(minutes=6))
    await send_all(post)
    assert about(phones, "text", f"LATE: {silent}") == 1
    assert about(phones, "text", f"LATE: {heard}") == 0


async def test_quiet_hours_hold_an_ordinary_notice_back_and_red_breaks_through(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("dm"),)), "test")
    post = postman(store, settings, ways(phones, dm=[{"url": "phone", "quiet": "09:00-12:00"}]))
    at(store, START)
    ordinary = await submit(store)
    danger = await submit(store, by=Actor(id="x", role="referrer", agency="police", hub="merton"))
    await act(store, danger, RateReferral(rating="red"), DUTY)
    await send_all(post)
    assert about(phones, "phone", ordinary) == 0
    at(store, START + timedelta(hours=30))
    await fire_due(store)
    at(store, START + timedelta(hours=1))
    await send_now(owner_connection, post)
    late = [title for title in phones.titles("phone") if title.startswith("LATE")]
    assert late and all(danger in title for title in late), "what is red and late is told in quiet hours too"
    at(store, START + timedelta(hours=4))
    await send_now(owner_connection, post)
    assert any(
        ordinary in title or ordinary in body for title, body in zip(phones.titles("phone"), phones.bodies("phone"), strict=True)
    )


async def test_no_more_messages_an_hour_than_a_channel_may_get_and_the_rest_comes_as_one(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("dm"),)), "test")
    post = postman(store, settings, ways(phones, dm=[{"url": "phone", "per_hour": 2}]))
    at(store, START)
    references = []
    for _ in range(8):
        references.append(await submit(store))
        await send_all(post)
    assert len(phones.titles("phone")) == 2
    owner_connection.execute("UPDATE delivery SET started_at = started_at - interval '1 hour'")
    await send_now(owner_connection, post)
    assert len(phones.titles("phone")) == 3 and phones.titles("phone")[-1].startswith("6 alerts")
    assert all(reference in "".join(phones.bodies("phone") + phones.titles("phone")) for reference in references)


async def test_messages_that_are_written_down_together_count_one_by_one(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    at(store, START)
    for _ in range(5):
        await rated(store)
    asked = "SELECT role FROM notice WHERE kind = 'check_request' AND CAST(facts AS json) ->> 'agency' = 'police' LIMIT 1"
    ((role,),) = owner_connection.execute(asked).fetchall()
    police = f'{role} = [{{ url = "{phones.url("police")}", per_hour = 4 }}]'
    post = postman(store, settings, ["[merton]", f'"*" = ["{phones.url("role")}"]', police])
    await send_all(post)
    assert len(phones.titles("police")) == 4, "each question to an agency goes by itself, and the fifth waits"
    await rated(store)
    await send_all(post)
    assert len(phones.titles("police")) == 4
    owner_connection.execute("UPDATE delivery SET started_at = started_at - interval '1 hour'")
    await send_now(owner_connection, post)
    assert len(phones.titles("police")) == 6


async def test_what_was_written_down_twice_has_its_next_channels_all_the_same(
    store: Store, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    """Whoever wrote it may not have heard that it was written."""
    await late_triage(store)
    way = (("dm", Channel(url=SecretStr(phones.url("dm")))),)
    steps = (Step(after=timedelta(0), channels=way), Step(after=timedelta(minutes=5), channels=way))

    async def route(entry: outbox.Entry) -> tuple[Recipient, ...]:
        return (Recipient(person="dm", steps=steps),) if entry.kind == "escalation" else ()

    (alert,) = [notice for notice in await outbox.claim(store, route) if notice.kind == "escalation"]
    sent = Sent([alert], [Tried(True, "ok")])
    assert await record_arrived(store, [sent]) == await record_arrived(store, [sent]) == [None]
    ((status, next_at),) = owner_connection.execute(
        "SELECT status, step_at FROM notice WHERE id = %s", (alert.id,)
    ).fetchall()  # fmt: skip
    assert status == "delivered" and next_at == alert.created_at + timedelta(minutes=5)


async def rated(store: Store) -> None:
    """A case of which the agencies are asked."""
    reference = await submit(store)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)


async def test_when_the_cause_is_gone_what_waits_is_withdrawn_and_whoever_was_alerted_is_told(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    await store_rota(store, "merton", Rota(patterns=(weekly("dm"),)), "test")
    post = postman(store, settings, ways(phones, dm=["teams", {"url": "text", "after": "5 min"}]))
    reference = await late_triage(store)
    await send_all(post)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="green"), DUTY)
    at(store, START + HOUR + timedelta(minutes=10))
    await send_all(post)
    assert f"OVER: {reference}, triage" in phones.titles("teams")
    assert about(phones, "text", "LATE") == 0, "the text that would have followed is not sent"


async def test_whoever_an_alert_reaches_although_its_cause_ended_on_its_way_is_told_that_it_is_over(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    post = postman(store, settings, ways(phones))
    reference = await late_triage(store)
    phones.held.add("role")
    sending = asyncio.create_task(send_all(post))
    await asyncio.to_thread(phones.holds.wait, 30)
    await act(store, reference, RateReferral(rating="green"), DUTY)
    phones.released.set()
    await sending
    titles = phones.titles("role")
    assert [title for title in titles if title.startswith(("LATE", "OVER"))] == [
        f"LATE: {reference}, triage", f"OVER: {reference}, triage"
    ]  # fmt: skip


async def test_an_alert_that_was_never_sent_is_not_sent_after_its_cause_is_gone(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    reference = await late_triage(store)
    await act(store, reference, RateReferral(rating="green"), DUTY)
    await send_all(postman(store, settings, ways(phones)))
    assert about(phones, "role", "LATE") == about(phones, "role", "OVER") == 0
    assert owner_connection.execute("SELECT status FROM notice WHERE kind = 'escalation'").fetchall() == [("withdrawn",)]


async def test_whoever_has_it_is_named_by_role_to_the_others_who_were_alerted(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    rota = Rota(patterns=(weekly("dm"), weekly("pm", "practice_manager")))
    await store_rota(store, "merton", rota, "test")
    post = postman(store, settings, ways(phones, dm=["dm"], pm=["pm"]))
    reference = await late_triage(store)
    await send_all(post)
    at(store, START + 2 * HOUR)
    await fire_due(store)
    await send_all(post)
    assert about(phones, "pm", f"LATE: {reference}") == 1
    pm = Actor(id="pm", role="practice_manager", agency="social_care", hub="merton")
    await act(store, reference, AcknowledgeAlert(clock="triage"), pm)
    await send_all(post)
    assert f"{reference}: acknowledged (triage)" in phones.titles("dm")
    assert "practice manager" in phones.bodies("dm")[-1]
    assert about(phones, "pm", "acknowledged (triage)") == 0
    assert (await read_case(store, reference)).referral.clocks["triage"].acknowledged_by == "pm"


async def test_a_receiver_that_asks_to_be_left_alone_is(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    phones.answers["role"] = (429, {"Retry-After": "300"})
    at(store, START)
    await submit(store)
    await send_all(postman(store, settings, ways(phones)))
    waits = owner_connection.execute(
        "SELECT next_try_at - now() > interval '4 minutes', tries FROM notice WHERE kind = 'contact_to_rate'"
    ).fetchall()
    assert waits == [(True, 0)], "it was not tried in vain"


async def test_a_dead_notice_is_told_to_the_administrators_by_another_server_and_can_be_tried_again(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    with gateway() as other:
        lines = ["[merton]", f'"*" = ["{phones.url("role")}"]']
        lines += [f'administrator = ["{phones.url("admin")}", "{other.url("admin")}"]']
        post = postman(store, settings, lines)
        phones.answers["role"] = (500, {})
        at(store, START)
        reference = await submit(store)
        for _ in range(LAST_ROUND):
            await send_now(owner_connection, post)
        await send_all(post)
        dead = owner_connection.execute("SELECT kind FROM notice WHERE status = 'dead' ORDER BY id").fetchall()
        assert dead == [("acknowledgement",), ("contact_to_rate",)], "there is no mail server here for the referrer's"
        assert not any("contact_to_rate" in body for body in phones.bodies("admin"))
        (about_it,) = [body for body in other.bodies("admin") if "contact_to_rate" in body]
        assert "failed; web hook answers 500" in about_it and str(phones.port) not in about_it
        phones.answers.clear()
        assert await revive(store) == 2
        await send_all(post)
        assert about(phones, "role", reference) == 1


async def test_a_message_that_may_come_twice_says_so(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    at(store, START)
    await submit(store)
    post = postman(store, settings, ways(phones))
    await send_all(post)
    assert "twice" not in phones.bodies("role")[0]
    owner_connection.execute("UPDATE delivery SET finished_at = NULL, result = NULL")
    owner_connection.execute("UPDATE notice SET status = 'queued', next_try_at = now() - interval '1 minute'")
    await send_all(post)
    assert "You may get this twice" in phones.bodies("role")[1]


async def test_red_goes_first_and_alone_and_what_ran_out_while_the_pipeline_was_away_is_announced_as_one(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    at(store, START)
    red = await submit(store)
    await act(store, red, RateReferral(rating="red"), DUTY)
    many = [await submit(store) for _ in range(6)]
    post = postman(store, settings, ways(phones))
    await send_all(post)
    seen = len(phones.titles("role"))
    at(store, START + timedelta(hours=40))
    while await fire_due(store):
        pass
    await send_all(post)
    new = phones.titles("role")[seen:]
    assert new[0].startswith(f"LATE: {red}"), new
    (mass,) = [title for title in new if title.startswith("The pipeline was away")]
    body = phones.bodies("role")[seen:][new.index(mass)]
    assert "while the pipeline was not running" in body and all(reference in body for reference in many)


async def test_what_cannot_be_worded_or_is_of_a_hub_that_is_not_served_any_more_holds_up_nothing_else(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    at(store, START)
    first, second, third = [await submit(store) for _ in range(3)]
    owner_connection.execute("UPDATE notice SET facts = '{}' WHERE reference = %s AND kind = 'contact_to_rate'", (first,))
    owner_connection.execute("UPDATE notice SET hub = 'closed' WHERE reference = %s AND kind = 'contact_to_rate'", (second,))
    lines = [*ways(phones), '["*"]', f'"*" = ["{phones.url("role")}"]']
    await send_all(postman(store, settings, lines))
    assert [about(phones, "role", reference) for reference in (first, second, third)] == [0, 1, 1]
    rows = owner_connection.execute("SELECT result FROM delivery WHERE result LIKE 'cannot be put into words%'").fetchall()
    assert rows == [("cannot be put into words: UndefinedError",)]


async def test_where_a_hubs_own_words_fail_ours_are_sent(
    store: Store, settings: Settings, phones: Gateway, tmp_path: Path
) -> None:
    at(store, START)
    reference = await submit(store)
    (tmp_path / "contact_to_rate.j2").write_text("{% block title %}{{ nothing }}{% endblock %}")
    await send_all(postman(store, settings, ways(phones), templates_dir=tmp_path))
    assert about(phones, "role", f"{reference} waits for a rating") == 1


async def test_what_is_ordinary_goes_too_while_urgent_alerts_keep_coming(
    store: Store, settings: Settings, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    at(store, START)
    waits = await submit(store)
    owner_connection.execute(
        "INSERT INTO notice (reference, hub, kind, role, clock, facts, created_at, status, tries, next_try_at, urgency)"
        " SELECT 'MASH-26-9' || n, 'merton', 'test', 'lead' || n, NULL, '{\"hub_title\": \"x\", \"role\": \"y\"}', created_at,"
        " 'queued', 0, next_try_at, 0 FROM notice, generate_series(1, 200) n WHERE kind = 'contact_to_rate'"
    )
    post = postman(store, settings, ways(phones))
    await post.send_next()
    assert about(phones, "role", waits) == 1
    assert len(phones.titles("role")) < 60, "and the urgent ones are far from done"


async def test_a_single_shift_takes_the_place_of_the_pattern(store: Store, settings: Settings, phones: Gateway) -> None:
    cover = Shift(role="duty_manager", person="cover", instead_of="dm", why="cover", begins=START - HOUR, ends=START + HOUR)
    await store_rota(store, "merton", Rota(patterns=(weekly("dm"),), shifts=(cover,)), "test")
    at(store, START)
    await submit(store)
    await send_all(postman(store, settings, ways(phones, dm=["dm"], cover=["cover"])))
    assert phones.titles("cover") and not phones.titles("dm")


async def send_now(owner: psycopg.Connection, post: Postman) -> None:
    """Send what was put off, as if its time had come."""
    owner.execute("UPDATE notice SET next_try_at = now() - interval '1 second' WHERE status = 'queued'")
    await send_all(post)


SENT = """
    INSERT INTO notice (hub, kind, role, facts, created_at, status, tries, urgency)
    SELECT 'merton', 'system', 'administrator', '{}', now(), 'sent', 1, 9 FROM generate_series(1, 20000)"""
READ = "SELECT coalesce(seq_tup_read, 0), coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'notice'"


async def test_whether_anything_waits_is_asked_without_reading_all_that_was_sent(store: Store) -> None:
    async def read() -> tuple[int, int]:
        async with store.single.connect() as connection:
            await connection.execute(text("SELECT pg_stat_force_next_flush()"))
            return (await connection.execute(text(READ))).tuples().one()

    async with store.single.connect() as connection:
        await connection.execute(text(SENT))
    through, looked_up = await read()
    while (now := await read()) == (through, looked_up):  # until what the questions read is counted
        for _ in range(12):
            assert not await outbox.anything_waits(store)
    assert now[0] == through
