"""Police, a practice and a neighbour who gave no e-mail address: the same clocks, and a person who tells them, by telephone, by
letter or at their door."""

from __future__ import annotations

from typing import Any

import pytest
from hub import ORDINARY, Hub

WHO: dict[str, dict[str, Any]] = {
    "a police officer who gave name and role": {"code": "4", "agency": "police", "name": "PC 1234 Example", "role": "response"},
    "a practice that gave its name": {"code": "3B", "agency": "health", "organisation": "Thornwick Surgery"},
    "a neighbour who gave a telephone number": {"code": "1B", "agency": "individual", "phone": "01632 960001"},
    "a school whose address is mistyped": {"code": "2A", "agency": "education", "email": "head@school,example.org"},
}


def referred(hub: Hub, who: str) -> str:
    answer = hub.submit({**ORDINARY, "source": WHO[who]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["reference"])


def running(hub: Hub, reference: str) -> set[str]:
    """What the referrer waits to hear, by the clocks that run."""
    owed = {"acknowledgement", "outcome_told", "withdrawal_told"}
    return {clock["id"] for clock in hub.case(reference)["clocks"] if clock["running"] and clock["id"].split(".")[0] in owed}


def asked(hub: Hub, reference: str) -> list[str]:
    """What became of the messages that ask somebody to tell the referrer."""
    return [notice["status"] for notice in hub.case(reference)["alerts_sent"] if notice["kind"] == "inform_referrer"]


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("how", ["telephone", "letter", "in_person"])
def test_each_waits_to_hear_that_it_arrived_and_what_became_of_it_until_a_person_has_told_them(
    hub: Hub, who: str, how: str
) -> None:
    reference = referred(hub, who)
    assert running(hub, reference) == {"acknowledgement"}
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    hub.work()
    assert running(hub, reference) == {"acknowledgement", "outcome_told"}
    assert asked(hub, reference) == ["delivered", "delivered"]
    for what in ("acknowledgement", "outcome"):
        hub.give(reference, "inform_referrer", words="Spoke to them.", what=what, how=how)
    assert running(hub, reference) == set()
    assert not hub.case(reference)["open"]


@pytest.mark.parametrize("who", WHO)
def test_what_no_longer_holds_is_owed_to_a_professional_and_to_nobody_of_the_public(hub: Hub, who: str) -> None:
    reference = referred(hub, who)
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    hub.give(reference, "inform_referrer", words="Rang them.", what="outcome", how="telephone")
    hub.give(reference, "reopen_referral", words="Decided by mistake.")
    hub.work()
    assert ("withdrawal_told" in running(hub, reference)) is (WHO[who]["agency"] != "individual")


def test_nobody_is_owed_anything_of_whom_nothing_is_known(hub: Hub) -> None:
    reference = str(hub.submit({"concern": {"summary": "She cries."}}).json()["reference"])
    assert running(hub, reference) == set()
