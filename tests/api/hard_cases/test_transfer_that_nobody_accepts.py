"""A red child on a plan moves to another county, whose front door does not answer: the child stays with this hub, each time
somebody higher is told, until somebody there has said that they have the case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hub import Hub

from mash.config.profile import load_profile
from mash.flows.store.apply import fire_due
from mash.flows.store.store import Store

BIRMINGHAM = "E08000025"


@pytest.fixture(scope="module")
def reference(hub: Hub) -> str:
    reference = hub.referral(subjects=[{"name": "Rowan Moved", "cohort": "child", "date_of_birth": "2016-04-12"}])
    hub.rate(reference, "red")
    hub.give(reference, "record_marker", marker="child_protection_plan")
    hub.answer_all(reference)
    if hub.case(reference)["stage"] == "mash_meeting":
        hub.give(
            reference, "record_meeting", attended=["social_care", "police", "health"], rating="red", words="Moved to Birmingham."
        )
    return reference


def decide(hub: Hub, reference: str, **to: Any) -> Any:
    given = {"outcomes": {"S1": "transfer"}, "primary_need": "N1", **to}
    return hub.ask(reference, "record_decision", words="The family has moved.", **given)


def running_out(hub: Hub, reference: str) -> None:
    """The time for the acceptance runs out, the hub opens, and the worker looks."""
    (due,) = [c["due_at"] for c in hub.case(reference)["clocks"] if c["id"].startswith("hand_over") and c["running"]]
    at = load_profile("sandwell").calendar.next_open(datetime.fromisoformat(due)) + timedelta(seconds=1)

    async def later(store: Store) -> None:
        store.time = type(store.time)(wall=at, simulated=at, rate=0.0)
        while await fire_due(store):
            pass

    hub.stored(later)


def alerted(hub: Hub, reference: str) -> list[str]:
    """Who was alerted that nobody accepts, in the order in which they were."""
    found = hub.sql(
        "SELECT role FROM notice WHERE reference = %s AND kind = 'escalation' AND clock LIKE 'hand_over%%' ORDER BY id", reference
    )
    return [role for (role,) in found]


def test_a_transfer_is_to_an_authority_that_there_is(hub: Hub, reference: str) -> None:
    for nowhere in ({}, {"transfer_to": "999"}):
        refused = decide(hub, reference, **nowhere)
        assert refused.status_code in (400, 422) and "authority" in refused.text
    assert hub.case(reference)["stage"] == "decision"


def test_the_child_stays_with_this_hub_and_each_round_is_told_higher(hub: Hub, reference: str) -> None:
    for number in (1, 2, 3):
        assert decide(hub, reference, transfer_to=BIRMINGHAM).json()["stage"] == "transfer_offered"
        case = hub.case(reference)
        assert case["open"] and case["owner"]
        running_out(hub, reference)
        case = hub.case(reference)
        assert (case["stage"], case["open"]) == ("decision", True)
        assert len(alerted(hub, reference)) == number
    assert alerted(hub, reference) == ["duty_manager", "practice_manager", "service_manager"]
    kinds = [each["kind"] for each in hub.case(reference)["alerts_sent"]]
    assert kinds.count("hand_over_not_accepted") == 3


def test_whoever_offers_cannot_accept_and_somebody_else_writes_down_who_did(hub: Hub, reference: str) -> None:
    assert decide(hub, reference, transfer_to=BIRMINGHAM).status_code == 200
    (name,) = [name for name, each in hub.case(reference)["hand_overs"].items() if each["result"] is None]
    refused = hub.ask(reference, "accept_hand_over", hand_over=name, words="Yes.")
    assert refused.status_code == 403
    hub.give(reference, "accept_hand_over", role="social_worker", hand_over=name, words="Ms Ray of Birmingham's front door.")
    case = hub.case(reference)
    assert (case["stage"], case["open"]) == ("transferred", False)
    assert case["subjects"]["S1"]["outcome"] == "transfer"
    assert not [clock for clock in case["clocks"] if clock["running"] and clock["id"].startswith("hand_over")]
