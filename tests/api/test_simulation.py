"""A hub's past is simulated: `mash simulate`, and the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hub import Hub, eventually, hub_here, later
from past import remembering_hub

from mash.api import simulating
from mash.api.simulating import STOPPED, Simulating
from mash.flows.foresight.ask import simulated
from mash.flows.foresight.compare import Asked
from mash.flows.foresight.learn import STEPS
from mash.flows.foresight.pace import Far
from mash.flows.foresight.scenario import WrongScenario
from mash.flows.store.reads.on_record import Took, minutes_on_record
from mash.flows.store.simulations import simulation_of
from mash.flows.store.store import Store, open_store
from mash.states.errors import Incomplete
from mash.states.values import Actor

CHIEF = Actor(id="chief", role="team_manager", agency="social_care", hub="sandwell")
THERE = CHIEF.model_copy(update={"hub": "merton"})

LAST_WORD = "SELECT touched_at FROM simulation WHERE begun_at IS NOT NULL"


@pytest.fixture(scope="module")
def remembering() -> Iterator[Hub]:
    """A hub with two years behind it."""
    with remembering_hub() as hub:
        yield hub


async def test_last_quarter_is_simulated_from_the_log_and_held_against_what_happened(remembering: Hub) -> None:
    store = await open_store(remembering.settings)
    try:
        heard = list[Far]()
        report = await simulated(store, CHIEF, Asked(), heard.append)
    finally:
        await store.close()
    assert heard[-1] == (20, 20, 0.0) and report.apart
    assert heard[0].left > 0, "how long the others take, by the first"
    [contacts] = [each for each in report.compared if each.name == "contacts"]
    [[came]] = remembering.sql(
        "SELECT count(*) FROM referral WHERE hub = 'sandwell' AND reference = root AND received_at >= %s AND received_at < %s",
        report.since, report.until,
    )  # fmt: skip
    assert contacts.happened == came > 20


async def test_a_hub_with_nothing_on_record_says_so_and_a_wrong_what_if_says_what_can_be_asked(remembering: Hub) -> None:
    store = await open_store(remembering.settings)
    try:
        with pytest.raises(WrongScenario, match="is none of: 'staff duty_manager"):
            await simulated(store, CHIEF, Asked(scenarios=("more managers",)))
    finally:
        await store.close()
    with hub_here(hubs="merton") as new:
        empty = await open_store(new.settings)
        try:
            with pytest.raises(Incomplete, match="nothing is on record"):
                await simulated(empty, CHIEF.model_copy(update={"hub": "merton"}), Asked())
        finally:
            await empty.close()


def test_a_manager_asks_on_a_page_sees_how_far_it_is_and_finds_the_report_kept(remembering: Hub) -> None:
    manager = remembering.staff("duty_manager")
    page = remembering.http.get("/simulation", headers=manager)
    assert page.status_code == 200 and "Nobody is in the rota" in page.text
    asked = {"months": "3", "agency": "health", "hours": "24", "more": "20"}
    begun = remembering.http.post("/simulation", data=asked, headers=manager)
    assert begun.status_code == 303, begun.text
    for by in (manager, remembering.headers_of(THERE)):
        again = remembering.http.post("/simulation", data=asked, headers=by)
        assert again.status_code == 422 and "Another simulation is running" in again.text and 'value="24"' in again.text
    running = remembering.http.get("/simulation", headers=manager)
    assert "A simulation is running" in running.text and 'hx-get="/simulation/far"' in running.text
    assert "refresh" not in running.headers, "which would empty what is being filled in"

    def far() -> str:
        return remembering.http.get("/simulation/far", headers=manager).text

    assert 'name="agency"' not in far()
    eventually(lambda: "The simulation is done" in far(), 400)
    page = remembering.http.get("/simulation", headers=manager)
    assert "Last quarter, simulated, did not come out as it was" in page.text and "A simulation is running" not in page.text
    assert page.text.count("<svg") >= 7 and "/simulation/far" not in page.text
    assert remembering.http.get("/simulation", headers=remembering.staff("social_worker")).status_code == 403


async def test_it_is_said_that_one_lives_while_no_run_is_done_and_that_it_was_stopped(
    remembering: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "BEAT", timedelta(seconds=0.05))
    store = await open_store(remembering.settings)
    asking = Simulating(store)
    try:
        begun = await asyncio.gather(*(asking.begin(by, Asked()) for by in (CHIEF, THERE)))
        assert sorted(begun) == [False, True]
        by = CHIEF if begun[0] else THERE
        first = remembering.sql(LAST_WORD)
        await asyncio.to_thread(eventually, lambda: remembering.sql(LAST_WORD) != first)
        assert (await simulation_of(store, by)).done == 0
        await asking.close()
        assert (await simulation_of(store, by)).failed == STOPPED
    finally:
        await asking.close()
        await store.close()
    page = remembering.http.get("/simulation", headers=remembering.headers_of(by))
    assert "The last simulation gave nothing. The service was restarted" in page.text


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [("hours", "soon", "how many hours later"), ("more", "many", "how many per cent"), ("months", "7", "Choose how many months")],
)
def test_what_was_filled_in_wrongly_is_said_beside_it(remembering: Hub, field: str, value: str, why: str) -> None:
    asked = {"months": "12", "agency": "health", "hours": "24", "more": "20", field: value}
    answer = remembering.http.post("/simulation", data=asked, headers=remembering.staff("duty_manager"))
    assert answer.status_code == 422 and why in answer.text and value in answer.text


def test_how_long_an_act_on_a_page_took_is_from_when_the_case_was_opened_and_not_from_when_its_form_came_in() -> None:
    """Sending a form looks at the case as well, a moment before the act."""
    with hub_here(time_start="2026-06-04T08:00:00Z") as hub:
        [reference, another] = [hub.referral(), hub.referral()]
        by, address = hub.staff("duty_manager"), f"/case/{reference}/rate_referral"
        assert hub.http.get(f"/case/{reference}", headers=by).status_code == 200
        with later(hub, datetime(2026, 6, 4, 8, 12, tzinfo=UTC)) as hub:
            hidden = dict(
                re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', hub.http.get(address, headers=by).text)
            )
            wrong = hub.http.post(address, headers=by, data={**hidden, "words": "Rated."})
            assert wrong.status_code == 422
        with later(hub, datetime(2026, 6, 4, 8, 20, tzinfo=UTC)) as hub:
            sent = {**hidden, "rating": "amber", "words": "Rated."}
            assert hub.http.post(address, headers=by, data=sent).status_code == 303
            hub.http.get(f"/case/{another}", headers=by)
        with later(hub, datetime(2026, 6, 4, 9, 30, tzinfo=UTC)) as hub:
            hub.rate(another, "amber")
            [first, second] = _took(hub)
    assert first.kind == "referral_rated" and first.minutes == pytest.approx(20, abs=1)
    assert second.minutes < 1, "more than half an hour without a look: what was opened before is another sitting"


def _took(hub: Hub) -> list[Took]:
    async def asked(store: Store) -> list[Took]:
        return await minutes_on_record(
            store, CHIEF, datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), tuple(STEPS)
        )

    return hub.stored(asked)
