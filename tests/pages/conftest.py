"""A browser, and a hub at which time stands nearly still: what is on a screen must not move on while it is looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hub import Hub, temporary_hub

WAYS = [(1440, True), (1440, False), (360, True), (360, False)]


@pytest.fixture(scope="module")
def calm() -> Iterator[Hub]:
    """A hub on a Thursday morning, minute by minute."""
    with temporary_hub(rate=1.0) as running:
        yield running


@pytest.fixture(params=WAYS, ids=[f"{width} px {'with' if scripts else 'without'} scripts" for width, scripts in WAYS])
def way(request: pytest.FixtureRequest) -> dict[str, object]:
    """How wide the screen is, and whether scripts run."""
    width, scripts = request.param
    return {"width": width, "scripts": scripts}
