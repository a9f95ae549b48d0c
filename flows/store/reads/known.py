"""stub"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.store import Store


@dataclass(frozen=True)
class Match:
    subject: str | None
    reference: str
    other: str | None
    grade: Literal["likely", "possible"]
    why: tuple[str, ...]
    score: float


async def likely_known(connection: AsyncConnection, store: Store, reference: str) -> list[Match]:
    return []
