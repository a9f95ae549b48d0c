"""Bringing the database's tables up to date, as their owner."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url, text

# One installation at a time migrates a database; the number is arbitrary and ours.
MIGRATION_LOCK = 7_052_601


def upgrade(owner_url: str) -> str:
    """Run the migrations that are missing; returns the revision reached. `owner_url` connects as the tables' owner."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"), hide_parameters=True)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            revision = MigrationContext.configure(connection).get_current_revision()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.commit()
            return str(revision)
    finally:
        engine.dispose()
