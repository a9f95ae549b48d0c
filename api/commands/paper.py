"""`mash paper`: the open cases on paper, for when all is down."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mash.api.commands.installed import installed, out, with_store
from mash.config.errors import SettingsError
from mash.config.settings import read_secret_file

app = typer.Typer(no_args_is_help=True, help="The sealed lists of open cases, for work on paper when all is down.")


@app.command()
def make() -> None:
    """Make the list of each hub now, into MASH_PAPER_DIR: before the installation is stopped on purpose. A worker makes one every
    hour by itself."""
    from mash.flows.carrying.paper import make_lists
    from mash.flows.installation.copies import BackupFailed
    from mash.flows.store.nights import PAPER, record_step

    settings = installed()

    async def work(store: Any) -> None:
        try:
            made = await make_lists(store, settings)
        except BackupFailed as failed:
            print(f"mash: {failed}", file=sys.stderr)
            raise typer.Exit(1) from None
        await record_step(store, PAPER)
        for path in made:
            out.print(f"{path}", markup=False)

    with_store(work)


@app.command(name="open")
def open_(
    file: Annotated[Path, typer.Argument(help="A sealed list: open-cases-HUB-TIME.html.age.")],
    to: Annotated[Path | None, typer.Option(help="The page to write (mode 600). Default: FILE without .age, here.")] = None,
    identity: Annotated[
        Path | None,
        typer.Option(help="The file of the identity that opens it (mode 600), instead of MASH_BACKUP_IDENTITY_FILE."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="What checks who made it, as `mash checkpoint key` printed it where it was made.")
    ] = None,
) -> None:
    """Open a sealed list as a page that any browser shows and prints. It needs no installation: the file, and the identity."""
    from mash.api.proof import public
    from mash.flows.installation.copies import BackupFailed
    from mash.flows.installation.envelope import identities
    from mash.flows.installation.paper import open_list

    settings = installed()
    if identity is not None:
        content = read_secret_file(identity, "--identity")
    elif settings.backup_identity is not None:
        content = settings.backup_identity.get_secret_value()
    else:
        raise SettingsError("an identity is needed to open it: --identity FILE, or MASH_BACKUP_IDENTITY_FILE")
    signer = public(settings, key) if key or settings.signing_key else None
    target = to or Path(file.name.removesuffix(".age") if file.name.endswith(".age") else f"{file.name}.html")
    try:
        page, unchecked = open_list(file, identities(content), signer)
        # Made closed: there is no moment in which another could read it.
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(page)
    except BackupFailed as failed:
        print(f"mash: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    except OSError as failed:
        print(f"mash: {target} cannot be written: {failed.strerror}. Say another one: --to", file=sys.stderr)
        raise typer.Exit(1) from None
    if unchecked:
        out.print(f"WARNING: {unchecked}", markup=False)
    out.print(
        f"{target}: open it in a browser and print it. Remove it, and shred the paper, once what was done is entered.",
        markup=False,
    )
