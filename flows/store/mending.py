"""What is stored beside the logs is held against what they say, put back where it is something else, and told."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.beside import differences
from mash.flows.store.derived import Case, Difference, NotProven, Stored, derive, read_chain
from mash.flows.store.edition import all_made_anew
from mash.flows.store.profiles import put_back_profiles, wrong_profiles
from mash.flows.store.seals import PART, seal_of
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import EVENTS, IDENTITIES, ITEMS, KEYS, NOTICES, PARTICIPANTS, PEOPLE, REFERRALS, REPAIRS
from mash.flows.store.trouble import tell_role
from mash.notifications.notices import ADMINISTRATOR, GOVERNANCE, URGENT
from mash.states.acts.contact import ContinuedFrom
from mash.states.errors import NotFound
from mash.states.log import RECORDED
from mash.states.profile import Profile
from mash.states.referral import Referral

PAGE = 10
"""Cases read at a time: what else the worker does has its turn in between."""
CALM = 3.0
"""After a page is rested for so many times as long as it took: clocks and notices go first."""
AGAIN = timedelta(days=1)
"""What a person has to see to is told again after so long."""
MOST_NAMED = 5
BEFORE = timedelta(minutes=1)
"""What happened since the last look is looked for from a little before it: a transaction takes a moment."""
PUT_BACK = "what is stored of cases was not what their logs say, and was put back"
NOT_PUT_BACK = "what is stored of cases is not what was recorded: somebody has to see to it"
_FIRST = text("SELECT canonical FROM event WHERE reference = :of AND sequence = 1")
_LATELY = text("SELECT DISTINCT reference FROM event WHERE at > :since")
_ALL = text("""
    SELECT reference FROM referral WHERE reference > :after
    UNION SELECT reference FROM event WHERE sequence = 1 AND reference > :after ORDER BY 1 LIMIT :page""")
_ALERTS = text(f"""
    SELECT n.id, n.reference, n.clock, n.role, n.created_at, n.status, n.over, n.delivered_at,
        EXISTS (SELECT FROM delivery d WHERE d.notice = n.id AND d.result IS NOT NULL) AS tried
    FROM notice n WHERE n.reference = ANY (CAST(:of AS text[])) AND n.kind IN ({", ".join(f"'{kind}'" for kind in URGENT)})
    ORDER BY n.id""")  # noqa: S608  constants of ours
_UNFINISHED = select(REFERRALS.c.reference).where(~REFERRALS.c.finished)


@dataclass
class Found:
    """What was found of one case."""

    reference: str
    hub: str
    mended: list[str] = field(default_factory=list)
    """What was something else, a sentence each, and is as the log says again."""
    wrong: list[str] = field(default_factory=list)
    """What a person has to see to."""


class Mender:
    """Looks at cases again and again. What it remembers is which of them are urgent, by their logs: what is stored beside those
    may be changed by whoever changes the rest."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.urgent: set[str] = set()
        self.since: datetime | None = None

    async def look_at_urgent(self) -> list[Found]:
        """Look at every case that is in immediate danger or rated as urgently as its hub rates, and at those to which something
        happened since the last look; the first time at all that are not finished."""
        began = self.store.time.now()
        await put_back_profiles(self.store)
        async with self.store.single.connect() as connection:
            if self.since is None:
                references = set(await connection.scalars(_UNFINISHED))
            else:
                references = self.urgent | set(await connection.scalars(_LATELY, {"since": self.since - BEFORE}))
        ordered = sorted(references)
        found = [each for place in range(0, len(ordered), PAGE) for each in await self._look_at(ordered[place : place + PAGE])]
        self.since = began
        await self._tell(found)
        return found

    async def look_at_all(self) -> list[Found]:
        """Look at every case there is, open or not, and at the profiles."""
        await put_back_profiles(self.store)
        found, after = list[Found](), ""
        while references := await _references(self.store, after):
            found += await self._look_at(references)
            after = references[-1]
        await self._tell(found)
        return found

    async def _look_at(self, references: list[str]) -> list[Found]:
        began = time.monotonic()
        found = []
        async for case, reference, wrong in _compared(self.store, references):
            if case is not None and case.urgent:
                self.urgent.add(reference)
            else:
                self.urgent.discard(reference)
            if wrong:
                found.append(await _mend(self.store, reference))
        await asyncio.sleep(CALM * (time.monotonic() - began))
        return [each for each in found if each.mended or each.wrong]

    async def _tell(self, found: Iterable[Found]) -> None:
        """Tell administrators and information governance of each hub what was put back, and what was not."""
        by_hub = defaultdict[str, list[Found]](list)
        for each in found:
            by_hub[each.hub].append(each)
        for hub, cases in by_hub.items():
            mended = [f"{each.reference}: {'; '.join(each.mended)}" for each in cases if each.mended]
            wrong = [f"{each.reference}: {'; '.join(each.wrong)}" for each in cases if each.wrong]
            for role in (ADMINISTRATOR, GOVERNANCE):
                if mended:
                    await tell_role(self.store, hub, role, PUT_BACK, _some(mended))
                if wrong:
                    # By its first case: another one is told at once, the same one once a day.
                    what = f"{NOT_PUT_BACK} ({len(wrong)}, the first {wrong[0].partition(':')[0]})"
                    await tell_role(self.store, hub, role, what, _some(wrong), at_most_every=AGAIN)


def _some(sentences: list[str]) -> str:
    more = f" And {len(sentences) - MOST_NAMED} more." if len(sentences) > MOST_NAMED else ""
    return ". ".join(sentences[:MOST_NAMED]) + f".{more} See the repairs on the administrator's page, and `mash log verify`."


async def contradictions(store: Store) -> AsyncIterator[str]:
    """Where what is stored beside the logs says otherwise than they do, a sentence each; nothing is put back."""
    for sentence in await wrong_profiles(store):
        yield sentence
    after = ""
    while references := await _references(store, after):
        async for _, reference, wrong in _compared(store, references):
            for each in wrong:
                yield f"{reference}: {each.sentence}"
        after = references[-1]


async def _references(store: Store, after: str) -> list[str]:
    async with store.single.connect() as connection:
        return list((await connection.scalars(_ALL, {"after": after, "page": PAGE})).all())


async def _compared(store: Store, references: list[str]) -> AsyncIterator[tuple[Case | None, str, list[Difference]]]:
    """Each of these cases as its log says it is, and where what is stored says otherwise."""
    async with store.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        page = await _read(connection, references)
        compared = [(each.reference, *await _compare(connection, store, each)) for each in page]
    for reference, case, wrong in compared:
        yield case, reference, wrong


async def _compare(connection: AsyncConnection, store: Store, stored: Stored) -> tuple[Case | None, list[Difference]]:
    try:
        case = await _case(connection, store, stored)
    except NotProven as broken:
        return None, [Difference("event", str(broken), {})]
    return case, list(differences(case, stored, store.keyring))


async def _case(connection: AsyncConnection, store: Store, stored: Stored) -> Case:
    log = read_chain(stored.reference, stored.events)
    profiles: dict[str, Profile] = {}
    for digest in {recorded.profile for recorded in log}:
        try:
            profiles[digest] = await store.profile(connection, digest)
        except (NotFound, ValueError):
            raise NotProven(f"no profile with digest {digest[:12]} is stored, by which it went") from None
    first = log[0].event if log else None
    origin = await _origin(connection, first.parent) if isinstance(first, ContinuedFrom) else None
    return derive(stored.reference, log, profiles.__getitem__, origin)


async def _origin(connection: AsyncConnection, parent: str) -> tuple[str, str]:
    """Root and caller of the case that another was split from, as its own log says. Raises NotProven where it has none."""
    while canonical := await connection.scalar(_FIRST, {"of": parent}):
        first = RECORDED.validate_json(canonical)
        if not isinstance(first.event, ContinuedFrom):
            return parent, first.by.id
        parent = first.event.parent
    raise NotProven(f"the log of {parent}, from which it was split, is gone")


async def _read(connection: AsyncConnection, references: Sequence[str]) -> list[Stored]:
    """All that is stored of these cases."""

    async def by_reference(table: Any, *order: Any) -> dict[str, list[Row[Any]]]:
        query = select(table).where(table.c.reference.in_(references)).order_by(*order)
        grouped = defaultdict[str, list[Row[Any]]](list)
        for row in (await connection.execute(query)).all():
            grouped[row.reference].append(row)
        return grouped

    rows = await by_reference(REFERRALS)
    events = await by_reference(EVENTS, EVENTS.c.reference, EVENTS.c.sequence)
    parties = await by_reference(PARTICIPANTS, PARTICIPANTS.c.id)
    items = await by_reference(ITEMS)
    people, keys = await by_reference(PEOPLE), await by_reference(KEYS)
    identities, all_anew = await by_reference(IDENTITIES), await all_made_anew(connection)
    alerts = defaultdict[str, list[Row[Any]]](list)
    for row in (await connection.execute(_ALERTS, {"of": list(references)})).all():
        alerts[row.reference].append(row)
    return [
        Stored(
            reference, next(iter(rows[reference]), None), events[reference], parties[reference], items[reference],
            people[reference], next(iter(keys[reference]), None), alerts[reference], identities[reference], all_anew,
        )
        for reference in references
    ]  # fmt: skip


async def _mend(store: Store, reference: str) -> Found:
    """Put back what is stored of one case as its log says, and write down what stood there. It is looked at anew, with its row
    locked: what somebody does at this moment is no contradiction."""
    lock = select(REFERRALS.c.hub).where(REFERRALS.c.reference == reference).with_for_update()
    async with store.engine.begin() as connection:
        hub = await connection.scalar(lock)
        (stored,) = await _read(connection, [reference])
        case, wrong = await _compare(connection, store, stored)
        found = Found(reference, case.referral.hub if case else hub or next((row.hub for row in stored.events), ""))
        for each in wrong:
            if each.now is None:
                found.wrong.append(each.sentence)
                continue
            await _put_back(connection, store, reference, each)
            found.mended.append(each.sentence)
            record = {"reference": reference, "what": f"{each.table}: {each.sentence}: put back", "at": store.time.now()}
            await connection.execute(insert(REPAIRS).values(**record, was=as_json(_plain(each.was))))
    return found


async def _put_back(connection: AsyncConnection, store: Store, reference: str, each: Difference) -> None:
    now = each.now or {}
    if each.table == "referral":
        values = {name: value.model_dump_json() if isinstance(value, Referral) else value for name, value in now.items()}
        if each.was:
            await connection.execute(update(REFERRALS).where(REFERRALS.c.reference == reference).values(**values))
        else:
            await connection.execute(insert(REFERRALS).values(**each.row, **values))
    elif each.table == "event":
        await connection.execute(text("SELECT restate_event(:of, :place)"), {"of": reference, "place": each.row["sequence"]})
    elif each.table == "participant" and each.row:
        await connection.execute(delete(PARTICIPANTS).where(PARTICIPANTS.c.id == each.row["id"]))
    elif each.table == "participant":
        row = {"reference": reference, **now}
        await connection.execute(insert(PARTICIPANTS).values(**row, seal=seal_of(store.keyring.rows, PART, row)))
    elif each.table == "personal_item":
        await connection.execute(update(ITEMS).where(ITEMS.c.id == each.row["id"]).values(**now))
    elif each.table == "notice" and each.row:
        again = {**now, "next_try_at": datetime.now(UTC)}
        await connection.execute(update(NOTICES).where(NOTICES.c.id == each.row["id"]).values(**again))
    elif each.table == "notice":
        await connection.execute(insert(NOTICES).values(**now))
    elif each.table == "identity" and now:
        await connection.execute(update(IDENTITIES).where(IDENTITIES.c.link == each.row["link"]).values(**now))
    elif each.table == "identity":
        await connection.execute(delete(IDENTITIES).where(IDENTITIES.c.link == each.row["link"]))
    elif each.table == "referral_key":
        await connection.execute(update(KEYS).where(KEYS.c.reference == reference).values(**now))
    else:
        await connection.execute(delete(PEOPLE).where(PEOPLE.c.reference == reference))
        if now["rows"]:
            await connection.execute(insert(PEOPLE), [{"reference": reference, **row} for row in now["rows"]])


def _plain(was: dict[str, Any]) -> dict[str, Any]:
    """What stood there, as it is written down: no key, and no numbers made of names."""
    return {name: value for name, value in was.items() if not isinstance(value, bytes)}
