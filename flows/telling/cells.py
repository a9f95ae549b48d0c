"""A cell of a table that is opened in a spreadsheet."""

from __future__ import annotations

from typing import TypeVar

Cell = TypeVar("Cell")
BEGIN_A_FORMULA = "=+-@\t\r\n"


def as_csv_cell(value: Cell) -> Cell | str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] and value[0] in BEGIN_A_FORMULA else value
