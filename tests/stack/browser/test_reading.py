"""Ten tasks of a day, and what each costs: how often somebody clicks, and how many words are on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest
from browsing import visitor
from hub import Hub, hub_here, later
from playwright.sync_api import Browser, Locator, Page

from mash.api import demo
from mash.config.profile import load_profile
from mash.states.values import Actor

TABLE = Path(__file__).parents[3] / "docs" / "build" / "reading.md"
LINES = (Path(demo.__file__).parent / "referrals.jsonl").read_text(encoding="utf-8").splitlines()
BODIES = {body["id"]: body for body in map(json.loads, LINES)}
SANDWELL = load_profile("sandwell")
UNRATED = 4
"""Referrals that nobody has rated yet: the latest."""
TO_MEET = ("V001", "V011")
COLLEAGUE = "d.colleague"
AFTERNOON = datetime(2026, 11, 19, 15, 30, tzinfo=UTC)
"""When the checks of a red case are late."""
READ = """(place) => { const said = []; const main = document.querySelector('main');
  const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) { const text = walk.currentNode, within = text.parentElement;
    if (place && !place.contains(text) && place.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING) break;
    if (within.closest('option') || !within.checkVisibility() || !text.data.trim()) continue;
    let seen = true;
    for (let each = within; each !== main; each = each.parentElement) {
      const style = getComputedStyle(each);
      seen &&= !style.clipPath.startsWith('inset(50%') && !(style.position === 'absolute' && each.offsetWidth <= 1) }
    if (seen) said.push(text.data.trim()) }
  return said }"""
"""The texts that are seen on a page, up to a place on it."""


@dataclass
class Reader:
    """Somebody who reads from the top to what they look for, and what they have read not again."""

    page: Page
    address: str
    clicks: int = 0
    words: int = 0
    known: set[str] = field(default_factory=set)

    def begins(self, path: str) -> None:
        """At a page; without a click."""
        self.page.goto(self.address + path)

    def reads(self, upto: Locator | None = None) -> None:
        """The page, up to a place on it."""
        said: list[str] = upto.first.evaluate(READ) if upto else self.page.locator("main").evaluate(f"() => ({READ})(null)")
        self.words += sum(len(text.split()) for text in said if text not in self.known)
        self.known |= set(said)

    def clicks_on(self, what: Locator) -> None:
        """A link, a button, or an answer."""
        self.clicks += 1
        what.first.click()
        self.page.wait_for_load_state()

    def follows(self, css: str) -> None:
        """A link, having opened what it is folded into."""
        link = self.page.locator(css).first
        for folded in self.page.locator(f"details:has({css}) > summary").all():
            if not link.is_visible():
                self.clicks_on(folded)
        self.clicks_on(link)

    def row(self, reference: str) -> Locator:
        """A case's row on the page."""
        return self.page.locator(f"tr:has(a[href*='/case/{reference}'])")

    def opens(self, reference: str) -> None:
        """A case, from the board; and reads it."""
        self.begins("/board")
        self.reads(self.row(reference))
        self.follows(f"main a[href*='/case/{reference}']")
        self.reads()

    def acts(self, reference: str, kind: str, *answers: str, **typed: str) -> None:
        """By an act's form: each question that needs an answer is answered."""
        self.follows(f"a[href*='/case/{reference}/{kind}']")
        form = self.page.locator("#box form[method=post]")
        self.reads(form.locator("button").last)
        for question in form.locator("fieldset:has(input[type=radio]):visible").all():
            if "(optional)" not in question.inner_text().split("\n")[0] and not question.locator("input:checked").count():
                wanted = [question.get_by_label(re.compile(answer)) for answer in answers]
                self.clicks_on(next((each for each in wanted if each.count()), question.locator("input")))
        for name, value in typed.items():
            form.locator(f"[name={name}]").fill(value)
        self.finishes(form.locator("button").last)

    def finishes(self, button: Locator) -> None:
        """Having written why where that is asked; nothing is refused."""
        for area in self.page.locator("main textarea:visible").all():
            if not area.input_value():
                area.fill("Because it is so.")
        self.clicks_on(button)
        assert not self.page.locator(".govuk-error-summary").count(), self.page.locator("main").inner_text()

    def records(self, *answers: str) -> None:
        """A meeting, on its page, held earlier in the day than it was called for."""
        self.reads()
        self.clicks_on(self.page.get_by_role("button", name="All who were invited are here"))
        for answer in answers:
            self.clicks_on(self.page.locator(f"input[value={answer}]"))
        self.page.locator("[name=held_on]").fill("2026-11-19")
        self.finishes(self.page.get_by_role("button", name=re.compile("^Record the ")))


def most_urgent(reader: Reader, at: dict[str, str]) -> None:
    reader.begins("/board")
    reader.reads(reader.row(at["V046"]))


def why_late(reader: Reader, at: dict[str, str]) -> None:
    reader.begins("/board")
    reader.reads(reader.row(at["V004"]))
    assert re.search(r"late\b.*Late: ", reader.row(at["V004"]).inner_text(), re.DOTALL)


def rates(reader: Reader, at: dict[str, str]) -> None:
    reader.opens(at["V046"])
    reader.acts(at["V046"], "rate_referral", r"^\s*Red")


def says_why_to_share(reader: Reader, at: dict[str, str]) -> None:
    reader.opens(at["V046"])
    reader.acts(at["V046"], "record_sharing_basis")


def who_has_not_answered(reader: Reader, at: dict[str, str]) -> None:
    reader.begins("/board")
    reader.reads(reader.row(at["V008"]))


def records_the_meeting(reader: Reader, at: dict[str, str]) -> None:
    reader.begins("/meetings")
    reader.reads()
    reader.follows("main a[href*='/meetings/convened']")
    if at["V001"] not in reader.page.url:
        reader.reads(reader.row(at["V001"]))
        reader.follows(f"main a[href*='{at['V001']}']")
    reader.records()


def hands_to_a_colleague(reader: Reader, at: dict[str, str]) -> None:
    reader.opens(at["V010"])
    reader.acts(at["V010"], "allocate_case", COLLEAGUE)


def holds_a_strategy_discussion(reader: Reader, at: dict[str, str]) -> None:
    reader.opens(at["V028"])
    reader.acts(at["V028"], "call_strategy_discussion")
    reader.reads()
    reader.acts(at["V028"], "schedule_strategy_discussion", at="2026-11-19T15:00")
    reader.reads()
    reader.follows("#box a.govuk-button")
    reader.records("no_section_47")


def decides_for_two(reader: Reader, at: dict[str, str]) -> None:
    reader.opens(at["V011"])
    reader.acts(at["V011"], "record_decision")


def says_that_nobody_is_known(reader: Reader, at: dict[str, str]) -> None:
    reader.begins("/checks")
    first = reader.page.locator("main tbody tr").first
    reader.reads(first)
    reader.clicks_on(first.get_by_text("Not known to us"))
    reader.reads(reader.page.get_by_role("button", name=re.compile("^Send ")))
    reader.finishes(reader.page.get_by_role("button", name=re.compile("^Send ")))


TASKS: dict[str, Callable[[Reader, dict[str, str]], None]] = {
    "Find the most urgent": most_urgent,
    "Why is it late?": why_late,
    "Rate it": rates,
    "Say why to share": says_why_to_share,
    "Who has not answered?": who_has_not_answered,
    "Record the meeting": records_the_meeting,
    "Hand it to a colleague": hands_to_a_colleague,
    "Hold a strategy discussion": holds_a_strategy_discussion,
    "Decide for two children": decides_for_two,
    "Say that nobody is known": says_that_nobody_is_known,
}


@pytest.fixture(scope="module")
def at_work() -> Iterator[tuple[Hub, dict[str, str]]]:
    """The demonstration's referrals under way, two of them at their meeting; and what their references are."""
    with hub_here() as hub:
        given = {name: str(hub.submit(body).json()["reference"]) for name, body in BODIES.items()}
        hub.work()
        children = [name for name in given if all(each["cohort"] != "adult" for each in BODIES[name]["subjects"])]
        triaged = [name for name in children if hub.case(given[name])["stage"] == "triage"]
        for place, name in enumerate(triaged[:-UNRATED]):
            rating = BODIES[name]["expected"]["rating"]
            hub.rate(given[name], rating if rating in SANDWELL.ratings else SANDWELL.unrated)
            outstanding = hub.case(given[name])["outstanding"]
            for agency in outstanding[: place % (len(outstanding) or 1)]:
                hub.answer(given[name], agency)
        for name in TO_MEET:
            hub.answer_all(given[name])
            hub.give(given[name], "convene_meeting", at="2026-11-19T16:00:00Z")
        hub.session(Actor(id=COLLEAGUE, role="social_worker", agency="social_care", hub="sandwell"))
        hub.work()
        yield hub, given


def measured(hub: Hub, browser: Browser, task: str, at: dict[str, str]) -> tuple[int, int]:
    """The clicks and the words of a task."""
    who = "agency at adults" if task == "Say that nobody is known" else "duty_manager"
    with visitor(hub, browser, who, scripts=False) as somebody:
        reader = Reader(somebody.page, str(hub.http.base_url))
        TASKS[task](reader, at)
        return reader.clicks, reader.words


def test_ten_tasks_cost_what_the_table_says_and_half_of_what_they_did(
    at_work: tuple[Hub, dict[str, str]], browser: Browser
) -> None:
    hub, at = at_work
    found = {}
    for task in TASKS:
        if task == "Decide for two children":
            everybody = list(SANDWELL.meeting.quorum) or ["social_care", "police"]
            held = {"attended": everybody, "mode": "face_to_face", "rating": "amber", "held_on": "2026-11-19"}
            hub.give(at["V011"], "record_meeting", words="All agree.", **held)
        if task != "Why is it late?":
            found[task] = measured(hub, browser, task, at)
    with later(hub, AFTERNOON) as afternoon:
        found["Why is it late?"] = measured(afternoon, browser, "Why is it late?", at)
    print(found)
    said = {cells[0]: [int(cell) for cell in cells[1:5]] for cells in _rows() if cells[0] in TASKS}
    assert said.keys() == TASKS.keys()
    for task, (clicks_before, words_before, clicks, words) in said.items():
        assert found[task][0] == clicks <= clicks_before, (task, found[task])
        assert found[task][1] == pytest.approx(words, rel=0.05) and words <= words_before, (task, found[task])
    assert median(now / before for before, _, now, _ in said.values() if before) <= 0.5
    assert median(now / before for _, before, _, now in said.values()) <= 0.5


def _rows() -> Iterator[list[str]]:
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split("|")]
