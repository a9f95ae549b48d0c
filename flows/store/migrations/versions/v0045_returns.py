"""How many findings of the census' rules are open, as a figure of each night."""

from alembic import op

revision = "0045"
down_revision = "0044"

COUNTS = """
CREATE TABLE return_count (
    hub text NOT NULL, at timestamptz NOT NULL, year integer NOT NULL, errors integer NOT NULL, filled integer NOT NULL,
    queries integer NOT NULL, PRIMARY KEY (hub, at, year));
ALTER TABLE return_count ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON return_count TO mash_system USING (true);
CREATE POLICY of_hub ON return_count FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub');
GRANT SELECT, INSERT ON return_count TO mash_system;
GRANT SELECT ON return_count TO mash_app
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(COUNTS)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE return_count")
