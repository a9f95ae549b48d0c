"""How the pipeline is: the parts' signs of life, what is late, undelivered or behind, what every night has to be done, and
whether anything can be written at all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, distinct, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from mash.config.errors import SettingsError
from mash.config.settings import Settings, read_secret_file
from mash.flows.store.drafts import SIZE
from mash.flows.store.nights import BACKUP, PAPER, STEPS
from mash.flows.store.schema import newer_tables
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import KEYS, MASTERS, NIGHTS, NOTICES, PULSES, REFERRALS, TO_LOOK
from mash.notifications.notices import RED, URGENT

SILENT = timedelta(seconds=30)
"""A worker that has given no sign of life for so long is gone (wall time)."""
FORGOTTEN = timedelta(hours=1)
"""A worker that is gone is not missed for longer than this."""
LATE = timedelta(seconds=60)
"""A clock that is due and has not fired for so long, a notice that has not been tried, or a contact that has not been looked at:
nobody is at work (wall time)."""
A_NIGHT = timedelta(hours=26)
"""What is done every night was done within this time: a day, and two hours for a night that takes long."""
PROOF = "x" * 8000
"""What is written to prove that something can be: a whole page, which needs room of its own, as a referral does."""
PROVEN_FOR = 5.0
"""Seconds for which a proof holds: whoever asks more often is answered by the last one."""
FOR_PAPER = timedelta(hours=2)
"""A list of open cases that is older tells too little of what is open: it is made every hour."""
NEVER = timedelta(0)
_PROVE = text("INSERT INTO write_proof (filler) VALUES (:filler) RETURNING CAST(ctid AS text)")
_TIDY = text("DELETE FROM write_proof WHERE ctid = CAST(CAST(:place AS text) AS tid)")
_ROOM = text("SELECT pg_database_size(current_database())")


@dataclass(frozen=True)
class Step:
    """What is done every night, as it was done last."""

    age: timedelta
    """Since it was done; or since it is expected, if it never was."""
    done: bool
    failed: str
    """Why it failed last, if it was not done since; else empty."""

    def wrong(self, what: str, how: str, within: timedelta) -> Iterator[str]:
        """What an administrator would want to know of it."""
        since = f"was last done {_hours(self.age)} ago" if self.done else f"has not been done for {_hours(self.age)}"
        if self.failed:
            yield f"{what} failed last time ({self.failed}) and {since}: {how}"
        elif self.age > within:
            yield f"{what} {since}: {how}"


@dataclass(frozen=True)
class Health:
    """What there is to say of the pipeline at one moment."""

    workers: dict[str, tuple[timedelta, dict[str, Any]]]
    """Each worker: how long ago it gave a sign of life, and what it said."""
    overdue: int
    lateness: timedelta
    """Of the clock that has been due for longest without firing; wall time."""
    waiting: int
    """Notices queued."""
    waited: timedelta
    """How long the notice has been waiting whose turn came first."""
    dead: int
    behind: int
    """Referrals whose flow run has not dealt with all that happened."""
    not_looked_at: int
    """Contacts that have waited for longer than LATE to be looked at, whether anybody in them is known. What is looked at in time
    does not count: how many that are would tell from outside that a child is known, whose other cases are looked at too."""
    not_looked_at_for: timedelta
    """How long the first of them has waited; wall time."""
    drafts: int
    """Bytes of what is written at /refer and not sent."""
    red: int
    """Red alerts that nobody has, and whose cause goes on."""
    red_for: timedelta
    """How long ago the first of them was made; wall time."""
    left_out: dict[str, int]
    """Open cases of hubs that are not served, by hub."""
    nights: dict[str, Step]
    """What is done every night, the backup, and the list for paper."""
    unreadable: int
    """Referrals whose key no master key opens that is here."""
    newer: str
    """The revision of the tables, where they are of a newer release; else empty."""
    size: int
    """Bytes of the database."""

    def wrong(self, settings: Settings) -> Iterator[str]:
        """What an administrator would want to know, a sentence each."""
        yield from self._keys(settings)
        yield from self._workers()
        if self.lateness > LATE:
            yield f"{self.overdue} clocks are due and have not fired, the first for {_seconds(self.lateness)} s"
        if self.waited > LATE:
            yield f"{self.waiting} notices wait to be sent, the first for {_seconds(self.waited)} s"
        if self.dead:
            yield f"{self.dead} {'notice' if self.dead == 1 else 'notices'} could not be delivered: see `mash notify dead`"
        if self.not_looked_at:
            yield look_is_late(self.not_looked_at, self.not_looked_at_for)
        if self.drafts >= settings.drafts_room:
            yield "drafts fill their room: nobody can begin a referral at /refer (MASH_DRAFTS_MEGABYTES)"
        for hub, number in self.left_out.items():
            yield f"the hub {hub} is not served, and has {number} open cases, on which nobody can act: put it into MASH_HUBS"
        if self.newer:
            yield f"the tables are of a newer release ({self.newer}): upgrade this part"
        yield from self._nights(settings)

    def _keys(self, settings: Settings) -> Iterator[str]:
        if self.unreadable:
            yield (
                f"referrals that cannot be read here: {self.unreadable}. Their keys are wrapped by a master key that is not here:"
                " copy the newest to every place where it is kept (MASH_MASTER_KEY_FILE)"
            )
        if path := settings.master_key_file:
            try:
                read_secret_file(path, "MASH_MASTER_KEY_FILE")
            except SettingsError:  # which says where it is: that is not for everybody
                yield (
                    "the file of the master key cannot be read, or others can read it (MASH_MASTER_KEY_FILE; see `mash doctor`)."
                    " What was read from it before is used until this part ends"
                )

    def _workers(self) -> Iterator[str]:
        alive = [pulse for age, pulse in self.workers.values() if age < SILENT]
        if not alive:
            yield "no worker is alive: clocks do not fire and nothing is sent"
        elif not any(pulse.get("prefect") for pulse in alive):
            refused = next((pulse["refused"] for pulse in alive if pulse.get("refused")), "")
            yield f"{refused or 'Prefect cannot be reached'}: clocks and notices go on, runs are caught up with later"
        yield from dict.fromkeys(sentence for pulse in alive for sentence in pulse.get("amiss", ()))

    def _nights(self, settings: Settings) -> Iterator[str]:
        how = "see the worker's log; the run `every-night` in Prefect can be started by hand"
        for step, each in self.nights.items():
            if step not in (BACKUP, PAPER):
                yield from each.wrong(f"the night's {step.replace('_', ' ')}", how, A_NIGHT)
        if settings.backup_hours:
            how = "run `mash backup` (MASH_BACKUP_HOURS=0: backups are made in another way)"
            yield from self.nights[BACKUP].wrong("the backup", how, timedelta(hours=settings.backup_hours))
        if settings.paper_dir is None:
            return
        if paper := self.nights.get(PAPER):
            yield from paper.wrong(
                "the list of open cases for paper", "see the worker's log, and `mash doctor worker`", FOR_PAPER
            )
        else:
            yield "no worker makes the list of open cases for paper: MASH_PAPER_DIR is the worker's setting too"


def look_is_late(number: int, waited: timedelta) -> str:
    """What an administrator would want to know where so many contacts have waited too long, the first for so long. It says of
    nobody whether they are known."""
    return (
        f"{number} {'contact has' if number == 1 else 'contacts have'} not been looked at yet, whether anybody in"
        f" {'it' if number == 1 else 'them'} is known, the first for {_seconds(waited)} s: alerts do not wait for it, and it is"
        " tried again; see the worker's log"
    )


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def _parts(store: Store, wall: datetime) -> dict[str, Select[Any]]:
    """What is asked of the database, each a value."""
    due = REFERRALS.c.next_at <= store.time.now()
    queued = NOTICES.c.status == "queued"
    red = (NOTICES.c.kind.in_(URGENT), NOTICES.c.urgency <= RED, ~NOTICES.c.over)
    not_looked_at = TO_LOOK.c.since < wall - LATE
    left = (
        select(REFERRALS.c.hub, func.count().label("n"))
        .where(REFERRALS.c.is_open, REFERRALS.c.hub.not_in(list(store.hubs)))
        .group_by(REFERRALS.c.hub)
        .subquery()
    )
    pulses = func.json_agg(func.json_build_array(PULSES.c.part, PULSES.c.at, PULSES.c.said))
    night = (NIGHTS.c.step, NIGHTS.c.since, NIGHTS.c.done_at, NIGHTS.c.failed_at, NIGHTS.c.why)
    return {
        "pulses": select(pulses).where(PULSES.c.at > wall - FORGOTTEN),
        "overdue": select(func.count()).select_from(REFERRALS).where(due),
        "first_due": select(func.min(REFERRALS.c.next_at)).where(due),
        "waiting": select(func.count()).select_from(NOTICES).where(queued),
        "first_try": select(func.min(NOTICES.c.next_try_at)).where(queued),
        "dead": select(func.count()).select_from(NOTICES).where(NOTICES.c.status == "dead"),
        "drafts": SIZE,
        "behind": select(func.count()).select_from(REFERRALS).where(REFERRALS.c.shown < REFERRALS.c.version),
        "not_looked_at": select(func.count()).select_from(TO_LOOK).where(not_looked_at),
        "first_to_look": select(func.min(TO_LOOK.c.since)).where(not_looked_at),
        "red": select(func.count(distinct(tuple_(NOTICES.c.reference, NOTICES.c.clock)))).where(*red),
        "first_red": select(func.min(NOTICES.c.created_at)).where(*red),
        "left_out": select(func.json_object_agg(left.c.hub, left.c.n)),
        "nights": select(func.json_agg(func.json_build_array(*night))),
        "masters": select(func.json_agg(MASTERS.c.name)),
    }


async def read_health(store: Store) -> Health:
    """How the pipeline is now."""
    wall, now = datetime.now(UTC), store.time.now()
    parts = _parts(store, wall)
    async with store.single.connect() as connection:
        row = (await connection.execute(select(*(part.scalar_subquery().label(name) for name, part in parts.items())))).one()
        unreadable = 0
        if unknown := store.keyring.unknown(row.masters or ()):
            wrapped = select(func.count()).where(KEYS.c.master.in_(unknown), KEYS.c.wrapped.is_not(None))
            unreadable = int(await connection.scalar(wrapped) or 0)
        newer, size = await newer_tables(connection), int(await connection.scalar(_ROOM) or 0)
    pulses = {part: (wall - datetime.fromisoformat(at), json.loads(said)) for part, at, said in row.pulses or ()}
    return Health(
        workers=pulses,
        overdue=row.overdue,
        lateness=(now - row.first_due) / store.time.rate if row.first_due else NEVER,
        waiting=row.waiting,
        waited=max(NEVER, wall - row.first_try) if row.first_try else NEVER,
        dead=row.dead,
        behind=row.behind,
        not_looked_at=row.not_looked_at,
        not_looked_at_for=wall - row.first_to_look if row.first_to_look else NEVER,
        drafts=int(row.drafts),
        red=row.red,
        red_for=(now - row.first_red) / store.time.rate if row.first_red else NEVER,
        left_out=row.left_out or {},
        nights=_steps(store, row.nights or (), wall),
        unreadable=unreadable,
        newer=newer,
        size=size,
    )


def _steps(store: Store, rows: Any, wall: datetime) -> dict[str, Step]:
    """What is done every night. What there is no row of is expected since the installation began."""
    found = {step: Step(wall - store.time.wall, False, "") for step in (*STEPS, BACKUP)}
    for step, *times, why in rows:
        since, done, failed = (datetime.fromisoformat(at) if at else None for at in times)
        found[step] = Step(wall - (done or since or store.time.wall), done is not None, why if failed else "")
    return found


class WriteProof:
    """That something can be written: tried, and tried again once the last proof is some seconds old."""

    def __init__(self, store: Store) -> None:
        self.store, self.at = store, float("-inf")

    async def renew(self) -> None:
        """Write a page, and take it away again. Raises what the database says where it cannot be done."""
        if time.monotonic() - self.at < PROVEN_FOR:
            return
        async with self.store.engine.begin() as connection:
            place = await connection.scalar(_PROVE, {"filler": PROOF})
            await connection.execute(_TIDY, {"place": place})
        self.at = time.monotonic()


async def give_sign_of_life(store: Store, part: str, pulse: dict[str, Any]) -> None:
    """A part lives; `pulse` is what it has to say of itself."""
    values = {"at": datetime.now(UTC), "said": as_json(pulse)}
    sign = insert(PULSES).values(part=part, **values).on_conflict_do_update(index_elements=["part"], set_=values)
    async with store.single.connect() as connection:
        await connection.execute(sign)


async def living_signs(store: Store, host: str) -> list[str]:
    """The parts of a host that gave a sign of life and did not end since, as far as is known."""
    query = select(PULSES.c.part).where(PULSES.c.part.startswith(host, autoescape=True))
    async with store.single.connect() as connection:
        return list((await connection.scalars(query)).all())


async def forget_signs(store: Store, parts: list[str]) -> None:
    """Parts are known to be gone: nobody misses them."""
    async with store.single.connect() as connection:
        await connection.execute(PULSES.delete().where(PULSES.c.part.in_(parts)))
