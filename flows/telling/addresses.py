"""Where somebody finds a case: on our own pages, and its run and its story on Prefect's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from mash.config.settings import Settings

A_YEAR = 365
"""Days. Unless told otherwise Prefect's earlier pages show what was to begin within the last week, by when it was first to begin:
that may be long ago, or still to come, of a run that waits."""


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

    def runs(self, today: date, *states: str, tag: str = "", named: str = "", due_first: bool = False) -> str:
        """Runs in Prefect within a year of `today`: in a state of one of these names, with this tag, whose name has this part;
        the newest first, or what is due first. Where neither state nor tag is asked for, the newer pages show the last week's."""
        # What the two sets of pages call by different names is said in both.
        asked = [*(("state", state) for state in states), ("tags", tag), ("tag", tag), ("flow-run-search", named)]
        # The newer pages know no order by what is due: theirs is by when a run first began or was to begin.
        order = [("flow-runs-sort", "NEXT_SCHEDULED_START_TIME_ASC"), ("sort", "START_TIME_ASC")] if due_first else []
        span = [("type", "around"), ("date", today.isoformat()), ("quantity", str(A_YEAR)), ("unit", "day")]
        return f"{self.prefects}/runs?{urlencode([*(each for each in asked if each[1]), *order, *span])}"


def story_key(reference: str) -> str:
    """By which Prefect has a case's story: it takes small letters."""
    return reference.lower()
