"""Names are compared behind one function of the owner, by an index; and what partners reach ends some time after a case has.

Under row-level security an operator of arrays reads the whole table, whatever index there is: it is not leakproof. What the
function gives out are numbers of rows and how alike they are; the rows themselves are read under the policies like any other.
"""

from alembic import op

revision = "0019"
down_revision = "0012"

ALIKE = """
CREATE FUNCTION people_alike(of_hub text, apart_from text, asked json, at_least float8, of_that_day float8, most int)
RETURNS TABLE (place int, person bigint, alike float8, born_alike int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public SET enable_seqscan = off SET jit = off AS $$
    WITH wanted AS (
        SELECT w.place, w.born, w.exchanged, w.tokens, cardinality(w.tokens) AS size
        FROM json_to_recordset(asked) AS w (place int, tokens bigint[], born bigint, exchanged bigint)
    ), shared AS (
        SELECT w.place, p.id, count(*) AS common
        FROM wanted w CROSS JOIN unnest(w.tokens) AS t (token) JOIN known_person p ON p.tokens @> ARRAY[t.token]
        GROUP BY w.place, p.id
    ), compared AS (
        SELECT s.place, s.id, p.reference, s.common / (cardinality(p.tokens) + w.size - s.common)::float8 AS alike,
            CASE WHEN p.born = w.born THEN 2 WHEN p.born = w.exchanged THEN 1 ELSE 0 END AS born_alike
        FROM shared s JOIN wanted w USING (place) JOIN known_person p ON p.id = s.id
        WHERE p.hub = of_hub AND of_hub = current_setting('mash.hub', true)
            AND s.common / (cardinality(p.tokens) + w.size - s.common)::float8 >= least(at_least, of_that_day)
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
    coalesce(current_setting('mash.reach', true), '') IN ('hub', 'own') OR is_open
    OR (CAST(state AS json) ->> 'stage_since')::timestamptz + interval '183 days' > current_setting('mash.now', true)::timestamptz
    OR EXISTS (
        SELECT FROM participant p WHERE p.reference = referral.reference AND p.person = current_setting('mash.actor', true)
            AND p.until > current_setting('mash.now', true)::timestamptz))
"""

# A search that found nobody is about no case, and about nobody whom the software knows.
FOUND_NOBODY = """
ALTER TABLE access DROP CONSTRAINT access_check, ADD CONSTRAINT access_check CHECK (
    num_nonnulls(reference, about) = 1
    OR num_nonnulls(reference, about) = 0 AND action IN ('find_people', 'read_accesses'))
"""


def upgrade() -> None:
    """Add the function and the policy, and let a search that found nobody be written down."""
    op.execute(ALIKE)
    op.execute("REVOKE ALL ON FUNCTION people_alike FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION people_alike TO mash_app")
    op.execute(ENDS)
    op.execute(FOUND_NOBODY)


def downgrade() -> None:
    """There is no way back: what was written down of searches stays."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
