"""Each page as people use it: in a real browser, wide and narrow, with scripts and without, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import BROWSER, NO_BROWSER, running_browser, visitor
from hub import Hub
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.skipif(BROWSER is None, reason=NO_BROWSER)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, until these tests are over: while it runs, no other loop can."""
    with running_browser() as running:
        yield running


def test_the_board_says_how_long_there_is_left_and_is_filtered_by_its_address(
    calm: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    reference, red = calm.referral(), calm.referral()
    calm.rate(red)
    with visitor(calm, browser, "duty_manager", **way) as somebody:
        somebody.goes("/board")
        row = somebody.page.get_by_role("row", name=red)
        expect(row).to_contain_text("Red")
        expect(row).to_contain_text("left")
        expect(row).to_contain_text("Police")
        somebody.page.get_by_label("Rating").select_option(label="Red")
        somebody.clicks("Show", "button")
        assert "rating=red" in somebody.page.url
        expect(somebody.page.get_by_role("row", name=red)).to_be_visible()
        expect(somebody.page.get_by_role("row", name=reference)).to_have_count(0)


def test_a_board_that_is_open_shows_what_happens_by_itself(calm: Hub, browser: Browser) -> None:
    reference = calm.referral()
    with visitor(calm, browser, "duty_manager") as somebody:
        somebody.goes("/board")
        row = somebody.page.get_by_role("row", name=reference)
        expect(row).to_contain_text("Not rated")
        calm.rate(reference, "amber")
        expect(row).to_contain_text("Amber")
        assert somebody.page.evaluate("performance.getEntriesByType('navigation').length") == 1


def test_a_referral_is_rated_on_its_page_and_what_is_missing_is_said_beside_the_field(
    calm: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    reference = calm.referral(consent={"asked": True, "given": True, "safe_contact": "Never ring the house."})
    with visitor(calm, browser, "duty_manager", **way) as somebody:
        somebody.goes(f"/case/{reference}")
        expect(somebody.page.get_by_role("region", name="Warnings")).to_contain_text("Safe contact")
        somebody.clicks("Rate referral")
        somebody.page.get_by_label("Reason, in words").fill("Bruise on the arm, seen by the school.")
        somebody.clicks("Rate referral", "button")
        problem = somebody.page.get_by_role("alert")
        expect(problem).to_contain_text("Choose one")
        assert "Bruise on the arm" in somebody.page.get_by_label("Reason, in words").input_value()
        somebody.page.get_by_label("Red", exact=True).check()
        somebody.clicks("Rate referral", "button")
        expect(somebody.page.get_by_role("alert")).to_contain_text("Rate referral")
        expect(somebody.page.locator(".mash-story")).to_contain_text("Referral rated")
        assert calm.case(reference)["rating"] == "red"


def test_what_somebody_may_not_do_is_not_offered(calm: Hub, browser: Browser) -> None:
    reference = calm.referral()
    calm.rate(reference)
    with visitor(calm, browser, "agency at police") as somebody:
        somebody.goes(f"/case/{reference}")
        offered = somebody.page.get_by_role("complementary", name="What you may do now").inner_text()
        assert "Answer check" in offered and "Record decision" not in offered
        assert "head@school.example.org" not in somebody.text and "not yours to see" in somebody.text


def test_an_agency_answers_hands_over_and_releases_with_the_keyboard_alone(calm: Hub, browser: Browser) -> None:
    reference = calm.referral()
    calm.rate(reference)
    calm.give(reference, "record_threshold", significant_harm=True, words="Two bruises in a month.")
    with visitor(calm, browser, "agency at police") as somebody:
        keys = somebody.page.keyboard
        somebody.goes("/checks")
        assert "Public task" in somebody.text and "Safeguarding child" in somebody.text
        somebody.tabs_to(f"Hand to a colleague {reference}")
        somebody.enters()
        somebody.tabs_to("Login of the colleague")
        keys.type("pc.colleague")
        somebody.tabs_to("Allocate check")
        somebody.enters()
        somebody.goes("/checks")
        assert "pc.colleague" in somebody.text
        somebody.tabs_to(f"Answer {reference}")
        somebody.enters()
        somebody.tabs_to("Yes")
        keys.press("Space")
        somebody.tabs_to("What you hold (it stays your agency's own until you release it)")
        keys.type("Two calls to the address in June.")
        somebody.tabs_to("Answer check")
        somebody.enters()
        somebody.goes("/checks")
        assert reference not in somebody.page.locator("#rows").inner_text()
        somebody.goes(f"/case/{reference}/release_information")
        somebody.page.get_by_role("radio").first.check()
        somebody.page.get_by_label("To protect a child").check()
        somebody.page.get_by_label("Gist").check()
        somebody.page.get_by_label(re.compile("The version that others are to read")).fill("Known to police.")
        somebody.page.get_by_label("Reason, in words").fill("The calls bear on the threshold.")
        somebody.clicks("Release information", "button")
        assert "done=release_information" in somebody.page.url, somebody.text
    items = [item["content"] for item in calm.case(reference)["items"]]
    assert "Known to police." in items and "Two calls to the address in June." not in items


def test_a_meeting_is_recorded_case_by_case_with_its_product_on_paper(calm: Hub, browser: Browser, way: dict[str, Any]) -> None:
    first, second = (_to_be_discussed(calm) for _ in range(2))
    with visitor(calm, browser, "duty_manager", **way) as somebody:
        somebody.goes("/meetings")
        somebody.clicks("As an agenda")
        somebody.clicks(first)
        expect(somebody.page.locator("main")).to_contain_text("Quorum")
        paper = somebody.page.request.get(f"{calm.http.base_url}/case/{first}/product.pdf")
        assert paper.body().startswith(b"%PDF") and paper.headers["content-type"] == "application/pdf"
        somebody.clicks("Attendance, views, rating and actions")
        for box in somebody.page.get_by_role("group", name="Attended").get_by_role("checkbox").all():
            box.check()
        if (again := somebody.page.get_by_role("group", name="Rating (optional)")).count():
            again.get_by_label("Red", exact=True).check()
        somebody.page.get_by_label("What was said, and the actions agreed").fill("All agree. Health visits on Monday.")
        somebody.clicks("Record meeting", "button")
        assert "/meetings/convened/" in somebody.page.url, somebody.text
        assert calm.case(first)["stage"] != "mash_meeting"
        somebody.goes("/meetings/convened")
        assert second in somebody.text


def _to_be_discussed(hub: Hub) -> str:
    """A referral whose meeting is convened for today."""
    reference = hub.referral()
    hub.rate(reference)
    hub.answer_all(reference)
    hub.give(reference, "convene_meeting", at="2026-11-19T16:00:00Z")
    return reference
