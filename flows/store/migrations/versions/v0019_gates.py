"""Names are compared behind one function of the owner, by an index; and what partners reach ends some time after a case has.

Under row-level security an operator of arrays reads the whole table, whatever index there is: it is not leakproof. What the
function gives out are keys of rows and how alike they are; the rows themselves are read under the policies like any other.
"""

from alembic import op

revision = "0019"
down_revision = "0017"

# A row for each number of a name, in the order in which they are looked for; nobody is granted anything of it. The one who looks
# reads it through the function alone.
NUMBERS = """
CREATE TABLE known_number (
    hub text NOT NULL, number bigint NOT NULL, person bigint NOT NULL REFERENCES known_person ON DELETE CASCADE,
    PRIMARY KEY (hub, number, person));
CREATE INDEX known_number_person ON known_number (person);
CREATE INDEX known_person_born ON known_person (hub, born) WHERE born IS NOT NULL;
DROP INDEX known_person_tokens;
INSERT INTO known_number SELECT DISTINCT hub, unnest(tokens), id FROM known_person
"""
NUMBERED = """
CREATE FUNCTION number_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    DELETE FROM known_number WHERE person = NEW.id;
    INSERT INTO known_number SELECT DISTINCT NEW.hub, unnest(NEW.tokens), NEW.id;
    RETURN NULL;
END $$
"""
WHENEVER = """
CREATE TRIGGER numbered AFTER INSERT OR UPDATE OF tokens, hub ON known_person FOR EACH ROW EXECUTE FUNCTION number_person()
"""

# Who is alike enough shares that part of the numbers that are asked for, at least; only of those is more looked at.
ALIKE = """
CREATE FUNCTION people_alike(of_hub text, apart_from text, asked json, at_least float8, of_that_day float8, most int)
RETURNS TABLE (place int, person bigint, alike float8, born_alike int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public SET jit = off AS $$
    WITH wanted AS MATERIALIZED (
        SELECT w.place, w.born, w.exchanged, w.tokens, cardinality(w.tokens) AS size,
            ceil(at_least * cardinality(w.tokens))::bigint AS needed
        FROM json_to_recordset(asked) AS w (place int, tokens bigint[], born bigint, exchanged bigint)
        WHERE of_hub = acting('hub')
    ), shared AS MATERIALIZED (
        SELECT w.place, n.person, count(*) AS common
        FROM wanted w CROSS JOIN unnest(w.tokens) AS t (number) JOIN known_number n ON n.hub = of_hub AND n.number = t.number
        GROUP BY w.place, n.person HAVING count(*) >= max(w.needed)
    ), that_day AS (
        SELECT w.place, p.id AS person, (SELECT count(*) FROM unnest(p.tokens) AS x WHERE x = ANY (w.tokens)) AS common
        FROM wanted w CROSS JOIN unnest(ARRAY[w.born, w.exchanged]) AS b (born)
            JOIN known_person p ON p.hub = of_hub AND p.born = b.born
    ), compared AS (
        SELECT s.place, p.id, p.reference, s.common / (cardinality(p.tokens) + w.size - s.common)::float8 AS alike,
            CASE WHEN p.born = w.born THEN 2 WHEN p.born = w.exchanged THEN 1 ELSE 0 END AS born_alike
        FROM (SELECT * FROM shared UNION SELECT * FROM that_day) s
            JOIN wanted w USING (place) JOIN known_person p ON p.id = s.person
    ), ranked AS (
        SELECT c.*, row_number() OVER (
            PARTITION BY c.place ORDER BY c.born_alike DESC, c.alike DESC, c.reference DESC, c.id) AS rank
        FROM compared c JOIN referral r USING (reference)
        WHERE c.alike >= CASE WHEN c.born_alike > 0 THEN of_that_day ELSE at_least END AND r.root <> apart_from
    )
    SELECT ranked.place, ranked.id, ranked.alike, ranked.born_alike FROM ranked WHERE ranked.rank <= most
$$
"""

# Six months after it has closed, a case is past for whoever took part in it from outside the hub; for whoever breaks the glass it
# is open for their hours. Restrictive: whatever else lets somebody reach a case, this holds too.
ENDS = """
CREATE POLICY partners_part_ends ON referral AS RESTRICTIVE FOR SELECT TO mash_app USING (
    coalesce((SELECT acting('reach')), '') IN ('hub', 'own') OR is_open
    OR (CAST(state AS json) ->> 'stage_since')::timestamptz + interval '183 days' > CAST((SELECT acting('now')) AS timestamptz)
    OR EXISTS (
        SELECT FROM participant p WHERE p.reference = referral.reference AND p.person = (SELECT acting('actor'))
            AND p.until > CAST((SELECT acting('now')) AS timestamptz)))
"""

# People's role takes no locks of its own. This one keeps whoever breaks the glass waiting for their own others alone.
TURN = """
CREATE FUNCTION glass_turn() RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('glass:' || acting('hub') || ':' || acting('actor'), 0))
$$
"""

# A search that found nobody is about no case, and about nobody whom the software knows.
FOUND_NOBODY = """
ALTER TABLE access DROP CONSTRAINT access_check, ADD CONSTRAINT access_check CHECK (
    num_nonnulls(reference, about) = 1
    OR num_nonnulls(reference, about) = 0 AND action IN ('find_people', 'read_accesses'))
"""


def upgrade() -> None:
    """Add the table, the functions and the policy, and let a search that found nobody be written down."""
    for statement in NUMBERS.split(";"):
        op.execute(statement)
    op.execute(NUMBERED)
    op.execute("REVOKE ALL ON FUNCTION number_person FROM PUBLIC")
    op.execute(WHENEVER)
    op.execute(ALIKE)
    op.execute("REVOKE ALL ON FUNCTION people_alike FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION people_alike TO mash_app")
    op.execute(ENDS)
    op.execute(TURN)
    op.execute("REVOKE ALL ON FUNCTION glass_turn FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION glass_turn TO mash_app, mash_system")
    op.execute(FOUND_NOBODY)


def downgrade() -> None:
    """There is no way back: what was written down of searches stays."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
