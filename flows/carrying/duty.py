"""Looking ahead in the rotas: a time at which nobody will be on duty is told long before it comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from mash.flows.store.rotas import read_rotas
from mash.flows.store.store import Store
from mash.flows.store.trouble import tell_administrators
from mash.notifications.rota import Gap, Rota
from mash.notifications.routing import needed
from mash.notifications.times import in_full
from mash.states.clocks import local
from mash.states.profile import Profile

AHEAD = timedelta(days=14)
AGAIN = timedelta(days=1)
"""A gap that nobody fills is told again after so long."""
AGAIN_RUNS_OUT = timedelta(weeks=1)
"""That a rota runs out is told again after so long."""
MOST_NAMED = 8
RUNS_OUT = timedelta(weeks=8)
"""So long before it runs out a rota whose turns are written out is asked for again."""


def gaps_ahead(store: Store, profile: Profile, rota: Rota, ahead: timedelta = AHEAD) -> list[Gap]:
    """The gaps of a hub's rota from now on, the first one first."""
    now = store.time.now()
    found = [gap for role in rota.roles for gap in rota.gaps(role, now, now + ahead, profile.calendar, needed(profile, role))]
    return sorted(found, key=lambda gap: (gap.begins, gap.role))


def gap_in_words(gap: Gap) -> str:
    """A gap in words."""
    return f"{gap.role.replace('_', ' ')} from {local(gap.begins)} to {local(gap.ends)}"


def runs_out(rota: Rota, now: datetime, ahead: timedelta = RUNS_OUT) -> str:
    """That the plan a rota was read from is needed again; empty where it is not, or not yet."""
    until = rota.written_out_until
    if until is None or until - now > ahead:
        return ""
    return (
        f"its calendar goes on, and its turns are written out until {in_full(until)} only: `mash rota import` the calendar again"
    )


async def look_ahead(store: Store) -> None:
    """Tell the administrators of every hub of the gaps in its rota, and when it is to be read again."""
    for hub, rota in (await read_rotas(store)).items():
        if hub not in store.hubs:
            continue
        if sentence := runs_out(rota, store.time.now()):
            await tell_administrators(store, hub, "the rota runs out", f"{sentence}.", at_most_every=AGAIN_RUNS_OUT)
        if not (gaps := gaps_ahead(store, store.hubs[hub], rota)):
            continue
        more = f"; and {len(gaps) - MOST_NAMED} more" if len(gaps) > MOST_NAMED else ""
        detail = "; ".join(gap_in_words(gap) for gap in gaps[:MOST_NAMED]) + more
        await tell_administrators(store, hub, "nobody will be on duty", f"{detail}. See `mash rota check`.", at_most_every=AGAIN)
