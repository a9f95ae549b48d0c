"""The dataset as files: a row for each contact that came in in a period, as CSV or Parquet, with the dictionary beside it."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from typing import IO, Any, Literal, get_args

from mash.flows.store.reads.dataset import Contact, Period, contacts, note_taken
from mash.flows.store.store import Store
from mash.flows.telling.cells import as_csv_cell
from mash.flows.telling.dataset_columns import Column, Value, columns
from mash.states.values import Actor

Form = Literal["csv", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)
Rows = list[tuple[Value, ...]]
HEADS = ("column", "type", "unit", "meaning", "codes", "when empty")
WARNING = (
    "Pseudonymous, not anonymous: no row has a name, a reference or an exact time, and yet whoever knows something of a contact "
    "may find its row, most of all where few are alike: a rare source, need or outcome, a small hub, a single week. Treat it as "
    "personal data: keep it where case files may be kept, publish no row, and give others no small count."
)


async def take(store: Store, by: Actor, period: Period, form: Form, file: IO[bytes]) -> int:
    """Write the contacts of somebody's own hub that came in in a period to a file; how many there are. That they take it is
    written down first."""
    await note_taken(store, by, period, form)
    made_of, number = columns(by.hub, store.hub(by.hub)), 0

    async def rows() -> AsyncIterator[Rows]:
        nonlocal number
        async for some in contacts(store, by, period):
            number += len(some)
            yield await asyncio.to_thread(_rows, some, made_of)

    await WRITTEN[form](rows(), made_of, file)
    return number


def dictionary(made_of: Sequence[Column]) -> bytes:
    """What the columns mean, as a table for a spreadsheet. Its last line is what the dataset is not."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(HEADS)
    for each in made_of:
        listed = "; ".join(f"{code} = {words}" for code, words in each.codes.items())
        line = (each.name, each.kind, each.unit, each.meaning, listed, each.empty)
        writer.writerow(as_csv_cell(cell) for cell in line)
    writer.writerow(("", "", "", WARNING, "", ""))
    return written.getvalue().encode("utf-8-sig")  # without its mark, Excel takes each dash for three letters


def _rows(some: Sequence[Contact], made_of: Sequence[Column]) -> Rows:
    return [tuple(column.of(contact) for column in made_of) for contact in some]


async def _as_csv(rows: AsyncIterator[Rows], made_of: Sequence[Column], file: IO[bytes]) -> None:
    def write(some: Rows) -> None:
        written = io.StringIO()
        csv.writer(written).writerows([as_csv_cell(cell) for cell in row] for row in some)
        file.write(written.getvalue().encode())

    write([tuple(column.name for column in made_of)])
    async for some in rows:
        await asyncio.to_thread(write, some)


async def _as_parquet(rows: AsyncIterator[Rows], made_of: Sequence[Column], file: IO[bytes]) -> None:
    """The library asks for one batch after another, in a thread; each is fetched on the loop. Who stops waiting for the file
    waits until the thread has ended: it would go on writing to a file that is closed by then."""
    # Imported only now: 33 MB that nothing else needs.
    from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
    from arro3.io import write_parquet

    kinds = {"text": DataType.string(), "whole number": DataType.int32(), "day": DataType.date32()}
    schema = Schema([Field(column.name, kinds[column.kind], nullable=True) for column in made_of])
    supply = Supply(rows)

    def array(column: Column, values: Sequence[Value]) -> Array:
        if column.kind == "day":  # arro3 makes none of Python's days: it takes their number since 1970
            return Array([_since_1970(day) for day in values], DataType.int32()).cast(DataType.date32())
        return Array(list(values), kinds[column.kind])

    def batches() -> Iterator[Any]:
        for some in supply:
            each = zip(made_of, zip(*some, strict=True), strict=True)
            yield RecordBatch([array(column, values) for column, values in each], schema=schema)

    reader = RecordBatchReader.from_batches(schema, batches())
    writing = asyncio.ensure_future(asyncio.to_thread(write_parquet, reader, file, compression="zstd(3)"))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        supply.stop()
        await asyncio.wait([writing])
        raise


class Supply:
    """Rows that a thread asks for, some after others, of the loop that fetches them, until it is to stop."""

    def __init__(self, rows: AsyncIterator[Rows]) -> None:
        self._rows, self._loop = rows, asyncio.get_running_loop()
        self._stopped = False
        self._fetching: asyncio.Task[Any] | None = None

    def __iter__(self) -> Iterator[Rows]:
        while some := asyncio.run_coroutine_threadsafe(self._fetch(), self._loop).result():
            yield some

    def stop(self) -> None:
        """Fetch no more, and give up what is being fetched. On the loop."""
        self._stopped = True
        if self._fetching:
            self._fetching.cancel()

    async def _fetch(self) -> Rows:
        self._fetching = asyncio.current_task()
        return [] if self._stopped else await anext(self._rows, [])


def _since_1970(day: Value) -> int | None:
    return (day - date(1970, 1, 1)).days if isinstance(day, date) else None


WRITTEN = {"csv": _as_csv, "parquet": _as_parquet}
"""How each form is written."""
