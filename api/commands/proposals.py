"""A rota that somebody wants to put in force: what it comes to is said, and asked, before it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from mash.api.commands.installed import out, whoever, with_store

# What is heavy is imported by the command that needs it: this module is loaded at every start of every part.
if TYPE_CHECKING:
    from mash.notifications.rota import Rota


class Proposal(NamedTuple):
    """A rota that may be put in force, and in sentences how it was understood."""

    rota: Rota
    understood: list[str]


def put_in_force(hub: str, change: Callable[[Rota, Any], Proposal], yes: bool, dry_run: bool) -> None:
    """Say what a change of a hub's rota comes to, ask, and put it in force."""
    from pydantic import ValidationError

    from mash.flows.store.rotas import read_rota, rota_version, store_rota
    from mash.flows.store.trouble import tell_administrators
    from mash.notifications.rota_change import emptied

    async def work(store: Any) -> None:
        store.hub(hub)
        version, before = await rota_version(store, hub), await read_rota(store, hub)
        try:
            proposal = change(before, store)
        except ValidationError as wrong:
            first = wrong.errors(include_input=False)[0]
            raise typer.BadParameter(f"{'.'.join(map(str, first['loc'])) or 'the rota'}: {first['msg']}") from None
        _print_proposal(store, hub, before, proposal)
        if proposal.rota == before or dry_run:
            out.print(f"{hub}: nothing is changed" + (" (--dry-run)" if dry_run else ": this is in force already"))
            return
        _ask(hub, yes)
        if not await store_rota(store, hub, proposal.rota, whoever(), instead_of=version):
            out.print(f"{hub}: nothing is changed: somebody else has changed the rota meanwhile. Please do it again.")
            raise typer.Exit(1)
        out.print(f"{hub}: the rota is in force")
        if gone := emptied(before, proposal.rota, store.time.now()):
            detail = f"{', '.join(gone)}: whoever reads the role's own channels is told from now on. Changed by {whoever()}."
            await tell_administrators(store, hub, "a role is not kept by rota any more", detail)

    with_store(work)


def _print_proposal(store: Any, hub: str, before: Rota, proposal: Proposal) -> None:
    from mash.notifications.rota_change import difference, without_effect

    after, now, calendar = proposal.rota, store.time.now(), store.hub(hub).calendar
    for line in (
        *proposal.understood,
        *difference(before, after, now, calendar),
        *(f"Please look: {each}" for each in without_effect(before, after, now, calendar)),
    ):
        out.print(f"{hub}: {line}", markup=False)
    print_gaps(store, hub, after, timedelta(days=14))


def _ask(hub: str, yes: bool) -> None:
    """Go on only where somebody says so. Exit code 1 otherwise, with nothing changed."""
    try:
        agreed = yes or typer.confirm("Put this in force?")
    except typer.Abort:
        out.print(f"\n{hub}: nothing is changed: nobody answered. In a script say --yes.")
        raise typer.Exit(1) from None
    if not agreed:
        out.print(f"{hub}: nothing is changed")
        raise typer.Exit(1)


def print_gaps(store: Any, hub: str, rota: Rota, ahead: timedelta) -> int:
    """Say when nobody is on duty by a rota, and when it runs out; how many gaps there are."""
    from mash.flows.carrying.duty import gap_in_words, gaps_ahead, runs_out

    gaps = gaps_ahead(store, store.hub(hub), rota, ahead)
    for gap in gaps:
        out.print(f"{hub}: nobody is on duty: {gap_in_words(gap)}", markup=False)
    if sentence := runs_out(rota, store.time.now()):
        out.print(f"{hub}: {sentence}", markup=False)
    return len(gaps)
