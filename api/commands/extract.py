"""`mash extract`: the front-door extracts for case management, with what the census' rules find in them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mash.api.commands.installed import administrator, counted, installed, out, with_store
from mash.config.commands import COMMANDS
from mash.config.errors import SettingsError

if TYPE_CHECKING:
    from mash.flows.returns.extract import File, Gathered
    from mash.flows.returns.rules import Finding
    from mash.flows.returns.year import Year

app = typer.Typer(no_args_is_help=True, help="Extracts for case management: the Children in Need census, Ofsted's Annex A.")
Hub = Annotated[str | None, typer.Option(help="Of which hub, where the installation serves several.")]
Folder = Annotated[Path, typer.Option("--out", help="The folder to write to: files of mode 600 that are not there yet.")]
MOST_SHOWN = 50
"""Findings that are printed; all of them stand on the page."""


@app.command()
def cin(
    year: Annotated[int, typer.Option(help="The census year that ends on 31 March of this year.", min=2000, max=2100)],
    hub: Hub = None,
    authority: Annotated[str, typer.Option(help="The authority's number at the Department for Education, such as 333.")] = "",
    folder: Folder = Path(),
) -> None:
    """Write the Children in Need census of a year as XML, a file for each authority, after what its rules find. It is a
    front-door extract for case management, and not the statutory return."""
    from mash.flows.returns.extract import census_files, findings_of, gather, note_extract
    from mash.flows.returns.year import Year

    asked, by = Year(year), administrator(_hub(hub))

    async def work(store: Any) -> None:
        gathered = await gather(store, by)
        files = census_files(gathered, asked, store.time.now(), authority)
        _print_findings(await findings_of(gathered, asked), gathered, asked)
        await note_extract(store, files, by, "extract_cin")
        _write(files, folder)

    with_store(work)


@app.command("annex-a")
def annex_a(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, such as 2026-04-01.")],
    last: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, which is in it.")],
    hub: Hub = None,
    folder: Folder = Path(),
) -> None:
    """Write Ofsted's Annex A, lists 1, 3, 4 and 5, of a period as a workbook."""
    from mash.flows.returns.annex_a import Period
    from mash.flows.returns.extract import annex_file, gather, note_extract

    period, by = Period(_day(first), _day(last)), administrator(_hub(hub))
    if period.first > period.last:
        raise typer.BadParameter("--from lies after --until")

    async def work(store: Any) -> None:
        gathered = await gather(store, by)
        file = annex_file(gathered, period)
        await note_extract(store, [file], by, "extract_annex_a")
        _write([file], folder)

    with_store(work)


def _day(moment: datetime) -> date:
    return moment.date()


def _hub(name: str | None) -> str:
    hubs = installed().hub_names
    if name is None and len(hubs) == 1:
        return hubs[0]
    if name not in hubs:
        raise typer.BadParameter(f"say which hub: --hub one of {', '.join(hubs)}")
    return name


def _print_findings(found: Sequence[Finding], gathered: Gathered, year: Year) -> None:
    for each in found[:MOST_SHOWN]:
        kind = "query" if each.query else "error"
        act = f" -> {COMMANDS[each.mends].button}" if each.mends else ""
        out.print(f"{each.rule:>9} {kind}  {each.reference} {each.subject}: {each.says}{act}", markup=False)
    if len(found) > MOST_SHOWN:
        rules = ", ".join(f"{rule}: {number}" for rule, number in Counter(each.rule for each in found).most_common())
        out.print(f"and {len(found) - MOST_SHOWN} more, on the page Returns; by rule: {rules}", markup=False)
    queries = sum(each.query for each in found)
    out.print(f"{counted(len(found) - queries, 'error')}, {queries} to be explained", markup=False)
    if gathered.erased:
        out.print(f"{counted(gathered.erased, 'child', 'children')} erased since: counted here, and in no file", markup=False)
    if year.checked_by != year:
        out.print(f"The validator has no rules for {year.title}: checked with those of {year.checked_by.title}", markup=False)


def _write(files: Sequence[File], folder: Path) -> None:
    for file in files:
        path = folder / file.name
        try:
            # Made closed: there is no moment in which another could read it.
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
                opened.write(file.content)
        except OSError as failed:
            raise SettingsError(f"{path} cannot be written: {failed.strerror}. Say another folder: --out") from None
        out.print(f"{path}: {counted(file.children, 'child', 'children')}", markup=False)
