"""`mash whatif`: what other limits would have made late, and what another hub has no place for."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mash.api.commands.installed import administrator, counted, installed, out, with_store
from mash.api.whatif import IN_WORDS, PARTING, before_stops, lines_of, stops_of
from mash.config.profile import load_profile
from mash.states.profile import Profile
from mash.states.whatif import Coverage, Limits

app = typer.Typer(no_args_is_help=True, help="What other rules would have made of what was done.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Days = Annotated[int, typer.Option(min=1, max=3660, help="Contacts of so many days.")]
Hub = Annotated[str, typer.Option(help="Which hub's contacts; the only one, unless there are several.")]


def _whose(store: Any, hub: str) -> Profile:
    """The profile in force of the hub that is meant. Refuses a name that this installation does not serve."""
    served = store.hubs
    if not hub and len(served) == 1:
        return next(iter(served.values()))  # type: ignore[no-any-return]  # the store is not typed here
    if hub not in served:
        raise typer.BadParameter(f"expected one of {', '.join(served)}", param_hint="--hub")
    return served[hub]  # type: ignore[no-any-return]


@app.command()
def limits(
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE: ratings.red.response='2 h'. Repeat it.")] = None,
    profile_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Your profile, as it is to be.")] = None,
    hub: Hub = "",
    days: Days = 365,
    as_json: AsJson = False,
) -> None:
    """The same acts at the same times by other limits, or by another calendar, of your own profile: what would have been late."""
    from mash.flows.store.whatif import NotReckoned, limits_by, limits_of

    if bool(settings) == bool(profile_file):
        raise typer.BadParameter("say what is to be different: --set KEY=VALUE, or --profile-file FILE")

    async def ask(store: Any) -> None:
        own = _whose(store, hub)
        by = administrator(own.name)
        since = store.time.now() - timedelta(days=days)
        try:
            if profile_file:
                other = load_profile(profile_file.stem, profile_file.resolve().parent)
                if other.name != own.name:
                    raise typer.BadParameter(f"expected {own.name}.toml: for another hub there is `mash whatif profile`")
                found = await limits_by(store, by, since, other)
            else:
                found = await limits_of(store, by, since, settings or ())
        except NotReckoned as ended:
            raise typer.BadParameter(str(ended)) from None
        _print_limits(found, own, as_json)

    with_store(ask)


@app.command()
def profile(name: str, hub: Hub = "", days: Days = 365, as_json: AsJson = False) -> None:
    """The first act of each contact that another hub has no place for, counted. It says nothing of how well anybody works."""
    from mash.flows.store.whatif import NotReckoned, coverage_of

    other = load_profile(name, installed().profiles_dir)

    async def ask(store: Any) -> None:
        own = _whose(store, hub)
        try:
            found = await coverage_of(store, administrator(own.name), store.time.now() - timedelta(days=days), other)
        except NotReckoned as ended:
            raise typer.BadParameter(str(ended)) from None
        _print_coverage(found, own, other, as_json)

    with_store(ask)


def _print_limits(found: Limits, own: Profile, as_json: bool) -> None:
    lines, before, stops = lines_of(found, own), before_stops(found, own), stops_of(found.not_reckoned, own, found.late_by_then)
    if as_json:
        whole: dict[str, Any] = {"contacts": found.contacts}
        whole |= {"late": found.contacts_late, "would_be_late": found.contacts_would_be_late, "means": IN_WORDS}
        whole |= {"without_such_a_limit": found.unset, "limits": [asdict(each) for each in lines]}
        whole |= {"not_reckoned": [asdict(stop) for stop in stops], "before_they_stopped": [asdict(each) for each in before]}
        out.print_json(json.dumps(whole))
        return
    table = Table("limit", "whose", "clocks", "were late", "clocks it would have been", "would be late", "difference")
    for line in lines:
        figures = (line.clocks, line.late, line.would_run, line.would_be_late)
        table.add_row(line.limit, line.whose, *map(str, figures), f"{line.difference:+d}")
    out.print(table)
    reckoned = found.contacts - sum(found.not_reckoned.values())
    out.print(
        f"{counted(reckoned, 'contact')} of {found.contacts} reckoned: something was late in {found.contacts_late},"
        f" and would have been in {found.contacts_would_be_late}."
    )
    if found.unset:
        out.print(f"{counted(found.unset, 'contact')} went by a profile that has no such limit: reckoned by it as it is.")
    for stop in stops:
        late = f"in {stop.late_by_then} of these something would have been late by then"
        out.print(f"Not reckoned: {counted(stop.contacts, 'contact')}{stop.at}: {stop.why}; {late}.", markup=False)
    if before:
        table = Table("limit", "whose", "were late", "would be late", title="Of those not reckoned, up to that act")
        for each in before:
            table.add_row(each.limit, each.whose, str(each.late), str(each.would_be_late))
        out.print(table)
    out.print(IN_WORDS)


def _print_coverage(found: Coverage, own: Profile, other: Profile, as_json: bool) -> None:
    stops = stops_of(found.first, own)
    if as_json:
        whole = {"contacts": found.contacts, "has_a_place_for_all": found.whole, "means": PARTING}
        out.print_json(json.dumps({**whole, "first_without_a_place": [asdict(stop) for stop in stops]}))
        return
    out.print(f"{other.title} has a place for all that was done in {found.whole} of {counted(found.contacts, 'contact')}.")
    for stop in stops:
        out.print(f"{stop.contacts:>7}  {stop.act or 'not known'}: {stop.why}", markup=False)
    out.print(PARTING)
