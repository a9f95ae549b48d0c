"""Audits of decisions: draws, what was found of each case, and near misses. Who may read them the database knows by role, as it
does of looks. And who looked at a child is found in every kind of look, by whoever governs information and by the software.
"""

from alembic import op

revision = "0043"
down_revision = "0039"

# The same roles as config/permissions.toml has for audit_decisions and read_near_misses: a test holds the two together.
AUDITORS = "('practice_manager', 'service_manager', 'principal_social_worker')"
READERS = """('duty_manager', 'practice_manager', 'team_manager', 'operational_manager', 'service_manager',
    'principal_social_worker', 'decision_maker')"""

TABLES = """
CREATE TABLE audit_draw (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, at timestamptz NOT NULL,
    drawn_by text NOT NULL, role text NOT NULL, rule text NOT NULL, seed bigint NOT NULL,
    since date NOT NULL, until date NOT NULL CHECK (until >= since),
    size integer NOT NULL CHECK (size > 0), population integer NOT NULL, erased integer NOT NULL,
    drawn text[] NOT NULL CHECK (cardinality(drawn) BETWEEN 1 AND least(size, population)),
    closed_at timestamptz, closed_by text, closed_why text, CHECK (num_nulls(closed_at, closed_by, closed_why) IN (0, 3)));
CREATE UNIQUE INDEX audit_draw_open ON audit_draw (hub) WHERE closed_at IS NULL;
CREATE TABLE audit_result (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, draw bigint NOT NULL,
    reference text NOT NULL, version integer NOT NULL CHECK (version > 0), at timestamptz NOT NULL,
    person text NOT NULL, role text NOT NULL, rating_right text NOT NULL, decision_right text NOT NULL,
    decision_timely text NOT NULL, child_heard text NOT NULL, basis_right text NOT NULL, should_have text[] NOT NULL,
    grade text NOT NULL CHECK (grade IN ('right', 'not_right', 'cannot_tell')), sealed bytea, UNIQUE (draw, reference, version));
CREATE INDEX audit_result_of ON audit_result (reference);
CREATE TABLE near_miss (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, at timestamptz NOT NULL,
    role text NOT NULL, kind text NOT NULL, reference text, sealed bytea NOT NULL, once text NOT NULL UNIQUE);
CREATE INDEX near_miss_of ON near_miss (hub, at);
CREATE INDEX near_miss_case ON near_miss (reference) WHERE reference IS NOT NULL
"""

# Nobody changes what was found, nor takes it away: a correction is a row of its own. A result is of a case that was drawn. Who
# has seen a near miss is not asked: of whoever records one, the row has the role.
WALLS = f"""
ALTER TABLE audit_draw ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_result ENABLE ROW LEVEL SECURITY;
ALTER TABLE near_miss ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON audit_draw TO mash_system USING (true);
CREATE POLICY system ON audit_result TO mash_system USING (true);
CREATE POLICY system ON near_miss TO mash_system USING (true);
CREATE POLICY of_auditors ON audit_draw FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {AUDITORS});
CREATE POLICY drawn_by_them ON audit_draw FOR INSERT TO mash_app
    WITH CHECK (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {AUDITORS}
        AND (drawn_by, role) = ((SELECT acting('actor')), (SELECT acting('role'))) AND closed_at IS NULL);
CREATE POLICY closed_by_them ON audit_draw FOR UPDATE TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {AUDITORS} AND closed_at IS NULL)
    WITH CHECK (closed_by = (SELECT acting('actor')));
CREATE POLICY of_auditors ON audit_result FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {AUDITORS});
CREATE POLICY found_by_them ON audit_result FOR INSERT TO mash_app
    WITH CHECK (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {AUDITORS}
        AND (person, role) = ((SELECT acting('actor')), (SELECT acting('role')))
        AND EXISTS (SELECT FROM audit_draw d WHERE d.id = audit_result.draw AND audit_result.reference = ANY (d.drawn))
        AND may_audit(reference));
CREATE POLICY of_managers ON near_miss FOR SELECT TO mash_app
    USING (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {READERS});
CREATE POLICY seen_by_staff ON near_miss FOR INSERT TO mash_app
    WITH CHECK (hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub' AND role = (SELECT acting('role'))
        AND (reference IS NULL OR EXISTS (SELECT FROM referral r WHERE r.reference = near_miss.reference)));
GRANT SELECT, INSERT ON audit_draw, audit_result, near_miss TO mash_app, mash_system;
GRANT UPDATE (closed_at, closed_by, closed_why) ON audit_draw TO mash_app, mash_system
"""  # noqa: S608  constants of ours

# The program asks more kinds of parts in a case than these two; these two no program is asked for.
OWN = """
CREATE FUNCTION may_audit(of text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM event e JOIN referral r ON r.reference = e.reference
        WHERE r.root = (SELECT root FROM referral WHERE reference = of) AND (
            (e.kind IN ('referral_rated', 'referral_rerated', 'decision_proposed', 'decision_recorded', 'sign_off_refused')
                AND CAST(e.canonical AS jsonb) #>> '{by,id}' = acting('actor'))
            OR (e.kind = 'case_allocated' AND CAST(e.canonical AS jsonb) #>> '{event,worker}' = acting('actor'))))
$$
"""

COUNTS = """
CREATE FUNCTION audits_counted() RETURNS TABLE (rule text, quarter date, question text, answer text, many bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.rule, CAST(date_trunc('quarter', d.at AT TIME ZONE 'Europe/London') AS date), q.question, q.answer, count(*)
    FROM (SELECT DISTINCT ON (draw, reference) * FROM audit_result WHERE hub = acting('hub')
            ORDER BY draw, reference, version DESC) a
        JOIN audit_draw d ON d.id = a.draw
        CROSS JOIN LATERAL (VALUES ('grade', a.grade), ('rating_right', a.rating_right), ('decision_right', a.decision_right),
            ('decision_timely', a.decision_timely), ('child_heard', a.child_heard), ('basis_right', a.basis_right)
            ) q (question, answer)
    WHERE acting('reach') = 'hub'
    GROUP BY 1, 2, 3, 4
$$
"""

# The command line acts for the software. A look at a strip beside a case names in its reason the contacts that it showed: it is
# no look at those where somebody asks of one case, or they would drown all others; of a child it is asked in every way.
LOOKS = """
CREATE OR REPLACE FUNCTION looks_naming(names text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF session_user = 'mash_app' AND acting('role') IS DISTINCT FROM 'information_governance' THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: who looked is for whoever governs information';
    END IF;
    RETURN QUERY SELECT a.id FROM access a WHERE a.shown && names AND a.shown IS NOT NULL AND a.hub = acting('hub');
END $$;

CREATE FUNCTION strips_naming(names text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF session_user = 'mash_app' AND acting('role') IS DISTINCT FROM 'information_governance' THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: who looked is for whoever governs information';
    END IF;
    RETURN QUERY SELECT a.id FROM access a WHERE a.action = 'read_earlier_contacts' AND a.hub = acting('hub')
        AND string_to_array(split_part(a.why, ': ', 2), ', ') && names;
END $$
"""
STRIPS = "CREATE INDEX access_strips ON access (hub) WHERE action = 'read_earlier_contacts'"
OF_NOBODY = """
ALTER TABLE access DROP CONSTRAINT access_check, ADD CONSTRAINT access_check CHECK (
    num_nonnulls(reference, about, shown) = 1
    OR num_nonnulls(reference, about, shown) = 0
        AND action IN ('find_people', 'read_figures', 'read_accesses', 'asked_by_another_hub', 'inspect_overridden'))
"""
LEDGERS = """
CREATE OR REPLACE FUNCTION settled(ledger text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET lock_timeout = '2s' AS $$
DECLARE last bigint;
BEGIN
    IF ledger NOT IN ('receipt', 'notice', 'delivery', 'repair', 'rota', 'audit_draw', 'audit_result', 'near_miss') THEN
        RAISE EXCEPTION '% is no ledger', ledger;
    END IF;
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', ledger);
    EXECUTE format('SELECT coalesce(max(id), 0) FROM %I', ledger) INTO last;
    RETURN last;
END $$
"""
GRANTS = """
REVOKE ALL ON FUNCTION may_audit, audits_counted, strips_naming FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_audit, audits_counted, strips_naming TO mash_app, mash_system;
GRANT EXECUTE ON FUNCTION looks_naming TO mash_system
"""


def upgrade() -> None:
    """Add them."""
    for part in (TABLES, OWN, WALLS, COUNTS, LOOKS, STRIPS, OF_NOBODY, LEDGERS, GRANTS):
        op.execute(part)


def downgrade() -> None:
    """There is no way back: what was found stays."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
