"""What managers' figures add up to of the cases that are finished, by the day on which they came in; and of which days that is to
be added up anew, or added to: the database itself writes that down wherever a finished case is written, by whatever way.
"""

from alembic import op

revision = "0048"
down_revision = "0047"

# Of a finished case the columns say what its state says, so that a year's cases are told apart without reading their states.
COUNTED = """
CREATE FUNCTION counted_as(state text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    j json := CAST(state AS json);
BEGIN
    RETURN CASE WHEN j ->> 'erased' = 'true' THEN 'nobody' WHEN j ->> 'contact' = 'referral' THEN 'referral'
        ELSE 'other' END;
END $$;
ALTER TABLE referral ADD COLUMN counted_as text GENERATED ALWAYS AS (CASE WHEN finished THEN counted_as(state) END) STORED;
CREATE INDEX referral_erased ON referral (hub, received_at) WHERE counted_as = 'nobody'
"""

TABLES = """
CREATE TABLE figure_sum (
    hub text NOT NULL, day date NOT NULL, edition smallint NOT NULL, made_at timestamptz NOT NULL, called_until date,
    sums text NOT NULL, stamp uuid NOT NULL DEFAULT gen_random_uuid(), PRIMARY KEY (hub, day));
CREATE TABLE figure_month (
    hub text NOT NULL, month date NOT NULL, of text NOT NULL, earliest date NOT NULL, sums text NOT NULL,
    PRIMARY KEY (hub, month));
ALTER TABLE figure_month ALTER COLUMN sums SET STORAGE EXTERNAL;
ALTER TABLE figure_sum ALTER COLUMN sums SET STORAGE EXTERNAL;
CREATE TABLE figure_open (
    hub text NOT NULL, bucket text NOT NULL, of text NOT NULL, edition smallint NOT NULL, made_at timestamptz NOT NULL,
    sums text NOT NULL, PRIMARY KEY (hub, bucket));
ALTER TABLE figure_open ALTER COLUMN sums SET STORAGE EXTERNAL;
ALTER TABLE figure_open ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON figure_open TO mash_system USING (true);
CREATE POLICY of_hub ON figure_open FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub');
CREATE TABLE figure_owed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, day date NOT NULL, reference text NOT NULL,
    anew boolean NOT NULL);
CREATE INDEX figure_owed_of ON figure_owed (hub, day);
ALTER TABLE figure_sum ENABLE ROW LEVEL SECURITY;
ALTER TABLE figure_owed ENABLE ROW LEVEL SECURITY;
ALTER TABLE figure_month ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON figure_month TO mash_system USING (true);
CREATE POLICY of_hub ON figure_month FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub');
CREATE POLICY system ON figure_sum TO mash_system USING (true);
CREATE POLICY system ON figure_owed TO mash_system USING (true);
CREATE POLICY of_hub ON figure_sum FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub');
CREATE POLICY of_hub ON figure_owed FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub');
GRANT SELECT ON figure_sum, figure_month, figure_open, figure_owed TO mash_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON figure_sum, figure_month, figure_open TO mash_system;
GRANT SELECT, INSERT, DELETE ON figure_owed TO mash_system
"""

# Rows are only added here, so that two writers never wait for each other. The lock is shared among them: whoever keeps a sum
# takes it alone, for a moment, and learns by it that nobody is writing a case of that day.
OWED = """
CREATE FUNCTION owe_figures(of_hub text, received_at timestamptz, of_reference text, from_the_first boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    of_day date := CAST(received_at AT TIME ZONE 'Europe/London' AS date);
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('figures ' || of_hub || ' ' || (of_day - DATE '2000-01-01'), 0));
    INSERT INTO figure_owed (hub, day, reference, anew) VALUES (of_hub, of_day, of_reference, from_the_first);
END $$;
REVOKE ALL ON FUNCTION owe_figures FROM PUBLIC;

CREATE FUNCTION owe_figures_of_case() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    later record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        IF OLD.finished THEN
            PERFORM owe_figures(OLD.hub, OLD.received_at, OLD.reference, true);
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF NEW.finished THEN
            PERFORM owe_figures(NEW.hub, NEW.received_at, NEW.reference, false);
        END IF;
    END IF;
    -- A part that a contact is split into came in when the contact did, which is known of it already.
    IF TG_OP = 'INSERT' THEN
        IF NEW.reference <> NEW.root THEN
            RETURN NULL;
        END IF;
    END IF;
    -- A case that is put back, goes, or comes to be of another day: what came in within the year after it may be about its child.
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.hub, OLD.received_at, OLD.root) = (NEW.hub, NEW.received_at, NEW.root) THEN
            RETURN NULL;
        END IF;
    END IF;
    DELETE FROM figure_open WHERE hub IN (coalesce(NEW.hub, OLD.hub), coalesce(OLD.hub, NEW.hub));
    FOR later IN SELECT s.hub, s.day FROM figure_sum s
        WHERE s.hub IN (coalesce(NEW.hub, OLD.hub), coalesce(OLD.hub, NEW.hub))
    LOOP
        PERFORM owe_figures(later.hub, CAST(later.day AS timestamp) AT TIME ZONE 'Europe/London',
            coalesce(NEW.reference, OLD.reference), true);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER figures_begun AFTER INSERT ON referral FOR EACH ROW WHEN (NEW.finished) EXECUTE FUNCTION owe_figures_of_case();
CREATE TRIGGER figures_gone AFTER DELETE ON referral FOR EACH ROW EXECUTE FUNCTION owe_figures_of_case();
CREATE TRIGGER figures_changed AFTER UPDATE OF state, finished, hub, received_at, root, reference ON referral FOR EACH ROW
    WHEN (OLD.finished OR NEW.finished OR OLD.hub <> NEW.hub OR OLD.received_at <> NEW.received_at OR OLD.root <> NEW.root)
    EXECUTE FUNCTION owe_figures_of_case();
INSERT INTO figure_owed (hub, day, reference, anew)
SELECT hub, CAST(received_at AT TIME ZONE 'Europe/London' AS date), min(reference), true FROM referral WHERE finished
GROUP BY 1, 2
"""

# What is found in the log case by case, and no longer by when it happened.
INDEXES = """
DROP INDEX event_figured;
DROP INDEX event_proposed;
CREATE INDEX event_decided ON event (hub, at)
    WHERE kind IN ('decision_recorded', 'consultation_concluded', 'strategy_discussion_held');
CREATE INDEX event_called ON event (reference) WHERE kind IN ('clock_escalated', 'alert_acknowledged');
CREATE INDEX event_proposed ON event (reference) WHERE kind = 'decision_proposed'
"""

# As it is now, of all the hub's contacts at once, for whoever reaches all of them: row by row the policies take thrice as long.
# Each child is a line, its contacts in the order in which they came in: when, in microseconds since 1970, whether it is a
# referral, and the reference.
CONFIRMED = """
CREATE FUNCTION confirmed_children(since timestamptz) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH named AS MATERIALIZED (
        SELECT i.child, r.root, r.received_at, coalesce(r.counted_as, counted_as(r.state)) AS counted_as
        FROM identity i JOIN referral r ON r.reference = i.reference
        WHERE i.hub = (SELECT acting('hub')) AND r.hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub'
            AND r.received_at >= since
    ), contacts AS (
        SELECT child, root, min(received_at) AS at, min(counted_as) AS counted_as FROM named
        WHERE counted_as <> 'nobody' GROUP BY child, root
    ), children AS (
        SELECT string_agg(lpad(CAST(CAST(extract(epoch FROM at) * 1000000 AS bigint) AS text), 16, '0')
            || CASE counted_as WHEN 'referral' THEN '+' ELSE '-' END || root, ' ' ORDER BY at) AS line
        FROM contacts GROUP BY child HAVING count(*) > 1
    )
    SELECT string_agg(line, E'\\n') FROM children
$$;
REVOKE ALL ON FUNCTION confirmed_children FROM PUBLIC;
GRANT EXECUTE ON FUNCTION confirmed_children TO mash_app, mash_system
"""


def upgrade() -> None:
    """Add them. What there is is added up by the worker, day by day."""
    for part in (COUNTED, TABLES, OWED, INDEXES, CONFIRMED):
        op.execute(part)


def downgrade() -> None:
    """Drop them: figures are reckoned from the states."""
    op.execute("""
        DROP TRIGGER figures_begun ON referral;
        DROP TRIGGER figures_gone ON referral;
        DROP TRIGGER figures_changed ON referral;
        DROP FUNCTION owe_figures_of_case, owe_figures;
        DROP TABLE figure_owed, figure_open, figure_month, figure_sum;
        ALTER TABLE referral DROP COLUMN counted_as;
        DROP FUNCTION confirmed_children, counted_as;
        DROP INDEX event_decided, event_called, event_proposed;
        CREATE INDEX event_figured ON event (hub, at) WHERE kind IN ('clock_escalated', 'alert_acknowledged',
            'decision_recorded', 'consultation_concluded', 'strategy_discussion_held');
        CREATE INDEX event_proposed ON event (hub, at) WHERE kind = 'decision_proposed'""")
