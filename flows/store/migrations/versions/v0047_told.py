"""How far the story of a case in Prefect is, beside how far its run is: what is behind is told after a while."""

from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Add it. Of what waits, each story is written anew once."""
    op.execute("""
        ALTER TABLE referral ADD COLUMN told integer NOT NULL DEFAULT 0;
        CREATE INDEX referral_untold ON referral (reference) WHERE told < shown AND NOT finished""")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE referral DROP COLUMN told")
