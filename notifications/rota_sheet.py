"""A rota as a sheet: CSV as spreadsheets write it, with an entry a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from mash.notifications.rota import Rota
from mash.notifications.rota_entries import KINDS, Entry, RotaFile, RotaFileWrong, entry_of, tidied
from mash.notifications.times import NotATime, sheet_clock, sheet_date, sheet_days, sheet_moment
from mash.states.clocks import LONDON

COLUMNS = (
    "entry", "role", "person", "days", "starts", "ends", "since", "until", "every", "bank_holidays", "instead_of", "why",
    "not_on",
)  # fmt: skip
WRITTEN_OUT = "written_out"
"""The entry of a line that says until when turns are written out."""
_ENTRIES = (*KINDS, WRITTEN_OUT)


def to_csv(rota: Rota) -> str:
    """The rota as CSV: a line for each entry. A shift's and an absence's times carry their date."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry, (name, _) in KINDS.items():
        for item in getattr(rota, name):
            values = item.model_dump(mode="json", exclude_none=True)
            if entry == "weekly":
                values |= {"days": " ".join(item.days), "not_on": " ".join(values["not_on"])}
                values |= {at: f"{getattr(item, at):%H:%M}" for at in ("starts", "ends")}
            else:
                values |= {"starts": _local(item.begins), "ends": _local(item.ends)}
                del values["begins"]
            writer.writerow({"entry": entry, **values})
    if rota.written_out_until:
        writer.writerow({"entry": WRITTEN_OUT, "ends": _local(rota.written_out_until)})
    return out.getvalue()


def _local(at: datetime) -> str:
    return at.astimezone(LONDON).isoformat(timespec="minutes")


def from_csv(text: str) -> RotaFile:
    """What a sheet holds. Raises RotaFileWrong, naming the line."""
    hint, _, rest = text.partition("\n")
    hinted = hint.lower().startswith("sep=")
    body = rest if hinted else text
    rows = csv.reader(io.StringIO(body, newline=""), delimiter=hint[4:5] if hinted and hint[4:5].strip() else _delimiter(body))
    try:
        return _of_lines((rows.line_num + hinted, cells) for cells in rows)
    except csv.Error:
        raise RotaFileWrong(f"line {rows.line_num + hinted}: not CSV: expected fields parted by commas") from None


def _delimiter(text: str) -> str:
    """What parts the fields: the one that the line of headings has most of."""
    headings = text.lstrip("\r\n").partition("\n")[0]
    return max(",;\t", key=headings.count)


def _of_lines(lines: Iterator[tuple[int, list[str]]]) -> RotaFile:
    filled = ((number, [cell.strip() for cell in cells]) for number, cells in lines)
    filled = ((number, cells) for number, cells in filled if any(cells))
    columns = _columns(next(filled, (1, []))[1])
    entries: list[Entry] = []
    until: datetime | None = None
    for number, cells in filled:
        where = f"line {number}"
        if any(cells[len(columns) :]):
            raise RotaFileWrong(f"{where}: more fields than the line of headings has")
        values = {name: cell for name, cell in zip(columns, cells, strict=False) if cell and name}
        kind = values.pop("entry", "").lower()
        if kind == WRITTEN_OUT:
            until = _read(where, "ends", sheet_moment, values.get("ends", ""))
        elif kind in KINDS:
            entries.append(entry_of(where, kind, _values(where, kind, values)))
        else:
            raise RotaFileWrong(f"{where}: 'entry' must be one of {', '.join(_ENTRIES)}")
    return RotaFile(entries=tuple(entries), written_out_until=until)


def _columns(headings: list[str]) -> list[str]:
    columns = [tidied(heading) for heading in headings]
    while columns and not columns[-1]:
        columns.pop()
    if unknown := [str(place) for place, name in enumerate(columns, 1) if name not in COLUMNS]:
        # By their places: in a file without a line of headings, they are people.
        raise RotaFileWrong(f"unknown columns ({', '.join(unknown)}) in the first line; there are {', '.join(COLUMNS)}")
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise RotaFileWrong(f"two columns have the same heading: {', '.join(twice)}")
    return columns


def _values(where: str, kind: str, cells: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {**cells}
    values |= {name: cells[name].lower() for name in ("person", "instead_of", "why") if name in cells}
    if "role" in cells:
        values["role"] = tidied(cells["role"])
    if kind == "weekly":
        readers = {
            "days": sheet_days,
            "starts": lambda text: sheet_clock(text, ends=False),
            "ends": lambda text: sheet_clock(text, ends=True),
            "since": sheet_date,
            "until": sheet_date,
            "not_on": lambda text: tuple(sheet_date(day) for day in text.split()),
        }
        return values | {name: _read(where, name, read, cells[name]) for name, read in readers.items() if name in cells}
    for name, column in (("begins", "starts"), ("ends", "ends")):
        values.pop(column, None)
        values[name] = _read(where, column, sheet_moment, cells.get(column, ""))
    return values


def _read(where: str, column: str, read: Any, text: str) -> Any:
    try:
        return read(text)
    except NotATime as wrong:
        raise RotaFileWrong(f"{where}: {column}: {wrong}") from None
