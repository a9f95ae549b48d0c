"""What evidence needs: numbered receipts, what a repair found, restores that are stated, and putting back what the log says.

What was stored of a case beside its log is derived anew, and put back where somebody changed it. The software's role gets the
right to do so, column by column; the repeated columns of an event are put back by a function that takes them from its text.
"""

from alembic import op

revision = "0017"
down_revision = "0014"

STATEMENTS = """
ALTER TABLE repair ADD COLUMN was text;
ALTER TABLE receipt ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX receipt_number ON receipt (id);
CREATE INDEX event_lately ON event USING brin (at);
CREATE TABLE restoration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, document text NOT NULL, stated_in bigint);
GRANT SELECT, INSERT, UPDATE (stated_in) ON restoration TO mash_system;
GRANT DELETE ON participant TO mash_system;
GRANT UPDATE (kind, owner_agency, sensitivity, created_at, created_by, hub) ON personal_item TO mash_system
"""

FUNCTIONS = (
    # Numbers are given out before their rows are committed: only behind a lock is it certain that none below the last one is yet
    # to come. One table at a time, so that nobody waits for one lock while holding another; and not for long, as whoever writes
    # waits behind.
    """
    CREATE FUNCTION settled(ledger text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET lock_timeout = '2s' AS $$
    DECLARE last bigint;
    BEGIN
        IF ledger NOT IN ('receipt', 'notice', 'delivery', 'repair', 'rota') THEN
            RAISE EXCEPTION '% is no ledger', ledger;
        END IF;
        EXECUTE format('LOCK TABLE %I IN SHARE MODE', ledger);
        EXECUTE format('SELECT coalesce(max(id), 0) FROM %I', ledger) INTO last;
        RETURN last;
    END $$""",
    """
    CREATE FUNCTION restate_event(of text, place integer) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public AS $$
        UPDATE event SET kind = canonical::json -> 'event' ->> 'kind', at = (canonical::json ->> 'at')::timestamptz,
            hub = canonical::json -> 'by' ->> 'hub'
        WHERE reference = of AND sequence = place
    $$""",
    # A profile is known by the digest of its content: nothing else can be put in its place.
    """
    CREATE FUNCTION put_back_profile(of text, whole text) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public AS $$
        WITH done AS (
            UPDATE profile_version SET document = whole
            WHERE digest = of AND of = encode(sha256(convert_to(whole, 'UTF8')), 'hex') RETURNING 1)
        SELECT EXISTS (SELECT FROM done)
    $$""",
    # An UPDATE leaves the older row in the table's file, and tidying up may leave its bytes there: they are gone with the file.
    """
    CREATE FUNCTION rewrite_keys() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET lock_timeout = '2s' AS $$
    BEGIN
        LOCK TABLE referral_key, known_person IN ACCESS EXCLUSIVE MODE;
        ALTER TABLE referral_key ALTER COLUMN wrapped TYPE bytea USING wrapped || ''::bytea;
        ALTER TABLE known_person ALTER COLUMN subject TYPE text USING subject || '';
    END $$""",
)


def upgrade() -> None:
    """Add what is missing, and open it to the software alone."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(function)
    for signature in ("settled(text)", "restate_event(text, integer)", "put_back_profile(text, text)", "rewrite_keys()"):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO mash_system")


def downgrade() -> None:
    """There is no way back: what was stated is not unsaid."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
