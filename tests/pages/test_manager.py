"""The managers' page, its pictures and its tables to take away."""

from __future__ import annotations

import asyncio
import re
from codecs import BOM_UTF8
from types import SimpleNamespace
from typing import Any

import pytest
from hub import Hub

from mash.api.pages import manager
from mash.api.pages.figures.tables import NOTHING, Figure
from mash.states.values import Actor

TODAY = Figure("today", "Today", "1 open.", ("What", "Number"), (("Open", 1),))


def chief(hub: str) -> Actor:
    return Actor(id="chief", role="team_manager", agency="social_care", hub=hub)


async def test_one_hub_does_not_wait_for_anothers_figures_and_nobody_reckons_what_is_being_reckoned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, go_on = list[str](), asyncio.Event()

    async def reckoned(_: Any, by: Actor, __: int) -> list[Figure]:
        asked.append(by.hub)
        if by.hub == "sandwell":
            await go_on.wait()
        return [TODAY]

    monkeypatch.setattr(manager, "_reckoned", reckoned)
    app = SimpleNamespace(state=SimpleNamespace(figures=manager.Kept(), store=None))
    slow = [asyncio.create_task(manager._figures(app, chief("sandwell"), 13)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(manager._figures(app, chief("merton"), 13), 5) == [TODAY]
    go_on.set()
    assert await asyncio.gather(*slow) == [[TODAY], [TODAY]] and asked == ["sandwell", "merton"]


def test_every_figure_has_its_table_beside_its_picture_or_says_once_that_there_is_nothing(hub: Hub) -> None:
    hub.rate(hub.referral())
    page = hub.http.get("/manager?weeks=4", headers=hub.staff("duty_manager")).text
    sections = re.findall(r"<section.*?</section>", page, re.DOTALL)
    assert len(sections) == 13
    for section in sections:
        assert section.count("<img") == section.count("<table") == section.count(".csv?weeks=4") and section.count(NOTHING) <= 1


def test_a_table_to_take_away_says_how_it_is_written(hub: Hub) -> None:
    """Excel takes what has no mark for the code page of the machine, and a dash for three letters."""
    hub.referral(source={"code": "3D"})
    table = hub.http.get("/manager/sources.csv", headers=hub.staff("duty_manager"))
    assert table.content.startswith(BOM_UTF8)
    assert "Health services – other primary health services" in table.content.decode("utf-8-sig")
