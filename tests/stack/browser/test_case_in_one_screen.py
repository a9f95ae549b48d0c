"""A case as its manager reads it: in one screen and in a minute; and every act on it by keyboard, in the order in which it is
read."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import Visitor, visitor
from hub import Hub
from playwright.sync_api import Browser

from mash.api import demo

LINES = (Path(demo.__file__).parent / "referrals.jsonl").read_text(encoding="utf-8").splitlines()
BODIES = {body["id"]: body for body in map(json.loads, LINES)}
MOST_WORDS = 350
SCREEN = 900
"""Pixels."""
LATE = {"V022": 6, "V001": 0, "V023": 2}
"""Contacts of some length, and how many agencies have answered."""
ORDER = """() => [...document.querySelectorAll('#box :is(a[href], button, input:not([type=hidden]), select, textarea, summary)')]
  .filter(each => each.checkVisibility() && each.tabIndex >= 0)
  .map(each => each.getBoundingClientRect()).map(box => [Math.round(box.top), Math.round(box.left)])"""
"""Where what can be reached with the Tab key stands, in the order in which it is reached."""


@pytest.fixture(scope="module")
def late(installation: Hub) -> dict[str, str]:
    """Cases that wait for some agencies."""
    given = {name: installation.submit(BODIES[name]).json()["reference"] for name in LATE}
    for name, answered in LATE.items():
        installation.rate(given[name], "red")
        for agency in installation.case(given[name])["outstanding"][:answered]:
            installation.answer(given[name], agency)
    return given


@pytest.mark.parametrize("name", LATE)
def test_a_late_case_is_one_screen_and_a_minutes_reading(late: dict[str, str], hub: Hub, browser: Browser, name: str) -> None:
    with visitor(hub, browser, "duty_manager") as somebody:
        somebody.goes(f"/case/{late[name]}")
        assert len(somebody.text.split()) <= MOST_WORDS, somebody.text
        assert somebody.page.evaluate("document.documentElement.scrollHeight") <= SCREEN
        green = somebody.page.locator(".govuk-button:visible")
        assert green.count() == 1, "one green button"
        box = somebody.page.locator("#box").inner_text()
        assert "In the way" in box or "Nothing is in the way" in box
        assert somebody.page.locator("#beside nav > ul > li").count() <= 6


def test_a_case_on_a_phone_is_read_in_the_order_of_its_work(late: dict[str, str], hub: Hub, browser: Browser) -> None:
    with visitor(hub, browser, "duty_manager", width=360) as somebody:
        somebody.goes(f"/case/{late['V022']}")
        tops = [somebody.page.locator(each).first.bounding_box() for each in ("h1", ".mash-worry", "#box", "#beside", "#rest")]
        places = [each["y"] for each in tops if each]
        assert len(places) == len(tops) and places == sorted(places), places


def test_every_act_opens_refuses_and_is_left_by_keyboard_in_the_order_in_which_it_is_read(
    late: dict[str, str], hub: Hub, browser: Browser
) -> None:
    reference = late["V022"]
    with visitor(hub, browser, "duty_manager") as somebody:
        somebody.goes(f"/case/{reference}")
        links = [
            urlsplit(str(each.get_attribute("href"))).path
            for each in somebody.page.locator(f"a[href^='/case/{reference}/']").all()
        ]
        acts = [path for path in dict.fromkeys(links) if not path.endswith(".pdf") and path.count("/") == 3]
        assert len(acts) > 15
        for path in acts:
            somebody.goes(f"{path}#act")
            if not somebody.page.locator("#box form").count():
                continue  # a page of its own
            assert _focused(somebody) == "act", f"{path}: the heading has the focus"
            _in_order(somebody, path)
            somebody.page.locator("#box form button").first.click()
            somebody.looks()
            if "done=" in somebody.page.url:
                continue  # nothing is asked
            assert _focused(somebody) == "act", f"{path}: what is wrong has the focus"
            _in_order(somebody, path)


def _focused(somebody: Visitor) -> str:
    return str(somebody.page.evaluate("document.activeElement.id"))


def _in_order(somebody: Visitor, path: str) -> None:
    places: list[list[int]] = somebody.page.evaluate(ORDER)
    assert places, path
    for above, below in pairwise(places):
        assert below[0] >= above[0] - 12, f"{path}: reached after what stands below it, {above} then {below}"
