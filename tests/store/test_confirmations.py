"""What GOV.UK Notify says later of a message: a referrer is told once it arrived; what did not arrive is not left at that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from acting import SCHOOL, START
from notify import Notify, notify
from posting import Gateway, at, gateway, postman, send_all
from pydantic import SecretStr

from mash.config.settings import Settings
from mash.flows.carrying.confirmed import ask_what_became
from mash.flows.carrying.postman import Postman
from mash.flows.store.apply import receive
from mash.flows.store.confirmations import confirm
from mash.flows.store.deliveries import LAST_ROUND
from mash.flows.store.reads.case import read_case
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.values import Subject


@pytest.fixture
def service() -> Iterator[Notify]:
    with notify() as running:
        yield running


@pytest.fixture
def phones() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


def by_notify(store: Store, settings: Settings, service: Notify, phones: Gateway, *order: str) -> Postman:
    """The manager by these channels, or by text; everybody else by hook; referrers by e-mail through Notify."""
    ways = ", ".join(f'"{way}"' for way in order or (service.url("text", "07700900123"),))
    lines = ["[merton]", f'"*" = ["{phones.url("role")}"]', f"duty_manager = [{ways}]"]
    return postman(store, settings, lines, mail_url=SecretStr(service.url("email")))


def ledger(owner: psycopg.Connection, channel: str) -> list[tuple[str, str | None]]:
    query = "SELECT result, confirmed FROM delivery WHERE channels LIKE %s ORDER BY id"
    return [(row[0], row[1]) for row in owner.execute(query, (f"%{channel}%",)).fetchall()]


def notices(owner: psycopg.Connection, kind: str) -> list[Any]:
    return [row[0] for row in owner.execute("SELECT status FROM notice WHERE kind = %s ORDER BY id", (kind,)).fetchall()]


async def acknowledged(store: Store, reference: str) -> bool:
    return "acknowledgement" in (await read_case(store, reference)).referral.deliveries


async def submit(store: Store, *, danger: bool = False) -> str:
    """A referral of a school that gave its address."""
    about = (Subject(id="S1", cohort="child"),)
    more = {"referrer_reachable": True, "immediate_danger": danger}
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=about, **more)
    items = [Item("concern", b"a concern"), Item("referrer", b'{"email": "head@school.example.org"}')]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def sent(store: Store, settings: Settings, service: Notify, phones: Gateway) -> str:
    """A referral whose manager has a text, and whose referrer an e-mail, both taken by Notify."""
    at(store, START)
    reference = await submit(store)
    await send_all(by_notify(store, settings, service, phones))
    assert {each["type"] for each in service.sent} == {"sms", "email"}
    return reference


def place(service: Notify, kind: str) -> int:
    return [each["type"] for each in service.sent].index(kind)


async def test_a_referrer_is_told_once_their_mail_arrived_and_not_when_it_was_taken(
    store: Store, settings: Settings, service: Notify, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    reference = await sent(store, settings, service, phones)
    assert not await acknowledged(store, reference), "it was taken, and is on its way"
    name = service.became("delivered", place(service, "email"))
    assert not await confirm(store, name, "sending") and not await acknowledged(store, reference)
    assert await confirm(store, name, "delivered") and await acknowledged(store, reference)
    assert not await confirm(store, name, "delivered"), "Notify may say it twice"
    assert ledger(owner_connection, "referrer") == [("ok", "delivered"), ("GOV.UK Notify: delivered", None)]


@pytest.mark.parametrize("status", ["temporary-failure", "technical-failure"])
async def test_what_did_not_arrive_this_time_is_sent_again(
    store: Store, settings: Settings, service: Notify, phones: Gateway, owner_connection: psycopg.Connection, status: str
) -> None:
    await sent(store, settings, service, phones)
    await confirm(store, service.became(status, place(service, "sms")), status)
    assert notices(owner_connection, "contact_to_rate") == ["queued"]
    owner_connection.execute("UPDATE notice SET next_try_at = now() WHERE status = 'queued'")
    await send_all(by_notify(store, settings, service, phones))
    texts = [each for each in service.sent if each["type"] == "sms"]
    assert len(texts) == 2 and len({each["reference"] for each in texts}) == 1
    assert notices(owner_connection, "contact_to_rate") == ["delivered"]


async def test_a_wrong_number_is_given_up_and_the_administrators_are_told(
    store: Store, settings: Settings, service: Notify, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    await sent(store, settings, service, phones)
    await confirm(store, service.became("permanent-failure", place(service, "sms")), "permanent-failure")
    assert notices(owner_connection, "contact_to_rate") == ["dead"]
    await send_all(by_notify(store, settings, service, phones))
    (told,) = [body for body in phones.bodies("role") if "could not be delivered" in body]
    assert "permanent-failure" in told and "07700" not in told


async def test_an_address_of_a_referrer_that_is_wrong_leaves_their_clock_running(
    store: Store, settings: Settings, service: Notify, phones: Gateway
) -> None:
    reference = await sent(store, settings, service, phones)
    await confirm(store, service.became("permanent-failure", place(service, "email")), "permanent-failure")
    referral = (await read_case(store, reference)).referral
    assert referral.clocks["acknowledgement"].running, "a person tells them"


async def test_whoever_owns_the_clock_is_asked_at_once_to_tell_a_referrer_by_another_way(
    store: Store, settings: Settings, service: Notify, phones: Gateway
) -> None:
    reference = await sent(store, settings, service, phones)
    await confirm(store, service.became("permanent-failure", place(service, "email")), "permanent-failure")
    await send_all(by_notify(store, settings, service, phones))
    said = [each["personalisation"]["body"] for each in service.sent if each["type"] == "sms"] + phones.bodies("role")
    (asked,) = [body for body in said if f"{reference}: tell the referrer yourself" in body]
    assert "did not arrive, and is not sent again" in asked and "that the referral has arrived" in asked


async def test_a_days_allowance_that_is_used_up_is_waited_for_and_the_administrators_know(
    store: Store, settings: Settings, service: Notify, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    service.fails = "TooManyRequestsError"
    at(store, START)
    await submit(store)
    for _ in range(LAST_ROUND + 3):
        owner_connection.execute("UPDATE notice SET next_try_at = now() WHERE status = 'queued'")
        await send_all(by_notify(store, settings, service, phones))
    assert notices(owner_connection, "contact_to_rate") == ["queued"]
    assert len([body for body in phones.bodies("role") if "takes no more for now" in body]) == 1
    service.fails = ""
    owner_connection.execute("UPDATE notice SET next_try_at = now() WHERE status = 'queued'")
    await send_all(by_notify(store, settings, service, phones))
    assert notices(owner_connection, "contact_to_rate") == ["delivered"]


async def test_an_alert_that_did_not_arrive_goes_by_the_next_channel_at_once(
    store: Store, settings: Settings, service: Notify, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    at(store, START)
    await submit(store, danger=True)
    second = f'{{ url = "{phones.url("second")}", after = "10 min" }}'
    lines = [
        "[merton]",
        f'"*" = ["{phones.url("role")}"]',
        f'duty_manager = ["{service.url("text", "07700900123")}", {second}]',
    ]
    post = postman(store, settings, lines, mail_url=SecretStr(service.url("email")))
    await send_all(post)
    assert not phones.titles("second")
    await confirm(store, service.became("permanent-failure", place(service, "sms")), "permanent-failure")
    await send_all(post)
    assert [title for title in phones.titles("second") if "IMMEDIATE DANGER" in title]


async def test_what_nothing_was_said_of_is_asked_about_and_rarely_the_older_it_is(
    store: Store, settings: Settings, service: Notify, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    reference = await sent(store, settings, service, phones)
    post = by_notify(store, settings, service, phones)
    for each in service.sent:
        each["status"] = "delivered"

    async def ask() -> int:
        return await ask_what_became(store, post.channels, post.settings.mail_url)

    assert await ask() == 0, "its receipt may come any moment"
    owner_connection.execute("UPDATE delivery SET started_at = now() - interval '10 minutes'")
    assert await ask() == 2 and await acknowledged(store, reference) and await ask() == 0


async def test_a_refusal_that_trying_again_cannot_mend_is_given_up_at_once(
    store: Store, settings: Settings, service: Notify, phones: Gateway, owner_connection: psycopg.Connection
) -> None:
    service.fails = "ValidationError"
    at(store, START)
    await submit(store)
    await send_all(by_notify(store, settings, service, phones))
    assert notices(owner_connection, "contact_to_rate") == ["dead"]
