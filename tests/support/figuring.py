"""Managers' figures of a hub, as the page has them: by what was added up, and by the states of all cases."""

from __future__ import annotations

from datetime import date
from typing import Any

from acting import MANAGER
from sqlalchemy import text

from mash.api.pages.figures import manager
from mash.api.pages.figures.reckoning import Tally
from mash.flows.store.store import Store
from mash.flows.store.sums import add_months, add_up, add_waiting


async def figures(store: Store, weeks: int = 13) -> dict[str, Any]:
    """Every figure of the page by its name: what it says, and its table; and the five that stand first."""
    found = await manager._reckoned(store, MANAGER, weeks)
    every = [*(each.figure for each in found.first), *(each for group in found.groups.values() for each in group)]
    first = {f"first {each.name}": (each.value, each.plain, each.told) for each in found.first}
    return {**first, **{each.name: (each.says, each.rows) for each in every}}


async def figures_of_states(store: Store, weeks: int = 13) -> dict[str, Any]:
    """The same where nothing that was added up is taken: as after an upgrade, and while somebody writes a case of each day. Of
    days before, alerts alone are taken."""
    since = Tally(weeks, store.time.now()).since.date()
    async with store.engine.begin() as writing:
        await writing.execute(
            text("""SELECT pg_advisory_xact_lock_shared(hashtextextended('figures merton ' || day, 0))
                    FROM generate_series(9000, 10500) day""")
        )
        await _as_of_edition(store, -100, since)
        found = await figures(store, weeks)
        await _as_of_edition(store, 100, since)
    return found


async def _as_of_edition(store: Store, more: int, since: date) -> None:
    async with store.engine.begin() as connection:
        await connection.execute(text("UPDATE figure_open SET edition = edition + :more"), {"more": more})
        later = text("UPDATE figure_sum SET edition = edition + :more WHERE day >= :since")
        await connection.execute(later, {"more": more, "since": since})


async def hold(store: Store) -> None:
    """What was added up comes to the same as the states of all cases: as it was kept, and added up now."""
    of_states = await figures_of_states(store)
    assert await figures(store) == of_states, "as it was kept, where it still holds"
    await add_up(store, "merton")
    assert await figures(store) == of_states, "all of it added up"
    await add_months(store, "merton")
    await add_waiting(store, "merton")
    assert await figures(store) == of_states, "by months, where none of their days was written since"
