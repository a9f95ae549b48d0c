"""What is withheld of the answer to a subject access request has a number that stays, and says who released it and when."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = """
CREATE TABLE withheld (
    reference text NOT NULL REFERENCES referral,
    subject text NOT NULL,
    number bigint NOT NULL,
    digest text NOT NULL,
    what text NOT NULL,
    released_at timestamptz,
    released_by text,
    because text,
    PRIMARY KEY (reference, subject, number),
    UNIQUE (reference, subject, digest));
GRANT SELECT, INSERT ON withheld TO mash_system;
GRANT UPDATE (released_at, released_by, because) ON withheld TO mash_system;
ALTER TABLE withheld ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON withheld TO mash_system USING (true)
"""


def upgrade() -> None:
    """Add the table. People's role has nothing to do with it."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE withheld")
