"""What time it is in the demonstration: moved while nothing runs, as a process reads it once, when it starts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import create_engine, make_url, text

from mash.config.settings import Settings
from mash.flows.store.time import HubTime

_MOVE = text("""
    UPDATE time_anchor SET simulated = coalesce(CAST(:at AS timestamptz), simulated + (now() - wall) * rate),
        wall = now(), rate = :rate RETURNING wall, simulated, rate""")


def move_time(settings: Settings, rate: float, at: datetime | None = None) -> HubTime:
    """From here on time runs `rate` times as fast, beginning at an instant; at the present one if none is named."""
    assert settings.owner_database_url
    owner = create_engine(make_url(settings.owner_database_url.get_secret_value()).set(drivername="postgresql+psycopg"))
    with owner.begin() as connection:
        anchor = connection.execute(_MOVE, {"at": at, "rate": rate}).one()
    owner.dispose()
    return HubTime(anchor.wall, anchor.simulated, anchor.rate)
