"""`mash extract`: the front-door extracts for case management, with what the census' rules find in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mash.api.commands.installed import administrator, counted, hub_of, out, whole, with_store
from mash.config.commands import COMMANDS

if TYPE_CHECKING:
    from mash.flows.returns.extract import File, Gathered
    from mash.flows.returns.findings import Finding
    from mash.flows.returns.year import Year
    from mash.states.values import Actor

app = typer.Typer(no_args_is_help=True, help="Extracts for case management: the Children in Need census, Ofsted's Annex A.")
Hub = Annotated[str | None, typer.Option(help="Of which hub, where the installation serves several.")]
Authority = Annotated[
    str,
    typer.Option(
        help="Only of this authority of the hub, by its number at the Department for Education, such as 333; where nothing says"
        " which the hub's is, that it is this one."
    ),
]
Folder = Annotated[Path, typer.Option("--out", help="The folder to write to: files of mode 600 that are not there yet.")]
NOT_THE_RETURN = "A front-door extract for case management to take over, and not the statutory return"


@app.command()
def cin(
    year: Annotated[int, typer.Option(help="The census year that ends on 31 March of this year.", min=2000, max=2100)],
    hub: Hub = None,
    authority: Authority = "",
    folder: Folder = Path(),
) -> None:
    """Write the Children in Need census of a year as XML, a file for each authority, after what its rules find. It is a
    front-door extract for case management, and not the statutory return."""
    from mash.flows.returns.extract import census_files, gather
    from mash.flows.returns.rules import findings
    from mash.flows.returns.year import Year
    from mash.flows.store.reads.look import note_list

    asked = Year(year)

    async def work(store: Any) -> None:
        by = administrator(hub_of(store, hub))
        gathered = await gather(store, by, asked.start)
        found = findings(gathered.people, gathered.checks(asked))
        await note_list(store, tuple(dict.fromkeys(each.reference for each in found)), by, "check_returns")
        _print_findings(found)
        _print_limits(gathered, asked)
        await _write(store, census_files(gathered, asked, store.time.now(), authority), by, "extract_cin", folder)

    with_store(work)


@app.command("annex-a")
def annex_a(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, such as 2026-04-01.")],
    last: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, which is in it.")],
    hub: Hub = None,
    authority: Authority = "",
    folder: Folder = Path(),
) -> None:
    """Write Ofsted's Annex A, lists 1, 3, 4 and 5, of a period as a workbook, one for each authority."""
    from mash.flows.returns.annex_a import Period
    from mash.flows.returns.extract import annex_files, gather

    period = Period(first.date(), last.date())
    if last < first:
        raise typer.BadParameter("--until is a day before --from: nothing lies between them")

    async def work(store: Any) -> None:
        by = administrator(hub_of(store, hub))
        gathered = await gather(store, by, period.first)
        await _write(store, annex_files(gathered, period, authority), by, "extract_annex_a", folder)

    with_store(work)


def _print_findings(found: Sequence[Finding]) -> None:
    for each in found:
        act = f" -> {' or '.join(COMMANDS[kind].button for kind in each.mends)}" if each.mends else ""
        out.print(f"{each.rule:>9} {each.kind:<6}  {each.reference} {each.subject}: {each.says}{act}", markup=False)
    kinds = Counter(each.kind for each in found)
    meant = f"{kinds['filled']} filled in or left out, {kinds['query']} to be explained"
    out.print(f"{counted(kinds['error'], 'error')}, {meant}", markup=False)


def _print_limits(gathered: Gathered, year: Year) -> None:
    if erased := gathered.erased(year):
        out.print(f"{counted(erased, 'child', 'children')} erased since: counted here, and in no file", markup=False)
    if year.written_as != year:
        known = year.written_as.title
        out.print(f"The form and the rules of {year.title} are not known: written and checked as for {known}", markup=False)


async def _write(store: Any, files: Sequence[File], by: Actor, action: str, folder: Path) -> None:
    """Write the files, all of them or none; the look is written down before the first of them has its name."""
    from mash.flows.returns.extract import note_extract

    with ExitStack() as opened:
        places = [opened.enter_context(whole(folder / file.name)) for file in files]
        await note_extract(store, files, by, action)
        for place, file in zip(places, files, strict=True):
            place.write(file.content)
    for file in files:
        out.print(f"{folder / file.name}: {counted(file.children, 'child', 'children')}", markup=False)
    out.print(NOT_THE_RETURN)
