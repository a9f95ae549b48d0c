"""When each step of the night, and the backup, was last done; a place to prove that something can be written; and every part may
read which release the tables are of."""

from alembic import op

revision = "0021"
down_revision = "0019"

STATEMENTS = """
CREATE TABLE night (
    step text PRIMARY KEY, since timestamptz NOT NULL DEFAULT now(), done_at timestamptz, failed_at timestamptz,
    why text NOT NULL DEFAULT '');
INSERT INTO night (step) VALUES ('checkpoint'), ('conservation'), ('retention'), ('backup');
GRANT SELECT, INSERT, UPDATE ON night TO mash_system;
CREATE TABLE write_proof (filler text NOT NULL);
ALTER TABLE write_proof ALTER COLUMN filler SET STORAGE PLAIN;
GRANT SELECT, INSERT, DELETE ON write_proof TO mash_system;
GRANT SELECT ON alembic_version TO mash_app, mash_system
"""


def upgrade() -> None:
    """Make the two tables. What was there before is expected from now on."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE night; DROP TABLE write_proof; REVOKE SELECT ON alembic_version FROM mash_app, mash_system")
