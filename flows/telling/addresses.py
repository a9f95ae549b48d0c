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

    def runs(self, **asked: str) -> str:
        """Runs in Prefect: in a `state` of this name, with these `tags`, or whose name has a part."""
        names = {"name": "flow-run-search"}
        wanted = [(names.get(each, each), value) for each, value in asked.items()]
        return f"{self.prefects}/runs?{urlencode([*wanted, ('type', 'span'), ('seconds', A_YEAR)])}"


def story_key(reference: str) -> str:
    """By which Prefect has a case's story: it takes small letters."""
    return reference.lower()
