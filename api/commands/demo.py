"""`mash demo`: hubs' busy days, or a story, in an installation that is gone afterwards."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mash.api.demo import STORIES, run_demo


def demo(
    hubs: Annotated[list[str] | None, typer.Argument(help="The hubs to play, by their profiles' names.")] = None,
    exit_: Annotated[bool, typer.Option("--exit", help="End at once, instead of staying up until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
    story: Annotated[
        Literal["friday", "sibling"] | None,
        typer.Option(help="Play this instead: an evening, from the alerts' side, or ten contacts about one child within a year."),
    ] = None,
) -> None:
    """Play hubs' busy days: 48 fictional referrals, time running 3,600 times faster, mail in a local catcher. Or a story."""
    if story:
        raise typer.Exit(STORIES[story](as_json))
    raise typer.Exit(run_demo(stay=not exit_, as_json=as_json, hubs=tuple(hubs or ("sandwell", "merton"))))
