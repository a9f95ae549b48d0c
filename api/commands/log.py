"""`mash log`: a case's story, and whether every log holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mash.api.commands.installed import administrator, broken, counted, installed, out, with_store
from mash.api.proof import prove
from mash.flows.store.log import read_log
from mash.flows.store.reads.look import look_at
from mash.flows.store.replay import replay
from mash.flows.telling.story import event_in_words
from mash.states.clocks import dated


def log(
    what: Annotated[
        str,
        typer.Argument(help="A reference, for its story; 'verify', to prove every chain; 'replay', to decide them again."),
    ],
    against: Annotated[Path | None, typer.Option(help="A folder of checkpoints that was kept elsewhere.")] = None,
    key: Annotated[str | None, typer.Option(help="What checks their signatures, as `mash checkpoint key` printed it.")] = None,
) -> None:
    """Print a case's story, or find a changed, removed, inserted or cut-off event; also where a whole chain was written anew.
    `replay` rebuilds the commands of the present edition of the rules from their events, and finds those that come out
    otherwise now."""

    async def tell(store: Any) -> None:
        story = await read_log(store, what)
        hub = story[0].by.hub
        await look_at(store, what, administrator(hub), "read_story", holds="gives commands on the machine")
        for recorded in story:
            words = event_in_words(recorded, store.hubs.get(hub))
            out.print(f"{recorded.sequence:>4}  {dated(recorded.at)}  {recorded.by.role:<20} {words}", markup=False)

    async def verify(store: Any) -> None:
        proof = await prove(store, installed(), against, key)
        for sentence in (*proof.restored, *proof.wrong):
            out.print(sentence, markup=False)
        out.print(broken(proof.wrong))
        if proof.wrong:
            raise typer.Exit(1)

    async def decide_again(store: Any) -> None:
        found = await replay(store)
        for sentence in found.different:
            out.print(str(sentence), markup=False)
        same = found.decided - len(found.different)
        out.print(
            f"{counted(found.cases, 'case')}: {counted(same, 'act')} of {found.decided} decided again came out the same;"
            f" {found.older} of an earlier edition of the rules were not decided again"
        )
        if found.different:
            raise typer.Exit(1)

    with_store({"verify": verify, "replay": decide_again}.get(what, tell))
