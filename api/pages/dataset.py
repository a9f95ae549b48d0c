"""The dataset to take away: a row for each contact of a period, and what its columns mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from starlette.background import BackgroundTask

from mash.api.few import FEWEST
from mash.api.pages.filled import Filled, checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.flows.store.reads.dataset import NotOver, days_of, whole_weeks
from mash.flows.telling.dataset import Form, dictionary, take
from mash.flows.telling.dataset_columns import columns
from mash.states.values import Actor

router = APIRouter(prefix="/dataset", include_in_schema=False)
Analyst = Annotated[Actor, Depends(Permitted("read_dataset"))]
IN_MEMORY = 8_000_000
"""Bytes of a file that wait in memory to be sent; a longer one waits in a file without a name."""
AT_ONCE = 65_536
"""Bytes of it that are sent at once."""
TYPES: dict[Form, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]


class Wanted(BaseModel):
    """Which contacts: those that came in in the weeks from that of a day to that of another; and as what."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    since: Day
    until: Day
    form: Form

    @field_validator("until")
    @classmethod
    def after_since(cls, until: date, info: ValidationInfo) -> date:
        """Refuse an end before the beginning."""
        if (since := info.data.get("since")) and until < since:
            raise PydanticCustomError("ends_before", "expected a day that is not before the first")
        return until


@router.get("", response_class=HTMLResponse)
async def ask(request: Request, by: Analyst) -> HTMLResponse:
    """Of which days, and as what; with what the dataset is, and is not."""
    return _page(request, Filled())


@router.get("/dictionary.csv")
async def explain(request: Request, by: Analyst) -> Response:
    """What each column means."""
    table = dictionary(columns(by.hub, request.app.state.store.hub(by.hub)))
    return Response(table, media_type=TYPES["csv"], headers=_called("dataset-dictionary.csv"))


@router.post("", response_class=HTMLResponse)
async def give(request: Request, by: Analyst) -> Response:
    """The file. It is whole before the first of it is sent: one that was cut off would look like a quiet month."""
    wanted, filled = checked(Wanted, await request.form(max_files=0, max_fields=10))
    if wanted is None:
        return _page(request, filled)
    store = request.app.state.store
    try:
        period = whole_weeks(wanted.since, wanted.until, store.time.now())
    except NotOver as refused:
        filled.errors["until"] = str(refused)
        return _page(request, filled)
    file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  it is sent after this has ended
    try:
        async with request.app.state.taking_dataset:  # one at a time: it reads a hub's whole history
            await take(store, by, period, wanted.form, file)
    except BaseException:
        file.close()
        raise
    first, last = days_of(period)
    headers = _called(f"dataset-{by.hub}-{first}-to-{last}.{wanted.form}") | {"Content-Length": str(file.tell())}
    file.seek(0)
    return StreamingResponse(_parts(file), media_type=TYPES[wanted.form], headers=headers, background=BackgroundTask(file.close))


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(AT_ONCE):
        yield part


def _called(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _page(request: Request, filled: Filled) -> HTMLResponse:
    return page(request, "dataset.html", "Dataset", 422 if filled.errors else 200, filled=filled, fewest=FEWEST)
