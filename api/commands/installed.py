"""What the commands of `mash` share: the installation's settings and store, and where they print."""

from __future__ import annotations

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable
from typing import Any

from rich.console import Console

from mash.api.text import REFERENCE
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
