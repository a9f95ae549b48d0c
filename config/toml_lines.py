"""TOML files with the line of every setting, so that a refusal can point at it (tomllib keeps no positions)."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mash.config.errors import ToMend

Key = tuple[str | int, ...]
"""Where a setting stands: ('ratings', 'red', 'response', 'length'), with indexes for tables in a list."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a file, and what is expected there. Lines count from 1."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class WrongFile(ToMend):
    """A file of the configuration is refused: all its problems, a line of the message each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Document:
    """A TOML file that was read: its content, and the lines its settings stand on."""

    path: Path
    text: str
    data: dict[str, Any]

    @cached_property
    def lines(self) -> dict[Key, int]:
        """The line on which each table and setting begins."""
        return dict(reversed(list(_lines(self.text))))

    def line_of(self, key: Key) -> int:
        """The line of a setting, or of the nearest table around it; 1 when there is none."""
        return next((self.lines[key[:end]] for end in range(len(key), 0, -1) if key[:end] in self.lines), 1)

    def problem(self, key: Key, expected: str) -> Problem:
        """A problem with this setting, at its line."""
        return Problem(shown(self.path), self.line_of(key), f"{dotted(key)}: {expected}" if key else expected)


def read_document(path: Path) -> Document:
    """Read a TOML file. Raises WrongFile, with the line, when it is missing, unreadable or not TOML."""
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
        return Document(path, text, tomllib.loads(text))
    except OSError as missing:
        problem = Problem(shown(path), 1, f"cannot be read: {missing.strerror}")
    except UnicodeDecodeError as wrong:
        problem = Problem(shown(path), wrong.object[: wrong.start].count(b"\n") + 1, "not UTF-8: save the file as UTF-8 text")
    except tomllib.TOMLDecodeError as wrong:
        at = re.search(r"at line (\d+)", str(wrong))
        problem = Problem(shown(path), int(at[1]) if at else text.count("\n") + 1, f"not TOML: {wrong}")
    except (ValueError, RecursionError):
        # tomllib lets these through: a number of thousands of digits, and lists within lists without end.
        problem = Problem(shown(path), 1, "not TOML that can be read: expected numbers of a few digits, and lists a few deep")
    raise WrongFile((problem,))


def shown(path: Path) -> str:
    """The file as people write it: from the working directory when it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def dotted(key: Key) -> str:
    """A setting's place as it is written: 'ratings.red.response.length'."""
    return ".".join(map(str, key))


def _lines(text: str) -> Iterator[tuple[Key, int]]:
    """Every table and setting with the line it begins on. A statement is complete as soon as it parses by itself."""
    table: Key = ()
    lists: Counter[Key] = Counter()
    pending, begins = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not pending:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            begins = number
        pending += line + "\n"
        try:
            parsed = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        if pending.lstrip().startswith("["):
            table = _header(parsed, lists)
            yield from ((table[:end], begins) for end in range(1, len(table) + 1))
        else:
            yield from ((table + key, begins) for key in _keys(parsed))
        pending = ""


def _header(parsed: Any, lists: Counter[Key]) -> Key:
    """The table a header opens; each [[header]] is the next of its list, and tables below it belong to the latest."""
    key: Key = ()
    while parsed:
        name, parsed = next(iter(parsed.items()))
        key = (*key, name)
        if isinstance(parsed, list):
            lists[key] += 1
            parsed = None
        if key in lists:
            key = (*key, lists[key] - 1)
    return key


def _keys(parsed: dict[str, Any]) -> Iterator[Key]:
    for name, value in parsed.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in _keys(value))
