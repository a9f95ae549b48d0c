"""The managers' page, its pictures and its tables to take away."""

from __future__ import annotations

import asyncio
import re
from codecs import BOM_UTF8
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hub import ORDINARY, Hub, hub_here

from mash.api.pages.figures import manager
from mash.api.pages.figures.drawing import CannotDraw, Drawing
from mash.api.pages.figures.tables import NOTHING, Figure
from mash.flows.store.looking import look_next
from mash.flows.store.store import open_store
from mash.states.values import Actor

TODAY = Figure("today", "Today", "1 open.", ("What", "Number"), (("Open", 1),))


def chief(hub: str) -> Actor:
    return Actor(id="chief", role="team_manager", agency="social_care", hub=hub)


async def test_one_hub_does_not_wait_for_anothers_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go_on = list[str](), asyncio.Event()

    async def reckoned(_: Any, by: Actor, __: int) -> list[Figure]:
        asked.append(by.hub)
        if by.hub == "sandwell":
            await go_on.wait()
        return [TODAY]

    monkeypatch.setitem(manager._RECKONED, "figures", reckoned)
    app = SimpleNamespace(state=SimpleNamespace(figures=manager.Reckoned(), store=None))
    slow = asyncio.create_task(manager._figures(app, chief("sandwell"), 13))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(manager._figures(app, chief("merton"), 13), 5) == [TODAY]
    go_on.set()
    assert await slow == [TODAY] and asked == ["sandwell", "merton"]


def shown(hub: Hub, figure: str = "", weeks: int = 26) -> str:
    """The page with a figure opened."""
    answer = hub.http.get(f"/manager?figure={figure}&weeks={weeks}", headers=hub.staff("duty_manager"))
    assert answer.status_code == 200, answer.text
    return answer.text


def test_five_figures_stand_first_each_a_link_to_its_chart_and_table(hub: Hub) -> None:
    hub.rate(hub.referral())
    page = shown(hub)
    [five] = re.findall(r'<ul class="mash-five">.*?</ul>', page, re.DOTALL)
    names = re.findall(r'figure=([a-z-]+)&amp;weeks=26"', five)
    assert names == ["open", "time-to-outcome", "rated", "answers", "back"]
    for name in names:
        page = shown(hub, name)
        assert page.count('aria-current="true"') == 2, "the figure that is opened, and the weeks"
        assert '<h2 id="figure">' in page


def test_every_figure_has_its_table_beside_its_chart_or_says_that_there_is_nothing(hub: Hub) -> None:
    hub.rate(hub.referral())
    names = set(re.findall(r"figure=([a-z-]+)&amp;weeks", shown(hub)))
    assert len(names) > 20
    for name in names:
        page = shown(hub, name)
        sections = re.findall(r"<section.*?</section>", page, re.DOTALL)
        assert 1 <= len(sections) <= 2
        for section in sections:
            charts, tables = section.count('role="img"'), section.count("<table")
            assert charts <= tables and bool(tables) == (".csv?weeks=26" in section) and section.count(NOTHING) <= 1, name
            assert not charts or "<svg" in section


def test_what_is_no_figure_is_not_there_and_weeks_that_are_not_offered_are_the_usual_ones(hub: Hub) -> None:
    manager = hub.staff("duty_manager")
    for path in ("/manager?figure=nobody", "/manager/nobody.csv"):
        assert hub.http.get(path, headers=manager).status_code == 404
    assert "26 weeks to Sun" in shown(hub, weeks=7)


def test_where_charts_cannot_be_drawn_the_tables_say_all_and_the_page_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.referral()

    def broken(*_: Any) -> None:
        raise CannotDraw

    monkeypatch.setattr(Drawing, "drawn", broken)
    page = shown(hub, "sources")
    assert "Charts cannot be drawn just now" in page and "<table" in page and "<svg" not in page


def test_ethnicity_and_age_are_reckoned_from_what_is_sealed_and_the_look_is_written_down_about_nobody(hub: Hub) -> None:
    reference = hub.referral()
    page = shown(hub, "ethnicity", 52)
    assert "Ethnicity beside need" in page and "Age beside need" in page and reference not in page
    noted = hub.sql("SELECT reference, about, why FROM access WHERE action = 'read_figures' ORDER BY at DESC LIMIT 1")
    assert noted[0][:2] == (None, None) and noted[0][2].endswith("as counts")
    file = hub.http.get("/manager/age.csv?weeks=52", headers=hub.staff("duty_manager")).content.decode("utf-8-sig")
    assert file.startswith("Primary need,") and "c: not given" in file
    assert hub.http.get("/manager?figure=age", headers=hub.staff("social_worker")).status_code == 403


def test_a_contact_whose_key_is_not_here_is_left_out_of_ethnicity_and_age_and_keeps_no_other_from_being_counted(hub: Hub) -> None:
    hub.referral()
    closed = hub.referral()
    kept = hub.sql("SELECT wrapped FROM referral_key WHERE reference = %s", closed)[0][0]
    hub.sql("UPDATE referral_key SET wrapped = wrapped || '\\x00'::bytea WHERE reference = %s", closed)
    try:
        page = shown(hub, "ethnicity", 52)
        assert "Ethnicity beside need" in page and "Age beside need" in page
    finally:
        hub.sql("UPDATE referral_key SET wrapped = %s WHERE reference = %s", kept, closed)


def test_a_table_to_take_away_says_how_it_is_written(hub: Hub) -> None:
    """Excel takes what has no mark for the code page of the machine, and a dash for three letters."""
    hub.referral(source={"code": "3D"})
    table = hub.http.get("/manager/sources.csv", headers=hub.staff("duty_manager"))
    assert table.content.startswith(BOM_UTF8)
    assert "Health services – other primary health services" in table.content.decode("utf-8-sig")


def test_what_a_manager_takes_away_is_never_older_than_the_page_it_was_asked_from(hub: Hub) -> None:
    manager = hub.staff("duty_manager")

    def referred() -> tuple[int, int]:
        """How many came in today, by the table of the page and by the one taken away."""
        on_page = re.search(r">Came in today</th><td[^>]*>(\d+)", shown(hub, "today", 52))
        away = re.search(r"Came in today,(\d+)", hub.http.get("/manager/today.csv?weeks=52", headers=manager).text)
        return int(on_page[1]) if on_page else 0, int(away[1]) if away else 0

    on_the_page, before = referred()
    assert before >= on_the_page
    hub.referral(source={"code": "5D"})
    _, after = referred()
    assert after == before + 1


async def test_who_asks_while_it_is_reckoned_gets_what_was_begun_since_and_those_who_do_share_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = list[int](), asyncio.Event()

    async def reckoned(*_: Any) -> list[Figure]:
        begun.append(len(begun))
        await go_on.wait()
        return [replace(TODAY, says=f"reckoning {begun[-1]}")]

    monkeypatch.setitem(manager._RECKONED, "figures", reckoned)
    app = SimpleNamespace(state=SimpleNamespace(figures=manager.Reckoned(), store=None))
    page = asyncio.create_task(manager._figures(app, chief("sandwell"), 13))
    await asyncio.sleep(0)
    more = [asyncio.create_task(manager._figures(app, chief("sandwell"), 13)) for _ in range(3)]
    await asyncio.sleep(0)
    go_on.set()
    assert [one.says for [one] in await asyncio.gather(page, *more)] == ["reckoning 0", *["reckoning 1"] * 3]


async def looked_at(hub: Hub) -> None:
    """Every contact that waits has been looked at."""
    store = await open_store(hub.settings)
    try:
        while await look_next(store):
            pass
    finally:
        await store.close()


def test_a_manager_sees_how_many_contacts_are_about_the_same_child_as_confirmed_and_as_suggested_and_no_case_is_named() -> None:
    with hub_here() as hub:
        first, second, third = (hub.referral(subjects=[dict(ORDINARY["subjects"][0])]) for _ in range(3))
        asyncio.run(looked_at(hub))
        hub.give(second, "identify_subject", subject="S1", other=first, other_subject="S1")
        asyncio.run(looked_at(hub))
        manager = hub.staff("duty_manager")
        page = shown(hub, "same-child")
        assert "1 of 3 contacts (33.3 per cent) is about the same child as another within the twelve months before" in page
        assert "The software suggests it of 1 more" in page
        [last] = re.findall(r">Nov 2026, to 19 Nov</th><td[^>]*>(\d+)</td><td[^>]*>(\d+)", page)
        assert last == ("1", "1") and ">1 + 1<" in page
        back = shown(hub, "back")
        assert "second person because contacts about one child" in shown(hub, "second-looks") and "Contacts that add up" in back
        table = hub.http.get("/manager/same-child.csv?weeks=4", headers=manager).content.decode("utf-8-sig")
        assert table.splitlines()[0] == "Month,Confirmed,Suggested"
        assert table.splitlines()[-2].endswith("c,c") and "c: not given, because a count under 5" in table.splitlines()[-1]
        assert not [each for each in (first, second, third) if each in page + back + table]
        refused = hub.http.get("/manager/same-child.csv", headers=hub.staff("agency", "police"))
        assert refused.status_code == 403, "whoever may not find people"
