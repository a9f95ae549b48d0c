"""A step-down that no service accepts: it comes back to the day team, and each time it does, somebody higher hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hub import Hub, hub_here, later

TITLE = "no service accepted the step-down in time"


@pytest.fixture
def own() -> Iterator[Hub]:
    """A hub on a Thursday morning whose time passes from day to day."""
    with hub_here() as running:
        yield running


def offered(hub: Hub, reference: str) -> None:
    """A manager decides on early help, and it is offered."""
    hub.give(reference, "record_decision", role="practice_manager", words="Support.", outcomes={"S1": "early_help"})
    hub.give(reference, "offer_step_down", words="They know the family.", service="early_help")


def told(hub: Hub, reference: str) -> dict[str, int]:
    """How often each manager heard that nobody accepted it."""
    posted = sum(f"{reference}: {TITLE}" in post["title"] for post in hub.received.posts)
    mailed = {role: hub.received.telling(role, f"{reference}: {TITLE}") for role in ("duty_manager", "service_manager", "out_of")}
    return {**mailed, "practice_manager": posted}


def test_it_comes_back_to_the_day_team_and_each_round_is_told_higher(own: Hub) -> None:
    reference = own.referral()
    own.rate(reference, "green")
    own.answer_all(reference)
    offered(own, reference)
    with later(own, datetime(2026, 11, 26, 17, 1, tzinfo=UTC)) as evening:
        assert evening.case(reference)["stage"] == "step_down_offered"
        assert not any(told(evening, reference).values()), "nobody at night can do anything about it"
    with later(own, datetime(2026, 11, 27, 9, 1, tzinfo=UTC)) as morning:
        assert morning.case(reference)["stage"] == "decision"
        assert told(morning, reference) == {"duty_manager": 1, "practice_manager": 0, "service_manager": 0, "out_of": 0}
        offered(morning, reference)
    with later(own, datetime(2026, 12, 7, 9, 1, tzinfo=UTC)) as second:
        assert second.case(reference)["stage"] == "decision"
        assert told(second, reference) == {"duty_manager": 2, "practice_manager": 1, "service_manager": 0, "out_of": 0}
        assert "That is 2 times now" in "\n".join(second.received.texts("duty_manager"))
        offered(second, reference)
    with later(own, datetime(2026, 12, 15, 9, 1, tzinfo=UTC)) as third:
        assert third.case(reference)["open"] is True
        assert told(third, reference) == {"duty_manager": 3, "practice_manager": 1, "service_manager": 1, "out_of": 0}
