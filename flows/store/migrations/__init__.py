"""Alembic migrations, run as the owner."""
