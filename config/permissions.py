"""Who may give which command: the table is permissions.toml; what it does not allow is denied."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from mash.config.settings import SettingsError
from mash.states.machine import COMMANDS

TABLE = "permissions.toml"


@cache
def table() -> dict[str, frozenset[str]]:
    """The commands of each role. Raises SettingsError for a command that does not exist."""
    rows = tomllib.loads(files("mash.config").joinpath(TABLE).read_text(encoding="utf-8"))
    return {role: _commands(role, names) for role, names in rows.items()}


def _commands(role: str, names: list[str]) -> frozenset[str]:
    if unknown := {name.lstrip("-") for name in names} - {*COMMANDS, "*"}:
        raise SettingsError(f"config/{TABLE}: {role}: no such command: {', '.join(sorted(unknown))}")
    allowed = set(COMMANDS) if "*" in names else {name for name in names if name in COMMANDS}
    return frozenset(allowed - {name[1:] for name in names if name.startswith("-")})


def may(role: str, command: str) -> bool:
    """Whether a role may give a command."""
    return command in table().get(role, frozenset())
