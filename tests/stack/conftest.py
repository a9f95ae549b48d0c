"""Whole installations: every part a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hub import Installation, temporary_hub


@pytest.fixture(scope="session")
def hub() -> Iterator[Installation]:
    """Everything running on a Thursday morning, minute by minute: one installation for all tests that only use it."""
    with temporary_hub() as running:
        yield running
