"""What a delivery service says later of a message that it took."""

from alembic import op

revision = "0034"
down_revision = "0033"
STATEMENTS = """
ALTER TABLE delivery ADD COLUMN sent_as text, ADD COLUMN confirmed text, ADD COLUMN asked_at timestamptz;
CREATE INDEX delivery_sent_as ON delivery (sent_as) WHERE sent_as IS NOT NULL;
CREATE INDEX delivery_unconfirmed ON delivery (started_at) WHERE sent_as IS NOT NULL AND confirmed IS NULL
"""


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: what a service confirmed is written down nowhere else."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
