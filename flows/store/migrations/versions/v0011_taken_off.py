"""What was reopened is taken off the list of those whose people are about to be erased."""

from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    """Let the software take a contact off the list."""
    op.execute("GRANT DELETE ON retention TO mash_system")


def downgrade() -> None:
    """Leave the list as it is."""
    op.execute("REVOKE DELETE ON retention FROM mash_system")
