"""Whatever dies, the log has the truth, and the flow picks up from it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hub import ON_DUTY, Hub, eventually, temporary_hub

LIVES = 20


@pytest.fixture(scope="module")
def own_hub() -> Iterator[Hub]:
    """A hub whose parts may be killed."""
    with temporary_hub() as running:
        yield running


def test_a_run_cancelled_or_deleted_in_prefect_is_put_back_on_its_feet(own_hub: Hub) -> None:
    cancelled, deleted = own_hub.referral(), own_hub.referral()
    run = own_hub.awaits(cancelled, "Awaiting triage")
    gone = own_hub.awaits(deleted, "Awaiting triage")
    own_hub.prefect.post(
        f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
    )
    assert own_hub.prefect.delete(f"/flow_runs/{gone['id']}").status_code == 204
    own_hub.give(cancelled, "rate_referral", rating="green")
    own_hub.give(deleted, "rate_referral", rating="green")
    assert own_hub.awaits(cancelled, "Awaiting agency checks")["id"] == run["id"], "the same run"
    again = own_hub.awaits(deleted, "Awaiting agency checks")
    assert (again["name"], again["id"] != gone["id"]) == (deleted, True)
    repaired = dict(own_hub.sql("SELECT reference, what FROM repair"))
    assert "Cancelled" in repaired[cancelled]
    assert "forgotten" in repaired[deleted]


def test_the_watchdog_finds_a_run_that_nobody_touches(own_hub: Hub) -> None:
    reference = own_hub.referral()
    run = own_hub.awaits(reference, "Awaiting triage")
    own_hub.prefect.post(
        f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
    )
    assert own_hub.awaits(reference, "Awaiting triage", 100)["id"] == run["id"]
    eventually(lambda: any("put back on their feet" in subject for subject in own_hub.received.to("administrator")), 100)


def test_with_prefect_down_referrals_are_accepted_clocks_fire_and_notices_go_out(own_hub: Hub) -> None:
    before = own_hub.referral()
    own_hub.awaits(before, "Awaiting triage")
    own_hub.stack.kill("prefect")
    meanwhile = own_hub.referral(concern={"summary": "Danger.", "immediate_danger": True})
    eventually(lambda: own_hub.received.telling(ON_DUTY, f"IMMEDIATE DANGER: {meanwhile}"))
    # An hour, 240 times faster: the rating of the first is late, and somebody is told.
    eventually(lambda: own_hub.received.telling(ON_DUTY, f"LATE: {before}, triage"), 90)
    own_hub.give(before, "rate_referral", rating="green")
    own_hub.stack.start("prefect")
    own_hub.stack.wait_ready(60)
    own_hub.awaits(before, "Awaiting agency checks", 60)
    own_hub.awaits(meanwhile, "Awaiting triage", 60)


def test_a_worker_killed_at_random_points_of_twenty_lives_loses_nothing(own_hub: Hub) -> None:
    chance = random.Random(2611)
    references = [own_hub.referral() for _ in range(LIVES)]
    kills = sorted(chance.sample(range(LIVES * 4), 4))
    steps = 0
    for step in (rate, proceed, meet, decide):
        for reference in references:
            step(own_hub, reference)
            if steps in kills:
                own_hub.stack.kill("worker")
                own_hub.stack.start("worker")
            steps += 1
    for reference in references:
        own_hub.awaits(reference, "Completed", 120)
        assert f"The outcome of your referral {reference}" in own_hub.received.to("head@school")
    eventually(lambda: own_hub.sql("SELECT count(*) FROM notice WHERE status = 'queued' AND tries < 2") == [(0,)], 90)
    assert own_hub.sql("SELECT count(*) FROM notice WHERE status = 'dead'") == [(0,)]
    # A message went twice only where the ledger shows a try that was cut off.
    doubled = own_hub.sql("SELECT notice FROM delivery WHERE result LIKE '%%ok%%' GROUP BY notice HAVING count(*) > 1")
    cut_off = own_hub.sql("SELECT notice FROM delivery WHERE result IS NULL")
    assert set(doubled) <= set(cut_off)


def rate(hub: Hub, reference: str) -> None:
    hub.rate(reference, "red")


def proceed(hub: Hub, reference: str) -> None:
    hub.give(reference, "proceed_without_replies", words="It cannot wait.")


def meet(hub: Hub, reference: str) -> None:
    hub.give(reference, "record_meeting", words="Held.", attended=["police"], rating="green")


def decide(hub: Hub, reference: str) -> None:
    hub.give(reference, "record_decision", words="Decided.", outcomes={"S1": "no_further_action"})
