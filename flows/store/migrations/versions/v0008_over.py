"""What ended an alert's cause while the alert was on its way: it is told to whoever it reaches all the same."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE notice ADD COLUMN ended text")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE notice DROP COLUMN ended")
