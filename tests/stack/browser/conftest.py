"""A browser, and the ways in which pages are met: wide and narrow, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import BROWSER, NO_BROWSER, running_browser
from playwright.sync_api import Browser

WAYS = [(1440, True), (1440, False), (360, True), (360, False)]


@pytest.fixture(params=WAYS, ids=[f"{width} px {'with' if scripts else 'without'} scripts" for width, scripts in WAYS])
def way(request: pytest.FixtureRequest) -> dict[str, object]:
    """How wide the screen is, and whether scripts run."""
    width, scripts = request.param
    return {"width": width, "scripts": scripts}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, until these tests are over: while it runs, no other loop can."""
    if BROWSER is None:
        pytest.skip(NO_BROWSER)
    with running_browser() as running:
        yield running
