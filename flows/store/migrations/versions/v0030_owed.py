"""Found without reading all of a hub: closed cases whose referrer is still to be told, for the board; and decisions that were
to be signed off, for managers' figures."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the indexes."""
    op.execute("CREATE INDEX referral_owed ON referral (hub) WHERE NOT is_open AND NOT finished")
    op.execute("CREATE INDEX event_proposed ON event (hub, at) WHERE kind = 'decision_proposed'")


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP INDEX event_proposed")
    op.execute("DROP INDEX referral_owed")
