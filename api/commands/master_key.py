"""`mash master-key`: the master key, which wraps every referral's key."""

from __future__ import annotations

import sys
from typing import Any

import typer

from mash.api.commands.installed import counted, installed, out, with_store
from mash.config.settings import read_secret_file

app = typer.Typer(no_args_is_help=True, help="The master key, which wraps every referral's key.")
formerly = typer.Typer(no_args_is_help=True)
formerly.add_typer(app)


@app.command()
def status() -> None:
    """Print which master keys there are, the newest first, by name, and how many referrals each one wraps."""
    from mash.flows.store.rotation import wrapped_by

    async def tell(store: Any) -> None:
        wrapped = await wrapped_by(store)
        for place, master in enumerate(store.keyring.masters):
            out.print(
                f"{master.name}  {'newest' if place == 0 else 'older '}  wraps {counted(wrapped.pop(master.name, 0), 'referral')}"
            )
        for name, number in wrapped.items():
            out.print(f"{name}  (wrapped before keys had names, or by a key that is not here)  {counted(number, 'referral')}")

    with_store(tell)


@app.command()
def rotate() -> None:
    """Make a new master key where it is kept in a file, and wrap every referral's key by the newest one. Everything goes on
    meanwhile: running parts read the file again. The older key stays, until `mash master-key retire`."""
    from mash.flows.installation.secret_files import new_master, write_secret
    from mash.flows.store.rotation import wrap_anew

    settings = installed()
    if path := settings.master_key_file:
        write_secret(path, f"{new_master()}\n{read_secret_file(path, str(path))}")
        out.print(f"a new master key is the first line of {path}: back it up now, apart from the database", markup=False)
        out.print("copy the file to every other place where the master key is kept (another part's user, another machine) now:")
        out.print("until then a part there answers 503 for what the new key wraps, and its /health says so")
    else:
        out.print("the master key is not in a file: the newest one (the first) that there is wraps from now on")

    async def work(store: Any) -> None:
        out.print(f"{counted(await wrap_anew(store), 'key was', 'keys were')} wrapped by {store.keyring.current.name}")

    with_store(work)
    out.print("when every part has read it (at once, or at their next start): mash master-key retire")


@app.command()
def retire() -> None:
    """Forget the older master keys: from then on the database takes nothing that they wrapped, and their file holds the newest
    alone. Backups made before the rotation need them: keep a copy as long as you keep those."""
    from mash.flows.installation.secret_files import write_secret
    from mash.flows.store.rotation import retire_older

    settings = installed()
    with_store(retire_older)
    if path := settings.master_key_file:
        write_secret(path, read_secret_file(path, str(path)).split()[0])
        out.print(f"{path} holds the newest key alone", markup=False)
    else:
        out.print("nothing needs the older ones any more: remove them where you keep the master key")


@formerly.callback()
def renamed() -> None:
    """Say what `mash keys` is called now: it was too easily taken for `mash key`, of API keys."""
    print("mash keys is called mash master-key now", file=sys.stderr)
