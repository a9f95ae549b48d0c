"""Who is told, and how: the rota, the person and the channels of a notice, and the parts' signs of life.

A notice goes to whoever is on duty, by one channel after another (`step`), the next one at `step_at` unless somebody has
acknowledged. The ledger has a row for each channel that was tried.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = """
ALTER TABLE notice ADD COLUMN urgency integer NOT NULL DEFAULT 3, ADD COLUMN person text,
    ADD COLUMN step integer NOT NULL DEFAULT 0, ADD COLUMN step_at timestamptz, ADD COLUMN over boolean NOT NULL DEFAULT false;
DROP INDEX notice_queue;
CREATE INDEX notice_queue ON notice (urgency, id) WHERE status = 'queued';
CREATE INDEX notice_step ON notice (step_at) WHERE step_at IS NOT NULL;
CREATE INDEX notice_alerting ON notice (id) WHERE kind IN ('immediate_danger', 'escalation') AND NOT over;
CREATE INDEX notice_dead ON notice (id) WHERE status = 'dead';
CREATE INDEX delivery_channel ON delivery (channels, started_at);
CREATE TABLE rota (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, document text NOT NULL, stored_at timestamptz NOT NULL,
    stored_by text NOT NULL);
CREATE INDEX rota_hub ON rota (hub, id);
CREATE TABLE pulse (part text PRIMARY KEY, at timestamptz NOT NULL, said text NOT NULL);
GRANT SELECT, INSERT ON rota TO mash_app;
GRANT SELECT, INSERT, UPDATE ON pulse TO mash_app
"""


def upgrade() -> None:
    """Add what a notice needs to reach a person."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: an older worker would send to a role what waits for a person."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
