"""A real browser on the pages of a running hub: as a person uses it, and looked over by axe at every step."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from hub import PATIENCE, Hub
from playwright.sync_api import Browser, Page, Request, Response, expect, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
NO_BROWSER = f"no browser is installed (looked for {', '.join(NAMES)}): apt-get install chromium-headless-shell"
HEAVIEST = 100_000
"""Bytes that a page may take over the wire, with all that it loads."""
MOST_TABS = 200
expect.set_options(timeout=PATIENCE * 1000)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        # Its sandbox cannot be had as root; what it is shown is ours.
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody at a screen of some width, with scripts or without."""

    hub: Hub
    page: Page
    scripts: bool
    wrong: list[str] = field(default_factory=list)
    """What the browser complained of."""

    def goes(self, path: str) -> Response:
        """To a page; which must be light, must not be wider than the screen, and must have no barrier that axe knows."""
        loaded: list[Request] = []

        def remember(request: Request) -> None:
            loaded.append(request)

        self.page.on("requestfinished", remember)
        answer = self.page.goto(f"{self.hub.http.base_url}{path}", wait_until="load")
        self.page.remove_listener("requestfinished", remember)
        assert answer
        weight = sum(each.sizes()["responseBodySize"] for each in loaded if "/live" not in each.url)
        assert weight < HEAVIEST, (path, weight)
        self.looks()
        return answer

    def looks(self) -> None:
        """At what is shown."""
        self.page.wait_for_load_state()
        if self.scripts:
            found = Axe().run(self.page).response["violations"]
            assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{self.page.url}: {wide} px wider than the screen"
        assert not self.wrong, self.wrong

    def clicks(self, name: str | re.Pattern[str], role: Any = "link") -> None:
        """A link or a button; and looks at what comes of it."""
        self.page.get_by_role(role, name=name).first.click()
        self.looks()

    def tabs_to(self, name: str) -> None:
        """Moves on with the Tab key alone to what is called so."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(FOCUSED) == name:
                return
        raise AssertionError(f"nothing called {name!r} can be reached by the Tab key")

    def enters(self) -> None:
        """Follows the link, or sends the form, by the Enter key."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.looks()

    @property
    def text(self) -> str:
        """What is to be read."""
        return self.page.locator("body").inner_text()


FOCUSED = """() => { const e = document.activeElement;
  return (e.labels?.[0]?.innerText ?? e.innerText ?? "").trim().replace(/\\s+/g, " ") }"""


@contextmanager
def visitor(hub: Hub, browser: Browser, who: str = "", *, width: int = 1440, scripts: bool = True) -> Iterator[Visitor]:
    """Somebody signed in as `role` or `role at agency`; or nobody in particular."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts, locale="en-GB")
    context.set_default_timeout(PATIENCE * 1000)
    if who:
        role, _, agency = who.partition(" at ")
        token = hub.staff(role, agency or "social_care")["Authorization"].split()[1]
        context.add_cookies([{"name": "mash", "value": token, "url": str(hub.http.base_url)}])
    page = context.new_page()
    somebody = Visitor(hub, page, scripts)
    page.on("pageerror", lambda error: somebody.wrong.append(str(error)))
    page.on("console", lambda message: somebody.wrong.append(message.text) if _is_trouble(message.type, message.text) else None)
    try:
        yield somebody
    finally:
        context.close()


def _is_trouble(kind: str, text: str) -> bool:
    # A refused form answers 4xx, which is meant; what else is an error is not.
    return kind == "error" and "status of 4" not in text
