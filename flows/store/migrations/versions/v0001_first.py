"""The first tables, and what the application role may do with them.

The application role owns nothing: it may add events, and never change or remove one.
"""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE profile_version (
    digest text PRIMARY KEY, hub text NOT NULL, document text NOT NULL, stored_at timestamptz NOT NULL);
CREATE SEQUENCE referral_number;
CREATE TABLE referral (
    reference text PRIMARY KEY, root text NOT NULL, hub text NOT NULL, caller text NOT NULL, version integer NOT NULL,
    head_hash text NOT NULL, state text NOT NULL, stage text NOT NULL, rating text, is_open boolean NOT NULL,
    finished boolean NOT NULL, received_at timestamptz NOT NULL, due_at timestamptz, next_at timestamptz, flow_run_id uuid)
    WITH (fillfactor = 70);
CREATE INDEX referral_next ON referral (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX referral_open ON referral (hub, due_at) WHERE is_open;
CREATE INDEX referral_unfinished ON referral (reference) WHERE NOT finished;
CREATE INDEX referral_root ON referral (root);
CREATE TABLE event (
    reference text NOT NULL, sequence integer NOT NULL, kind text NOT NULL, at timestamptz NOT NULL, canonical text NOT NULL,
    hash text NOT NULL, PRIMARY KEY (reference, sequence));
CREATE TABLE referral_key (reference text PRIMARY KEY, wrapped bytea, destroyed_at timestamptz);
CREATE TABLE personal_item (
    id uuid PRIMARY KEY, reference text NOT NULL, kind text NOT NULL, subject text, owner_agency text NOT NULL,
    sensitivity text NOT NULL, release_state text NOT NULL, created_at timestamptz NOT NULL, created_by text NOT NULL,
    sealed bytea NOT NULL);
CREATE INDEX personal_item_reference ON personal_item (reference);
CREATE TABLE receipt (
    caller text NOT NULL, key text NOT NULL, purpose text NOT NULL, fingerprint text NOT NULL, status integer NOT NULL,
    answer text NOT NULL, reference text, at timestamptz NOT NULL, PRIMARY KEY (caller, key));
CREATE TABLE api_key (
    hash text PRIMARY KEY, caller text NOT NULL, hub text NOT NULL, agency text NOT NULL, created_at timestamptz NOT NULL,
    revoked_at timestamptz);
CREATE TABLE notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text, hub text NOT NULL, kind text NOT NULL, role text NOT NULL,
    clock text, facts text NOT NULL, created_at timestamptz NOT NULL, status text NOT NULL, tries integer NOT NULL,
    next_try_at timestamptz, delivered_at timestamptz) WITH (fillfactor = 80);
CREATE INDEX notice_queue ON notice (next_try_at) WHERE status = 'queued';
CREATE INDEX notice_reference ON notice (reference);
CREATE TABLE delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, notice bigint NOT NULL, started_at timestamptz NOT NULL,
    finished_at timestamptz, channels text NOT NULL, result text);
CREATE INDEX delivery_notice ON delivery (notice);
CREATE TABLE wake_up (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text NOT NULL, urgency integer NOT NULL);
CREATE TABLE repair (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text, what text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE time_anchor (
    id integer PRIMARY KEY CHECK (id = 1), wall timestamptz NOT NULL, simulated timestamptz NOT NULL,
    rate double precision NOT NULL);
"""

GRANTS = """
GRANT SELECT, INSERT ON profile_version, event, receipt, api_key, repair, time_anchor TO mash_app;
GRANT SELECT, INSERT, UPDATE ON referral, referral_key, personal_item, notice, delivery TO mash_app;
GRANT UPDATE (revoked_at) ON api_key TO mash_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON wake_up TO mash_app;
GRANT USAGE ON SEQUENCE referral_number TO mash_app;
"""


def upgrade() -> None:
    """Create the tables and grant the application role what it needs, and no more."""
    for statement in (TABLES + GRANTS).split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """There is no way back from the first migration: a log is not dropped."""
    raise NotImplementedError("drop the database by hand if you mean it")
