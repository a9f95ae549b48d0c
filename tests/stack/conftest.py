"""Whole installations: every part a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hub import Installation, fresh_cluster

from mash.flows.installation.postmaster import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster as the product starts it."""
    with fresh_cluster() as started:
        yield started


@pytest.fixture
def hub(installation: Installation) -> Installation:
    """The installation that tests share."""
    return installation
