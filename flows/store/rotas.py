"""The hubs' rotas: each version as it was stored, the latest in force."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, insert, select

from mash.flows.store.store import Store
from mash.flows.store.tables import ROTAS
from mash.notifications.rota import Rota

_LATEST = select(func.max(ROTAS.c.id)).group_by(ROTAS.c.hub)


async def read_rotas(store: Store) -> dict[str, Rota]:
    """The rota in force of each hub that has one."""
    async with store.single.connect() as connection:
        rows = (await connection.execute(select(ROTAS.c.hub, ROTAS.c.document).where(ROTAS.c.id.in_(_LATEST)))).all()
    return {row.hub: Rota.model_validate_json(row.document) for row in rows}


async def read_rota(store: Store, hub: str) -> Rota:
    """A hub's rota; empty where there is none."""
    return (await read_rotas(store)).get(hub, Rota())


async def store_rota(store: Store, hub: str, rota: Rota, by: str) -> None:
    """Put a rota in force. The earlier ones stay, for whoever asks who was on duty then."""
    async with store.engine.begin() as connection:
        document = {"hub": hub, "document": rota.model_dump_json(), "stored_at": datetime.now(UTC), "stored_by": by}
        await connection.execute(insert(ROTAS).values(**document))
