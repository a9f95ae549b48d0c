"""Commands by name: each is loaded when it is given, and described from its own source until then."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command, get_group

from mash.config.errors import ToMend


class CommandNotLoaded(ToMend):
    """A command that is named cannot be had; says which, and why."""


@cache
def loaded(name: str, source: str) -> Any:
    """The command at 'module:name', under its own name: of Typer's own copy of Click, which it does not publish. Raises
    CommandNotLoaded."""
    module, _, attribute = source.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise _not_loaded(name, source, error) from error
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


def described(name: str, source: str) -> str:
    """What the command at 'module:name' says of itself, read from its source: a function's docstring, or a group's `help`.
    Raises CommandNotLoaded."""
    module, _, attribute = source.partition(":")
    try:
        found = find_spec(module)
    except ImportError as error:
        raise _not_loaded(name, source, error) from error
    if found is None or found.origin is None:
        raise _not_loaded(name, source, ImportError(f"there is no module {module}"))
    for node in ast.parse(Path(found.origin).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=named) if named == attribute:
                return cleandoc(ast.get_docstring(node) or "")
            case ast.Assign(targets=[ast.Name(id=named)], value=ast.Call(keywords=given)) if named == attribute:
                said = (each.value for each in given if each.arg == "help")
                return next((str(each.value) for each in said if isinstance(each, ast.Constant)), "")
    raise _not_loaded(name, source, AttributeError(f"{module} has no {attribute}"))


def _not_loaded(name: str, source: str, error: Exception) -> CommandNotLoaded:
    return CommandNotLoaded(f"the command `{name}` ({source}) cannot be loaded: {error}")
