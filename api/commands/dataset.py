"""`mash dataset`: a row for each contact of a period, as a file, with its dictionary beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mash.api.commands.installed import administrator, counted, out, with_store
from mash.config.errors import SettingsError

DAY = ["%Y-%m-%d"]


def dataset(
    since: Annotated[datetime, typer.Option("--from", formats=DAY, help="Contacts that came in from this day.")],
    until: Annotated[datetime, typer.Option("--until", formats=DAY, help="To the end of this day.")],
    form: Annotated[Literal["csv", "parquet"], typer.Option("--format", help="For a spreadsheet, or for programs.")] = "csv",
    hub: Annotated[str | None, typer.Option(help="Whose contacts, where there are several hubs.")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Where to write it: a file that is not there yet.")] = None,
) -> None:
    """Write a row for each contact that came in in a period, pseudonymous: without names, references or exact times. The
    dictionary, which says what each column means, is written beside it. That it was taken, by whom, is recorded.

    It is personal data all the same: whoever knows something of a contact may find its row.
    """
    from mash.flows.store.reads.dataset import period_of
    from mash.flows.telling.dataset import dictionary, extract
    from mash.flows.telling.dataset_columns import columns

    first, last = since.date(), until.date()
    if last < first:
        raise typer.BadParameter("--until is a day before --from: nothing lies between them")

    async def work(store: Any) -> None:
        whose = _hub_of(store, hub)
        path = file or Path(f"dataset-{whose}-{first}-to-{last}.{form}")
        beside = path.with_name(f"{path.name}.dictionary.csv")
        made: list[Path] = []
        try:
            for each in (path, beside):
                _touch(each)
                made.append(each)
            with path.open("wb") as written:
                number = await extract(store, administrator(whose), period_of(first, last), form, written)
            beside.write_bytes(dictionary(columns(whose, store.hub(whose))))
        except BaseException:
            # What was cut off would look like a quiet month.
            for each in made:
                each.unlink()
            raise
        out.print(f"{path}: {counted(number, 'contact')}. {beside} says what its columns mean.", markup=False)
        out.print("It is pseudonymous, not anonymous: keep it where case files may be kept, and give nobody a small number.")

    with_store(work)


def _hub_of(store: Any, hub: str | None) -> str:
    if hub is None and len(store.hubs) > 1:
        raise typer.BadParameter(f"--hub: there are several: expected one of {', '.join(store.hubs)}")
    whose = hub or next(iter(store.hubs))
    store.hub(whose)
    return str(whose)


def _touch(path: Path) -> None:
    """Made first: nobody else can read it, and nothing is read that could not be written."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as failed:
        raise SettingsError(f"--out {path}: {failed.strerror}: expected a file that is not there yet") from None
