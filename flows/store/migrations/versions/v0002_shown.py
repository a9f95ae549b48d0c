"""What a run has not shown yet is said by the referral itself: no wake-ups apart from it, that a dying worker could lose.

A referral is behind in Prefect while it has more events than its run has dealt with. And the contacts that came in are counted
each minute without reading every receipt. A page of the board is read in the order of its index, also where thousands are due
at the same moment.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
ALTER TABLE referral ADD COLUMN shown integer NOT NULL DEFAULT 0, ADD COLUMN urgency integer NOT NULL DEFAULT 0;
CREATE INDEX referral_behind ON referral (urgency DESC, reference) WHERE shown < version;
DROP INDEX referral_open;
CREATE INDEX referral_open ON referral (hub, due_at, reference) WHERE is_open;
CREATE INDEX receipt_contact ON receipt (purpose) WHERE purpose = 'submission' AND status < 300;
DROP TABLE wake_up;
"""


def upgrade() -> None:
    """Add the columns and the index by which the worker finds what is behind; the wake-ups go."""
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """There is no way back: an older worker would wait for wake-ups that nobody writes."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
