"""Which role may give which command: the table in permissions.toml. What it does not list is denied."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mash.config.toml_lines import Document, Problem, WrongFile, read_document
from mash.states.machine import COMMANDS

SHIPPED = Path(__file__).parent / "permissions.toml"


class PermissionsError(WrongFile):
    """The table of permissions is refused: file, line and what is expected."""


def may(role: str, command_kind: str) -> bool:
    """Whether the role may give this command at all. A profile narrows it further: its raters rate, its deciders decide."""
    return role in read_permissions().get(command_kind, frozenset())


@cache
def roles() -> dict[str, str]:
    """Every role of the product, with what it is."""
    return dict(read_document(SHIPPED).data["roles"])


@cache
def read_permissions(path: Path = SHIPPED) -> dict[str, frozenset[str]]:
    """Command kind -> roles that may give it. Raises PermissionsError for a table that names what does not exist."""
    try:
        document = read_document(path)
    except WrongFile as wrong:
        raise PermissionsError(wrong.problems) from None
    if problems := _problems(document):
        raise PermissionsError(tuple(problems))
    groups = document.data.get("groups", {})

    def members(name: str) -> Iterator[str]:
        if name not in groups:
            yield name
        for member in groups.get(name, ()):
            yield from members(member)

    return {
        command: frozenset(role for name in names for role in members(name))
        for command, names in document.data["commands"].items()
    }


def _problems(document: Document) -> list[Problem]:
    data = document.data
    problems = [
        document.problem((name,), "expected the tables [roles], [groups] and [commands]")
        for name in data
        if name not in ("roles", "groups", "commands")
    ]
    tables = {name: table if isinstance(table := data.get(name, {}), dict) else {} for name in ("roles", "groups", "commands")}
    earlier: list[str] = []
    for group, names in tables["groups"].items():
        # A group may hold groups that stand above it, so that none can hold itself.
        problems += _unknown_names(document, ("groups", group), names, [*earlier, *tables["roles"]])
        earlier.append(group)
    for command, names in tables["commands"].items():
        if command not in COMMANDS:
            problems.append(document.problem(("commands", command), f"unknown command: expected one of {', '.join(COMMANDS)}"))
        problems += _unknown_names(document, ("commands", command), names, [*tables["groups"], *tables["roles"]])
    # A command without a row is denied to everybody: say so, it is never meant.
    problems += [
        document.problem(("commands",), f"{command}: missing; expected the roles that may give it")
        for command in COMMANDS
        if command not in tables["commands"]
    ]
    return problems


def _unknown_names(document: Document, key: tuple[str, ...], names: Any, expected: list[str]) -> list[Problem]:
    if isinstance(names, list) and names and all(name in expected for name in names):
        return []
    return [document.problem(key, f"expected a list of {', '.join(expected)}")]
