"""Messages through GOV.UK Notify: by whose template, to whom, and what each of its answers means."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from notify import EMAIL, KEY, LETTER, SECRET, TEXT, Notify, notify
from pydantic import SecretStr

from mash.config.channels import Channel
from mash.notifications.notices import Tried
from mash.notifications.sender import became, check_channel, send
from mash.notifications.wording import Message, digest

ALERT = Message(
    title="LATE: MASH-26-000001, triage", lines=("Rate it.",), links=(("Acknowledge", "https://mash.example.org/alerts/x"),)
)


@pytest.fixture
def service() -> Iterator[Notify]:
    """Notify."""
    with notify() as running:
        yield running


def channel(url: str, to: str | None = None) -> Channel:
    return Channel(url=SecretStr(url), **({"to": to} if to else {}))


async def test_an_email_a_text_and_a_letter_go_by_the_hubs_templates_with_our_words_and_nothing_else(service: Notify) -> None:
    mail = await send(channel(service.url("email"), "head@school.example.org"), ALERT, "m-1")
    text = await send(channel(service.url("text", "07700900123")), ALERT, "m-2")
    letter = await send(channel(service.url("letter", address="The%20Head|Thornwick%20Vale|TH1%201AA")), ALERT, "m-3")
    assert [each.result for each in (mail, text, letter)] == ["ok"] * 3
    assert [each["id"] for each in service.sent] == [each.sent_as for each in (mail, text, letter)]
    first, second, third = service.sent
    assert (first["email_address"], first["template_id"], first["reference"]) == ("head@school.example.org", EMAIL, "m-1")
    assert first["personalisation"] == {"subject": ALERT.title, "body": ALERT.body}
    assert (second["phone_number"], second["template_id"]) == ("07700900123", TEXT)
    assert second["personalisation"] == {"body": f"{ALERT.title}\n{ALERT.body}"}
    lines = {"address_line_1": "The Head", "address_line_2": "Thornwick Vale", "address_line_3": "TH1 1AA"}
    assert third["template_id"] == LETTER and third["personalisation"] == {"subject": ALERT.title, "body": ALERT.body, **lines}


async def test_a_text_that_would_be_too_long_keeps_its_title_and_the_link(service: Notify) -> None:
    long = ALERT.model_copy(update={"lines": ("x" * 900,)})
    assert (await send(channel(service.url("text", "07700900123")), long)).taken
    said = service.sent[0]["personalisation"]["body"]
    assert len(said) <= 918 and said.startswith(ALERT.title) and said.endswith("https://mash.example.org/alerts/x")


async def test_a_long_digest_as_a_text_keeps_the_silence_and_the_most_urgent_and_says_how_many_more(
    service: Notify,
) -> None:
    alerts = [
        ALERT.model_copy(
            update={
                "title": f"LATE: MASH-26-0000{n:02}, triage, which waits for the duty manager",
                "links": (("Acknowledge", f"https://mash.example.org/alerts/{n:02}{'x' * 60}"),),
                "not_to_tell": f"MASH-26-0000{n:02}" if n > 9 else "",
            }
        )
        for n in range(12)
    ]
    assert (await send(channel(service.url("text", "07700900123")), digest(alerts))).taken
    said = service.sent[0]["personalisation"]["body"]
    assert len(said) <= 918 and "12 alerts" in said.splitlines()[0]
    assert "Do not tell the family anything of MASH-26-000010, MASH-26-000011." in said
    links = re.findall(r"/alerts/(\d\d)x{60}", said)
    assert len(links) > 2 and links == [f"{n:02}" for n in range(len(links))]
    assert said.endswith(f"And {12 - len(links)} more: sign in, and look at the board.")


async def test_a_long_text_of_one_alert_keeps_that_the_family_is_not_told(service: Notify) -> None:
    silent = "Do not tell the family: they must not learn of this case."
    long = ALERT.model_copy(update={"lines": ("x" * 900, f"MASH-26-000001: red. {silent}")})
    assert (await send(channel(service.url("text", "07700900123")), long)).taken
    said = service.sent[0]["personalisation"]["body"]
    assert silent in said and said.endswith("https://mash.example.org/alerts/x")


async def test_what_one_channel_took_is_not_taken_for_what_another_was_to_send(service: Notify) -> None:
    mail, text = channel(service.url("email"), "head@school.example.org"), channel(service.url("text", "07700900123"))
    first = await send(mail, ALERT, "mash-1-x")
    second = await send(text, ALERT, "mash-1-x", again=True)
    assert second.taken and second.sent_as != first.sent_as and [each["type"] for each in service.sent] == ["email", "sms"]
    third = await send(channel(service.url("email"), "deputy@school.example.org"), ALERT, "mash-1-x", again=True)
    assert third.sent_as not in (first.sent_as, second.sent_as) and len(service.sent) == 3
    assert (await send(text, ALERT, "mash-1-x", again=True)).sent_as == second.sent_as and len(service.sent) == 3


@pytest.mark.parametrize(
    ("fails", "says", "final", "waits"),
    [
        ("ValidationError", "400 ValidationError", True, None),
        ("BadRequestError", "400 BadRequestError", True, None),
        ("AuthError", "403 AuthError", False, None),
        ("RateLimitError", "429 RateLimitError", False, 60.0),
        ("TooManyRequestsError", "429 TooManyRequestsError", False, 600.0),
        ("Exception", "500 Exception", False, None),
    ],
)
async def test_each_refusal_says_its_kind_whether_to_try_again_and_when(
    service: Notify, fails: str, says: str, final: bool, waits: float | None
) -> None:
    service.fails = fails
    tried = await send(channel(service.url("text", "07700900123")), ALERT)
    assert tried == Tried(False, f"failed; GOV.UK Notify answers {says}", waits, None, final)


async def test_what_was_taken_though_the_answer_never_came_is_not_sent_twice(service: Notify) -> None:
    service.fails = "hangs"
    by = channel(service.url("email", rto="0.5"), "head@school.example.org")
    first = await send(by, ALERT, "m-1")
    assert not first.taken and not first.final and len(service.sent) == 1
    service.fails = ""
    second = await send(by, ALERT, "m-1", again=True)
    assert second.taken and second.sent_as == service.sent[0]["id"] and len(service.sent) == 1
    service.became("technical-failure")
    assert (await send(by, ALERT, "m-1", again=True)).taken and len(service.sent) == 2


async def test_what_became_of_a_message_is_asked_by_its_name(service: Notify) -> None:
    by = channel(service.url("email"), "head@school.example.org")
    tried = await send(by, ALERT)
    name = service.became("delivered")
    assert tried.sent_as == name and await became(by, name) == "delivered"
    assert await became(by, "740e5834-3a29-46b4-9a6f-16142fde533a") is None
    assert await became(channel("json://127.0.0.1:9/x"), name) is None


async def test_a_service_that_is_away_has_taken_nothing() -> None:
    with notify() as gone:
        by = channel(gone.url("text", "07700900123"))
    tried = await asyncio.wait_for(send(by, ALERT), 30)
    assert not tried.taken and not tried.final and "503" in tried.result


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"govuknotify://short/email/{EMAIL}/a@example.org", "the key is not one"),
        (f"govuknotify://{KEY}/fax/{EMAIL}/a@example.org", "email, text or letter"),
        (f"govuknotify://{KEY}/email/welcome/a@example.org", "the template's UUID"),
        (f"govuknotify://{KEY}/email/{EMAIL}", "an e-mail needs to whom"),
        (f"govuknotify://{KEY}/text/{TEXT}/nobody", "one telephone number"),
        (f"govuknotify://{KEY}/text/{TEXT}/07700900123/07700900124", "one telephone number"),
        (f"govuknotify://{KEY}/letter/{LETTER}?address=Only%20one", "3 to 7 lines"),
    ],
)
def test_a_channel_that_is_wrong_is_said_before_it_is_used_and_without_its_key(url: str, says: str) -> None:
    wrong = check_channel(channel(url))
    assert says in wrong and SECRET not in wrong


def test_channels_that_are_right_are_taken(service: Notify) -> None:
    for by in (
        channel(service.url("email"), "o'brien@example.org"),
        channel(service.url("email", "a@example.org")),
        channel(service.url("text", "%2B447700900123")),
        channel(service.url("letter", address="1%20High%20Street|Town|SW1A%201AA")),
    ):
        assert check_channel(by) == ""
        assert by.scheme == "govuknotify"


async def test_the_key_is_in_nothing_that_is_written_down(service: Notify, caplog: pytest.LogCaptureFixture) -> None:
    service.fails = "BadRequestError"
    tried = await send(channel(service.url("text", "07700900123")), ALERT)
    for secret in (KEY, SECRET, "07700900123", "team-only"):
        assert secret not in tried.result + caplog.text
