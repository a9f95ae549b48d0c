"""`mash doctor`: what is set, what is missing, what can be reached, and which part needs what."""

from __future__ import annotations

from typing import Annotated

import typer

from mash.api.commands.installed import installed, out
from mash.config.errors import SettingsError


def doctor(
    parts: Annotated[list[str] | None, typer.Argument(help="Of these parts only: api, worker, prefect, owner.")] = None,
) -> None:
    """Say what is set, what is missing, and what can be reached, part by part. Nothing is changed. Exit code 1 when something is
    wrong."""
    from mash.api.commands.looks import LOOKS, looked

    asked = parts or list(LOOKS)
    if unknown := [part for part in asked if part not in LOOKS]:
        raise SettingsError(f"there is no part {', '.join(unknown)}; there are {', '.join(LOOKS)}")
    settings, wrong = installed(), 0
    for part in asked:
        out.print(f"[bold]{part}[/bold]")
        for look in LOOKS[part]:
            for found in looked(look, settings):
                wrong += found.mark == "wrong"
                out.print(f"  {found.mark:<6}{found.what}", markup=False)
    out.print(f"{wrong} things are wrong" if wrong else "nothing is wrong")
    if wrong:
        raise typer.Exit(1)
