"""A child who is not born yet: when they are expected is a clock, the midwife is invited and reads the case, and the birth is an
act on the same child."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hub import ORDINARY, Hub, hub_here


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub of its own: what it sends is counted here."""
    with hub_here() as running:
        yield running


@pytest.fixture(scope="module")
def reference(hub: Hub) -> str:
    """A contact of November about a child who is expected in May."""
    unborn = {"name": "Baby Ames", "cohort": "unborn", "expected_date": "2027-05-20"}
    return hub.referral(subjects=[unborn], concern={**ORDINARY["concern"], "immediate_danger": True})


def clock(hub: Hub, reference: str, name: str) -> dict[str, Any]:
    return next(clock for clock in hub.case(reference)["clocks"] if clock["id"] == name)


def as_midwife(hub: Hub, reference: str) -> int:
    return hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "midwife")).status_code


def test_the_midwife_is_invited_to_the_strategy_discussion_though_the_hub_never_checks_with_one(hub: Hub, reference: str) -> None:
    assert "midwife" not in hub.case(reference)["checks_asked"] and as_midwife(hub, reference) in (403, 404)
    hub.give(reference, "call_strategy_discussion", words="Planned before the birth.")
    hub.give(reference, "schedule_strategy_discussion", at="2026-11-20T10:00:00Z", words="With the midwife.")
    told = hub.sql("SELECT kind FROM notice WHERE reference = %s AND role = 'midwife' ORDER BY id", reference)
    assert ("strategy_discussion",) in told and ("strategy_discussion_scheduled",) in told
    assert as_midwife(hub, reference) == 200


def test_a_discussion_that_is_called_off_is_taken_out_of_her_calendar_too(hub: Hub, reference: str) -> None:
    hub.give(reference, "cancel_meeting", what="strategy_discussion", words="The mother is in labour ward.")
    told = hub.sql("SELECT kind FROM notice WHERE reference = %s AND role = 'midwife' ORDER BY id", reference)
    assert told[-1] == ("strategy_discussion_called_off",)
    assert hub.case(reference)["stage"] == "strategy_discussion"


def test_whoever_was_invited_and_did_not_come_was_absent_and_the_conference_is_due_before_the_birth(
    hub: Hub, reference: str
) -> None:
    hub.give(reference, "schedule_strategy_discussion", at="2026-11-20T12:00:00Z", words="Again.")
    held = {"attended": ["social_care", "police", "health"], "apologies": ["midwife"], "outcome": "section_47"}
    held["held_on"] = "2026-11-19"
    hub.give(reference, "record_strategy_discussion", words="Held.", mode="face_to_face", **held)
    due = clock(hub, reference, "pre_birth_conference")
    assert due["due_at"].startswith("2027-02-22"), "twelve weeks before the Monday of the week of 20 May"
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Strategy discussion held")]
    assert "apologies midwife" in line


def test_the_birth_is_an_act_and_the_child_is_the_same_child(hub: Hub, reference: str) -> None:
    body = {
        "seen": hub.case(reference)["version"],
        "command": {"kind": "record_birth", "subject": "S1"},
        "details": {"date_of_birth": "2026-11-19", "name": "Wren Ames"},
    }
    headers = {"Idempotency-Key": hub.once(), **hub.staff("duty_manager")}
    assert hub.http.post(f"/cases/{reference}/commands", json=body, headers=headers).status_code == 200
    case = hub.case(reference)
    assert list(case["subjects"]) == ["S1"] and case["subjects"]["S1"]["cohort"] == "child"
    assert not clock(hub, reference, "pre_birth_conference")["running"]
    assert clock(hub, reference, "initial_conference")["running"], "the conference is due all the same"
