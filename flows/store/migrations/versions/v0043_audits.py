"""Audits of decisions: draws, what was found of each case, and near misses. Who may read them the database knows by role, as it
does of looks. And who looked at a child is found in every kind of look, by whoever governs information and by the software.
"""

from alembic import op

revision = "0043"
down_revision = "0039"

# The same roles as config/permissions.toml has for audit_decisions, read_near_misses and record_near_miss, the same codes as the
# types of the program, and the same kinds of events as states/own_case.py: a test holds each two together.
AUDITORS = "('practice_manager', 'service_manager', 'principal_social_worker')"
READERS = """('duty_manager', 'practice_manager', 'team_manager', 'operational_manager', 'service_manager',
    'principal_social_worker', 'decision_maker')"""
RECORDERS = """('duty_manager', 'practice_manager', 'team_manager', 'operational_manager', 'service_manager',
    'principal_social_worker', 'decision_maker', 'social_care_representative', 'partner_duty_manager', 'screening_officer',
    'social_worker', 'responsible_social_worker', 'out_of_hours')"""
RULES = """('any_decision', 'closed_after_contacts', 'rerated_twice', 'without_replies', 'consent_overridden', 'outside_hours')"""
ANSWERS = "('yes', 'no', 'cannot_tell', 'does_not_apply')"
SHOULD_HAVE = """'as_was_done', 'rated_higher', 'rated_lower', 'more_agencies_asked', 'replies_awaited', 'decided_sooner',
    'child_seen_or_heard', 'earlier_contacts_weighed', 'consent_sought', 'basis_recorded', 'section_47', 'section_17',
    'early_help', 'no_further_action', 'otherwise'"""
WHY_CLOSED = "('all_audited', 'enough_was_learnt', 'drawn_by_mistake', 'cannot_be_audited')"
KINDS = """('nearly_closed', 'nearly_too_late', 'rated_too_low_and_caught', 'wrong_person', 'told_the_wrong_person',
    'warning_not_seen', 'not_handed_over', 'agency_not_asked', 'software_misled', 'something_else')"""
DECIDING = """(
    'accused_recorded', 'adult_enquiry_completed', 'adult_view_recorded', 'assessment_completed', 'assessment_started',
    'case_allocated', 'categories_recorded', 'child_voice_recorded', 'conference_held', 'consultation_concluded',
    'contact_attached', 'contact_taken', 'contact_taken_back', 'contacts_weighed', 'countersigned', 'decision_proposed',
    'decision_recorded', 'decision_withdrawn', 'disagreement_raised', 'disagreement_settled', 'disagreement_taken_further',
    'dissent_recorded', 'enquiries_concluded', 'hand_over_accepted', 'hand_over_returned', 'handed_over_to_adults',
    'kept_past_eighteen', 'meeting_cancelled', 'meeting_held', 'not_ours_confirmed', 'override_proposed',
    'proceeded_without_replies', 'protection_order_ended', 'protection_order_recorded', 'quorum_put_right', 'referral_rated',
    'referral_reopened', 'referral_rerated', 'second_agreed', 'second_view_written', 'sharing_basis_recorded',
    'sign_off_refused', 'step_down_accepted', 'step_down_returned', 'strategy_discussion_held', 'subject_removed',
    'subjects_concluded', 'threshold_recorded', 'withdrawal_proposed', 'withdrawal_refused')"""

TABLES = f"""
CREATE TABLE audit_draw (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, at timestamptz NOT NULL,
    drawn_by text NOT NULL, role text NOT NULL, rule text NOT NULL CHECK (rule IN {RULES}), seed bigint NOT NULL,
    since date NOT NULL, until date NOT NULL CHECK (until >= since),
    size integer NOT NULL CHECK (size > 0), population integer NOT NULL, erased integer NOT NULL,
    drawn text[] NOT NULL CHECK (cardinality(drawn) BETWEEN 1 AND least(size, population)),
    closed_at timestamptz, closed_by text, closed_why text CHECK (closed_why IN {WHY_CLOSED}),
    CHECK (num_nulls(closed_at, closed_by, closed_why) IN (0, 3)));
CREATE UNIQUE INDEX audit_draw_open ON audit_draw (hub) WHERE closed_at IS NULL;
CREATE TABLE audit_result (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, draw bigint NOT NULL,
    reference text NOT NULL, version integer NOT NULL CHECK (version > 0), at timestamptz NOT NULL,
    person text NOT NULL, role text NOT NULL, rating_right text NOT NULL CHECK (rating_right IN {ANSWERS}),
    decision_right text NOT NULL CHECK (decision_right IN {ANSWERS}),
    decision_timely text NOT NULL CHECK (decision_timely IN {ANSWERS}),
    child_heard text NOT NULL CHECK (child_heard IN {ANSWERS}), basis_right text NOT NULL CHECK (basis_right IN {ANSWERS}),
    should_have text[] NOT NULL CHECK (should_have <@ ARRAY[{SHOULD_HAVE}] AND cardinality(should_have) > 0),
    grade text NOT NULL CHECK (grade IN ('right', 'not_right', 'cannot_tell')), sealed bytea, UNIQUE (draw, reference, version));
CREATE INDEX audit_result_of ON audit_result (reference);
CREATE TABLE near_miss (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hub text NOT NULL, day date NOT NULL,
    kind text NOT NULL CHECK (kind IN {KINDS}), reference text, sealed bytea NOT NULL, once text NOT NULL UNIQUE,
    wrapped bytea, removed_at timestamptz, CHECK (num_nulls(wrapped, removed_at) = 1));
CREATE INDEX near_miss_of ON near_miss (hub, id);
CREATE INDEX near_miss_case ON near_miss (reference) WHERE reference IS NOT NULL
"""

# Nobody changes what was found, nor takes it away: a correction is a row of its own. A result is of a case that was drawn. Who
# has seen a near miss is not asked: of whoever records one, the row has the day, and neither their role nor the time of it.
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
    WITH CHECK (hub = (SELECT acting('hub')) AND (SELECT acting('role')) IN {RECORDERS}
        AND (reference IS NULL OR EXISTS (SELECT FROM referral r WHERE r.reference = near_miss.reference)));
GRANT SELECT, INSERT ON audit_draw, audit_result, near_miss TO mash_app, mash_system;
GRANT UPDATE (closed_at, closed_by, closed_why) ON audit_draw TO mash_app, mash_system
"""  # noqa: S608  constants of ours

# Logins are compared in small letters, as the program does.
OWN = f"""
CREATE FUNCTION may_audit(of text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM event e JOIN referral r ON r.reference = e.reference
        WHERE r.root = (SELECT root FROM referral WHERE reference = of) AND (
            (e.kind IN {DECIDING} AND lower(CAST(e.canonical AS json) #>> '{{by,id}}') = lower(acting('actor')))
            OR (e.kind = 'case_allocated' AND lower(CAST(e.canonical AS json) #>> '{{event,worker}}') = lower(acting('actor')))
            OR (e.kind = 'second_named' AND lower(CAST(e.canonical AS json) #>> '{{event,second}}') = lower(acting('actor')))))
$$
"""  # noqa: S608  constants of ours

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
$$;
CREATE FUNCTION audits_drawn() RETURNS TABLE (rule text, quarter date, drawn bigint, not_audited bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.rule, CAST(date_trunc('quarter', d.at AT TIME ZONE 'Europe/London') AS date), count(*), count(*) FILTER (WHERE
        NOT EXISTS (SELECT FROM audit_result a WHERE a.draw = d.id AND a.reference = c.reference)
        AND EXISTS (SELECT FROM referral r
            WHERE r.reference = c.reference AND CAST(r.state AS json) ->> 'erased' IS DISTINCT FROM 'true'))
    FROM audit_draw d CROSS JOIN LATERAL unnest(d.drawn) c (reference)
    WHERE d.hub = acting('hub') AND acting('reach') = 'hub' AND d.closed_why IS DISTINCT FROM 'drawn_by_mistake'
    GROUP BY 1, 2
$$
"""
# Of a near miss the key alone goes, which nobody else can take away: what was signed of the row stays as it was.
REMOVED = """
CREATE FUNCTION remove_near_miss(number bigint, at timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF session_user <> 'mash_system' AND acting('role') IS DISTINCT FROM 'information_governance' THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: near misses are removed by whoever governs information';
    END IF;
    UPDATE near_miss SET wrapped = NULL, removed_at = at WHERE id = number AND hub = acting('hub') AND removed_at IS NULL;
    RETURN FOUND;
END $$;
CREATE OR REPLACE FUNCTION rewrite_keys() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET lock_timeout = '2s' AS $$
BEGIN
    LOCK TABLE referral_key, known_person, identity, near_miss IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE referral_key ALTER COLUMN wrapped TYPE bytea USING wrapped || ''::bytea;
    ALTER TABLE known_person ALTER COLUMN subject TYPE text USING subject || '';
    ALTER TABLE identity ALTER COLUMN sealed TYPE bytea USING sealed || ''::bytea;
    ALTER TABLE near_miss ALTER COLUMN wrapped TYPE bytea USING wrapped || ''::bytea;
END $$
"""

# The command line acts for the software. A look at a strip beside a case names in its reason the contacts that it showed: it is
# no look at those where somebody asks of one case, or they would drown all others; of a child it is asked in every way.
LOOKS = """
CREATE OR REPLACE FUNCTION looks_naming(names text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF session_user <> 'mash_system' AND acting('role') IS DISTINCT FROM 'information_governance' THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: who looked is for whoever governs information';
    END IF;
    RETURN QUERY SELECT a.id FROM access a WHERE a.shown && names AND a.shown IS NOT NULL AND a.hub = acting('hub');
END $$;

CREATE FUNCTION strips_naming(names text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF session_user <> 'mash_system' AND acting('role') IS DISTINCT FROM 'information_governance' THEN
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
        AND action IN ('find_people', 'read_figures', 'read_accesses', 'asked_by_another_hub', 'inspect_overridden',
            'inspect_looks', 'inspect_contacts', 'read_near_misses', 'remove_near_miss'))
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
REVOKE ALL ON FUNCTION may_audit, audits_counted, audits_drawn, remove_near_miss, strips_naming FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_audit, audits_counted, audits_drawn, remove_near_miss, strips_naming TO mash_app, mash_system;
GRANT EXECUTE ON FUNCTION looks_naming TO mash_system
"""


def upgrade() -> None:
    """Add them."""
    for part in (TABLES, OWN, WALLS, COUNTS, REMOVED, LOOKS, STRIPS, OF_NOBODY, LEDGERS, GRANTS):
        op.execute(part)


def downgrade() -> None:
    """There is no way back: what was found stays."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
