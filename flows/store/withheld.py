"""What is withheld from the subject who asks what is kept about them: numbered, and released one by one by a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import digest
from mash.flows.store.reads.look import note_access
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import REFERRALS, WITHHELD
from mash.states.acts.closing import WhyReleased
from mash.states.errors import NotFound
from mash.states.values import Actor


@dataclass(frozen=True)
class Number:
    """The number by which something withheld is known, and who has released it."""

    number: int
    what: str
    released_at: datetime | None
    released_by: str | None
    because: str | None

    @property
    def released(self) -> bool:
        """Whether a person has released it."""
        return self.released_at is not None


async def numbered(
    connection: AsyncConnection, store: Store, reference: str, subject: str, texts: Mapping[str, str]
) -> dict[str, Number]:
    """The number of each text that is withheld, with what it is; one that was not withheld before gets the next one."""
    # Locked: two answers at once would give one number twice.
    await connection.execute(select(REFERRALS.c.reference).where(REFERRALS.c.reference == reference).with_for_update())
    key = await data_key(connection, store, reference)
    digests = {text: digest(key, f"withheld {subject} {text}".encode()) for text in texts}
    known = await _known(connection, reference, subject)
    last = max((each.number for each in known.values()), default=0)
    fresh = [text for text in texts if digests[text] not in known]
    if fresh:
        rows = [
            {"reference": reference, "subject": subject, "number": last + n, "digest": digests[text], "what": texts[text]}
            for n, text in enumerate(fresh, 1)
        ]
        await connection.execute(insert(WITHHELD), rows)
        known = await _known(connection, reference, subject)
    return {text: known[digests[text]] for text in texts}


async def _known(connection: AsyncConnection, reference: str, subject: str) -> dict[str, Number]:
    query = select(WITHHELD).where(WITHHELD.c.reference == reference, WITHHELD.c.subject == subject)
    return {
        row.digest: Number(row.number, row.what, row.released_at, row.released_by, row.because)
        for row in (await connection.execute(query)).all()
    }


async def release(
    connection: AsyncConnection,
    store: Store,
    reference: str,
    subject: str,
    numbers: Collection[int],
    because: WhyReleased,
    by: Actor,
) -> None:
    """Release what has these numbers: who, when and why is kept with it, and among the accesses to the case. What was released
    before stays as it was. Raises NotFound for a number that nothing has; then none is released."""
    of_this = (WITHHELD.c.reference == reference, WITHHELD.c.subject == subject)
    known = set((await connection.scalars(select(WITHHELD.c.number).where(*of_this))).all())
    if unknown := sorted(set(numbers) - known):
        most = await connection.scalar(select(func.max(WITHHELD.c.number)).where(*of_this)) or 0
        what = f"1 to {most}" if most else "none yet: ask for the answer first"
        raise NotFound(f"nothing is withheld from {subject} under {', '.join(map(str, unknown))}; numbers are {what}")
    change = update(WITHHELD).where(*of_this, WITHHELD.c.number.in_(numbers), WITHHELD.c.released_at.is_(None))
    values = {"released_at": store.time.now(), "released_by": by.id, "because": because}
    changed = await connection.execute(change.values(**values).returning(WITHHELD.c.number))
    for number in sorted(changed.scalars().all()):
        await note_access(connection, store, reference, by, "release_withheld", f"{subject}, {number}: {because}")
