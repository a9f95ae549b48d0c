"""Who acts, as the database believes it: signed by the program, for one transaction on one connection."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.tables import CALLER_KEYS

BLOCK = 64
"""Bytes of a block of SHA-256: HMAC pads its key to as many (RFC 2104)."""
_HERE = text("SELECT this_transaction()")
_WHO = text("""
    SELECT set_config('mash.who', :token, true), set_config('statement_timeout', :longest, true),
        set_config('plan_cache_mode', :plans, true)""")
ANEW, ONCE = "auto", "force_generic_plan"
"""How statements are planned. With the policies in it, to plan one of a single case anew takes several times as long as to run
it; one that ranges over many cases, planned without its values, takes ten times as long to run."""
_SIGNER = "mash signer"


@dataclass(frozen=True)
class Signer:
    """Signs what the database is told within one transaction. What was signed for it is worth nothing in another, nor on another
    connection: neither the number of a backend nor the beginning of its transaction is anything that a query sets."""

    key: bytes
    here: str
    """The transaction, as the database knows it."""

    def sign(self, purpose: str, content: str) -> str:
        """The signature of a content, for this purpose."""
        return hmac.digest(self.key, f"{purpose} {self.here} {content}".encode(), "sha256").hex()


async def provide_caller_key(connection: AsyncConnection) -> bytes:
    """The key by which the program signs who acts; made the first time. `mash_app` cannot read it."""
    key = os.urandom(32)
    padded = key.ljust(BLOCK, b"\0")
    pads = {"inner_pad": bytes(each ^ 0x36 for each in padded), "outer_pad": bytes(each ^ 0x5C for each in padded)}
    await connection.execute(insert(CALLER_KEYS).values(id=1, key=key, **pads).on_conflict_do_nothing())
    found: bytes = (await connection.execute(select(CALLER_KEYS.c.key))).scalar_one()
    return found


async def begin_as(connection: AsyncConnection, key: bytes, who: str, longest: str, *, of_one_case: bool = False) -> None:
    """Tell the database who acts in this transaction (as JSON), for how long a statement of it may run, and how they are
    planned: a query may have set that otherwise for the connection."""
    signer = Signer(key, str(await connection.scalar(_HERE)))
    connection.info[_SIGNER] = signer
    told = {"token": signer.sign("who", who) + who, "longest": longest, "plans": ONCE if of_one_case else ANEW}
    await connection.execute(_WHO, told)


def signer_of(connection: AsyncConnection) -> Signer:
    """What signs within the transaction that `begin_as` has begun on this connection."""
    signer: Signer = connection.info[_SIGNER]
    return signer
