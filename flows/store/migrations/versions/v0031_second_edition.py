"""States of before are made anew: their logs say what is folded from this release on (who ended what, whom the family is not to
learn from, when whoever referred was told)."""

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
    op.execute(f"""
    CREATE OR REPLACE FUNCTION folded_anew() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.made := {edition};
        RETURN NEW;
    END $$""")
    op.execute("DROP TRIGGER folded_anew ON referral")
    op.execute(f"""
    CREATE TRIGGER folded_anew BEFORE UPDATE OF state ON referral FOR EACH ROW
        WHEN (NEW.version > OLD.version AND OLD.made < {edition}) EXECUTE FUNCTION folded_anew()""")
