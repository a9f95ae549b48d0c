"""`make screenshots`: each page with the fictional referrals of the demonstration, into docs/use/screenshots."""

from __future__ import annotations

import json
from pathlib import Path

from browsing import BROWSER, NO_BROWSER, Visitor, running_browser, visitor
from hub import Hub, temporary_hub

from mash.config.profile import load_profile

SANDWELL = load_profile("sandwell")
HERE = Path(__file__).parents[3]
FOLDER = HERE / "docs" / "use" / "screenshots"
REFERRALS = HERE / "api" / "demo" / "referrals.jsonl"
UNRATED = 4
"""Referrals that nobody has rated yet: the latest."""


def main() -> None:
    """Fill a hub of its own, and look at it."""
    if BROWSER is None:
        raise SystemExit(NO_BROWSER)
    FOLDER.mkdir(exist_ok=True)
    with temporary_hub() as hub, running_browser() as browser:
        first, late, unrated = _fill(hub)
        for who, name, path, width in (
            ("", "refer", "/refer", 1200),
            ("", "refer-phone", "/refer", 360),
            ("duty_manager", "board", "/board", 1440),
            ("duty_manager", "case", f"/case/{late}", 1440),
            ("duty_manager", "case-phone", f"/case/{late}", 360),
            ("duty_manager", "act", f"/case/{unrated}/rate_referral#act", 1440),
            ("duty_manager", "board-phone", "/board", 360),
            ("duty_manager", "handover", "/handover", 1200),
            ("agency at housing", "checks", "/checks", 1440),
            ("duty_manager", "meetings", "/meetings", 1200),
            ("duty_manager", "meeting", f"/meetings/convened/{first}", 1440),
            ("duty_manager", "manager", "/manager", 1440),
            ("duty_manager", "wall", "/wall", 1920),
            ("administrator at hub", "admin", "/admin", 1440),
        ):
            with visitor(hub, browser, who, width=width) as somebody:
                somebody.goes(path)
                _take(somebody, name)


def _fill(hub: Hub) -> tuple[str, str, str]:
    """The demonstration's referrals, some of them under way: one whose meeting is today, one that waits for agencies, and one
    that nobody has rated."""
    bodies = [json.loads(line) for line in REFERRALS.read_text(encoding="utf-8").splitlines()]
    taken = {hub.submit(body).json()["reference"]: body for body in bodies}
    triaged = [reference for reference in taken if hub.case(reference)["stage"] == "triage"]
    # An adult is heard before anybody shares.
    children = [each for each in triaged if all(subject["cohort"] != "adult" for subject in taken[each]["subjects"])]
    for place, reference in enumerate(children[:-UNRATED]):
        rating = taken[reference]["expected"]["rating"]
        hub.rate(reference, rating if rating in SANDWELL.ratings else SANDWELL.unrated)
        outstanding = hub.case(reference)["outstanding"]
        for agency in outstanding[: place % (len(outstanding) or 1)]:
            hub.answer(reference, agency)
    first = children[0]
    hub.answer_all(first)
    hub.give(first, "convene_meeting", at="2026-11-19T16:00:00Z")
    waiting = next(each for each in children[1:-UNRATED] if len(taken[each]["subjects"]) == 2 and hub.case(each)["outstanding"])
    return str(first), str(waiting), str(children[-UNRATED])


def _take(somebody: Visitor, name: str) -> None:
    for picture in somebody.page.get_by_role("img").all():
        picture.scroll_into_view_if_needed()
    somebody.page.evaluate("scrollTo(0, 0)")
    somebody.page.screenshot(path=FOLDER / f"{name}.png", full_page=False)


if __name__ == "__main__":
    main()
