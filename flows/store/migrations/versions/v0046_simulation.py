"""Each hub's latest simulation: how far the one that runs is, and the last report: figures of a hub, and nobody's case."""

from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    """Add it."""
    op.execute("""
        CREATE TABLE simulation (
            hub text PRIMARY KEY, asked_by text NOT NULL, begun_at timestamptz, touched_at timestamptz NOT NULL,
            done integer NOT NULL DEFAULT 0, of_runs integer NOT NULL DEFAULT 0, failed text, report text,
            reported_at timestamptz);
        ALTER TABLE simulation ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON simulation TO mash_app
            USING (hub = (SELECT acting('hub'))) WITH CHECK (hub = (SELECT acting('hub')));
        GRANT SELECT, INSERT, UPDATE ON simulation TO mash_app""")


def downgrade() -> None:
    """Drop it; a simulation is made again."""
    op.execute("DROP TABLE simulation")
