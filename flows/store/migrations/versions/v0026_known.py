"""By what a person of one contact is known again in another: further keyed numbers beside their name's, and an index of them.

What stood before has none of them yet, and is found by its name alone until its rows are made anew.
"""

from alembic import op

revision = "0026"
down_revision = "0025"

COLUMNS = "parts, near, keys, nhs_number, upn, postcode, address"
TABLES = """
ALTER TABLE known_person ADD COLUMN parts bigint[], ADD COLUMN near bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN keys bigint[] NOT NULL DEFAULT '{}', ADD COLUMN nhs_number bigint, ADD COLUMN upn bigint,
    ADD COLUMN postcode bigint, ADD COLUMN address bigint;
CREATE TABLE known_key (
    key bigint NOT NULL, person bigint NOT NULL REFERENCES known_person ON DELETE CASCADE, PRIMARY KEY (key, person));
CREATE INDEX known_key_person ON known_key (person)
"""
KEYED = """
CREATE FUNCTION key_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    DELETE FROM known_key WHERE person = NEW.id;
    INSERT INTO known_key SELECT DISTINCT unnest(NEW.keys), NEW.id;
    RETURN NULL;
END $$
"""
WHENEVER = "CREATE TRIGGER keyed AFTER INSERT OR UPDATE OF keys ON known_person FOR EACH ROW EXECUTE FUNCTION key_person()"

# What writes cases writes these columns too; the rest of it is as it stands in this database.
WRITTEN = f"""
DO $$
DECLARE
    before text := pg_get_functiondef('write_referrals(text, text)'::regprocedure);
    made text := replace(before, 'subject, tokens, born', 'subject, tokens, born, {COLUMNS}');
BEGIN
    IF made = before THEN
        RAISE EXCEPTION 'write_referrals writes no people';
    END IF;
    EXECUTE made;
END $$
"""

# What many share tells nobody apart: such a number is passed over, once so many are found of it. The others count the more, the
# fewer share them. Nobody is granted the index: what is given out are references, which are read under the policies.
SOUGHT = """
CREATE FUNCTION contacts_alike(of_hub text, apart_from text, sought bigint[], too_many int, most int) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public SET jit = off AS $$
    WITH found AS MATERIALIZED (
        SELECT k.person, count(*) OVER (PARTITION BY s.key) AS many
        FROM unnest(sought) AS s (key) CROSS JOIN LATERAL (
            SELECT person FROM known_key WHERE key = s.key LIMIT too_many) k
        WHERE of_hub = acting('hub')
    ), likest AS (
        SELECT person, sum(1.0::float8 / many) AS shared FROM found WHERE many < too_many
        GROUP BY person ORDER BY shared DESC LIMIT 5 * most
    )
    SELECT p.reference FROM likest l JOIN known_person p ON p.id = l.person JOIN referral r ON r.reference = p.reference
    WHERE p.hub = of_hub AND r.root <> apart_from
    GROUP BY p.reference ORDER BY sum(l.shared) DESC, p.reference DESC LIMIT most
$$
"""
SHARED = """
CREATE FUNCTION how_many_share(sought bigint[], most int) RETURNS TABLE (key bigint, many bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public SET jit = off AS $$
    SELECT s.key, (SELECT count(*) FROM (SELECT FROM known_key k WHERE k.key = s.key LIMIT most) AS bearers)
    FROM unnest(sought) AS s (key)
$$
"""

# Of a large table as the database last reckoned it: it is a weight, not a figure.
OF_HUB = """
CREATE FUNCTION people_of_hub(of_hub text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT CASE WHEN reltuples > 20000 THEN reltuples::bigint ELSE (SELECT count(*) FROM known_person WHERE hub = of_hub) END
    FROM pg_class WHERE oid = 'known_person'::regclass
$$
"""
FUNCTIONS = ("contacts_alike(text, text, bigint[], int, int)", "how_many_share(bigint[], int)", "people_of_hub(text)")


def upgrade() -> None:
    """Add the columns, the index and what reads it; for the software alone."""
    for statement in TABLES.split(";"):
        op.execute(statement)
    for statement in (KEYED, WHENEVER, WRITTEN, SOUGHT, SHARED, OF_HUB):
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION key_person FROM PUBLIC")
    for signature in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO mash_system")


def downgrade() -> None:
    """There is no way back: rows have been written with them."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
