"""`mash checkpoint`: what the logs were at a moment, signed; and `mash log verify`, which holds the logs against it."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mash.api.commands.installed import installed, out, with_store
from mash.config.settings import SettingsError

app = typer.Typer(no_args_is_help=True, help="Signed checkpoints: what the logs, the accesses and the counts were at a moment.")


@app.command()
def make() -> None:
    """Sign a checkpoint now. One is made every night by itself."""
    from mash.flows.carrying.nightly import take_checkpoint

    settings = installed()

    async def work(store: Any) -> None:
        said = (await take_checkpoint(store, settings)).said
        events = sum(len(hashes) for _, hashes in said["events"].values())
        count = said["contacts"]
        out.print(
            f"checkpoint {said['number']}: {events} events and {said['accesses']['count']} accesses since the last;"
            f" contacts {count['contacts']} = outcomes {count['outcomes']} + open {count['open']}, refused {count['refused']}"
        )

    with_store(work)


@app.command()
def key() -> None:
    """Print what checks the signatures. Keep it where whoever runs the database cannot change it."""
    from mash.flows.store.checkpoints import public_key, signing_key

    print(public_key(signing_key(installed())))


@app.command()
def export(folder: Path, after: Annotated[int, typer.Option(help="Only those after this number.")] = 0) -> None:
    """Write the checkpoints to a folder, a file each: to be kept elsewhere. Those that are there are left as they are."""
    from mash.flows.carrying.nightly import write_checkpoint
    from mash.flows.store.checkpoints import kept_checkpoints

    async def work(store: Any) -> None:
        new = 0
        for signed in await kept_checkpoints(store, after):
            try:
                write_checkpoint(folder, signed)
                new += 1
            except FileExistsError:
                continue
        out.print(f"{new} checkpoints were written to {folder}", markup=False)

    with_store(work)


async def prove(store: Any, against: Path | None, by: str | None) -> list[str]:
    """What is wrong with the logs: by themselves, and held against the signed checkpoints: those of a folder that was kept
    elsewhere, or else those that the database keeps."""
    from mash.flows.store.checkpoints import check_signatures, kept_checkpoints, verify_against
    from mash.flows.store.log import verify

    wrong = [sentence async for sentence in verify(store)]
    checkpoints = _read(against) if against else await kept_checkpoints(store)
    if against and not checkpoints:
        raise SettingsError(f"there is no checkpoint in {against}: `mash checkpoint export` writes them")
    if checkpoints:
        wrong += check_signatures(checkpoints, _public(by))
        wrong += [sentence async for sentence in verify_against(store, checkpoints)]
    return wrong


def _read(folder: Path) -> list[Any]:
    from mash.flows.store.checkpoints import Signed

    try:
        return [Signed(**json.loads(path.read_text())) for path in sorted(folder.glob("checkpoint-*.json"))]
    except (OSError, ValueError, TypeError):
        raise SettingsError(f"{folder}: a checkpoint cannot be read; expected what `mash checkpoint export` wrote") from None


def _public(given: str | None) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from mash.flows.store.checkpoints import signing_key

    if given is None:
        return signing_key(installed()).public_key()
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(given, validate=True))
    except (binascii.Error, ValueError):
        raise SettingsError("--key: expected what `mash checkpoint key` prints") from None
