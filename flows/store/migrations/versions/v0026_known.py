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
CREATE INDEX known_key_person ON known_key (person);
CREATE INDEX known_person_of_before ON known_person (reference) WHERE keys = '{}'
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
# As before, and whoever's name sounds the same throughout; and it says who is likely meant: born that day (or with day and month
# exchanged) and called alike, or called all but the same, or sounding so while no birthday speaks against it.
ALIKE = """
CREATE FUNCTION people_alike(of_hub text, apart_from text, asked json, at_least float8, of_that_day float8, most int)
RETURNS TABLE (place int, person bigint, alike float8, born_alike int, likely boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public SET jit = off AS $$
    WITH wanted AS MATERIALIZED (
        SELECT w.place, w.born, w.exchanged, w.tokens, w.sounds, cardinality(w.tokens) AS size,
            ceil(at_least * cardinality(w.tokens))::bigint AS needed
        FROM json_to_recordset(asked) AS w (place int, tokens bigint[], sounds bigint[], born bigint, exchanged bigint)
        WHERE of_hub = acting('hub')
    ), shared AS MATERIALIZED (
        SELECT w.place, n.person, count(*) AS common
        FROM wanted w CROSS JOIN unnest(w.tokens) AS t (number) JOIN known_number n ON n.hub = of_hub AND n.number = t.number
        GROUP BY w.place, n.person HAVING count(*) >= max(w.needed)
    ), sounding AS (
        SELECT w.place, k.person
        FROM wanted w CROSS JOIN unnest(w.sounds) AS s (key) JOIN known_key k USING (key)
        WHERE cardinality(w.sounds) > 1
        GROUP BY w.place, k.person HAVING count(*) = max(cardinality(w.sounds))
    ), others AS (
        SELECT s.place, s.person, (SELECT count(*) FROM unnest(p.tokens) AS x WHERE x = ANY (w.tokens)) AS common
        FROM sounding s JOIN wanted w USING (place) JOIN known_person p ON p.id = s.person AND p.hub = of_hub
    ), that_day AS (
        SELECT w.place, p.id AS person, (SELECT count(*) FROM unnest(p.tokens) AS x WHERE x = ANY (w.tokens)) AS common
        FROM wanted w CROSS JOIN unnest(ARRAY[w.born, w.exchanged]) AS b (born)
            JOIN known_person p ON p.hub = of_hub AND p.born = b.born
    ), compared AS (
        SELECT s.place, p.id, p.reference, s.common / (cardinality(p.tokens) + w.size - s.common)::float8 AS alike,
            CASE WHEN p.born = w.born THEN 2 WHEN p.born = w.exchanged THEN 1 ELSE 0 END AS born_alike,
            p.born IS NOT NULL AND w.born IS NOT NULL AS dated,
            w.sounds <@ p.keys AND cardinality(w.sounds) > 1 AS sounds
        FROM (SELECT * FROM shared UNION SELECT * FROM that_day UNION SELECT * FROM others) s
            JOIN wanted w USING (place) JOIN known_person p ON p.id = s.person
    ), graded AS (
        SELECT c.*, CASE WHEN born_alike > 0 THEN c.alike >= at_least OR sounds
            ELSE c.alike >= 0.6 OR (sounds AND NOT dated) END AS likely
        FROM compared c JOIN referral r USING (reference)
        WHERE (c.alike >= CASE WHEN c.born_alike > 0 THEN of_that_day ELSE at_least END OR sounds) AND r.root <> apart_from
    ), ranked AS (
        SELECT g.*, row_number() OVER (
            PARTITION BY g.place ORDER BY g.likely DESC, g.born_alike DESC, g.alike DESC, g.reference DESC, g.id) AS rank
        FROM graded g
    )
    SELECT ranked.place, ranked.id, ranked.alike, ranked.born_alike, ranked.likely FROM ranked WHERE ranked.rank <= most
$$
"""
ALIKE_BEFORE = "people_alike(text, text, json, float8, float8, int)"
FUNCTIONS = ("contacts_alike(text, text, bigint[], int, int)", "how_many_share(bigint[], int)", "people_of_hub(text)")


def upgrade() -> None:
    """Add the columns, the index and what reads it; for the software alone."""
    for statement in TABLES.split(";"):
        op.execute(statement)
    for statement in (KEYED, WHENEVER, WRITTEN, SOUGHT, SHARED, OF_HUB):
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION key_person FROM PUBLIC")
    op.execute(f"DROP FUNCTION {ALIKE_BEFORE}")
    op.execute(ALIKE)
    op.execute("REVOKE ALL ON FUNCTION people_alike FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION people_alike TO mash_app")
    for signature in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO mash_system")


def downgrade() -> None:
    """There is no way back: rows have been written with them."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
