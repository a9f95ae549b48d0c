"""`mash bench` and `mash chaos`: what the benchmark adds to the `mash` command."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

Part = Literal["known", "board", "dataset", "figures", "whatif", "simulate", "pace", "submissions", "storm"]


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quick: bool = False,
    only: Annotated[
        Part | None,
        typer.Option(
            help="`known`: known children; `board`: a board; `dataset`: the dataset; `figures`: managers' figures; "
            "`whatif`: other limits; `simulate`: a year; `pace`: lives at people's pace; "
            "`submissions`: how long people wait for an answer; `storm`: 10,000 clocks due at one instant."
        ),
    ] = None,
    beside: Annotated[
        Path | None, typer.Option(help="The `mash` of another build: both are measured by turns, and compared.")
    ] = None,
    scale: Annotated[bool, typer.Option("--scale", help="Two of each part, with Redis: what a second worker adds.")] = False,
) -> None:
    """Measure a stack of its own: throughput, latency, lateness, idle cost, recovery."""
    if beside:
        from mash.bench.beside import run_bench_beside

        raise typer.Exit(run_bench_beside(beside, as_json=as_json, quick=quick))
    if scale:
        from mash.bench.scale import run_bench_scale

        raise typer.Exit(run_bench_scale(as_json=as_json, quick=quick))
    if only:
        measure = import_module(f"mash.bench.{only}")
        raise typer.Exit(getattr(measure, f"run_bench_{only}")(as_json=as_json, quick=quick))
    from mash.bench.run import run_bench

    raise typer.Exit(run_bench(as_json=as_json, quick=quick))


def chaos(
    minutes: Annotated[float, typer.Option(help="For how long faults are struck.")] = 2,
    seed: Annotated[int | None, typer.Option(help="Strike the same faults in the same order again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Strike random faults at a stack of its own under load, then audit it: what was accepted is there, once, and was told."""
    from mash.bench.chaos import run_chaos

    raise typer.Exit(run_chaos(minutes, seed, as_json))
