"""States of before are made anew: who ended what, and what the basis for sharing said of consent."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """New states are of the second edition."""
    _made_by(2)


def downgrade() -> None:
    """New states are of the first one."""
    _made_by(1)


def _made_by(edition: int) -> None:
    op.execute(f"ALTER TABLE referral ALTER COLUMN made SET DEFAULT {edition}")
    op.execute("DROP INDEX referral_of_before")
    op.execute(f"CREATE INDEX referral_of_before ON referral (reference) WHERE made < {edition}")
