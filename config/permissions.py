"""Who may do what: permissions.toml, and the roles of each command in commands.toml. What is not listed is denied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from mash.config import commands
from mash.config.toml_lines import Document, Problem, WrongFile, read_document

SHIPPED = Path(__file__).parent / "permissions.toml"
TABLES = ("roles", "groups", "reach", "actions", "words", "open")
REACHES = ("hub", "involved", "own")
ANYTHING_ELSE = "anything_else"


class PermissionsError(WrongFile):
    """The table of permissions is refused: file, line and what is expected."""


class Permissions(BaseModel):
    """The table, its groups written out as the roles in them."""

    model_config = ConfigDict(frozen=True)

    reach: dict[str, frozenset[str]]
    actions: dict[str, frozenset[str]]
    words: dict[str, frozenset[str]]
    commands: dict[str, frozenset[str]]
    open: dict[str, str]


def may(role: str, what: str) -> bool:
    """Whether the role may do this at all: an action, or the command of this kind. A profile narrows commands further: its raters
    rate, its deciders decide."""
    table = read_permissions()
    return role in table.actions.get(what, frozenset()) | table.commands.get(what, frozenset())


def may_read_words(role: str, kind: str) -> bool:
    """Whether the role reads what was said in an item of this kind, on a case that it reaches."""
    table = read_permissions().words
    return role in table.get(kind, table[ANYTHING_ELSE])


@cache
def reach(role: str) -> str:
    """How far a role reaches: 'hub', 'involved' or 'own'; empty for one that reaches nothing."""
    return next((name for name, roles_ in read_permissions().reach.items() if role in roles_), "")


@cache
def roles() -> dict[str, str]:
    """Every role of the product, with what it is."""
    return dict(read_document(SHIPPED).data["roles"])


@cache
def read_permissions(path: Path = SHIPPED, of_commands: Path = commands.SHIPPED) -> Permissions:
    """The tables. Raises PermissionsError for one that names what does not exist."""
    try:
        document, of_acts = read_document(path), read_document(of_commands)
        acts = commands.read_commands(of_commands)
    except WrongFile as wrong:
        raise PermissionsError(wrong.problems) from None
    problems = _problems(document)
    if not problems:
        names = [*document.data["groups"], *document.data["roles"]]
        problems = [p for kind, act in acts.items() for p in _unknown_names(of_acts, (kind, "roles"), list(act.roles), names)]
    if problems:
        raise PermissionsError(tuple(problems))
    groups = document.data["groups"]

    def members(name: str) -> Iterator[str]:
        if name not in groups:
            yield name
        for member in groups.get(name, ()):
            yield from members(member)

    def written_out(rows: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
        return {row: frozenset(role for name in names for role in members(name)) for row, names in rows.items()}

    tables = {table: written_out(document.data[table]) for table in ("reach", "actions", "words")}
    rights = written_out({kind: act.roles for kind, act in acts.items()})
    return Permissions(**tables, commands=rights, open=document.data["open"])


def _problems(document: Document) -> list[Problem]:
    data = document.data
    problems = [document.problem((name,), f"expected the tables {', '.join(TABLES)}") for name in data if name not in TABLES]
    tables = {name: table if isinstance(table := data.get(name), dict) else {} for name in TABLES}
    problems += [document.problem((), f"the table [{name}] is missing") for name in TABLES if not tables[name]]
    earlier: list[str] = []
    for group, names in tables["groups"].items():
        # A group may hold groups that stand above it, so that none can hold itself.
        problems += _unknown_names(document, ("groups", group), names, [*earlier, *tables["roles"]])
        earlier.append(group)
    for table in ("reach", "actions", "words"):
        for row, names in tables[table].items():
            problems += _unknown_names(document, (table, row), names, [*tables["groups"], *tables["roles"]])
    return [*problems, *_rows(document, tables)]


def _rows(document: Document, tables: dict[str, dict[str, Any]]) -> Iterator[Problem]:
    """Rows that nothing asks for, and rows that are missing: what has none is denied to everybody, and that is never meant."""
    for row in tables["reach"]:
        if row not in REACHES:
            yield document.problem(("reach", row), f"unknown reach: expected one of {', '.join(REACHES)}")
    for row in REACHES:
        if row not in tables["reach"]:
            yield document.problem(("reach",), f"{row}: missing; expected the roles that it is for")
    for row, reason in tables["open"].items():
        if not isinstance(reason, str):
            yield document.problem(("open", row), "expected the reason, in quotes")
    if ANYTHING_ELSE not in tables["words"]:
        yield document.problem(("words",), f"{ANYTHING_ELSE}: missing; expected the roles that it is for")


def _unknown_names(document: Document, key: tuple[str, ...], names: Any, expected: list[str]) -> list[Problem]:
    if isinstance(names, list) and names and all(name in expected for name in names):
        return []
    return [document.problem(key, f"expected a list of {', '.join(expected)}")]
