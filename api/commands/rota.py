"""`mash rota`: who is on duty and why, and changing that."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mash.api.commands.installed import installed, out, whoever, with_store
from mash.states.clocks import LONDON, local

# What is heavy is imported by the command that needs it: this module is loaded at every start of every part.
if TYPE_CHECKING:
    from mash.notifications.rota import Rota

app = typer.Typer(no_args_is_help=True, help="Who is on duty: weekly patterns, absence, cover and swaps, by hub.")
Hub = Annotated[str, typer.Argument(help="The hub, by its profile's name.")]
At = Annotated[str, typer.Option(help="A time as people say it: 'friday 17:10', 'tomorrow 9:00', '2026-11-27 17:10'.")]
From = Annotated[str, typer.Option("--from", help="When it begins.")]
Until = Annotated[str, typer.Option("--until", help="When it ends.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def instant(text: str, now: datetime) -> datetime:
    """A time as people say it, local time, the next one that is meant. Raises BadParameter when it is none."""
    import dateparser

    settings: Any = {
        "RELATIVE_BASE": now.astimezone(LONDON).replace(tzinfo=None),
        "PREFER_DATES_FROM": "future",
        "DATE_ORDER": "DMY",
    }
    found = (
        datetime.fromisoformat(text)
        if text[:4].isdigit() and "-" in text[:5]
        else dateparser.parse(text, ["en"], settings=settings)
    )
    if found is None:
        raise typer.BadParameter(f"'{text}' is no time: say 'friday 17:10', 'tomorrow 9:00' or '2026-11-27 17:10'")
    return (found if found.tzinfo else found.replace(tzinfo=LONDON)).astimezone(UTC)


@app.command()
def show(
    hub: Annotated[str, typer.Argument(help="The hub; without it, every hub that has a rota.")] = "",
    at: At = "now",
    as_json: AsJson = False,
) -> None:
    """Who is on duty, until when, why, and how they are reached (never the addresses)."""
    from mash.config.channels import read_channels
    from mash.flows.store.rotas import read_rotas
    from mash.notifications.rota import Rota
    from mash.notifications.routing import recipients

    async def work(store: Any) -> None:
        when, rotas = instant(at, store.time.now()), await read_rotas(store)
        channels = read_channels(installed().channels_file)
        answer: dict[str, list[dict[str, Any]]] = {}
        for name in [hub] if hub else rotas:
            profile, rota = store.hub(name), rotas.get(name, Rota())
            roles = dict.fromkeys((*(rung.role for rung in profile.ladder), profile.out_of_hours.role, *rota.roles))
            for role in roles:
                duty = {each.person: each for each in rota.on_duty(role, when, profile.calendar)}
                for found in recipients(channels, rotas, profile.calendar, name, role, when):
                    person = duty.get(found.person or "")
                    why = "nobody: a gap in the rota" if role in rota.roles else "not kept by rota"
                    answer.setdefault(name, []).append(
                        {
                            "role": role,
                            "person": found.person,
                            "until": person.until if person else None,
                            "why": person.why if person else why,
                            "channels": [label for step in found.steps for label, _ in step.channels],
                        }
                    )
        if as_json:
            print(json.dumps({"at": when, "hubs": answer}, default=str))
            return
        for name, lines in answer.items():
            out.print(f"{name}, {local(when)}")
            for line in lines:
                reached = ", ".join(line["channels"]) or "no channel"
                out.print(f"  {line['role']:<22} {line['person'] or '-':<16} {line['why']} ({reached})", markup=False)
        if not answer:
            out.print("No hub has a rota: `mash rota import HUB FILE`. Roles are reached by their own channels.")

    with_store(work)


@app.command("import")
def import_(hub: Hub, file: Path) -> None:
    """Put a rota in force, from CSV (.csv) or iCalendar (.ics). It replaces the one there is."""
    from mash.notifications.rota_files import RotaFileWrong, from_csv, from_ical

    try:
        rota = from_ical(file.read_bytes()) if file.suffix == ".ics" else from_csv(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read {file}: {getattr(error, 'strerror', '') or 'not text'}") from None
    except RotaFileWrong as wrong:
        raise typer.BadParameter(f"{file}: {wrong}") from None
    _change(hub, lambda _, __: rota)


@app.command()
def export(hub: Hub, form: Annotated[Literal["csv", "ical"], typer.Option("--format")] = "csv") -> None:
    """Print the rota as CSV or iCalendar."""
    from mash.flows.store.rotas import read_rota
    from mash.notifications.rota_files import to_csv, to_ical

    async def work(store: Any) -> None:
        store.hub(hub)
        rota = await read_rota(store, hub)
        print(to_csv(rota) if form == "csv" else to_ical(rota, hub, store.time.now()).decode(), end="")

    with_store(work)


@app.command()
def swap(hub: Hub, role: str, one: str, other: str, first: str, second: str) -> None:
    """ONE and OTHER swap turns: OTHER does ONE's turn at the time FIRST, and ONE does OTHER's at SECOND."""

    def swapped(rota: Rota, store: Any) -> Rota:
        calendar, now = store.hub(hub).calendar, store.time.now()
        turns = [rota.turn(role, person, instant(at, now), calendar) for person, at in ((one, first), (other, second))]
        for person, at, turn in zip((one, other), (first, second), turns, strict=True):
            if turn is None:
                raise typer.BadParameter(f"{person} is not on duty as {role} at {local(instant(at, now))}")
        return rota.swapped(role, one, other, *(turn for turn in turns if turn))

    _change(hub, swapped)


@app.command()
def cover(
    hub: Hub, role: str, person: str, begins: From, ends: Until,
    instead_of: Annotated[str, typer.Option(help="Whose place they take; without it they are on duty beside whoever is.")] = "",
) -> None:  # fmt: skip
    """PERSON holds a role for once."""
    from mash.notifications.rota import Shift

    def covered(rota: Rota, store: Any) -> Rota:
        start, end = _spell(begins, ends, store)
        more: dict[str, Any] = {"instead_of": instead_of, "why": "cover"} if instead_of else {}
        return rota.model_copy(update={"shifts": (*rota.shifts, Shift(role=role, person=person, begins=start, ends=end, **more))})

    _change(hub, covered)


@app.command()
def absent(hub: Hub, person: str, begins: From, ends: Until) -> None:
    """PERSON is away: holds no role by any pattern meanwhile."""
    from mash.notifications.rota import Absence

    def without(rota: Rota, store: Any) -> Rota:
        start, end = _spell(begins, ends, store)
        return rota.model_copy(update={"absences": (*rota.absences, Absence(person=person, begins=start, ends=end))})

    _change(hub, without)


@app.command()
def check(hub: Hub, days: int = 14) -> None:
    """Say when nobody will be on duty in the next days; exit code 1 when there is such a time."""
    from mash.flows.store.rotas import read_rota

    async def work(store: Any) -> None:
        if not _print_gaps(store, hub, await read_rota(store, hub), days):
            out.print(f"{hub}: no gap in the next {days} days")
            return
        raise typer.Exit(1)

    with_store(work)


def _spell(begins: str, ends: str, store: Any) -> tuple[datetime, datetime]:
    start = instant(begins, store.time.now())
    return start, instant(ends, start)


def _change(hub: str, change: Callable[[Rota, Any], Rota]) -> None:
    """Change a hub's rota, put it in force, and say what gaps it leaves."""
    from pydantic import ValidationError

    from mash.flows.store.rotas import read_rota, store_rota

    async def work(store: Any) -> None:
        store.hub(hub)
        try:
            rota = change(await read_rota(store, hub), store)
        except ValidationError as wrong:
            first = wrong.errors(include_input=False)[0]
            raise typer.BadParameter(f"{'.'.join(map(str, first['loc'])) or 'the rota'}: {first['msg']}") from None
        await store_rota(store, hub, rota, whoever())
        summary = f"{len(rota.patterns)} weekly patterns, {len(rota.shifts)} single shifts, {len(rota.absences)} absences"
        out.print(f"{hub}: the rota is in force ({summary})")
        _print_gaps(store, hub, rota, 14)

    with_store(work)


def _print_gaps(store: Any, hub: str, rota: Rota, days: int) -> int:
    from mash.flows.carrying.duty import gap_in_words, gaps_ahead

    gaps = gaps_ahead(store, store.hub(hub), rota, timedelta(days=days))
    for gap in gaps:
        out.print(f"{hub}: nobody is on duty: {gap_in_words(gap)}", markup=False)
    return len(gaps)
