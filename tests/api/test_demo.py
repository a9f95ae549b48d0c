"""The demonstration as a newcomer meets it: how to sign in, where its mail is, and whose time it shows."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from mash.api.accounts import who_signs_in
from mash.api.demo.mail_page import linked, serve_mail_page
from mash.api.demo.mailbox import Mailbox
from mash.api.demo.play import comes_out
from mash.api.demo.visit import Visitors, show
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.config.sign_on import accounts_in
from mash.flows.installation.stack import Stack
from mash.flows.store.store import Store
from mash.flows.store.time import HubTime

HERE = "http://127.0.0.1:8000"
SCRIPT = "<script>alert('subject')</script>"
MAY = datetime(2026, 5, 18, 9, 37, tzinfo=UTC)


@dataclass
class Demonstration:
    """A mail catcher with its page, and nothing behind it."""

    mailbox: Mailbox
    visitors: Visitors
    mail_port: int
    http: httpx.Client

    def gets(self, text: str, subject: str = "A subject", to: str = "duty_manager.sandwell@example.org") -> None:
        """It is sent a mail, as the product sends one."""
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = subject, "mash@example.org", to
        mail.set_content(text)
        mail.add_alternative(f"<p>{text}</p>", subtype="html")
        with smtplib.SMTP("127.0.0.1", self.mail_port) as server:
            server.send_message(mail)

    def shows(self, path: str = "") -> str:
        """What its page says."""
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    """A demonstration of Sandwell on a Monday in May."""
    mailbox, visitors = Mailbox(time=HubTime(datetime.now(UTC), MAY)), Visitors(tmp_path, (load_profile("sandwell"),))
    controller, port = mailbox.serve()
    try:
        settings = Settings(data_dir=tmp_path, requests_per_minute=0, anonymous_requests_per_minute=0)
        with (
            serve_mail_page(mailbox, visitors, settings) as address,
            httpx.Client(timeout=60, verify=False, base_url=address) as http,
        ):
            yield Demonstration(mailbox, visitors, port, http)
    finally:
        controller.stop()


class Elements(HTMLParser):
    """The elements of a page, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if tag == "a" and name == "href"}


# --- the mail -----------------------------------------------------------------------------------------------------------------


def test_the_mail_can_be_read_the_newest_first_with_whom_it_went_to_and_when(demonstration: Demonstration) -> None:
    demonstration.gets("The first words.", "MASH-26-000001 waits for a rating")
    demonstration.gets("The second words.", "LATE: MASH-26-000001, rating", "service_manager.sandwell@example.org")
    front = demonstration.shows()
    assert front.index("LATE: MASH-26-000001") < front.index("waits for a rating")
    assert "2 messages" in front and "service_manager.sandwell@example.org" in front and "Demo time Mon 18 May 10:37" in front
    assert "The second words." in demonstration.shows("mail/1")
    assert "demo time Mon 18 May 2026, 10:37" in demonstration.shows("mail/1")
    assert demonstration.http.get("mail/2").status_code == 404


def test_ones_own_mail_can_be_told_from_that_of_all_the_others(demonstration: Demonstration) -> None:
    demonstration.gets("Words.", "For the manager")
    demonstration.gets("Words.", "For the police", "police_lead.sandwell@example.org")
    own = demonstration.shows("?to=police_lead.sandwell%40example.org")
    assert "For the police" in own and "For the manager" not in own and "1 message to police_lead" in own


def test_a_long_list_goes_on_on_another_page(demonstration: Demonstration) -> None:
    for number in range(52):
        demonstration.gets("Words.", f"Number {number:02}")
    front, earlier = demonstration.shows(), demonstration.shows("?skip=50")
    assert "Number 51" in front and "Number 01" not in front and "skip=50" in front
    assert "Number 01" in earlier and "Number 51" not in earlier and "skip=" not in earlier


def test_an_alerts_link_can_be_followed_from_the_mail(demonstration: Demonstration) -> None:
    demonstration.gets(f"Acknowledge: {HERE}/alerts/abc.DEF-1_2\nOpen the case: {HERE}/case/MASH-26-000001")
    assert {f"{HERE}/alerts/abc.DEF-1_2", f"{HERE}/case/MASH-26-000001"} < Elements(demonstration.shows("mail/0")).links


def test_what_a_mail_holds_is_shown_and_nothing_of_it_runs(demonstration: Demonstration) -> None:
    hostile = (
        "<img src=x onerror=alert(1)> javascript:alert(1) http://evil.example.org/ "
        f'{HERE}@evil.example.org/ {HERE}0/ {HERE}/a"onmouseover="alert(1) {HERE}/<script>alert(2)</script>'
    )
    demonstration.gets(hostile, SCRIPT, '"<b>x</b>"@example.org')
    for path in ("", "mail/0"):
        answer = demonstration.http.get(path)
        found = Elements(answer.text)
        assert not found.names & {"script", "img", "b", "form", "iframe"} and not any(
            a.startswith("on") for a in found.attributes
        )
        assert not any("evil" in link or link.startswith("javascript") for link in found.links)
        assert "&lt;script&gt;alert" in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src" not in policy and "form-action 'none'" in policy
    assert {f"{HERE}/a", f"{HERE}/"} == {link for link in found.links if link.startswith("http")}
    assert "onerror=alert(1)" in answer.text, "it can be read all the same"


def test_a_text_leads_to_the_demonstration_only() -> None:
    assert linked(f"See {HERE}/status now.", HERE) == [("See ", False), (f"{HERE}/status", True), (" now.", False)]
    assert linked(f"{HERE} https://example.org/{HERE[7:]}/", HERE) == [(f"{HERE} https://example.org/{HERE[7:]}/", False)]


def test_a_mail_without_subject_or_text_is_there_too(demonstration: Demonstration) -> None:
    with smtplib.SMTP("127.0.0.1", demonstration.mail_port) as server:
        server.sendmail("mash@example.org", ["a@example.org"], b"\r\n")
    assert "No subject" in demonstration.shows() and "No subject" in demonstration.shows("mail/0")


def test_another_site_that_calls_itself_by_a_name_for_loopback_reads_nothing(demonstration: Demonstration) -> None:
    answer = demonstration.http.get("code", headers={"Host": "evil.example.org"})
    assert answer.status_code == 400 and demonstration.visitors.code not in answer.text


# --- signing in ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hub", ["sandwell", "kent", "merton"])
async def test_each_kind_of_person_has_a_login_and_is_nobody_else(hub: str, store: Store, tmp_path: Path) -> None:
    visitors = Visitors(tmp_path, (load_profile(hub),))
    accounts, code = accounts_in(visitors.file), visitors.code
    kinds = []
    for login in visitors.logins:
        actors = await who_signs_in(store, accounts, login.name, visitors.password, code)
        assert actors and len(actors) == 1 and actors[0].hub == hub
        kinds.append(actors[0].role)
    assert len(kinds) == len(set(kinds)) == len(accounts)
    expected = {"duty_manager", "service_manager", "agency", "early_help", "administrator", "information_governance"}
    assert expected < set(kinds)


def test_of_a_second_hub_the_duty_manager_can_be_visited(tmp_path: Path) -> None:
    logins = Visitors(tmp_path, (load_profile("sandwell"), load_profile("merton"))).logins
    assert [login.who for login in logins if login.position.hub == "merton"] == ["Duty manager, Merton MASH"]
    assert len({login.name for login in logins}) == len(logins)


def test_login_password_and_code_stand_on_one_line_each_where_output_is_a_file(tmp_path: Path) -> None:
    visitors, settings = Visitors(tmp_path, (load_profile("sandwell"), load_profile("merton"))), Settings(data_dir=tmp_path)
    printed = tmp_path / "printed"
    with printed.open("w") as file:
        show(Console(file=file), Stack(settings), visitors, "http://127.0.0.1:9000/", HubTime(datetime.now(UTC), MAY))
    lines = printed.read_text().splitlines()
    for login in visitors.logins:
        (line,) = [line for line in lines if f" login {login.name} " in line]
        assert line.strip().startswith(login.who) and f"password {visitors.password} " in line
        assert re.search(r"one-time code \d{6}$", line)
    text = "\n".join(lines)
    assert "each is another kind of person" in text and "until Ctrl-C" in text
    assert "The code of the moment: http://127.0.0.1:9000/code" in text
    assert "Demo time is Mon 18 May 2026, 10:37" in text


def test_the_code_of_the_moment_stands_on_the_page(demonstration: Demonstration) -> None:
    valid = {demonstration.visitors.code}
    front, code = demonstration.shows(), demonstration.shows("code")
    valid |= {demonstration.visitors.code}
    assert code.strip() in valid and any(f"<code>{each}</code>" in front for each in valid)
    assert demonstration.visitors.password in front
    assert all(f">{login.name}</td>" in front for login in demonstration.visitors.logins)
    assert f"{HERE}/sign-in" in Elements(front).links


@pytest.mark.parametrize(
    ("wrong", "value"), [("open", 5), ("accepted_by_sender", 7), ("children_wrong", "one is nobody's"), ("decided_otherwise", 1)]
)
def test_days_in_which_something_came_out_wrong_are_no_success(wrong: str, value: object) -> None:
    result = {"contacts": 10, "outcomes": 6, "open": 4, "accepted_by_sender": 8, "before": 2}
    result |= {"children_wrong": "", "decided_again": 90, "decided_otherwise": 0}
    assert comes_out(result)
    assert not comes_out(result | {wrong: value})
