"""Prefect's two sets of pages, as an administrator meets them in a browser: from our pages to a run, and from it to the case."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from browsing import BROWSER, NO_BROWSER, running_browser, visitor
from hub import PATIENCE, Installation, eventually
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.skipif(BROWSER is None, reason=NO_BROWSER)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, until these tests are over."""
    with running_browser() as running:
        yield running


@pytest.fixture(params=["/v2", ""], ids=["the newer pages", "the earlier pages"])
def pages(request: pytest.FixtureRequest) -> str:
    """Which set of pages."""
    return str(request.param)


def signed_in(hub: Installation) -> str:
    """What a browser keeps of Prefect's login, once somebody has typed it: a script of one line, for each page."""
    login = hub.settings.prefect_auth_string
    assert login
    kept = base64.b64encode(login.get_secret_value().encode()).decode()
    return f"localStorage.setItem('prefect-password', '{kept}')"


@contextmanager
def prefects(hub: Installation, browser: Browser) -> Iterator[Page]:
    """A page of Prefect's, signed in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(signed_in(hub))
    try:
        yield context.new_page()
    finally:
        context.close()


def at(hub: Installation) -> str:
    """Where Prefect's pages are."""
    return hub.settings.prefect_api_url.removesuffix("/api")


def waiting(hub: Installation) -> tuple[str, str]:
    """A referral that waits to be rated, and its run; with its story there."""
    reference = hub.referral()
    run = hub.awaits(reference, "Awaiting triage")["id"]
    eventually(lambda: hub.prefect.post("/logs/filter", json={"logs": {"flow_run_id": {"any_": [run]}}}).json())
    return reference, str(run)


def test_a_run_that_waits_opens_at_what_leads_to_the_case_and_to_its_story(
    hub: Installation, browser: Browser, pages: str
) -> None:
    reference, run = waiting(hub)
    with prefects(hub, browser) as page:
        page.goto(f"{at(hub)}{pages}/runs/flow-run/{run}")
        case = page.get_by_role("link", name=f"/case/{reference}")
        expect(case).to_have_attribute("href", f"{hub.settings.base_url}/case/{reference}")
        story = page.get_by_role("link", name="/artifacts/artifact/").first
        page.goto(str(story.get_attribute("href")).replace("/v2", pages))
        expect(page.get_by_text("Waits at: Triage.").first).to_be_visible()
        expect(page.get_by_role("cell", name="duty manager").first).to_be_visible()
        expect(page.get_by_role("link", name="The case", exact=True)).to_have_attribute(
            "href", f"{hub.settings.base_url}/case/{reference}"
        )


def test_what_a_run_waits_for_stands_in_its_details(hub: Installation, browser: Browser, pages: str) -> None:
    _, run = waiting(hub)
    with prefects(hub, browser) as page:
        page.goto(f"{at(hub)}{pages}/runs/flow-run/{run}?tab=Details")
        expect(page.get_by_text("Triage, due Thu 19 Nov 2026").first).to_be_visible()
        for tag in ("hub:sandwell", "rating:unrated", "cohort:child"):
            expect(page.get_by_text(tag).first).to_be_visible()


def test_the_address_that_a_runs_state_names_leads_to_its_one_story(hub: Installation, browser: Browser, pages: str) -> None:
    reference, _ = waiting(hub)
    hub.give(reference, "add_note", words="She rang again.")
    message = eventually(lambda: (state := hub.run(reference)["state"]) and "/artifacts/key/" in state["message"] and state)
    address = next(word for word in message["message"].split() if "/artifacts/key/" in word)
    with prefects(hub, browser) as page:
        page.goto(address.replace("/v2", pages))
        expect(page.get_by_role("link", name=reference)).to_have_count(1)
        expect(page.get_by_text("What the case waits for").first).to_be_visible()


def led_to(hub: Installation, browser: Browser, name: str, pages: str) -> str:
    """Where a link of the administrators' page leads, on one of Prefect's sets of pages."""
    with visitor(hub, browser, "administrator at hub") as somebody:
        somebody.goes("/admin")
        address = str(somebody.page.get_by_role("link", name=name, exact=True).get_attribute("href"))
    assert "/v2/" in address
    return address.replace("/v2", pages)


def shows(page: Page, name: str) -> None:
    """That a list of runs has one of this name."""
    expect(page.get_by_role("link", name=name, exact=True).first).to_be_visible()


def test_an_administrator_finds_from_our_page_the_runs_that_wait_at_a_stage_also_long_after_their_first_deadline(
    hub: Installation, browser: Browser, pages: str
) -> None:
    (old, run), (new, _), other = waiting(hub), waiting(hub), hub.referral()
    hub.rate(other, "green")
    hub.awaits(other, "Awaiting agency checks")
    assert hub.stack.cluster
    with psycopg.connect(host=str(hub.stack.cluster.socket), user="mash_prefect", dbname="prefect", autocommit=True) as prefect:
        prefect.execute("UPDATE flow_run SET expected_start_time = now() - interval '9 days' WHERE id = %s", (run,))
    with prefects(hub, browser) as page:
        page.goto(led_to(hub, browser, "Awaiting triage", pages))
        shows(page, old)
        shows(page, new)
        expect(page.get_by_role("link", name=other)).to_have_count(0)


def test_an_administrator_finds_from_our_page_the_hubs_runs_without_those_of_the_software(
    hub: Installation, browser: Browser, pages: str
) -> None:
    reference, _ = waiting(hub)
    with prefects(hub, browser) as page:
        page.goto(led_to(hub, browser, "Runs of this hub's referrals", pages))
        shows(page, reference)
        expect(page.get_by_text("nightly")).to_have_count(0)
        expect(page.get_by_text("watchdog")).to_have_count(0)


def test_an_administrator_finds_from_our_page_the_runs_of_the_night_by_their_date(
    hub: Installation, browser: Browser, pages: str
) -> None:
    name = hub.worked_through_the_night()["name"]
    with prefects(hub, browser) as page:
        page.goto(led_to(hub, browser, "runs of the night", pages))
        shows(page, name)
        expect(page.get_by_text("watchdog")).to_have_count(0)


def test_an_administrator_finds_from_our_page_the_run_that_was_repaired(hub: Installation, browser: Browser, pages: str) -> None:
    reference = hub.referral()
    hub.set_state(str(hub.at_rest(reference)["id"]), "CANCELLED")
    hub.look()
    eventually(lambda: hub.repairs(reference))
    with prefects(hub, browser) as page:
        page.goto(led_to(hub, browser, reference, pages))
        shows(page, reference)
