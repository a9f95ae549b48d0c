"""The child across contacts: who was confirmed to be whom, which contacts are to be looked through, and states made anew.

What joins a subject to a child is a row of its own, sealed by the referral's key and gone with it. Rows of cases whose state an
earlier release has folded are known by `made`: they are made anew while people work.
"""

from alembic import op

revision = "0025"
down_revision = "0023"

TABLES = """
ALTER TABLE referral ADD COLUMN made smallint NOT NULL DEFAULT 0;
ALTER TABLE referral ALTER COLUMN made SET DEFAULT 1;
ALTER TABLE referral ADD COLUMN for_all integer NOT NULL DEFAULT 0;
CREATE INDEX referral_of_before ON referral (reference) WHERE made < 1;
CREATE TABLE made_anew (edition smallint PRIMARY KEY, at timestamptz NOT NULL, referrals integer NOT NULL);
CREATE TABLE identity (
    link text PRIMARY KEY, reference text NOT NULL, hub text NOT NULL, subject text NOT NULL,
    child bigint NOT NULL, sealed bytea NOT NULL, UNIQUE (reference, subject));
CREATE INDEX identity_child ON identity (hub, child);
CREATE TABLE to_look (
    reference text PRIMARY KEY, hub text NOT NULL, since timestamptz NOT NULL, tries integer NOT NULL,
    next_try_at timestamptz NOT NULL);
CREATE INDEX to_look_next ON to_look (next_try_at);
ALTER TABLE identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE to_look ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON identity TO mash_system USING (true);
CREATE POLICY system ON to_look TO mash_system USING (true);
CREATE POLICY of_its_case ON identity FOR SELECT TO mash_app USING (
    hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub'
    AND EXISTS (SELECT FROM referral r WHERE r.reference = identity.reference));
GRANT SELECT ON identity TO mash_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity, to_look TO mash_system;
GRANT SELECT, INSERT ON made_anew TO mash_system;
INSERT INTO to_look SELECT reference, hub, now(), 0, now() FROM referral WHERE is_open
"""

# Whoever writes a case has folded its log: from then on its state is of this edition.
FUNCTIONS = (
    # What only some may hear of is no change to the others, whose pages ask whether there was one.
    """
    CREATE FUNCTION changed_for_all() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.for_all := coalesce(CAST(CAST(NEW.state AS json) ->> 'version_for_all' AS integer), 0);
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER changed_for_all BEFORE INSERT OR UPDATE OF state ON referral FOR EACH ROW
        EXECUTE FUNCTION changed_for_all()""",
    """
    CREATE FUNCTION folded_anew() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.made := 1;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER folded_anew BEFORE UPDATE OF state ON referral FOR EACH ROW
        WHEN (NEW.version > OLD.version AND OLD.made < 1) EXECUTE FUNCTION folded_anew()""",
    # What may change who is known is looked through once it is committed, whoever wrote it and by whichever way.
    """
    CREATE FUNCTION look_through() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        INSERT INTO to_look VALUES (NEW.reference, NEW.hub, clock_timestamp(), 0, clock_timestamp())
        ON CONFLICT (reference) DO UPDATE SET since = clock_timestamp(), tries = 0, next_try_at = clock_timestamp();
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER look_through AFTER INSERT ON referral FOR EACH ROW EXECUTE FUNCTION look_through()",
    """
    CREATE TRIGGER look_through AFTER INSERT ON event FOR EACH ROW
        WHEN (NEW.kind IN ('subject_identified', 'identity_withdrawn', 'match_rejected', 'details_corrected', 'subject_added',
            'subject_removed', 'birth_recorded', 'referral_reopened', 'decision_withdrawn')) EXECUTE FUNCTION look_through()""",
    """
    CREATE FUNCTION part_from_child() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        DELETE FROM identity i WHERE i.reference = NEW.reference AND CASE NEW.kind
            WHEN 'identity_withdrawn' THEN i.link = CAST(NEW.canonical AS json) #>> '{event,link}'
            WHEN 'referral_split' THEN CAST(CAST(NEW.canonical AS json) #>> '{event,subjects}' AS jsonb) ? i.subject
            WHEN 'subject_removed' THEN i.subject = CAST(NEW.canonical AS json) #>> '{event,subject}'
            ELSE true END;
        RETURN NULL;
    END $$""",
    """
    CREATE TRIGGER part_from_child AFTER INSERT ON event FOR EACH ROW
        WHEN (NEW.kind IN ('identity_withdrawn', 'referral_split', 'subject_removed', 'people_erased'))
        EXECUTE FUNCTION part_from_child()""",
    # Signed as what is written of a case is; and only what its log says of it.
    """
    CREATE FUNCTION join_child(document text, signature text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF signed_here('join', document) IS DISTINCT FROM signature THEN
            RAISE insufficient_privilege USING MESSAGE = 'refused: a row that is not signed for this transaction';
        END IF;
        IF EXISTS (SELECT FROM json_populate_recordset(NULL::identity, CAST(document AS json)) n WHERE n.hub <> acting('hub')
                OR NOT EXISTS (SELECT FROM event e WHERE e.reference = n.reference AND e.hub = n.hub
                    AND e.kind = 'subject_identified' AND CAST(e.canonical AS json) #>> '{event,link}' = n.link
                    AND CAST(e.canonical AS json) #>> '{event,subject}' = n.subject)) THEN
            RAISE insufficient_privilege USING MESSAGE = 'refused: a child whom no event joins';
        END IF;
        INSERT INTO identity SELECT * FROM json_populate_recordset(NULL::identity, CAST(document AS json));
    END $$""",
    """
    CREATE OR REPLACE FUNCTION rewrite_keys() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET lock_timeout = '2s' AS $$
    BEGIN
        LOCK TABLE referral_key, known_person, identity IN ACCESS EXCLUSIVE MODE;
        ALTER TABLE referral_key ALTER COLUMN wrapped TYPE bytea USING wrapped || ''::bytea;
        ALTER TABLE known_person ALTER COLUMN subject TYPE text USING subject || '';
        ALTER TABLE identity ALTER COLUMN sealed TYPE bytea USING sealed || ''::bytea;
    END $$""",
)


def upgrade() -> None:
    """Add the tables, and have the database itself see to what follows from an event."""
    for statement in TABLES.split(";"):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(function)
    op.execute("REVOKE ALL ON FUNCTION look_through, part_from_child, join_child, folded_anew, changed_for_all FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION join_child TO mash_app, mash_system")


def downgrade() -> None:
    """There is no way back: who was confirmed to be whom is written down nowhere else."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
