"""At the end of a shift: what is open, what was promised, and what is due before the next one begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hub import Hub, hub_here

from mash.flows.store.rotas import store_rota
from mash.flows.store.store import Store
from mash.notifications.rota import Rota
from mash.states.clocks import LONDON


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub that hands over few cases: the others share one that comes to hold more than a list shows."""
    with hub_here() as running:
        yield running


def shown(hub: Hub, role: str = "duty_manager") -> str:
    """The page, as somebody of the hub reads it: one line a row."""
    answer = hub.http.get("/handover", headers=hub.staff(role))
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def part(page: str, begins: str, ends: str = "") -> str:
    """What stands under a heading."""
    found = page.partition(begins)[2]
    return found.partition(ends)[0] if ends else found


def ending(hub: Hub, hours: float) -> None:
    """A rota by which the next shift begins in so many hours."""

    async def kept(store: Store) -> None:
        now = store.time.now()
        at = now + timedelta(hours=hours)
        shift = {"role": "out_of_hours", "person": "night.owl", "begins": at.isoformat(), "why": "extra"}
        await store_rota(store, "sandwell", Rota(shifts=({**shift, "ends": (at + timedelta(hours=8)).isoformat()},)), "test")

    hub.stored(kept)


@pytest.fixture
def late_shift(hub: Hub) -> Any:
    ending(hub, 6)
    yield hub
    hub.sql("DELETE FROM rota")


def test_what_is_due_before_the_next_shift_stands_first_with_initials_and_age_and_whose_turn_it_is(late_shift: Hub) -> None:
    reference = late_shift.referral()
    page = shown(late_shift)
    due = part(page, "Due before the next shift", "Promised:")
    assert reference in due and re.search(r"Z\.Q\., \d+ ", due) and "Not rated" in due and "Triage" in due
    assert "On duty then: Out of hours: night.owl" in page


def test_what_is_due_later_stands_under_what_is_also_open(late_shift: Hub) -> None:
    reference = late_shift.referral()
    late_shift.rate(reference, "green")
    late_shift.answer_all(reference)
    assert reference in part(shown(late_shift), "Also open")


def test_what_was_promised_is_there_with_whose_it_is_and_by_when(late_shift: Hub) -> None:
    reference = late_shift.referral()
    due = late_shift.stored(_in(hours=30))
    late_shift.give(reference, "record_action", owner="police", due=due.isoformat(), words="Visit the home address.")
    promised = part(shown(late_shift), "Promised:", "Also open")
    assert "Visit the home address." in promised and "Police" in promised and reference in promised
    assert f"{due.astimezone(LONDON):%a %H:%M}" in promised
    late_shift.give(reference, "complete_action", action="A1", outcome="done")
    assert "Visit the home address." not in shown(late_shift)


def test_a_referrer_whom_a_person_has_to_tell_stands_there(late_shift: Hub) -> None:
    source = {"code": "1B", "agency": "individual", "name": "A neighbour", "phone": "01632 960001", "safe_to_write": False}
    reference = late_shift.referral(source=source)
    promised = part(shown(late_shift), "Promised:", "Also open")
    assert reference in promised and "Tell the referrer that their referral has arrived" in promised


def test_who_has_an_alert_stands_there_and_until_when() -> None:
    with hub_here() as hub:
        reference = hub.referral(concern={"summary": "He has a knife.", "immediate_danger": True})
        hub.sql("UPDATE time_anchor SET simulated = simulated + interval '5 hours'")
        hub.work()
        hub.give(reference, "acknowledge_alert", clock=hub.case(reference)["alerts"][0])
        promised = part(shown(hub), "Promised:", "Also open")
        assert "Has the alert" in promised and "duty_manager.social_care" in promised


def test_each_case_that_is_shown_is_one_access(late_shift: Hub) -> None:
    reference = late_shift.referral()
    counted = "SELECT count(*), min(why) FROM access WHERE reference = %s AND action = 'read_end_of_shift'"
    shown(late_shift)
    assert late_shift.sql(counted, reference) == [(1, "hands the shift over")]


def test_without_a_rota_the_hubs_opening_hours_say_when_others_take_over(hub: Hub) -> None:
    hub.sql("DELETE FROM rota")
    assert "by the hub’s opening hours" in shown(hub)


def test_partners_and_screens_have_no_such_page_and_the_board_leads_to_it(hub: Hub) -> None:
    for role, agency in (("agency", "police"), ("administrator", "social_care"), ("information_governance", "social_care")):
        assert hub.http.get("/handover", headers=hub.staff(role, agency)).status_code == 403
    assert 'href="/handover"' in hub.http.get("/board", headers=hub.staff("duty_manager")).text


def _in(hours: float) -> Any:
    async def moment(store: Store) -> Any:
        return store.time.now().replace(microsecond=0) + timedelta(hours=hours)

    return moment
