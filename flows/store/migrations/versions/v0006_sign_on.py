"""Signing on: sessions of staff, kept hashed; attempts that failed; and API keys with a name, scopes and an end."""

from alembic import op

revision = "0006"
down_revision = "0005"

# A year from now on, however old a key is: a school's referrals must not end with an upgrade.
STATEMENTS = """
CREATE TABLE session (
    hash text PRIMARY KEY, person text NOT NULL, role text NOT NULL, agency text NOT NULL, hub text NOT NULL,
    positions text NOT NULL, how text NOT NULL, started_at timestamptz NOT NULL, seen_at timestamptz NOT NULL,
    idle_seconds integer NOT NULL, ends_at timestamptz NOT NULL, ended_at timestamptz) WITH (fillfactor = 80);
CREATE INDEX session_person ON session (person) WHERE ended_at IS NULL;
CREATE TABLE sign_in (state text PRIMARY KEY, browser text NOT NULL, nonce text NOT NULL, verifier text NOT NULL,
    onward text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE sign_in_failure (who text NOT NULL, at timestamptz NOT NULL);
CREATE INDEX sign_in_failure_who ON sign_in_failure (who, at);
CREATE TABLE one_time_code (who text PRIMARY KEY, step bigint NOT NULL);
ALTER TABLE api_key ADD COLUMN id text, ADD COLUMN scopes text[] NOT NULL DEFAULT ARRAY['submit', 'read_status', 'disagree'],
    ADD COLUMN expires_at timestamptz, ADD COLUMN last_used_at timestamptz, ADD COLUMN replaced_by text;
UPDATE api_key SET id = left(hash, 8), expires_at = now() + interval '1 year';
ALTER TABLE api_key ALTER COLUMN id SET NOT NULL, ALTER COLUMN expires_at SET NOT NULL;
CREATE UNIQUE INDEX api_key_id ON api_key (id);
GRANT SELECT, INSERT, UPDATE ON session, one_time_code TO mash_system;
GRANT DELETE ON session TO mash_system;
GRANT SELECT, INSERT, DELETE ON sign_in, sign_in_failure TO mash_system;
GRANT UPDATE (revoked_at, expires_at, last_used_at, replaced_by) ON api_key TO mash_system
"""


def upgrade() -> None:
    """Add the tables, for the software alone: no query of a person's reaches them."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: an older API would take keys that have expired."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
