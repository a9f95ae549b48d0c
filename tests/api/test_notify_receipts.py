"""The receipts that GOV.UK Notify sends: believed by their token alone, and read for what became of a message, not of whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hub import Hub, hub_here
from notify import Notify, notify
from pydantic import SecretStr

TOKEN = "a-token-for-receipts"


@pytest.fixture(scope="module")
def service() -> Iterator[Notify]:
    with notify() as running:
        yield running


@pytest.fixture(scope="module")
def own(service: Notify) -> Iterator[Hub]:
    """A hub whose referrers are written to through Notify."""
    with hub_here(mail_url=SecretStr(service.url("email")), notify_token=SecretStr(TOKEN)) as running:
        yield running


def says(own: Hub, receipt: dict[str, Any], token: str = TOKEN) -> int:
    """Notify's receipt, as its documentation has it; the status of our answer."""
    more = {"to": "head@school.example.org", "notification_type": "email", "completed_at": "2026-11-19T10:00:01.000000Z"}
    headers = {"Authorization": f"Bearer {token}"}
    return own.http.post("/notify-receipts", json={**more, **receipt}, headers=headers).status_code


def waits(own: Hub, reference: str) -> bool:
    clocks = own.case(reference)["clocks"]
    return any(clock["running"] for clock in clocks if clock["id"] == "acknowledgement")


def test_the_clock_of_a_referrer_stops_when_the_receipt_says_that_their_mail_arrived(own: Hub, service: Notify) -> None:
    reference = own.referral()
    own.work()
    (mail,) = [each for each in service.sent if reference in each["personalisation"]["subject"]]
    assert mail["email_address"] == "head@school.example.org" and waits(own, reference)
    said = {"id": mail["id"], "reference": mail["reference"], "status": "delivered"}
    assert says(own, said, "another-token") == 401 and waits(own, reference)
    assert says(own, {**said, "status": "sending"}) == 204 and waits(own, reference)
    assert says(own, said) == 204 and not waits(own, reference)
    assert says(own, said) == 204, "it may say it twice"


def test_what_is_not_ours_is_taken_and_what_is_no_receipt_is_not(own: Hub) -> None:
    assert says(own, {"id": "740e5834-3a29-46b4-9a6f-16142fde533a", "status": "delivered"}) == 204
    assert says(own, {"id": "nothing", "status": "delivered"}) in (400, 422)
    assert says(own, {"id": "740e5834-3a29-46b4-9a6f-16142fde533a"}) in (400, 422)


def test_where_there_is_no_token_nobody_is_believed(hub: Hub) -> None:
    for token in ("x", TOKEN):
        assert says(hub, {"id": "740e5834-3a29-46b4-9a6f-16142fde533a", "status": "delivered"}, token) == 401


def test_a_referrer_whose_address_is_wrong_is_told_by_a_person(own: Hub, service: Notify) -> None:
    reference = own.referral()
    own.work()
    (mail,) = [each for each in service.sent if reference in each["personalisation"]["subject"]]
    assert says(own, {"id": mail["id"], "status": "permanent-failure"}) == 204 and waits(own, reference)
    own.give(reference, "inform_referrer", words="Rang the school.", what="acknowledgement", how="telephone")
    assert not waits(own, reference)
