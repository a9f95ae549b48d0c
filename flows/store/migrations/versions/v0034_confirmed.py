"""What a delivery service says later of a message that it took; and states made anew: a section 47 that is held back, and a
family that is not to be told, follow from logs of before."""

from alembic import op

revision = "0034"
down_revision = "0030"
STATEMENTS = """
ALTER TABLE delivery ADD COLUMN sent_as text, ADD COLUMN confirmed text, ADD COLUMN asked_at timestamptz;
CREATE INDEX delivery_sent_as ON delivery (sent_as) WHERE sent_as IS NOT NULL;
CREATE INDEX delivery_unconfirmed ON delivery (started_at) WHERE sent_as IS NOT NULL AND confirmed IS NULL;
ALTER TABLE referral ALTER COLUMN made SET DEFAULT 2;
DROP INDEX referral_of_before;
CREATE INDEX referral_of_before ON referral (reference) WHERE made < 2;
DROP TRIGGER folded_anew ON referral
"""
FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION folded_anew() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.made := 2;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER folded_anew BEFORE UPDATE OF state ON referral FOR EACH ROW
        WHEN (NEW.version > OLD.version AND OLD.made < 2) EXECUTE FUNCTION folded_anew()""",
)


def upgrade() -> None:
    """Add the columns, and have states of before made anew."""
    for statement in (*STATEMENTS.split(";"), *FUNCTIONS):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: what a service confirmed is written down nowhere else."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
