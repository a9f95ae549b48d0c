"""Where somebody finds a case: on our own pages, and its run and its story on Prefect's."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from mash.config.settings import Settings

A_YEAR = 31_536_000
"""Seconds. Unless told otherwise Prefect's earlier pages show runs of the last week, and one that waits is due in the future."""


@dataclass(frozen=True)
class Addresses:
    """Of our own pages, and of Prefect's, without a trailing slash. Prefect has two sets of pages, and these are the addresses of
    the newer: where it is missing, Prefect leads from them to the same page of the earlier one, and never the other way."""

    ours: str
    prefects: str

    @classmethod
    def of(cls, settings: Settings) -> Addresses:
        """Of an installation."""
        return cls(settings.base_url, f"{settings.prefect_api_url.removesuffix('/api')}/v2")

    def case(self, reference: str) -> str:
        """A case's page."""
        return f"{self.ours}/case/{reference}"

    def run(self, run: UUID) -> str:
        """A referral's run in Prefect."""
        return f"{self.prefects}/runs/flow-run/{run}"

    def story(self, reference: str) -> str:
        """What Prefect tells of a case, by its reference."""
        return f"{self.prefects}/artifacts/key/{story_key(reference)}"

    def artifact(self, artifact: UUID) -> str:
        """The same in one step less, by what Prefect calls it."""
        return f"{self.prefects}/artifacts/artifact/{artifact}"

    @property
    def pools(self) -> str:
        """Where Prefect shows the work pool, and in it the workers."""
        return f"{self.prefects}/work-pools"

    def runs(self, *states: str, tag: str = "", named: str = "", past: bool = False) -> str:
        """Runs in Prefect: in a state of one of these names, with this tag, whose name has this part; to come, or `past`."""
        asked = [*(("state", state) for state in states), ("tags", tag), ("flow-run-search", named)]
        span = [("type", "span"), ("seconds", str(-A_YEAR if past else A_YEAR))]
        return f"{self.prefects}/runs?{urlencode([*(each for each in asked if each[1]), *span])}"


def story_key(reference: str) -> str:
    """By which Prefect has a case's story: it takes small letters."""
    return reference.lower()
