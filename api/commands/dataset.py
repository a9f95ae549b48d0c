"""`mash dataset`: a row for each contact of some weeks, as a file, with its dictionary beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mash.api.commands.installed import administrator, counted, hub_of, out, whole, with_store

DAY = ["%Y-%m-%d"]


def dataset(
    since: Annotated[datetime, typer.Option("--from", formats=DAY, help="From the week in which this day is.")],
    until: Annotated[datetime, typer.Option("--until", formats=DAY, help="To the end of the week in which this day is.")],
    form: Annotated[Literal["csv", "parquet"], typer.Option("--format", help="For a spreadsheet, or for programs.")] = "csv",
    hub: Annotated[str | None, typer.Option(help="Whose contacts, where there are several hubs.")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Where to write it: a file that is not there yet.")] = None,
) -> None:
    """Write a row for each contact that came in in whole weeks, Monday to Sunday, that are over; pseudonymous: without names,
    references or exact times. The dictionary, which says what each column means, is written beside it. That it was taken, by
    whom, is recorded.

    It is personal data all the same: whoever knows something of a contact may find its row.
    """
    from mash.flows.store.reads.dataset import NotOver, days_of, whole_weeks
    from mash.flows.telling.dataset import dictionary, take
    from mash.flows.telling.dataset_columns import columns

    if until < since:
        raise typer.BadParameter("--until is a day before --from: nothing lies between them")

    async def work(store: Any) -> None:
        whose = hub_of(store, hub)
        try:
            period = whole_weeks(since.date(), until.date(), store.time.now())
        except NotOver as refused:
            raise typer.BadParameter(f"--until: {refused}") from None
        first, last = days_of(period)
        path = file or Path(f"dataset-{whose}-{first}-to-{last}.{form}")
        beside = path.with_name(f"{path.name}.dictionary.csv")
        with whole(beside) as explained, whole(path) as written:
            number = await take(store, administrator(whose), period, form, written)
            explained.write(dictionary(columns(whose, store.hub(whose))))
        out.print(f"{path}: {counted(number, 'contact')} of the weeks from {first} to {last}.", markup=False)
        out.print(f"{beside} says what its columns mean.", markup=False)
        out.print("It is pseudonymous, not anonymous: keep it where case files may be kept, and give nobody a small number.")

    with_store(work)
