"""The stories of cases in Prefect: for each run one artifact, which is written anew where it stands."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate, LogCreate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import ObjectNotFound

from mash.flows.carrying.together import Together
from mash.flows.store.log import read_log
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.notices import notices_of
from mash.flows.store.store import Store
from mash.flows.telling.addresses import Addresses, story_key
from mash.flows.telling.awaited import Told, story

MOST_KNOWN = 20_000
"""Runs whose artifacts are remembered."""
MOST_LINES = 100
"""Lines of logs that are written at once."""
DESCRIPTION = "What the case waits for, and what happened so far (no personal data)"


class Stories:
    """Which artifact has which run's story, as far as one worker process knows. What it does not know it asks Prefect once."""

    def __init__(self, store: Store, addresses: Addresses) -> None:
        self.store, self.addresses = store, addresses
        self._artifacts: dict[UUID, UUID] = {}
        self._lines = Together[tuple[PrefectClient, LogCreate], None](_logged, MOST_LINES)

    def forget(self, run: UUID) -> None:
        """Ask Prefect anew which artifact it has: somebody may have changed that."""
        self._artifacts.pop(run, None)

    async def tell(self, client: PrefectClient, case: Case, run: UUID, *, new: bool = False) -> None:
        """Have Prefect tell a case's story with its run; a `new` run has none yet. No personal data."""
        log, notices = await read_log(self.store, case.reference), await notices_of(self.store, case.reference)
        told = Told(case.reference, run, case.referral, log, notices, self.store.hubs.get(case.hub))
        text = story(told, self.addresses)
        if not await self._written_anew(client, run, text, new):
            await self._written(client, case, run, text)
        if case.referral.finished:
            self.forget(run)  # nothing more happens to most of them, and there are more and more

    async def _written_anew(self, client: PrefectClient, run: UUID, text: str, new: bool) -> bool:
        """Write a story where it stands; whether it stood anywhere."""
        known = self._artifacts.get(run)
        if known is None and not new:
            known = await self._found(client, run)
        if known is None:
            return False
        self._know(run, known)
        return await _put(client, known, text)

    def _know(self, run: UUID, artifact: UUID) -> None:
        if len(self._artifacts) >= MOST_KNOWN:
            self._artifacts.clear()
        self._artifacts[run] = artifact

    async def _found(self, client: PrefectClient, run: UUID) -> UUID | None:
        """The artifact that Prefect has of a run: the newest. Earlier versions made one at each attempt, and those go."""
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        found = [each.id for each in await client.read_artifacts(artifact_filter=of_run, sort=ArtifactSort.CREATED_DESC)]
        for other in found[1:]:
            with suppress(ObjectNotFound):
                await client.delete_artifact(other)
        return found[0] if found else None

    async def _written(self, client: PrefectClient, case: Case, run: UUID, text: str) -> None:
        """Write a story for the first time; and where the run waits, in its log where to find it: Prefect opens a run at its log,
        makes links of the addresses in it, and shows the artifacts of a run that waits nowhere."""
        made = await client.create_artifact(
            ArtifactCreate(key=story_key(case.reference), type="markdown", data=text, flow_run_id=run, description=DESCRIPTION)
        )
        self._know(run, made.id)
        if not case.referral.finished:
            line = (
                f"What this run waits for, and what happened: {self.addresses.artifact(made.id)} "
                f"The case: {self.addresses.case(case.reference)} In short: Details, at State Message"
            )
            now = datetime.now(UTC)
            await self._lines.ask(
                (client, LogCreate(name="mash", level=logging.INFO, message=line, timestamp=now, flow_run_id=run))
            )


async def _logged(lines: Sequence[tuple[PrefectClient, LogCreate]]) -> list[Exception | None]:
    try:
        await lines[0][0].create_logs([line for _, line in lines])
    except Exception as error:  # everybody's: some may be written, and nobody's are to be twice
        return [error for _ in lines]
    return [None for _ in lines]


async def _put(client: PrefectClient, artifact: UUID, text: str) -> bool:
    """Put another story in a story's place; False where somebody has deleted that."""
    # Not by the client's own call: it has Prefect keep the whole text as an event besides, for a day, each time.
    change = ArtifactUpdate(data=text, description=DESCRIPTION).model_dump(mode="json", exclude_unset=True)
    try:
        await client.request("PATCH", "/artifacts/{id}", path_params={"id": artifact}, json=change)
    except httpx.HTTPStatusError as refused:
        if refused.response.status_code == httpx.codes.NOT_FOUND:
            return False
        raise
    return True
