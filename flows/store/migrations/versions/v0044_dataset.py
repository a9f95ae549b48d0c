"""For the dataset: when a case came to each stage and was first rated, found without reading all of its log; and that somebody
took it, as a look that is about no single case."""

from alembic import op
from sqlalchemy import text

revision = "0044"
down_revision = "0043"
RULE = text("""
    SELECT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conname = 'access_check' AND conrelid = CAST('access' AS regclass)""")


def upgrade() -> None:
    """Add the index, and what may be looked at without a case."""
    op.execute("CREATE INDEX event_reached ON event (reference) WHERE kind IN ('stage_entered', 'referral_rated')")
    # What else is about nobody stays so: the rule is read, and one action more is named in it.
    rule = op.get_bind().scalar(RULE)
    op.execute("ALTER TABLE access DROP CONSTRAINT access_check")
    named = rule.replace("'find_people'::text", "'find_people'::text, 'take_dataset'::text")
    if named == rule:
        raise RuntimeError(f"access_check does not name find_people, beside which this upgrade names take_dataset: {rule}")
    op.execute(f"ALTER TABLE access ADD CONSTRAINT access_check {named}")


def downgrade() -> None:
    """There is no way back: what was written down of such looks stays."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
