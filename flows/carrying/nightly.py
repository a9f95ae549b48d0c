"""The night's work as a flow, which Prefect starts and shows."""

from __future__ import annotations

import tempfile
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from mash.flows.carrying.night import STEPS, Night, work_through
from mash.states.clocks import dated

NIGHT: ContextVar[Night] = ContextVar("night")
"""Set by the worker around each run of the flow: whose night it is."""


def _named() -> str:
    """What a run of it is called in Prefect, which gives each a name of its own invention until it begins."""
    return f"Night of {dated(NIGHT.get().store.time.now())}"


@flow(
    name="nightly",
    flow_run_name=_named,
    persist_result=False,
    result_storage=Path(tempfile.gettempdir()),
    validate_parameters=False,
)
async def nightly() -> None:
    """Do each step of the night. Raises NightNotWhole when one has failed, once the others are done."""
    await work_through(NIGHT.get(), STEPS)


def tonight() -> datetime:
    """When the night's work is done first; it is repeated daily."""
    return datetime.now(UTC).replace(hour=2, minute=30, second=0, microsecond=0)
