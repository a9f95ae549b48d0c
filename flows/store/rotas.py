"""The hubs' rotas: each version as it was stored, the latest in force."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Select, func, insert, select, text

from mash.flows.store.store import Store
from mash.flows.store.tables import ROTAS
from mash.notifications.rota import Rota

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:hub, 0))")
_LATEST = select(func.max(ROTAS.c.id)).group_by(ROTAS.c.hub)


async def read_rotas(store: Store) -> dict[str, Rota]:
    """The rota in force of each hub that has one."""
    async with store.single.connect() as connection:
        rows = (await connection.execute(select(ROTAS.c.hub, ROTAS.c.document).where(ROTAS.c.id.in_(_LATEST)))).all()
    return {row.hub: Rota.model_validate_json(row.document) for row in rows}


async def read_rota(store: Store, hub: str) -> Rota:
    """A hub's rota; empty where there is none."""
    return (await read_rotas(store)).get(hub, Rota())


async def rota_version(store: Store, hub: str) -> int:
    """Which version of a hub's rota is in force: a later one has a higher number."""
    async with store.single.connect() as connection:
        return await connection.scalar(_version_of(hub)) or 0


async def store_rota(store: Store, hub: str, rota: Rota, by: str, *, instead_of: int | None = None) -> bool:
    """Put a rota in force. The earlier ones stay, for whoever asks who was on duty then. Where it is made from one version, it is
    put in force only `instead_of` that one: whether it was."""
    async with store.engine.begin() as connection:
        await connection.execute(_ONE_AT_A_TIME, {"hub": f"rota {hub}"})
        if instead_of is not None and (await connection.scalar(_version_of(hub)) or 0) != instead_of:
            return False
        document = {"hub": hub, "document": rota.model_dump_json(), "stored_at": datetime.now(UTC), "stored_by": by}
        await connection.execute(insert(ROTAS).values(**document))
    return True


def _version_of(hub: str) -> Select[tuple[int | None]]:
    return select(func.max(ROTAS.c.id)).where(ROTAS.c.hub == hub)
