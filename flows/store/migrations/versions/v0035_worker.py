"""Who has which open case, by name: found without reading all of a hub, for "mine" on the board and for workload."""

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the index."""
    op.execute(
        "CREATE INDEX referral_worker ON referral (hub, (CAST(state AS jsonb) #>> '{worker,login}'))"
        " WHERE is_open AND CAST(state AS jsonb) #>> '{worker,login}' IS NOT NULL"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX referral_worker")
