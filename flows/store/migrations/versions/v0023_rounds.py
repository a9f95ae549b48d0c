"""When the watchdog last looked and the night's work was last done: what Prefect does not start, the worker does."""

from alembic import op

revision = "0023"
down_revision = "0021"


def upgrade() -> None:
    """Add the table."""
    op.execute("CREATE TABLE round (what text PRIMARY KEY, begun_at timestamptz NOT NULL, ended_at timestamptz)")
    op.execute("GRANT SELECT, INSERT, UPDATE ON round TO mash_system")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE round")
