"""Whole installations: every part a process of its own."""

from __future__ import annotations

import pytest
from hub import Installation


@pytest.fixture
def hub(installation: Installation) -> Installation:
    """The installation that tests share."""
    return installation
