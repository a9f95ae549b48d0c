"""Whatever dies, the log has the truth, and the flow picks up from it."""

from __future__ import annotations

import random

from hub import ON_DUTY, Installation, eventually

LIVES = 20


def test_with_prefect_down_referrals_are_accepted_clocks_fire_and_notices_go_out(quick: Installation) -> None:
    before = quick.referral()
    quick.awaits(before, "Awaiting triage")
    quick.stack.kill("prefect")
    meanwhile = quick.referral(concern={"summary": "Danger.", "immediate_danger": True})
    eventually(lambda: quick.received.telling(ON_DUTY, f"IMMEDIATE DANGER: {meanwhile}"))
    # An hour, 240 times faster: the rating of the first is late, and somebody is told.
    eventually(lambda: quick.received.telling(ON_DUTY, f"LATE: {before}, triage"))
    quick.give(before, "rate_referral", rating="green")
    quick.stack.start("prefect")
    quick.stack.wait_ready()
    quick.awaits(before, "Awaiting agency checks")
    quick.awaits(meanwhile, "Awaiting triage")


def test_a_worker_killed_at_random_points_of_twenty_lives_loses_nothing(quick: Installation) -> None:
    chance = random.Random(2611)
    references = [quick.referral() for _ in range(LIVES)]
    kills = sorted(chance.sample(range(LIVES * 4), 4))
    steps = 0
    for step in (rate, proceed, meet, decide):
        for reference in references:
            step(quick, reference)
            if steps in kills:
                quick.stack.kill("worker")
                quick.stack.start("worker")
            steps += 1
    for reference in references:
        quick.awaits(reference, "Completed")
        assert f"The outcome of your referral {reference}" in quick.received.to("head@school")
    waiting = "SELECT count(*) FROM notice WHERE reference = ANY(%s) AND status = 'queued' AND tries < 2"
    eventually(lambda: quick.sql(waiting, references) == [(0,)])
    assert quick.sql("SELECT count(*) FROM notice WHERE reference = ANY(%s) AND status = 'dead'", references) == [(0,)]
    # A message went twice only where the ledger shows a try that was cut off.
    tries = "SELECT n.id FROM notice n JOIN delivery d ON d.notice = n.id WHERE n.reference = ANY(%s)"
    doubled = quick.sql(f"{tries} AND d.result LIKE '%%ok%%' GROUP BY n.id HAVING count(*) > 1", references)
    cut_off = quick.sql(f"{tries} AND d.result IS NULL", references)
    assert set(doubled) <= set(cut_off)


def rate(hub: Installation, reference: str) -> None:
    hub.rate(reference, "red")


def proceed(hub: Installation, reference: str) -> None:
    hub.give(reference, "proceed_without_replies", words="It cannot wait.")


def meet(hub: Installation, reference: str) -> None:
    hub.give(reference, "record_meeting", words="Held.", attended=["police"], rating="green")


def decide(hub: Installation, reference: str) -> None:
    hub.give(reference, "record_decision", words="Decided.", outcomes={"S1": "no_further_action"})
