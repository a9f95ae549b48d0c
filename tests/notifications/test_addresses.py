"""What an address says is where mail goes, whatever letters it has: a real mail server is asked for exactly it."""

from __future__ import annotations

import asyncio
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from hub import free_port
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from mash.config.addresses import can_be, judged, tidied
from mash.config.channels import Channel
from mash.notifications.sender import send
from mash.notifications.wording import Message

TOLD = Message(title="What became of MASH-26-000001", lines=("It is being considered.",), links=())


class Asked:
    """What a mail server was asked for, letter by letter, and the mails it took."""

    def __init__(self) -> None:
        self.senders: list[str] = []
        self.recipients: list[str] = []
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.content)
        return "250 taken"

    def header(self, name: str) -> list[str]:
        """What a header of each mail says, as it stands there."""
        return [re.findall(rf"^{name}: (.*?)\r$", mail.decode(), re.MULTILINE)[0] for mail in self.mails]


class Server(SMTP):
    """aiosmtpd's, which says what it was asked for before it takes it apart."""

    async def smtp_MAIL(self, arg: str) -> None:
        self.event_handler.senders.append(re.findall("FROM:<(.*)>", arg)[0])
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:
        self.event_handler.recipients.append(arg.removeprefix("TO:<").removesuffix(">"))
        await super().smtp_RCPT(arg)


class Serving(Controller):
    """A mail server that is one of these."""

    def factory(self) -> Server:
        return Server(self.handler, **self.SMTP_kwargs)


@contextmanager
def listening(any_letters: bool) -> Iterator[tuple[Asked, Channel]]:
    """A mail server that takes addresses of any letters (SMTPUTF8), or of ASCII alone; and the hub's channel to it."""
    asked, port = Asked(), free_port()
    controller = Serving(asked, hostname="127.0.0.1", port=port, enable_SMTPUTF8=any_letters)
    controller.start()
    try:
        yield asked, Channel(url=SecretStr(f"mailto://127.0.0.1:{port}/?from=mash@example.org"))
    finally:
        controller.stop()


def to(channel: Channel, address: str, reply_to: str = "") -> Channel:
    return Channel(url=channel.url, to=SecretStr(address), reply_to=SecretStr(reply_to) if reply_to else None)


# --- addresses as RFC 5321 has them --------------------------------------------------------------------------------------------

ATEXT = string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~"
QTEXT = "".join(chr(code) for code in range(32, 127) if chr(code) not in '"\\\\')
atoms = st.text(ATEXT, min_size=1, max_size=12)
dotted = st.lists(atoms, min_size=1, max_size=4).map(".".join)
pieces = st.one_of(st.sampled_from(QTEXT), st.sampled_from([chr(code) for code in range(32, 127)]).map(lambda each: "\\" + each))
quoted = st.lists(pieces, min_size=1, max_size=20).map(lambda parts: '"' + "".join(parts) + '"')
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(lambda label: label[2:4] != "--")
ends = st.sampled_from(["example", "org", "sch.uk", "gov.uk"])
domains = st.tuples(st.lists(labels, min_size=1, max_size=3).map(".".join), ends)
ascii_addresses = st.builds(lambda local, domain: f"{local}@{'.'.join(domain)}", st.one_of(dotted, quoted), domains)
LETTERS = "éèøłđıæþßçñšžćÄÖÜ’‘–—„“”·ΑΩжЖשלابܐनআ你好한"
other_letters = st.builds(
    lambda before, letter, after, domain: f"{before}{letter}{after}@{'.'.join(domain)}",
    st.one_of(st.just(""), atoms),
    st.text(LETTERS, min_size=1, max_size=6),
    st.one_of(st.just(""), atoms),
    domains,
)
idn = st.sampled_from(["bücher", "grüße-aus", "école", "łódź", "пример", "例え", "مثال", "fußball", "σχολείο", "בית-ספר"])
idn_addresses = st.builds(lambda local, name, end: f"{local}@{name}.{end}", dotted, idn, ends)
any_addresses = st.one_of(ascii_addresses, other_letters, idn_addresses)


def test_the_server_is_asked_for_exactly_the_address_whatever_letters_it_has() -> None:
    with listening(any_letters=True) as (asked, channel):

        @given(any_addresses)
        def holds(address: str) -> None:
            asked.__init__()  # type: ignore[misc]
            assert can_be(address) and tidied(address) == address
            assert asyncio.run(send(to(channel, address, address), TOLD)).taken
            assert (asked.senders, asked.recipients) == (["mash@example.org"], [address])
            assert asked.header("To") == asked.header("Reply-To") == [address]

        holds()


def test_a_server_that_knows_ascii_alone_is_asked_for_the_same_mailbox_or_not_at_all() -> None:
    with listening(any_letters=False) as (asked, channel):

        @given(st.one_of(ascii_addresses, idn_addresses, other_letters))
        def holds(address: str) -> None:
            asked.__init__()  # type: ignore[misc]
            local, _, domain = address.rpartition("@")
            tried = asyncio.run(send(to(channel, address), TOLD))
            if local.isascii():
                plain = f"{local}@{_plain(domain)}"
                assert tried.taken and asked.recipients == [plain] and asked.header("To") == [plain]
            else:
                assert not tried.taken and not asked.recipients and "tell this person in another way" in tried.result
                assert address not in tried.result

        holds()


def _plain(domain: str) -> str:
    import idna

    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


@pytest.mark.parametrize(
    "address",
    [
        "sam.o'brien@school.example.org",
        "sam.o’brien@school.example.org",
        '"sam o\'brien"@example.org',
        '"a@b, c;d"@example.org',
        "a+b/c%d=e@example.org",
    ],
)
async def test_the_mail_reads_as_being_to_that_one_person(address: str) -> None:
    with listening(any_letters=True) as (asked, channel):
        assert (await send(to(channel, address), TOLD)).taken
    (mail,) = asked.mails
    (read,) = message_from_string(mail.decode(), policy=policy.SMTPUTF8)["To"].addresses
    assert f"{read.username}@{read.domain}" == address.replace('"', "")


# --- as people type them -------------------------------------------------------------------------------------------------------


AROUND = ["{}", " {} ", "mailto:{}", "MAILTO: {}", "<{}>", "{}.", "{},", "{};", "\u00a0{}\t", "\u200b{}", "Email: {}", "Sam <{}>"]


@pytest.mark.parametrize("around", ["mailto:{}", "mailto:{}?subject=A%20child", "Sam <mailto:{}>"])
def test_a_link_writes_some_letters_as_numbers(around: str) -> None:
    assert tidied(around.format("sam%2Bhub@example.org")) == "sam+hub@example.org"


@given(any_addresses, st.sampled_from(AROUND))
@example("%30@example.org", "Email: {}")  # only a link means the letter of that number
def test_what_stands_around_an_address_is_taken_off_and_the_address_is_not_touched(address: str, around: str) -> None:
    if "mailto" in around.lower() and ("%" in address or "?" in address):
        return  # a link writes these in another way
    if '"' in address and around not in ("{}", " {} "):
        return  # quotes and what stands before them cannot be told apart by everybody
    assert tidied(around.format(address)) == address


MISTYPED = {
    "jo@gmail.con": "jo@gmail.com",
    "jo@sandwell.gov": "jo@sandwell.gov.uk",
    "jo@nhs.uk": "jo@nhs.net",
    "jo@hotmial.co.uk": "jo@hotmail.co.uk",
    "jo@gmail.co.uk": "jo@gmail.com",
    "jo@yaho.com": "jo@yahoo.com",
    "jo@outlok.com": "jo@outlook.com",
    "jo@icloud.co": "jo@icloud.com",
    "jo@nhs.ent": "jo@nhs.net",
    "jo@school.sch.ik": "jo@school.sch.uk",
    "jo@surrey.gob.uk": "jo@surrey.gov.uk",
    "jo@kent.govuk": "jo@kent.gov.uk",
    "jo@school.org.uk.uk": "jo@school.org.uk",
    "jo@school.example.cm": "jo@school.example.com",
    "www.jo@school.example.org": "jo@school.example.org",
    "jo@www.school.example.org": "jo@school.example.org",
    "sam.o’brien@school.example.org": "sam.o'brien@school.example.org",
    "jo@school.internal-mail": "",
}
NO_ADDRESS = {
    "jo@school,example.org": "jo@school.example.org",
    "jo@gmail": "jo@gmail.com",
    "jo@gmailcom": "jo@gmail.com",
    "jo smith@gmail.com": "josmith@gmail.com",
    "jo@@gmail.com": "jo@gmail.com",
    "jo@gmail..com": "jo@gmail.com",
    "jo.@gmail.com": "jo@gmail.com",
    'jo"gmail.com': "jo@gmail.com",
    "jo at gmail.com": "jo@gmail.com",
    "a@example.org, b@example.org": "",
    "a@example.org or ring": "",
    "jo@school": "",
    "01632 960115": "",
    "none": "",
}
USUAL = ["jo@gmail.com", "JO@GMAIL.COM", "jo@yahoo.fr", "jo@live.com", "jo@met.pnn.police.uk", "jo@a.sch.uk", "jo@trust.nhs.uk"]
USUAL += [
    "jo@school.example.org",
    "jo@mailbox.org",
    "jo@kent.gov.uk",
    "jo@bücher.example",
    '"jo smith"@example.org',
    "o'b@x.london",
]


@pytest.mark.parametrize(("typed", "meant"), MISTYPED.items())
def test_what_is_probably_mistyped_is_said_and_used_as_it_is(typed: str, meant: str) -> None:
    found = judged(typed)
    assert (found.address, found.can_be, found.slip, found.meant) == (typed, True, True, meant)


@pytest.mark.parametrize(("typed", "meant"), NO_ADDRESS.items())
def test_what_cannot_be_an_address_is_said_and_what_may_have_been_meant(typed: str, meant: str) -> None:
    found = judged(typed)
    assert (found.address, found.can_be, found.slip, found.meant) == (typed, False, True, meant)


@pytest.mark.parametrize("typed", [*USUAL, "", None])
def test_nothing_is_said_of_what_is_usual(typed: str | None) -> None:
    assert not judged(typed).slip
