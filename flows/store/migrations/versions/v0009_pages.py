"""Referrals that somebody is writing, sealed by what their link says; and what managers' figures are reckoned from, by day."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = """
CREATE TABLE draft (hash text PRIMARY KEY, sealed bytea NOT NULL, touched_at timestamptz NOT NULL);
CREATE INDEX draft_touched ON draft (touched_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON draft TO mash_system;
CREATE INDEX referral_received ON referral (hub, received_at)
"""


def upgrade() -> None:
    """Add the table and the index."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop them; what was being written is lost."""
    op.execute("DROP INDEX referral_received")
    op.execute("DROP TABLE draft")
