"""Keeping what an auditor found of a case that was drawn: each version beside the one that it corrects."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import seal
from mash.flows.store.reads.audits import bound_to, draw_of, refuse_own
from mash.flows.store.samples import close_if_finished
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import AUDIT_DRAWS, AUDIT_RESULTS, REFERRALS
from mash.states.auditing import Judgement
from mash.states.errors import Incomplete, NotFound, ReasonNeeded, VersionConflict
from mash.states.referral import Referral
from mash.states.values import Actor

ONE_OF_A_VERSION = "audit_result_draw_reference_version_key"
"""The constraint by which a version of what was found is there once."""


@dataclass(frozen=True)
class Audit:
    """What somebody found of a case that was drawn, and what they write of it; `seen` is the version that they had in view, 0
    where there was none."""

    draw: int
    reference: str
    seen: int
    judgement: Judgement
    words: str = ""


async def record(store: Store, found: Audit, by: Actor) -> int:
    """Keep what somebody found; one that corrects another stands beside it. Returns its version. Raises NotFound for a case that
    was not drawn, NotYours for whoever audits their own, ReasonNeeded where something was not right and nobody says why,
    Incomplete once its people are erased, VersionConflict where somebody was quicker."""
    if found.judgement.grade == "not_right" and not found.words:
        raise ReasonNeeded("an answer 'no'")
    async with store.transaction(by) as connection:
        of_draw = (await connection.execute(select(AUDIT_DRAWS).where(AUDIT_DRAWS.c.id == found.draw))).one_or_none()
        if of_draw is None or found.reference not in of_draw.drawn:
            raise NotFound("this case was not drawn: nobody chooses what they audit")
        await refuse_own(connection, found.reference, by)
        version = await _next_version(connection, found)
        values = {
            **found.judgement.model_dump(mode="python"),
            "should_have": list(found.judgement.should_have),
            "grade": found.judgement.grade,
            "sealed": await _sealed(connection, store, found, version),
        }
        of_whom = {"hub": by.hub, "person": by.id, "role": by.role, "at": store.time.now()}
        which = {"draw": found.draw, "reference": found.reference, "version": version}
        try:
            await connection.execute(insert(AUDIT_RESULTS).inline().values(**values, **of_whom, **which))
        except IntegrityError as error:
            if ONE_OF_A_VERSION not in str(error.orig):
                raise
            raise VersionConflict("somebody has just recorded an audit of this case: look at theirs first") from None
        await close_if_finished(connection, store, draw_of(of_draw), by)
    return version


async def _next_version(connection: AsyncConnection, found: Audit) -> int:
    last = select(func.max(AUDIT_RESULTS.c.version)).where(
        AUDIT_RESULTS.c.draw == found.draw, AUDIT_RESULTS.c.reference == found.reference
    )
    version = await connection.scalar(last) or 0
    if version != found.seen:
        raise VersionConflict("somebody has recorded an audit of this case since you opened it: look at theirs first")
    return version + 1


async def _sealed(connection: AsyncConnection, store: Store, found: Audit, version: int) -> bytes | None:
    """What somebody wrote, by the key of the case: it goes when its people are erased."""
    state = select(REFERRALS.c.state).where(REFERRALS.c.reference == found.reference)
    if Referral.model_validate_json((await connection.scalars(state)).one()).erased:
        raise Incomplete("the people of this case are erased: nobody can audit it any more")
    if not found.words:
        return None
    key = AESGCM(await data_key(connection, store, found.reference))
    return seal(key, found.words.encode(), bound_to(found.reference, found.draw, version))
