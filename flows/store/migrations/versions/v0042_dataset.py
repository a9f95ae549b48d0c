"""When a case came to each stage, and when it was first rated, found without reading all of its log: for the dataset."""

from alembic import op

revision = "0042"
down_revision = "0039"


def upgrade() -> None:
    """Add the index."""
    op.execute("CREATE INDEX event_reached ON event (reference) WHERE kind IN ('stage_entered', 'referral_rated')")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX event_reached")
