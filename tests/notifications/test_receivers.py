"""What becomes of a message at receivers of every temper; and that nothing secret is in what is written down of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import apprise
import pytest
from posting import Gateway, gateway

from mash.config.channels import Channel
from mash.notifications.notices import Tried
from mash.notifications.sender import scrubbed
from mash.notifications.sender import send as send_by
from mash.notifications.wording import Message

ALERT = Message(
    title="LATE: MASH-26-000001, triage", lines=("Rate it.",), links=(("Acknowledge", "https://mash.example.org/alerts/x"),)
)


async def send(url: str, message: Message) -> Tried:
    """Send by a channel that is nothing but its URL."""
    return await send_by(Channel.model_validate(url), message)


@pytest.fixture
def phones() -> Iterator[Gateway]:
    """What everybody gets."""
    with gateway() as running:
        yield running


@pytest.mark.parametrize("scheme", ["hook", "json"])
async def test_what_is_taken_arrives_as_it_was_written(phones: Gateway, scheme: str) -> None:
    tried = await send(phones.url("teams", scheme), ALERT)
    assert (tried.taken, tried.result) == (True, "ok")
    assert phones.got == [("teams", phones.got[0][1])]
    assert phones.titles("teams") == [ALERT.title] and phones.bodies("teams") == [ALERT.body]


@pytest.mark.parametrize(
    ("status", "headers", "says", "retry_after"),
    [
        (429, {"Retry-After": "120"}, "web hook answers 429", 120.0),
        (429, {"Retry-After": "Fri, 01 Jan 2021 00:00:00 GMT"}, "web hook answers 429", 0.0),
        (429, {"Retry-After": "soon"}, "web hook answers 429", None),
        (503, {"Retry-After": "5"}, "web hook answers 503", 5.0),
        (500, {"Retry-After": "5"}, "web hook answers 500", None),
        (302, {"Location": "https://elsewhere.example.org/"}, "web hook answers 302", None),
        (404, {}, "web hook answers 404", None),
        (0, {}, "web hook: ConnectionError", None),
    ],
)
async def test_what_is_not_taken_has_failed_with_what_was_answered(
    phones: Gateway, status: int, headers: dict[str, str], says: str, retry_after: float | None
) -> None:
    phones.answers["teams"] = (status, headers)
    tried = await send(phones.url("teams"), ALERT)
    assert (tried.taken, tried.result, tried.retry_after) == (False, f"failed; {says}", retry_after)
    assert not phones.got


async def test_a_receiver_that_hangs_is_given_up_on(phones: Gateway) -> None:
    phones.answers["teams"] = (-1, {})
    tried = await send(phones.url("teams", rto="0.5"), ALERT)
    assert (tried.taken, tried.result) == (False, "failed; web hook: ReadTimeout")


async def test_a_send_is_not_called_failed_while_it_still_goes_on(phones: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise.AppriseAsset, "_service_timeout", 0.2)  # a minute, left to itself
    phones.held.add("teams")
    trying = asyncio.create_task(send(phones.url("teams", rto="20"), ALERT))
    assert await asyncio.to_thread(phones.holds.wait, 10)
    await asyncio.sleep(0.6)
    assert not trying.done()
    phones.released.set()
    assert (await trying).taken is True and len(phones.got) == 1


async def test_a_receiver_that_is_not_there_has_taken_nothing() -> None:
    with gateway() as gone:
        url = gone.url("teams")
    assert (await send(url, ALERT)).taken is False


async def test_an_address_that_apprise_does_not_understand_is_said_without_it() -> None:
    tried = await send("nonsense://secret-token", ALERT)
    assert tried.taken is False and "secret" not in tried.result


async def test_what_apprise_itself_says_of_a_failure_is_kept_without_the_address(phones: Gateway) -> None:
    phones.answers["s3cr3t-path"] = (500, {})
    tried = await send(f"json://user:hunter22@127.0.0.1:{phones.port}/s3cr3t-path", ALERT)
    assert not tried.taken and "500" in tried.result
    for secret in ("hunter22", "s3cr3t-path", "127.0.0.1"):
        assert secret not in tried.result


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Failed to reach duty@example.org via https://hooks.example.org/T0/B1", "Failed to reach (address) via (address)"),
        ("No route to +44 7700 900123", "No route to (address)"),
        ("The token abcdef123 was refused, error=401", "The token (secret) was refused, error=401"),
    ],
)
def test_a_logged_line_is_kept_without_addresses_and_secrets(line: str, left: str) -> None:
    assert scrubbed(line, "hook://host.example.org/abcdef123") == left
