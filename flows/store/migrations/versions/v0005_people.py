"""Keys that can be rotated, a search that holds no names, retention, and checkpoints that anchor the chains."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = """
ALTER TABLE referral_key ADD COLUMN master text;
CREATE INDEX referral_key_master ON referral_key (master, reference) WHERE wrapped IS NOT NULL;
CREATE TABLE secret (name text PRIMARY KEY, wrapped bytea NOT NULL, master text NOT NULL);
CREATE TABLE known_person (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text NOT NULL, hub text NOT NULL, subject text,
    tokens bigint[] NOT NULL, born bigint);
CREATE INDEX known_person_tokens ON known_person USING gin (tokens);
CREATE INDEX known_person_reference ON known_person (reference);
ALTER TABLE known_person ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON known_person TO mash_system USING (true);
CREATE POLICY of_hub ON known_person FOR SELECT TO mash_app USING (
    hub = current_setting('mash.hub', true) AND current_setting('mash.reach', true) = 'hub');
CREATE POLICY indexed ON known_person FOR INSERT TO mash_app WITH CHECK (hub = current_setting('mash.hub', true));
CREATE TABLE retention (
    root text PRIMARY KEY, hub text NOT NULL, due_at timestamptz NOT NULL, listed_at timestamptz NOT NULL, held_by text,
    held_why text, erased_at timestamptz);
CREATE INDEX retention_waiting ON retention (hub, due_at) WHERE erased_at IS NULL;
CREATE TABLE checkpoint (
    number bigint PRIMARY KEY, at timestamptz NOT NULL, document text NOT NULL, signature text NOT NULL);
CREATE TABLE anchored (reference text PRIMARY KEY, version integer NOT NULL);
GRANT SELECT, INSERT ON known_person TO mash_app;
GRANT SELECT, INSERT, DELETE ON known_person TO mash_system;
GRANT SELECT, INSERT, UPDATE ON secret, retention, anchored TO mash_system;
GRANT SELECT, INSERT ON checkpoint TO mash_system
"""

# Numbers are given out before their rows are committed: only behind a lock is it certain that none below the last one
# is yet to come.
SETTLED = """
CREATE FUNCTION settled_accesses() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public AS $$
BEGIN
    LOCK TABLE access IN SHARE MODE;
    RETURN (SELECT coalesce(max(id), 0) FROM access);
END $$
"""


def upgrade() -> None:
    """Add the tables, and open them to whom they are for."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)
    op.execute(SETTLED)
    op.execute("REVOKE ALL ON FUNCTION settled_accesses FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION settled_accesses TO mash_system")


def downgrade() -> None:
    """There is no way back: keys may have been rotated since."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
