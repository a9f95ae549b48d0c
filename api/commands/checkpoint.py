"""`mash checkpoint`: what the logs were at a moment, signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mash.api.commands.installed import counted, installed, out, whoever, with_store

app = typer.Typer(no_args_is_help=True, help="Signed checkpoints: what the logs, the accesses and the counts were at a moment.")


@app.command()
def make() -> None:
    """Sign a checkpoint now. One is made every night by itself."""
    from mash.flows.carrying.night import check_conservation, copy_checkpoints, take_checkpoint
    from mash.flows.store.nights import record_step
    from mash.flows.store.reads.children import children

    settings = installed()

    async def work(store: Any) -> None:
        contents = (await take_checkpoint(store, settings)).contents
        await record_step(store, "checkpoint")
        events = sum(len(hashes) for _, hashes in contents["events"].values())
        count = contents["contacts"]
        out.print(
            f"checkpoint {contents['number']}: {events} events and {contents['accesses']['count']} accesses since the last;"
            f" contacts {count['contacts']} = outcomes {count['outcomes']} + open {count['open']}, refused {count['refused']}"
        )
        about = await children(store)
        out.print(f"children and others they are about: {about.came} = with an outcome {about.ended} + open {about.open}")
        for line in about.owners():
            out.print(f"  {line}", markup=False)
        await check_conservation(store)
        if settings.checkpoint_dir:
            await copy_checkpoints(store, settings.checkpoint_dir)

    with_store(work)


@app.command()
def key() -> None:
    """Print what checks the signatures. Keep it where whoever runs the database cannot change it."""
    from mash.flows.store.checkpoints import public_key, signing_key

    print(public_key(signing_key(installed())))


@app.command()
def export(folder: Path, after: Annotated[int, typer.Option(help="Only those after this number.")] = 0) -> None:
    """Write the checkpoints to a folder, a file each: to be kept elsewhere. Those that are there are left as they are."""
    from mash.flows.store.checkpoints import read_checkpoints
    from mash.flows.store.elsewhere import write_checkpoint

    async def work(store: Any) -> None:
        new = 0
        for signed in await read_checkpoints(store, after):
            try:
                write_checkpoint(folder, signed)
                new += 1
            except FileExistsError:
                continue
        out.print(f"{counted(new, 'checkpoint was', 'checkpoints were')} written to {folder}", markup=False)

    with_store(work)


@app.command()
def restored(why: Annotated[str, typer.Argument(help="From what, by whom, why: it stands in the next checkpoint.")]) -> None:
    """State that this database was restored by hand (point-in-time recovery, pg_restore), and begin a new epoch of checkpoints.
    `mash restore` does so by itself."""
    from mash.flows.carrying.night import take_checkpoint
    from mash.flows.store.checkpoints import state_restoration
    from mash.flows.store.held_against import restored_in_words

    settings = installed()

    async def work(store: Any) -> None:
        at = store.time.now().isoformat()
        await state_restoration(store, {"how": "by hand", "at": at, "why": why, "by": whoever()})
        out.print(restored_in_words(await take_checkpoint(store, settings)), markup=False)

    with_store(work)
