"""What managers' figures are reckoned from is found in the log by when it happened, without reading all of it."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the index."""
    op.execute("""
        CREATE INDEX event_figured ON event (hub, at) WHERE kind IN ('clock_escalated', 'alert_acknowledged',
            'decision_recorded', 'consultation_concluded', 'strategy_discussion_held')""")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX event_figured")
