"""`mash simulate`: last quarter simulated against what happened, and what if."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from mash.api.commands.installed import administrator, out, with_store


def simulate(
    hub: Annotated[str | None, typer.Argument(help="The hub, by its profile's name; needed where there are several.")] = None,
    months: Annotated[int, typer.Option(help="How many months to come what-ifs are simulated over.")] = 12,
    runs: Annotated[int, typer.Option(help="How many times each is run, by other chance; at least 20.")] = 20,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="What if, such as 'staff duty_manager +1 fri', 'reply health +24h', 'limit red 3 h', 'contacts +20%';"
            " joined by ' and '. May be given again."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Simulate a hub by its own rules, people and past: last quarter against what happened, and, where that holds, what if.

    Exit code 2 where last quarter did not come out as it was: then no what-if is simulated."""
    from mash.flows.foresight.ask import NoSimulation, simulated
    from mash.flows.foresight.compare import Asked
    from mash.flows.foresight.pace import Far
    from mash.flows.foresight.scenario import WrongScenario
    from mash.states.errors import Refusal

    found: list[Any] = []

    async def run(store: Any) -> None:
        by = administrator(_one_of(store, hub))
        shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*shown, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Reading what is on record", total=None)

            def tell(far: Far) -> None:
                at_most = f"Runs; {far.left / 60:.0f} min more at most"
                progress.update(bar, description=at_most, completed=far.done, total=far.of_runs)

            found.append(await simulated(store, by, Asked(months, runs, tuple(scenario or ())), tell))

    try:
        with_store(run)
    except (WrongScenario, ValueError, NoSimulation, Refusal) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    [report] = found
    if as_json:
        print(report.model_dump_json())
    else:
        _print(report)
    raise typer.Exit(2 if report.refused else 0)


def _one_of(store: Any, hub: str | None) -> str:
    """The hub that is meant. Raises ValueError where that is not clear."""
    if hub is None and len(store.hubs) == 1:
        return str(next(iter(store.hubs)))
    if hub is None:
        raise ValueError(f"say which hub: one of {', '.join(store.hubs)}")
    return str(store.hub(hub).name)


def _print(report: Any) -> None:
    from mash.states.clocks import local

    out.print(f"{report.title}: {local(report.since)} to {local(report.until)}, simulated {report.runs} times\n")
    shown = Table("", "happened", "runs: middle", "9 in 10 between", "")
    for each in report.compared:
        within = "" if each.within else "outside" if each.held else "(outside)"
        happened = "none" if each.happened is None else number(each.happened, each.kind)
        runs = ["none", ""] if each.runs is None else _between(each.runs, each.kind)
        shown.add_row(each.title, happened, *runs, within)
    out.print(shown)
    if report.refused:
        out.print(f"\n{report.refused}")
    for what_if in report.what_ifs:
        table = Table(what_if.says, "runs: middle", "9 in 10 between", "differs by")
        for each in what_if.measures:
            apart = [each.differs.low, each.differs.high] if each.differs else []
            differs = " to ".join(number(value, each.kind, sign=True) for value in apart)
            table.add_row(each.title, *_between(each.runs, each.kind), differs)
        for role, busy in what_if.busy.items():
            table.add_row(f"{role.replace('_', ' ')}: at work", number(busy, "per cent"), "", "")
        out.print(table)
    out.print("\nWhat it was learnt from:")
    for each in report.learnt:
        out.print(f"  {each.what}: {each.counted} on record ({each.basis}); {each.says}", markup=False)
    out.print("\nWhat it cannot say:")
    for sentence in report.limits:
        out.print(f"  {sentence}", markup=False)


def number(value: float, kind: str, *, sign: bool = False) -> str:
    """A measure as it is written."""
    digits = 0 if kind == "count" else 1
    return f"{value:{'+' if sign else ''}.{digits}f}{ {'per cent': '%', 'hours': ' h'}.get(kind, '') }"


def _between(runs: Any, kind: str) -> list[str]:
    return [number(runs.middle, kind), f"{number(runs.low, kind)} to {number(runs.high, kind)}"]
