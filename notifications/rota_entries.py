"""What a rota file holds, entry by entry, each with the place where it stands; and how a file is refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from mash.notifications.rota import Absence, Pattern, Rota, Shift
from mash.states.clocks import Frozen

KINDS: dict[str, tuple[str, type[Pattern | Shift | Absence]]] = {
    "weekly": ("patterns", Pattern),
    "shift": ("shifts", Shift),
    "absence": ("absences", Absence),
}
"""What a sheet calls each kind of entry, and where a rota has it."""


class RotaFileWrong(Exception):
    """A rota file that is not understood wholly; says in which line or event, and what is expected, and no name."""


class Entry(Frozen):
    """A pattern, a shift or an absence, and where in the file it stands: 'line 3', 'event 2 (line 41)'."""

    where: str
    item: Pattern | Shift | Absence


class RotaFile(Frozen):
    """What a rota file holds."""

    entries: tuple[Entry, ...]
    written_out_until: datetime | None = None

    @property
    def rota(self) -> Rota:
        """The rota that it is when put in force."""
        kinds = {name: tuple(e.item for e in self.entries if isinstance(e.item, kind)) for name, kind in KINDS.values()}
        return Rota.model_validate({**kinds, "written_out_until": self.written_out_until})

    def named(self) -> Iterator[tuple[str, str, str]]:
        """Each role and person of it, with the place: ('role', 'duty_manager', 'line 3')."""
        for entry in self.entries:
            for what, name in (("role", "role"), ("person", "person"), ("person", "instead_of")):
                if value := getattr(entry.item, name, None):
                    yield what, value, entry.where


def entry_of(where: str, kind: str, values: dict[str, Any]) -> Entry:
    """The entry of these values. Raises RotaFileWrong, naming the place and the column."""
    try:
        item = KINDS[kind][1].model_validate(values)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False)[0]
        column = ".".join(map(str, first["loc"])) or kind
        expected = {"extra_forbidden": f"no entry of the kind '{kind}' has this", "missing": "it is needed"}
        message = expected.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise RotaFileWrong(f"{where}: {column}: {message}") from None
    if isinstance(item, Shift) and item.instead_of == item.person:
        raise RotaFileWrong(f"{where}: instead_of: nobody stands in for themselves")
    return Entry(where=where, item=item)


def tidied(name: str) -> str:
    """The name of a role, or of a column, as it was meant: 'Duty Manager ' is duty_manager."""
    return "_".join(name.lower().split())


def places(found: Iterable[str]) -> str:
    """Some places in a file, the first few by name."""
    each = list(dict.fromkeys(found))
    return ", ".join(each[:4]) + (f" and {len(each) - 4} more" if len(each) > 4 else "")
