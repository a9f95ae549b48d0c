"""What a board is read by: whether somebody may be in danger, and in whose hands a case is, as columns that follow from the
state; when each person last looked at theirs; and a look at many cases at once as one record that names them.
"""

from alembic import op

revision = "0039"
down_revision = "0038"

# Columns, and not expressions: row-level security keeps what is reckoned from a column out of an index, and counting ten thousand
# open cases would read each state. A closed case is on no board, and its state is not read.
FOLLOWS = """
CREATE FUNCTION in_danger(state text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    j jsonb := CAST(state AS jsonb);
BEGIN
    RETURN coalesce(CAST(j ->> 'immediate_danger' AS boolean), false) AND (j ->> 'decided_at' IS NULL
        OR coalesce(j ->> 'danger_since' COLLATE "C" >= j ->> 'decided_at' COLLATE "C", false));
END $$;

CREATE FUNCTION in_hands(state text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    j jsonb := CAST(state AS jsonb);
    found text[] := '{}';
    each record;
    first text;
BEGIN
    IF j #>> '{worker,login}' IS NOT NULL THEN
        found := ARRAY['login:' || (j #>> '{worker,login}'), 'role:' || (j #>> '{worker,role}')];
    END IF;
    FOR each IN SELECT asked.agency, j #>> ARRAY['checks', asked.agency, 'allocated_to'] AS login FROM (
        SELECT DISTINCT split_part(split_part(key, ':', 2), '.', 1) AS agency FROM jsonb_each(j -> 'clocks')
        WHERE value ->> 'ended_at' IS NULL AND value ->> 'kind' IN ('check', 'confirmation')) asked ORDER BY 1
    LOOP
        found := found || ('agency:' || each.agency);
        IF each.login IS NOT NULL THEN
            found := found || ('login:' || each.login);
        END IF;
    END LOOP;
    SELECT value ->> 'owner' INTO first FROM jsonb_each(j -> 'clocks') WHERE value ->> 'ended_at' IS NULL
        ORDER BY value ->> 'due_at' COLLATE "C" LIMIT 1;
    IF first <> 'agency' THEN
        found := found || ('role:' || first);
    END IF;
    RETURN found;
END $$;

ALTER TABLE referral
    ADD COLUMN danger boolean NOT NULL GENERATED ALWAYS AS (CASE WHEN is_open THEN in_danger(state) ELSE false END) STORED,
    ADD COLUMN hands text[] NOT NULL GENERATED ALWAYS AS (CASE WHEN is_open THEN in_hands(state) ELSE '{}' END) STORED;
CREATE INDEX referral_danger ON referral (hub, danger, due_at, reference) WHERE is_open
"""

LOOKS = """
CREATE TABLE board_look (
    hub text NOT NULL, person text NOT NULL, begun_at timestamptz NOT NULL, seen_at timestamptz NOT NULL, since timestamptz,
    PRIMARY KEY (hub, person));
ALTER TABLE board_look ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON board_look TO mash_app
    USING (hub = (SELECT acting('hub')) AND person = (SELECT acting('actor')))
    WITH CHECK (hub = (SELECT acting('hub')) AND person = (SELECT acting('actor')));
GRANT SELECT, INSERT, UPDATE ON board_look TO mash_app;
CREATE INDEX event_at ON event (hub, at)
"""

# Who governs information finds them by reference: in a function of the owner, as row-level security keeps arrays out of an index.
SHOWN = """
ALTER TABLE access ADD COLUMN shown text[],
    DROP CONSTRAINT access_check, ADD CONSTRAINT access_check CHECK (
        num_nonnulls(reference, about, shown) = 1
        OR num_nonnulls(reference, about, shown) = 0
            AND action IN ('find_people', 'read_figures', 'read_accesses', 'asked_by_another_hub'));
CREATE INDEX access_shown ON access USING gin (shown) WHERE shown IS NOT NULL;
CREATE FUNCTION looks_naming(names text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF acting('role') IS DISTINCT FROM 'information_governance' THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: who looked is for whoever governs information';
    END IF;
    RETURN QUERY SELECT a.id FROM access a WHERE a.shown && names AND a.shown IS NOT NULL AND a.hub = acting('hub');
END $$;
REVOKE ALL ON FUNCTION looks_naming FROM PUBLIC;
GRANT EXECUTE ON FUNCTION looks_naming TO mash_app
"""


def upgrade() -> None:
    """Add them."""
    for part in (FOLLOWS, LOOKS, SHOWN):
        op.execute(part)


def downgrade() -> None:
    """Drop them. Records of looks at several cases go with their column."""
    op.execute("DROP FUNCTION looks_naming; DROP INDEX event_at; DROP TABLE board_look")
    op.execute("""
        DELETE FROM access WHERE shown IS NOT NULL;
        ALTER TABLE access DROP COLUMN shown, ADD CONSTRAINT access_check CHECK (
            num_nonnulls(reference, about) = 1
            OR num_nonnulls(reference, about) = 0
                AND action IN ('find_people', 'read_figures', 'read_accesses', 'asked_by_another_hub'))""")
    op.execute("DROP INDEX referral_danger; ALTER TABLE referral DROP COLUMN danger, DROP COLUMN hands")
    op.execute("DROP FUNCTION in_danger, in_hands")
