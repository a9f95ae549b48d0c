"""What the commands of `mash` share: the installation's settings and store, and where they print."""

from __future__ import annotations

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from errno import EEXIST
from os import strerror
from pathlib import Path
from typing import IO, Any

import typer
from rich.console import Console

from mash.api.text import REFERENCE
from mash.config.errors import SettingsError
from mash.config.settings import Settings, read_settings
from mash.states.values import SYSTEM, Actor

out = Console(highlight=False, soft_wrap=True)


def installed() -> Settings:
    """The settings of this installation: the environment's, completed by what `mash up` keeps in the data directory."""
    from mash.flows.installation.secret_files import complete

    return complete(read_settings())


def with_store(work: Callable[[Any], Awaitable[None]]) -> None:
    """Run `work` with the installation's store."""
    from mash.flows.store.store import open_store

    async def run() -> None:
        store = await open_store(installed(), pool_size=2)
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(run())


def hub_of(store: Any, hub: str | None) -> str:
    """The hub that was named, or the only one there is. Raises BadParameter where there are several and none was named."""
    if hub is None and len(store.hubs) > 1:
        raise typer.BadParameter(f"--hub: there are several: expected one of {', '.join(store.hubs)}")
    whose = hub or next(iter(store.hubs))
    store.hub(whose)
    return str(whose)


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that has its name once all of it is written: what was cut off, by whatever means, would look like a quiet month.
    Until then nobody else can read it, and it is made first, so that nothing is read that could not be written. Raises
    SettingsError where it cannot be made, or is there already."""
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise FileExistsError(EEXIST, strerror(EEXIST), path)
        part.touch(mode=0o600, exist_ok=False)
    except OSError as failed:
        named = part if failed.filename == str(part) else path
        raise SettingsError(f"--out {named}: {failed.strerror}: expected a file that is not there yet") from None
    try:
        with part.open("wb") as written:
            yield written
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def counted(number: int, thing: str, things: str = "") -> str:
    """How many of something: '1 chain', '2 chains'."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def broken(wrong: list[str]) -> str:
    """How many chains are broken, of all that was found to be wrong: one may be wrong in several ways."""
    named = [found[0] for sentence in wrong if (found := re.match(REFERENCE, sentence))]
    further = len(wrong) - len(named)
    parts = [f"{counted(len(set(named)), 'chain is', 'chains are')} broken"] if named else []
    parts += [f"{counted(further, 'thing')} beside the chains {'is' if further == 1 else 'are'} not as signed"] if further else []
    return "; ".join(parts) or "every chain verifies"


def whoever() -> str:
    """Who gives a command on this machine, by login."""
    return f"cli:{getpass.getuser()}"


def administrator(hub: str) -> Actor:
    """Whoever gives a command on this machine, acting for a hub."""
    return Actor(id=whoever(), role="administrator", agency=SYSTEM, hub=hub)
