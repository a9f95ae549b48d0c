"""`mash audit`: whether the installation refuses what it must."""

from __future__ import annotations

from typing import Annotated

import typer

from mash.api.self_test import run_self_test

app = typer.Typer(no_args_is_help=True, help="Whether the installation refuses what it must.")


@app.callback()
def audit() -> None:
    """Whether the installation refuses what it must."""


@app.command("self-test")
def self_test(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False) -> None:
    """Attack an installation of its own in nearly a hundred ways, a line each. Exit code 1 when one succeeds."""
    raise typer.Exit(run_self_test(as_json))
