"""Each page as people use it: in a real browser, wide and narrow, with scripts and without, by keyboard alone."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import Visitor, visitor
from hub import Hub, eventually, hub_here
from playwright.sync_api import Browser, Route, expect

from mash.api.pages import assets
from mash.flows.store.api_keys import WALL, NewKey, make_api_key
from mash.notifications.links import AlertLink, sign
from mash.states.values import Actor

HERE = Path(assets.__file__).parent / "static"


def test_the_board_says_how_long_there_is_left_and_is_filtered_by_its_address(
    hub: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    reference, red = hub.referral(), hub.referral()
    hub.rate(red)
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes("/board")
        row = somebody.page.get_by_role("row", name=red)
        expect(row).to_contain_text("Red")
        expect(row).to_contain_text("left")
        expect(row).to_contain_text("Police")
        somebody.page.get_by_text("Narrow by stage, rating or agency").click()
        somebody.page.get_by_label("Rating").select_option(label="Red")
        somebody.clicks("Show", "button")
        assert "rating=red" in somebody.page.url
        expect(somebody.page.get_by_role("row", name=red)).to_be_visible()
        expect(somebody.page.get_by_role("row", name=reference)).to_have_count(0)


def test_a_board_that_is_open_says_what_changed_and_moves_nothing_under_the_hand(hub: Hub, browser: Browser) -> None:
    reference = hub.referral()
    with visitor(hub, browser, "duty_manager") as somebody:
        somebody.goes("/board")
        row = somebody.page.get_by_role("row", name=reference)
        expect(row).to_contain_text("Not rated")
        rows = somebody.page.locator("table").inner_html
        shown = re.sub("mash-clock[^<]*<", "", rows())
        hub.rate(reference)
        changed = somebody.page.get_by_role("status").get_by_role("link", name=re.compile(r"^\d+ changed: show (it|them)$"))
        expect(changed).to_be_visible()
        assert re.sub("mash-clock[^<]*<", "", rows()) == shown
        somebody.looks()
        changed.click()
        expect(row).to_contain_text("Red")


def test_a_referral_is_rated_on_its_page_and_what_is_missing_is_said_beside_the_field(
    hub: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    reference = hub.referral(consent={"asked": True, "given": True, "safe_contact": "Never ring the house."})
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes(f"/case/{reference}")
        expect(somebody.page.get_by_role("region", name="Safe contact")).to_contain_text("Safe contact: Never ring the house.")
        somebody.clicks("Rate it")
        assert focused(somebody) == "act", "where the act opened"
        somebody.page.get_by_label("Why this rating?").fill("Bruise on the arm, seen by the school.")
        somebody.clicks("Save the rating", "button")
        problem = somebody.page.get_by_role("alert")
        expect(problem).to_contain_text("Not saved: one thing is missing or wrong")
        expect(problem).to_contain_text("Answer “How urgent is it?”")
        assert focused(somebody) == "act", "on what is wrong"
        assert "Bruise on the arm" in somebody.page.get_by_label("Why this rating?").input_value()
        somebody.page.get_by_role("radio", name=re.compile("^Red by ")).check()
        somebody.clicks("Save the rating", "button")
        expect(somebody.page.get_by_role("status")).to_contain_text("Rated red at ")
        assert focused(somebody) == "done", "on what changed"
        expect(somebody.page.get_by_role("heading", name=re.compile("^Say why to share by "))).to_be_visible()
        expect(somebody.page.locator(".mash-story")).to_contain_text("Referral rated")
        assert hub.case(reference)["rating"] == "red"


def focused(somebody: Visitor) -> str:
    """What has the focus, by its id: without scripts, what the address leads to."""
    return str(somebody.page.evaluate("document.activeElement.id"))


def test_a_page_is_live_however_late_one_of_its_scripts_comes(hub: Hub, browser: Browser) -> None:
    reference = hub.referral()
    late: list[Route] = []
    with visitor(hub, browser, "duty_manager") as somebody:
        somebody.page.route("**/hx-sse.min.js*", lambda route: late.append(route))
        with somebody.page.expect_request("**/hx-sse.min.js*"):
            somebody.page.goto(f"{hub.http.base_url}/board", wait_until="commit")
        # Not Playwright's own waiting: it has the page evaluate text, which our pages forbid.
        eventually(lambda: somebody.page.evaluate("Boolean(window.htmx)"))
        somebody.page.evaluate("new Promise(done => setTimeout(done))")  # whatever waits for nothing more has begun
        with somebody.page.expect_request("**/live?*"):
            late.pop().continue_()
        hub.rate(reference, "amber")
        expect(somebody.page.get_by_role("link", name=re.compile("changed: show"))).to_be_visible()


def test_a_board_that_is_left_open_says_so_when_its_session_is_over(hub: Hub, browser: Browser) -> None:
    with visitor(hub, browser, "team_manager") as somebody:
        somebody.goes("/board")
        hub.sql("UPDATE session SET ended_at = now() WHERE role = 'team_manager'")
        hub.referral()
        expect(somebody.page.get_by_role("link", name="Sign in")).to_be_visible()
        assert "MASH-26" not in somebody.text


def test_a_case_that_is_open_shows_warnings_and_what_may_be_done_as_they_change(hub: Hub, browser: Browser) -> None:
    reference = hub.referral()
    with visitor(hub, browser, "duty_manager") as somebody:
        somebody.goes(f"/case/{reference}")
        warned = somebody.page.get_by_role("region", name=re.compile("visit alone"))
        assert warned.count() == 0
        somebody.clicks("Add a note")
        somebody.page.get_by_role("textbox", name="Note").fill("Half a sentence")
        hub.give(reference, "record_marker", marker="staff_safety", words="A dog.")
        hub.rate(reference)
        expect(warned).to_be_visible()
        expect(somebody.page.locator("#head")).to_contain_text("Red")
        assert somebody.page.get_by_role("textbox", name="Note").input_value() == "Half a sentence"
        somebody.looks()


def test_what_somebody_may_not_do_is_not_offered(hub: Hub, browser: Browser) -> None:
    reference = hub.referral()
    hub.rate(reference)
    with visitor(hub, browser, "agency at police") as somebody:
        somebody.goes(f"/case/{reference}")
        offered = somebody.page.get_by_role("complementary", name="What happens next").inner_text()
        assert "Answer the check" in offered and "Decide" not in offered
        somebody.clicks(re.compile("^What was said"))
        assert "head@school.example.org" not in somebody.text and "has not shared with you" in somebody.text


def test_an_agency_answers_hands_over_and_releases_with_the_keyboard_alone(hub: Hub, browser: Browser) -> None:
    reference, other = (
        hub.referral(
            subjects=[{"name": {"given": name, "family": "Tuttlesby"}, "date_of_birth": "2017-03-02", "cohort": "child"}]
        )
        for name in ("Isolde", "Peregrine")
    )
    hub.rate(reference)
    hub.rate(other)
    hub.give(reference, "record_threshold", significant_harm=True, words="Two bruises in a month.")
    hub.session(Actor(id="pc.colleague", role="agency", agency="police", hub="sandwell"))
    with visitor(hub, browser, "agency at police") as somebody:
        keys = somebody.page.keyboard
        somebody.goes("/checks")
        somebody.tabs_to("Not known to us : Peregrine Tuttlesby")
        somebody.enters()
        assert "as a public task, for safeguarding a child" in somebody.text
        assert somebody.page.evaluate("document.activeElement.innerText") == "Send “not known to us”", "focus is on its button"
        somebody.enters()
        assert "Sent “not known to us” for Peregrine Tuttlesby." in somebody.page.evaluate("document.activeElement.innerText")
        assert somebody.page.get_by_role("row", name=other).count() == 0
        somebody.tabs_to("Take it : Isolde Tuttlesby")
        somebody.enters()
        expect(somebody.page.get_by_role("row", name=reference)).to_contain_text("With you.")
        somebody.tabs_to("Hand over : Isolde Tuttlesby")
        somebody.enters()
        assert somebody.page.evaluate("document.activeElement.id") == "to", "focus is on the choice"
        keys.type("pc.colleague")
        somebody.tabs_to("Hand over")
        somebody.enters()
        expect(somebody.page.get_by_role("row", name=reference)).to_contain_text("With pc.colleague.")
        somebody.tabs_to("We know them : Isolde Tuttlesby")
        somebody.enters()
        somebody.tabs_to("Yes")  # whether they are known, which the button has said
        somebody.tabs_to("Yes")
        keys.press("Space")  # that it is relevant
        somebody.tabs_to("What your agency holds (it stays your agency's own until you release it)")
        keys.type("Two calls to the address in June.")
        somebody.tabs_to("Answer the check")
        somebody.enters()
        somebody.goes("/checks")
        assert somebody.page.get_by_role("row", name=reference).count() == 0
        somebody.tabs_to(f"Release information {reference}")
        somebody.enters()
        somebody.page.get_by_role("radio").first.check()
        somebody.page.get_by_label("To protect a child").check()
        somebody.page.get_by_label("Gist").check()
        somebody.page.get_by_label("Redacted version for others").fill("Known to police.")
        somebody.page.get_by_label("Why this much is needed").fill("The calls bear on the threshold.")
        somebody.clicks("Release information", "button")
        assert "done=release_information" in somebody.page.url, somebody.text
    items = [item["content"] for item in hub.case(reference)["items"]]
    assert "Known to police." in items and "Two calls to the address in June." not in items


def test_an_alert_is_taken_with_one_thumb_and_passed_on_by_whoever_cannot(
    hub: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    reference = hub.referral(concern={"summary": "He is in there with her now.", "immediate_danger": True})
    assert hub.settings.token_key
    link = AlertLink(reference=reference, hub="sandwell", clock="triage", role="duty_manager", notice=0)
    path = f"/alerts/{sign(hub.settings.token_key.get_secret_value(), link)}"
    with visitor(hub, browser, **way) as nobody:
        nobody.goes(path)
        expect(nobody.page.get_by_role("heading", level=1)).to_have_text("Somebody may be in immediate danger")
        expect(nobody.page.get_by_role("link", name="999")).to_have_attribute("href", "tel:999")
        nobody.clicks("I have it", "button")
        expect(nobody.page.get_by_role("heading", level=1)).to_have_text("Sign in: then it is yours")
        assert "/sign-in?onward=" in str(nobody.page.get_by_role("button", name="Sign in").get_attribute("href"))
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes(path)
        button = somebody.page.get_by_role("button", name="I have it", exact=True).bounding_box()
        assert button and button["y"] + button["height"] < 700, "at the height of a thumb"
        somebody.page.get_by_label("1 hour").check()
        somebody.clicks("I have it", "button")
        expect(somebody.page.get_by_role("heading", level=1)).to_have_text("You have it")
        somebody.clicks("I cannot: pass it on", "button")
        assert "Passed on: the practice manager is told now." in somebody.page.evaluate("document.activeElement.innerText")


def test_a_meeting_is_recorded_case_by_case_with_its_product_on_paper(hub: Hub, browser: Browser, way: dict[str, Any]) -> None:
    first, second = (_to_be_discussed(hub) for _ in range(2))
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes("/meetings")
        somebody.clicks(re.compile(first))
        somebody.clicks("All who were invited are here", "button")
        paper = somebody.page.request.get(f"{hub.http.base_url}/case/{first}/product.pdf")
        assert paper.body().startswith(b"%PDF") and paper.headers["content-type"] == "application/pdf"
        somebody.page.get_by_label("Housing: Apologies").check()
        if somebody.scripts:
            expect(somebody.page.locator("#there")).to_contain_text("11 here, 1 apology, 0 absent.")
        somebody.page.get_by_label("What Police says").fill("All agree.")
        somebody.clicks("Save, next: Social work", "button")
        if somebody.scripts:
            assert focused(somebody) == "text", "whoever writes goes on writing"
        somebody.page.get_by_label("Add an action").fill("Visit on Monday.")
        somebody.page.get_by_label("Who", exact=True).select_option("health")
        somebody.page.get_by_label("By when").fill("23 Nov 12:00")
        somebody.clicks("Record the meeting", "button")
        expect(somebody.page.locator("#held_on-error")).to_contain_text("It is to be held today 16:00")
        somebody.page.get_by_label("Day it was held").fill("2026-11-19")  # brought forward from the afternoon
        somebody.clicks("Record the meeting", "button")
        assert "Recorded at" in somebody.text and "Health safeguarding nurse" in somebody.text
        assert hub.case(first)["stage"] != "mash_meeting"
        texts = {item["kind"]: item["content"] for item in hub.case(first)["items"]}
        assert texts["record_meeting"].startswith("Views\nPolice: All agree.\n\nActions agreed\nVisit on Monday. (")
        assert texts["record_action"] == "Visit on Monday."
        somebody.goes("/meetings/convened")
        assert second in somebody.text and first not in somebody.text


def _to_be_discussed(hub: Hub) -> str:
    """A referral whose meeting is convened for today."""
    reference = hub.referral()
    hub.rate(reference)
    hub.answer_all(reference)
    hub.give(reference, "convene_meeting", at="2026-11-19T16:00:00Z")
    return reference


def test_a_teacher_makes_a_referral_leaves_it_comes_back_and_sends_it(hub: Hub, browser: Browser, way: dict[str, Any]) -> None:
    with visitor(hub, browser, **way) as somebody:
        page = somebody.page
        somebody.goes("/refer")
        assert "999" in somebody.text
        page.locator("form[action='/refer'] button").click()
        _answers(somebody, hub="sandwell", danger="no", want="referral")
        _answers(somebody, given="Isla", family="Example", cohort="child", day="20", month="12", year="2015", more="no")
        assert page.url.endswith("/refer/worries")
        somebody.goes("/refer/save")
        link = re.search(r"/refer/return/[A-Za-z0-9_-]+", page.content())
        assert link
        page.context.clear_cookies()
        somebody.goes(link[0])
        somebody.clicks("Continue", "button")
        somebody.goes("/refer/worries")
        worries = "She is late two mornings a week, and looks after her mother."
        _answers(somebody, worries=worries, need="Somebody who visits.", categories="neglect")
        _answers(somebody, told="yes", agreed="yes", who_1="Ruth Example", is_1="mother")
        page.locator("main [name='name']").fill("M. Example")
        page.locator("main form button").first.click()
        expect(page.get_by_role("alert")).to_contain_text("There is a problem")
        assert page.title().startswith("Error: ") and page.locator("main [name='name']").input_value() == "M. Example"
        somebody.looks()
        school = {"sector": "education", "which_education": "school"}
        _answers(somebody, name="M. Example", role="pastoral lead", email="pastoral@school.example.org", **school)
        assert page.url.endswith("/refer/check")
        assert "Isla" in somebody.text and "late two mornings" in somebody.text and "Somebody who visits." in somebody.text
        page.locator("form[action='/refer/send'] button").click()
        somebody.looks()
        reference = re.search(r"MASH-26-[0-9]{6}", somebody.text)
        assert page.url.endswith("/refer/sent") and reference
        with page.expect_download() as paper:
            page.get_by_role("button", name="Download a copy (PDF)").click()
        assert paper.value.suggested_filename == f"{reference[0]}.pdf"
        for _ in range(4):
            page.go_back()
            assert "Isla" not in somebody.text and "late two mornings" not in page.content() and reference[0] not in somebody.text
    assert any("Isla" in str(item["content"]) for item in hub.case(reference[0])["items"])


def _answers(somebody: Visitor, **typed: str) -> None:
    """Fills in the page and goes on."""
    for name, value in typed.items():
        field = somebody.page.locator(f"main [name='{name}']")
        if name == "hub":
            field.select_option(value)
        elif field.first.get_attribute("type") in ("radio", "checkbox"):
            somebody.page.locator(f"main [name='{name}'][value='{value}']").check()
        else:
            field.fill(value)
    before = somebody.page.url
    somebody.page.locator("main form button").first.click()
    somebody.looks()
    assert somebody.page.url != before, somebody.text


def _led_away(route: Route) -> None:
    """A page about the weather, which is not ours to ask for in a test."""
    away = route.fetch(max_redirects=0)
    assert away.headers["location"] == "https://www.bbc.co.uk/weather"
    route.fulfill(body="<h1>Weather</h1>", content_type="text/html")


def test_whoever_leaves_quickly_leaves_nothing_that_going_back_could_show(
    hub: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    with visitor(hub, browser, **way) as somebody:
        page = somebody.page
        page.route("**/refer/exit", _led_away)
        somebody.goes("/refer")
        page.locator("form[action='/refer'] button").click()
        _answers(somebody, hub="sandwell", danger="no", want="referral")
        page.locator("main [name='given']").fill("Isla")
        page.locator("main [name='day']").fill("99")
        page.locator("main form button").first.click()
        expect(page.get_by_role("alert")).to_contain_text("Check what you wrote")
        page.locator("main [name='family']").fill("Example")
        leaving = page.get_by_role("button", name="Leave this page quickly")
        leaving.click()
        expect(page.get_by_role("heading", name="Weather")).to_be_visible()
        assert not page.context.cookies()
        for _ in range(4):
            page.go_back()
            if page.url.startswith("about:"):
                break
            assert "Isla" not in page.content() and "Example" not in page.content(), page.url
            assert not [each for each in page.locator("input").all() if each.input_value() in ("Isla", "Example", "99")]


def test_shift_three_times_leaves_too(hub: Hub, browser: Browser) -> None:
    with visitor(hub, browser) as somebody:
        page = somebody.page
        page.route("**/refer/exit", _led_away)
        somebody.goes("/refer")
        for _ in range(3):
            page.keyboard.press("Shift")
        expect(page.get_by_role("heading", name="Weather")).to_be_visible()


def test_a_slip_is_said_at_its_field_as_it_is_typed_and_kept_by_saying_so(hub: Hub, browser: Browser) -> None:
    with visitor(hub, browser) as somebody:
        page = somebody.page
        somebody.goes("/refer")
        page.locator("form[action='/refer'] button").click()
        _answers(somebody, hub="sandwell", danger="no", want="referral")
        page.get_by_label("A child", exact=True).check()
        for name, value in (("day", "3"), ("month", "4"), ("year", "1966")):
            page.locator(f"[name='{name}']").fill(value)
            expect(page.get_by_text("We could not tell")).to_have_count(0)
        page.get_by_label("Address").focus()
        expect(page.locator("#doubt-date")).to_contain_text("We could not tell if this is a child")
        somebody.looks()
        described = page.get_by_role("group", name="Date of birth").get_attribute("aria-describedby")
        assert set((described or "").split()) == {"date-hint", "doubt-date"}
        page.get_by_label("An adult", exact=True).check()
        expect(page.get_by_text("We could not tell")).to_have_count(0)
        page.get_by_label("A child", exact=True).check()
        page.get_by_label("This is right: leave it as it is").check()
        somebody.looks()
        page.get_by_role("button", name="Continue").click()
        assert page.url.endswith("/refer/worries"), "nothing is asked twice"


def test_a_manager_sees_how_the_hub_is_doing_in_pictures_and_tables(hub: Hub, browser: Browser, way: dict[str, Any]) -> None:
    hub.rate(hub.referral())
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes("/manager")
        expect(somebody.page.locator(".mash-five li")).to_have_count(5)
        box, screen = somebody.page.locator(".mash-five").bounding_box(), somebody.page.viewport_size
        assert box and screen
        if screen["width"] >= 1200:
            assert box["y"] + box["height"] <= 320, "all five stand in one screen, and a chart is open below them"
        somebody.page.get_by_role("link", name="Contacts by source").click()
        somebody.looks()
        expect(somebody.page.get_by_role("img", name=re.compile("Contacts by source"))).to_be_visible()
        expect(somebody.page.get_by_role("table", name="Contacts by source")).to_contain_text("Schools")
        table = somebody.page.request.get(f"{hub.http.base_url}/manager/sources.csv")
        assert table.body().decode("utf-8-sig").startswith("What,Number,Per cent") and table.body().startswith(BOM_UTF8)
        somebody.page.emulate_media(color_scheme="dark")
        somebody.goes("/manager?figure=open")
        ground = somebody.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(16, 20, 24)", "dark where the screen is"


def test_a_shift_is_handed_over_by_a_page_that_leads_to_each_case_and_prints_without_its_bar(
    hub: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    reference = hub.referral(concern={"summary": "He has a knife.", "immediate_danger": True})
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes("/board")
        somebody.page.locator(".mash-menu summary").click()
        somebody.clicks("Hand over the shift", "link")
        somebody.looks()
        expect(somebody.page.get_by_role("row").filter(has_text=reference)).to_contain_text("Immediate danger")
        somebody.page.emulate_media(media="print")
        expect(somebody.page.locator(".mash-bar")).to_be_hidden()
        expect(somebody.page.get_by_text("Print this page")).to_be_hidden()
        somebody.page.emulate_media(media="screen")
        somebody.page.get_by_role("row").filter(has_text=reference).get_by_role("link").click()
        assert somebody.page.url.endswith(f"/case/{reference}")


def test_what_was_done_on_paper_is_entered_with_when_it_happened(hub: Hub, browser: Browser, way: dict[str, Any]) -> None:
    reference = hub.referral(reported_at="2026-11-19T07:00:00Z")
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes(f"/case/{reference}/add_note")
        when = somebody.page.get_by_label("When did it happen?")
        expect(when).to_be_hidden()
        somebody.page.get_by_text("It happened earlier").click()
        when.fill("2026-11-19T08:15")
        somebody.looks()
        somebody.page.locator("textarea").last.fill("Rang the school.")
        somebody.page.locator("form[action*='/add_note']").get_by_role("button").click()
        expect(somebody.page.get_by_text("happened 08:15")).to_be_visible()


def _types_into_the_bar(somebody: Visitor, text: str, leads_to: str) -> None:
    """Where the bar has its field: on a phone, Find leads to one."""
    field = somebody.page.get_by_label("Reference or name")
    if not field.is_visible():
        return
    if somebody.scripts:
        somebody.page.keyboard.press("/")
        expect(field).to_be_focused()
    field.fill(text)
    field.press("Enter")
    somebody.page.wait_for_url(f"**{leads_to}")
    somebody.looks()


def test_somebody_is_found_by_name_or_reference_and_information_governance_sees_who_looked(
    hub: Hub, browser: Browser, way: dict[str, Any]
) -> None:
    subject = {"name": {"given": "Ottoline", "family": "Quillfeather"}, "date_of_birth": "2014-03-02", "cohort": "child"}
    reference = hub.referral(subjects=[subject])
    with visitor(hub, browser, "duty_manager", **way) as somebody:
        somebody.goes("/people")
        somebody.clicks("Find", "button")
        expect(somebody.page.get_by_role("alert")).to_contain_text("Fill this in")
        somebody.page.get_by_label("Name, reference, NHS number or UPN").fill("Otoline Quilfeather")
        somebody.clicks("Find", "button")
        assert "Quilfeather" not in somebody.page.url and "Ottoline Quillfeather" in somebody.text
        somebody.page.get_by_role("link", name=reference, exact=True).first.click()
        somebody.page.wait_for_url(f"**/case/{reference}")
        back = somebody.page.go_back()
        assert back and back.status == 200 and somebody.page.url.endswith("/find")
        expect(somebody.page.get_by_role("link", name=reference, exact=True).first).to_be_visible()
        expect(somebody.page.get_by_label("Name, reference, NHS number or UPN")).to_have_value("Otoline Quilfeather")
        somebody.looks()
        somebody.goes("/people")
        somebody.page.get_by_label("Name, reference, NHS number or UPN").fill(f" {reference.lower().replace('-', '')} ")
        somebody.clicks("Find", "button")
        assert somebody.page.url.endswith(f"/case/{reference}")
        somebody.goes(f"/people/in/{reference}")
        _types_into_the_bar(somebody, "Quillfeather", "/find")
        _types_into_the_bar(somebody, reference[-6:], f"/case/{reference}")
    hub.rate(reference)
    with visitor(hub, browser, "agency at police", **way) as partner:
        partner.goes("/checks")
        way_in = partner.page.get_by_role("link", name="Open a case")
        if way_in.is_visible():
            way_in.click()
            partner.page.get_by_label("Reference", exact=True).fill(reference[-6:])
            partner.clicks("Open", "button")
        else:
            partner.page.get_by_label("Reference (press / to come here)").fill(reference[-6:])
            partner.page.keyboard.press("Enter")
        partner.page.wait_for_url(f"**/case/{reference}")
        partner.looks()
    with visitor(hub, browser, "information_governance at hub", **way) as governor:
        governor.goes("/")
        assert governor.page.url.endswith("/looked")
        governor.clicks("Show", "button")
        expect(governor.page.get_by_role("alert")).to_contain_text("Enter one of a reference, a child’s name and a login")
        governor.page.get_by_label("Case reference (includes linked referrals)").fill(reference)
        governor.clicks("Show", "button")
        rows = governor.page.get_by_role("table", name="Latest first")
        expect(rows).to_contain_text("duty_manager.social_care")
        expect(rows).to_contain_text("Find people")


def test_an_analyst_takes_the_dataset_and_reads_what_it_is_not(hub: Hub, browser: Browser, way: dict[str, Any]) -> None:
    hub.referral()
    with visitor(hub, browser, "analyst at hub", **way) as somebody:
        somebody.goes("/")
        assert somebody.page.url.endswith("/dataset") and "Small numbers identify" in somebody.text
        somebody.clicks("Download the dataset", "button")
        expect(somebody.page.get_by_role("alert")).to_contain_text("Enter a date")
        somebody.page.get_by_label("Contacts that came in from the week of").fill("2026-11-01")
        somebody.page.get_by_label("To the end of the week of").fill("2026-11-12")
        somebody.page.get_by_label("Parquet").check()
        with somebody.page.expect_download() as taken:
            somebody.page.get_by_role("button", name="Download the dataset").click()
        assert taken.value.suggested_filename == "dataset-sandwell-2026-10-26-to-2026-11-15.parquet"
        assert taken.value.path().read_bytes()[:4] == b"PAR1"


def test_whoever_comes_in_finds_their_way_and_out_again(hub: Hub, browser: Browser) -> None:
    for width in (1440, 360):
        with visitor(hub, browser, width=width) as anybody:
            anybody.goes("/")
            assert all(name in anybody.text for name in ("call 999", "Make a referral", "Sign in"))
    with visitor(hub, browser, "service_manager") as somebody:
        somebody.goes("/")
        assert somebody.page.url.endswith("/board")
        somebody.clicks("Sign out", "button")
        assert somebody.goes("/board").status == 401


def test_an_administrator_sees_the_installation_and_nobodys_case(hub: Hub, browser: Browser, way: dict[str, Any]) -> None:
    reference = hub.referral()
    with visitor(hub, browser, "administrator at hub", **way) as somebody:
        somebody.goes("/admin")
        assert all(word in somebody.text for word in ("school", "Duty manager", "responding", "mailto")), somebody.text
        assert "example.org" not in somebody.text
        led = str(somebody.page.get_by_role("link", name="Awaiting triage").get_attribute("href"))
        asked = parse_qs(urlsplit(led).query)
        assert led.startswith(f"{hub.settings.prefect_api_url.removesuffix('/api')}/v2/runs?")
        assert asked["state"] == ["Awaiting triage"] and asked["tag"] == ["hub:sandwell"]
        somebody.clicks("Compare with another hub")
        somebody.page.get_by_label("Second hub").select_option("merton")
        somebody.clicks("Compare", "button")
        assert "other=merton" in somebody.page.url
        expect(somebody.page.get_by_role("table")).to_contain_text("settings differ")
        answer = somebody.page.goto(f"{hub.http.base_url}/case/{reference}")
        assert answer and answer.status == 403


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    """A hub of its own: a screen shows the few most pressing cases, and others' are none of these."""
    with hub_here() as running:
        yield running


def test_a_screen_in_the_hub_needs_no_scripts_and_its_key_is_good_for_nothing_else(own: Hub, browser: Browser) -> None:
    person = {"name": {"given": "Ottoline", "family": "Quillfeather"}, "cohort": "child"}
    reference = own.referral(subjects=[person])
    key = own.stored(lambda store: make_api_key(store, NewKey("wall", "sandwell", "hub", (WALL,))))
    with visitor(own, browser, width=1920, scripts=False) as screen:
        assert screen.goes("/wall").status == 401
        screen.goes("/wall/key")
        screen.page.get_by_label("Key for this screen").fill(own.key)
        screen.clicks("Show the wall display", "button")
        assert "not a wall display key" in screen.text
        screen.page.get_by_label("Key for this screen").fill(key)
        screen.clicks("Show the wall display", "button")
        assert screen.page.url.endswith("/wall") and "open" in screen.text and "left" in screen.text
        assert reference in screen.text
        assert "Quillfeather" not in screen.page.content()
    for path in ("/cases", f"/cases/{reference}", f"/referrals/{reference}"):
        assert own.http.get(path, headers={"Authorization": f"Bearer {key}"}).status_code in (401, 403)
    assert own.http.get("/wall", cookies={"mash-wall": own.key}).status_code == 401


def test_a_wall_reads_from_five_metres_and_fits_its_screen(own: Hub, browser: Browser) -> None:
    for _ in range(12):
        own.referral()
    with visitor(own, browser, "duty_manager", width=1920) as screen:
        screen.page.set_viewport_size({"width": 1920, "height": 1080})
        screen.goes("/wall")
        size = screen.page.locator("td").first.evaluate("element => parseFloat(getComputedStyle(element).fontSize)")
        assert size >= 32
        assert screen.page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0


def test_what_is_not_signed_in_for_leads_to_where_one_signs_in_and_back(hub: Hub, browser: Browser) -> None:
    with visitor(hub, browser) as somebody:
        assert somebody.goes("/board?late=true").status == 401
        somebody.clicks("Sign in")
        assert "onward=%2Fboard%3Flate%3Dtrue" in somebody.page.url


@pytest.mark.parametrize("path", ["/status", "/docs", "/sign-in", "/account", "/alerts/forged", "/case/MASH-26-999999"])
def test_every_other_page_has_no_barrier_either(hub: Hub, browser: Browser, path: str) -> None:
    for width in (1440, 360):
        with visitor(hub, browser, "duty_manager", width=width) as somebody:
            somebody.goes(path)


def test_without_npm_pages_are_plain_and_as_good_to_use(hub: Hub, browser: Browser) -> None:
    reference = hub.referral()
    hub.rate(reference)
    plain = (HERE / "plain.css").read_text(encoding="utf-8")
    for width in (1440, 360):
        with visitor(hub, browser, "duty_manager", width=width) as somebody:
            somebody.page.route("**/govuk-frontend.min.css*", lambda route: route.fulfill(body=plain, content_type="text/css"))
            somebody.page.route("**/h*.min.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
            for path in ("/board", f"/case/{reference}", f"/case/{reference}/rerate_referral", "/refer", "/manager", "/sign-in"):
                somebody.goes(path)
