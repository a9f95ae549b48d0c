"""A receipt is its caller's at its hub: two hubs may have a caller of the same name. And who asks what a person looked at leaves
an access too, which is about that person and not about a case."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = """
ALTER TABLE receipt DROP CONSTRAINT receipt_pkey, ADD PRIMARY KEY (hub, caller, key);
ALTER TABLE access ALTER COLUMN reference DROP NOT NULL, ADD COLUMN about text,
    ADD CHECK (num_nonnulls(reference, about) = 1)
"""


def upgrade() -> None:
    """Change the two tables."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: two hubs may have a receipt of the same caller and key."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
