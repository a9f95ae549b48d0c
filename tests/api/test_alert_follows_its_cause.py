"""An alert ends with its cause, and whoever was alerted hears so; what comes after it is an alert of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hub import Hub, hub_here, later


@pytest.fixture
def own() -> Iterator[Hub]:
    """A hub on a Thursday morning at ten, whose time passes from hour to hour."""
    with hub_here() as running:
        yield running


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{time}").replace(tzinfo=UTC)


def subjects(hub: Hub, role: str, reference: str) -> list[str]:
    """What somebody got about an alert of red's own limit, in order."""
    return [title for title in hub.received.to(role) if title.startswith(("LATE", "OVER")) and f"{reference}, response" in title]


def test_rated_down_whoever_was_alerted_is_told_that_there_is_more_time_and_that_it_is_late_again_when_it_is(own: Hub) -> None:
    reference = own.referral()
    own.rate(reference, "red")
    with later(own, at("19 14:01")) as late:
        assert subjects(late, "duty_manager", reference) == [f"LATE: {reference}, response"]
        late.give(reference, "rerate_referral", rating="amber", words="Less than it seemed.")
        late.work()
        assert subjects(late, "duty_manager", reference)[-1] == f"OVER: {reference}, response"
        (over,) = [text for text in late.received.texts("duty_manager") if "has more time" in text]
        assert "due in" in over and "You are told if it is late again" in over
        (clock,) = [each for each in late.case(reference)["clocks"] if each["id"] == "response"]
        due = datetime.fromisoformat(clock["due_at"])
        assert clock["state"] == "running" and late.case(reference)["alerts"] == []
    with later(own, due + timedelta(days=3)) as again:
        told = subjects(again, "duty_manager", reference) + subjects(again, "out_of_hours", reference)
        assert len([title for title in told if title.startswith("LATE")]) >= 1
    figures = own.sql("SELECT count(*) FROM event WHERE reference = %s AND kind = 'clock_breached' AND canonical LIKE %s",
                      reference, '%"id":"response"%')  # fmt: skip
    assert figures == [(2,)], "each limit that was missed, once"


def test_rated_up_whoever_has_the_alert_has_it_no_more_and_is_alerted_to_what_it_is_now(own: Hub) -> None:
    reference = own.referral()
    own.rate(reference, "amber")
    with later(own, at("23 09:05")) as late:
        assert "decision_on_response" in late.case(reference)["alerts"]
        late.give(reference, "acknowledge_alert", clock="decision_on_response")
        assert late.case(reference)["held_by"]["decision_on_response"]
        late.give(reference, "rerate_referral", rating="red", words="The mother has been to hospital.")
        case = late.case(reference)
        assert "decision_on_response" in case["alerts"] and "decision_on_response" not in case["held_by"]
