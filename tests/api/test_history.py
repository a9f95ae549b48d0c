"""What stands behind the demonstration's days: closed cases of two years, as the product itself would have written them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from hub import Hub
from past import remembering_hub

from mash.api.demo.play import STARTS
from mash.flows.store.log import verify
from mash.flows.store.mending import Mender
from mash.flows.store.reads.counts import conservation
from mash.flows.store.store import open_store


@pytest.fixture(scope="module")
def remembering() -> Iterator[Hub]:
    """A hub with two years behind it."""
    with remembering_hub() as hub:
        yield hub


async def test_their_logs_prove_themselves_and_add_up(remembering: Hub) -> None:
    store = await open_store(remembering.settings)
    try:
        assert [wrong async for wrong in verify(store)] == [] == await Mender(store).look_at_all()
        count = await conservation(store)
        assert count["contacts"] == count["outcomes"] > 150 and count["open"] == 0
    finally:
        await store.close()


def test_every_week_of_the_last_year_has_contacts_and_nothing_waits(remembering: Hub) -> None:
    [[weeks]] = remembering.sql(
        "SELECT count(DISTINCT date_trunc('week', received_at)) FROM referral WHERE hub = 'sandwell' AND received_at > %s",
        STARTS - timedelta(weeks=52),
    )
    assert weeks >= 51
    assert remembering.sql("SELECT count(*) FROM to_look") == [(0,)]
    assert remembering.sql("SELECT count(*) FROM notice WHERE reference IS NOT NULL") == [(0,)]


def test_the_case_of_then_can_be_read_with_its_words_and_its_story(remembering: Hub) -> None:
    [[reference]] = remembering.sql("SELECT reference FROM referral WHERE hub = 'sandwell' ORDER BY received_at DESC LIMIT 1")
    manager = remembering.staff("duty_manager")
    page = remembering.http.get(f"/case/{reference}?tab=story", headers=manager)
    case = remembering.http.get(f"/cases/{reference}", headers=manager).json()
    assert page.status_code == 200
    [outcome] = {each["outcome"] for each in case["subjects"].values()}
    [concern] = [item["fields"] for item in case["items"] if item["kind"] == "concern"]
    assert " ".join(concern["narrative"].split()[:12]) in unescape(page.text) and outcome.replace("_", " ") in page.text.lower()


def test_a_control_chart_can_be_seen_and_agencies_that_are_late_stand_out(remembering: Hub) -> None:
    page = remembering.http.get("/manager?figure=answers&weeks=52", headers=remembering.staff("duty_manager")).text
    assert "Lower than chance explains" in page and "are below what chance explains." in page
    [five] = re.findall(r'<ul class="mash-five">.*?</ul>', page, re.DOTALL)
    assert five.count("<svg") == 5 and "too few to tell" not in five and "Too early" not in five
