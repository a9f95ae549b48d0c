"""A rota file, whichever program wrote it: a sheet or a calendar. What is not understood wholly is refused."""

from __future__ import annotations

import codecs
from datetime import datetime

from mash.notifications.rota_entries import RotaFile, RotaFileWrong
from mash.notifications.rota_series import from_ical
from mash.notifications.rota_sheet import from_csv

LARGEST_FILE = 1_000_000
"""Bytes; a year of a hub's rota has fewer than 100,000."""
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read_rota_file(data: bytes, now: datetime) -> RotaFile:
    """What a rota file holds, be it a sheet or a calendar. Raises RotaFileWrong."""
    if len(data) > LARGEST_FILE:
        raise RotaFileWrong(f"the file is larger than a rota can be: expected at most {LARGEST_FILE:,} bytes")
    if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise RotaFileWrong("this is a workbook: save it as 'CSV UTF-8' first")
    text = _text(data)
    return from_ical(text, now) if text.lstrip()[:6].upper() == "BEGIN:" else from_csv(text)


def _text(data: bytes) -> str:
    """The text of a file, in whichever encoding spreadsheets write it."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    body = data.removeprefix(mark)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        if mark:
            raise RotaFileWrong(f"not text: it begins as {encoding.upper()} and does not go on so") from None
        text = body.decode("cp1252", errors="replace")
    if "\0" in text:
        raise RotaFileWrong("not text: expected CSV (UTF-8) or iCalendar")
    return text
