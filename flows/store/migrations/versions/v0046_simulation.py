"""Each hub's latest simulation: how far the one that runs is, and the last report: figures of a hub, and nobody's case.

Managers of the hub read it; the software alone writes it. One runs at a time in an installation, whichever hub asks."""

from alembic import op

revision = "0046"
down_revision = "0045"

# The same roles as config/permissions.toml has for simulate: a test holds the two together.
MANAGERS = """('duty_manager', 'practice_manager', 'team_manager', 'operational_manager', 'service_manager',
    'principal_social_worker', 'decision_maker')"""


def upgrade() -> None:
    """Add it."""
    op.execute(f"""
        CREATE TABLE simulation (
            hub text PRIMARY KEY, asked_by text NOT NULL, begun_at timestamptz, touched_at timestamptz NOT NULL,
            done integer NOT NULL DEFAULT 0, of_runs integer NOT NULL DEFAULT 0, ready_at timestamptz, failed text,
            report text, reported_at timestamptz);
        CREATE UNIQUE INDEX simulation_runs ON simulation ((true)) WHERE begun_at IS NOT NULL;
        ALTER TABLE simulation ENABLE ROW LEVEL SECURITY;
        CREATE POLICY system ON simulation TO mash_system USING (true);
        CREATE POLICY of_managers ON simulation FOR SELECT TO mash_app
            USING (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {MANAGERS});
        GRANT SELECT ON simulation TO mash_app;
        GRANT SELECT, INSERT, UPDATE ON simulation TO mash_system""")


def downgrade() -> None:
    """Drop it; a simulation is made again."""
    op.execute("DROP TABLE simulation")
