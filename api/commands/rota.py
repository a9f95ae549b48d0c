"""`mash rota`: who is on duty and why, and changing that."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mash.api.commands.installed import installed, out, with_store
from mash.api.commands.proposals import Proposal, print_gaps, put_in_force

# What is heavy is imported by the command that needs it: this module is loaded at every start of every part.
if TYPE_CHECKING:
    from mash.notifications.rota import Rota

app = typer.Typer(no_args_is_help=True, help="Who is on duty: weekly patterns, absence, cover and swaps, by hub.")
Hub = Annotated[str, typer.Argument(help="The hub, by its profile's name.")]
At = Annotated[str, typer.Option(help="A time as people say it: 'friday 17:10', 'tomorrow 0900', '27/11/2026 17:10'.")]
From = Annotated[str, typer.Option("--from", help="When it begins: 'friday 9:00'.")]
Until = Annotated[str, typer.Option("--until", help="When it ends: 'friday 13:00' is that of --from, or the next one after it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Put it in force without asking: for scripts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it comes to, and change nothing.")]


def instant(text: str, now: datetime, after: datetime | None = None) -> datetime:
    """A time as people say it. Raises BadParameter, with examples, when it is none, or two."""
    from mash.notifications.times import NotATime, spoken_time

    try:
        return spoken_time(text, now, after)
    except NotATime as wrong:
        raise typer.BadParameter(str(wrong)) from None


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
            out.print(f"{name}, {_in_full(when, store.time.now())}")
            for line in lines:
                reached = ", ".join(line["channels"]) or "no channel"
                out.print(f"  {line['role']:<22} {line['person'] or '-':<16} {line['why']} ({reached})", markup=False)
        if not answer:
            out.print("No hub has a rota: `mash rota import HUB FILE`. Roles are reached by their own channels.")

    with_store(work)


@app.command("import")
def import_(
    hub: Hub, file: Path,
    empty: Annotated[bool, typer.Option("--empty", help="The file holds nobody, and that is meant.")] = False,
    yes: Yes = False, dry_run: DryRun = False,
) -> None:  # fmt: skip
    """Put a rota in force, from a sheet (CSV) or a calendar (iCalendar), in the place of the one there is."""
    from mash.notifications.rota_change import mistakes, newcomers
    from mash.notifications.rota_entries import RotaFileWrong
    from mash.notifications.rota_files import read_rota_file

    def read(before: Rota, store: Any) -> Proposal:
        now = store.time.now()
        try:
            found = read_rota_file(file.read_bytes(), now)
        except OSError as error:
            raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from None
        except RotaFileWrong as wrong:
            raise typer.BadParameter(f"{file}: {wrong}") from None
        if wrong_names := mistakes(found, _roles(store, hub)):
            raise typer.BadParameter(f"{file}: {'; '.join(wrong_names)}")
        rota = found.rota
        if empty == any(rota.goes_on(role, now) for role in rota.roles):
            emptiness = (
                "--empty: somebody in it holds a role"
                if empty
                else "nobody in it holds a role from now on: if that is meant, say --empty"
            )
            raise typer.BadParameter(f"{file}: {emptiness}")
        counts = f"{len(rota.patterns)} weekly patterns, {len(rota.shifts)} single shifts, {len(rota.absences)} absences"
        new = newcomers(found, _known(store, hub, before))
        notes = [f"new here, with no channels of their own and no account: {', '.join(new)}"] if new else []
        if rota.written_out_until:
            until = _in_full(rota.written_out_until, now)
            notes.append(
                f"what no weekly pattern can say is written out until {until}; administrators are told eight weeks before"
            )
        return Proposal(rota, [f"{file.name}: {counts}", *notes])

    put_in_force(hub, read, yes, dry_run)


@app.command()
def export(hub: Hub, form: Annotated[Literal["csv", "ical"], typer.Option("--format")] = "csv") -> None:
    """Print the rota as CSV or iCalendar."""
    from mash.flows.store.rotas import read_rota
    from mash.notifications.rota_calendar import to_ical
    from mash.notifications.rota_sheet import to_csv

    async def work(store: Any) -> None:
        store.hub(hub)
        rota = await read_rota(store, hub)
        print(to_csv(rota) if form == "csv" else to_ical(rota, hub, store.time.now()).decode(), end="")

    with_store(work)


@app.command()
def swap(hub: Hub, role: str, one: str, other: str, first: str, second: str, yes: Yes = False, dry_run: DryRun = False) -> None:
    """ONE and OTHER swap turns: OTHER does ONE's turn at the time FIRST, and ONE does OTHER's at SECOND."""

    def swapped(rota: Rota, store: Any) -> Proposal:
        calendar, now = store.hub(hub).calendar, store.time.now()
        turns = []
        for person, instead, at in ((one, other, first), (other, one, second)):
            when = instant(at, now)
            if (turn := rota.turn(role, person, when, calendar)) is None:
                _demand(person, rota.people(role), f"among those who hold {role}")
                raise typer.BadParameter(f"{person} is not on duty as {role} at {_in_full(when, now)}")
            turns.append((turn, f"{instead} does {person}'s turn as {role}: {_spell_in_words(turn.begins, turn.ends, now)}"))
        return Proposal(rota.swapped(role, one, other, *(turn for turn, _ in turns)), [sentence for _, sentence in turns])

    put_in_force(hub, swapped, yes, dry_run)


@app.command()
def cover(
    hub: Hub, role: str, person: str, begins: From, ends: Until,
    instead_of: Annotated[str, typer.Option(help="Whose place they take; without it they are on duty beside whoever is.")] = "",
    yes: Yes = False, dry_run: DryRun = False,
) -> None:  # fmt: skip
    """PERSON holds a role for once."""
    from mash.notifications.rota import Shift

    def covered(rota: Rota, store: Any) -> Proposal:
        now = store.time.now()
        start, end = _spell(begins, ends, now)
        _demand(role, _roles(store, hub), f"as a role of {hub}")
        more: dict[str, Any] = {"instead_of": instead_of, "why": "cover"} if instead_of else {}
        if instead_of == person:
            raise typer.BadParameter(f"{person} cannot stand in for themselves")
        if instead_of:
            _demand(instead_of, rota.people(role), f"among those who hold {role}")
        shift = Shift(role=role, person=person, begins=start, ends=end, **more)
        place = f" instead of {instead_of}" if instead_of else ""
        understood = [f"{person} holds {role}{place}: {_spell_in_words(start, end, now)}"]
        if person not in _known(store, hub, rota):
            understood.append(f"{person} is new here, with no channels of their own and no account")
        return Proposal(rota.model_copy(update={"shifts": (*rota.shifts, shift)}), understood)

    put_in_force(hub, covered, yes, dry_run)


@app.command()
def absent(hub: Hub, person: str, begins: From, ends: Until, yes: Yes = False, dry_run: DryRun = False) -> None:
    """PERSON is away: holds no role by any pattern or turn meanwhile."""
    from mash.notifications.rota import Absence
    from mash.notifications.rota_change import everybody

    def without(rota: Rota, store: Any) -> Proposal:
        now = store.time.now()
        start, end = _spell(begins, ends, now)
        _demand(person, everybody(rota), f"among those who hold a role at {hub}")
        absence = Absence(person=person, begins=start, ends=end)
        after = rota.model_copy(update={"absences": (*rota.absences, absence)})
        return Proposal(after, [f"{person} is away: {_spell_in_words(start, end, now)}"])

    put_in_force(hub, without, yes, dry_run)


@app.command()
def check(hub: Hub, days: int = 14) -> None:
    """Say when nobody will be on duty in the next days; exit code 1 when there is such a time."""
    from mash.flows.store.rotas import read_rota

    async def work(store: Any) -> None:
        if not print_gaps(store, hub, await read_rota(store, hub), timedelta(days=days)):
            out.print(f"{hub}: no gap in the next {days} days")
            return
        raise typer.Exit(1)

    with_store(work)


# --- what a change is made of ---------------------------------------------------------------------------------------------------


def _spell(begins: str, ends: str, now: datetime) -> tuple[datetime, datetime]:
    start = instant(begins, now)
    end = instant(ends, now, after=start)
    if end <= start:
        raise typer.BadParameter(f"it would end before it begins: from {_in_full(start, now)}, until {_in_full(end, now)}")
    if end <= now:
        raise typer.BadParameter(f"it is over already: {_spell_in_words(start, end, now)}")
    return start, end


def _in_full(at: datetime, now: datetime) -> str:
    from mash.notifications.times import how_far, in_full

    return f"{in_full(at)}, {how_far(at, now)}"


def _spell_in_words(begins: datetime, ends: datetime, now: datetime) -> str:
    return f"from {_in_full(begins, now)}, until {_in_full(ends, now)} ({(ends - begins) / timedelta(hours=1):g} h)"


def _demand(name: str, names: Collection[str], which: str) -> None:
    """Raises BadParameter for a name that is none of these: what is said of it would be in force without effect."""
    from mash.notifications.rota_change import unknown

    if name not in names:
        raise typer.BadParameter(unknown(name, names, which))


def _roles(store: Any, hub: str) -> set[str]:
    """Every role that a notice of the hub may go to."""
    from mash.config.permissions import roles

    agencies = store.hub(hub).agencies.values()
    return {*roles(), *(role for agency in agencies for role in (agency.role, agency.lead))}


def _known(store: Any, hub: str, rota: Rota) -> set[str]:
    """Everybody whom the installation knows by login: of the rota in force, with channels, with an account."""
    from mash.config.channels import ANY, read_channels
    from mash.config.sign_on import read_accounts
    from mash.notifications.rota_change import everybody

    settings = installed()
    of_hubs = read_channels(settings.channels_file).hubs
    with_channels = {person for name in (hub, ANY) if name in of_hubs for person in of_hubs[name].people}
    return {*everybody(rota), *with_channels, *read_accounts(settings)}
