"""Whoever is put right is found by what they are called now; a message that waits for a referrer does not go where it was to."""

from alembic import op

revision = "0028"
down_revision = "0026"

# What was written before stays as it was: this stands around it. A message that is withdrawn here is queued anew by the same act,
# which is written after it; one of a decision that no longer holds is not.
WRITE = """
CREATE FUNCTION write_referrals(document text, signature text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF strpos(document, 'referrer_corrected') > 0 OR strpos(document, 'decision_withdrawn') > 0 THEN
        UPDATE notice n SET status = 'withdrawn', next_try_at = NULL, step_at = NULL
        FROM json_populate_recordset(NULL::event, CAST(document AS json) -> 'events') e
        WHERE n.reference = e.reference AND n.role = 'referrer' AND n.status = 'queued' AND CASE e.kind
            WHEN 'referrer_corrected' THEN n.kind IN ('acknowledgement', 'outcome', 'withdrawal')
                AND CAST(e.canonical AS jsonb) #> '{event,fields}' ? 'email'
            WHEN 'decision_withdrawn' THEN n.kind = 'outcome' END;
    END IF;
    PERFORM write_rows(document, signature);
    IF strpos(document, '"renamed":[{') > 0 THEN
        PERFORM rename_people(CAST(document AS json));
    END IF;
END $$
"""

RENAME = """
CREATE FUNCTION rename_people(rows json) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
            SELECT FROM json_to_recordset(rows -> 'renamed') AS r (reference text, hub text)
            WHERE (r.hub = (SELECT whoever_acts() ->> 'hub') AND EXISTS (
                SELECT FROM json_populate_recordset(NULL::event, rows -> 'events') e WHERE e.reference = r.reference
                    AND e.kind IN ('details_corrected', 'subject_added', 'subject_removed', 'birth_recorded'))) IS NOT TRUE) THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: a name of a case in which nobody was put right';
    END IF;
    DELETE FROM known_person WHERE reference IN (SELECT r ->> 'reference' FROM json_array_elements(rows -> 'renamed') r);
    INSERT INTO known_person (reference, hub, subject, tokens, born, parts, near, keys, nhs_number, upn, postcode, address)
    SELECT r.reference, r.hub, p.subject, p.tokens, p.born, p.parts, p.near, p.keys, p.nhs_number, p.upn, p.postcode, p.address
    FROM json_to_recordset(rows -> 'renamed') AS r (reference text, hub text, people json),
        json_populate_recordset(NULL::known_person, r.people) p;
END $$
"""

GRANTS = """
REVOKE ALL ON FUNCTION write_rows, write_referrals, rename_people FROM PUBLIC;
REVOKE ALL ON FUNCTION write_rows FROM mash_app, mash_system;
GRANT EXECUTE ON FUNCTION write_referrals TO mash_app, mash_system
"""


def upgrade() -> None:
    """Put the new function around the one that writes."""
    op.execute("ALTER FUNCTION write_referrals(text, text) RENAME TO write_rows")
    for statement in (RENAME, WRITE, *GRANTS.split(";")):
        op.execute(statement)


def downgrade() -> None:
    """Take it away again. Names that were put right stay so."""
    op.execute("DROP FUNCTION write_referrals(text, text); DROP FUNCTION rename_people(json)")
    op.execute("ALTER FUNCTION write_rows(text, text) RENAME TO write_referrals")
    op.execute("GRANT EXECUTE ON FUNCTION write_referrals TO mash_app, mash_system")
