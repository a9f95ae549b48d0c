"""The ways in which pages are looked at."""

from __future__ import annotations

import pytest

WAYS = [(1440, True), (1440, False), (360, True), (360, False)]


@pytest.fixture(params=WAYS, ids=[f"{width} px {'with' if scripts else 'without'} scripts" for width, scripts in WAYS])
def way(request: pytest.FixtureRequest) -> dict[str, object]:
    """How wide the screen is, and whether scripts run."""
    width, scripts = request.param
    return {"width": width, "scripts": scripts}
