"""What follows from a case's state is reckoned of one reading of it, whenever it is written: what everybody may hear of, whether
somebody may be in danger, in whose hands the case is. Two columns that each took the state apart, and an index that took it apart
twice more, are filled by the trigger that stood beside them. Rows keep what they have.

Whoever saw an alert by its link is looked for where somebody did.
"""

from itertools import product

from alembic import op

from mash.flows.store.migrations.versions.v0025_child import FUNCTIONS as CHILD
from mash.flows.store.migrations.versions.v0039_board import FOLLOWS

revision = "0050"
down_revision = "0049"

CHANGED_FOR_ALL = CHILD[:2]
WORKER = (
    "CREATE INDEX referral_worker ON referral (hub, (CAST(state AS jsonb) #>> '{worker,login}'))"
    " WHERE is_open AND CAST(state AS jsonb) #>> '{worker,login}' IS NOT NULL"
)

# As before, of a state that is taken apart already.
OF_JSON = (
    FOLLOWS.partition("ALTER TABLE")[0]
    .replace("(state text)", "(j jsonb)")
    .replace("DECLARE\n    j jsonb := CAST(state AS jsonb);\nBEGIN", "BEGIN")
    .replace("    j jsonb := CAST(state AS jsonb);\n", "")
)
TRIGGER = """
CREATE FUNCTION follows_from_state() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    j jsonb := CAST(NEW.state AS jsonb);
BEGIN
    NEW.for_all := coalesce(CAST(j ->> 'version_for_all' AS integer), 0);
    NEW.danger := NEW.is_open AND in_danger(j);
    NEW.hands := CASE WHEN NEW.is_open THEN in_hands(j) ELSE '{}' END;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION follows_from_state FROM PUBLIC
"""

# Of each of them, too: nobody may write them otherwise than as the state says.
FILLED = """
DROP INDEX referral_worker;
ALTER TABLE referral ALTER COLUMN danger DROP EXPRESSION, ALTER COLUMN hands DROP EXPRESSION;
DROP FUNCTION in_danger(text), in_hands(text);
DROP TRIGGER changed_for_all ON referral;
DROP FUNCTION changed_for_all;
CREATE TRIGGER follows_from_state BEFORE INSERT OR UPDATE OF state, is_open, for_all, danger, hands ON referral FOR EACH ROW
    EXECUTE FUNCTION follows_from_state();
CREATE INDEX referral_worker ON referral (hub, reference) WHERE is_open AND starts_with(hands[1], 'login:')
"""

WRITTEN = """
DO $$
DECLARE
    before text := pg_get_functiondef('write_rows(text, text)'::regprocedure);
    begins text := '    UPDATE notice n SET step_at = GREATEST(n.step_at, CAST(s.j ->> ''until'' AS timestamptz))';
    ends text := 'AND n.clock = s.j ->> ''id'' AND n.step_at IS NOT NULL;';
BEGIN
    IF strpos(before, 'strpos(document, ''alert_seen'')') > 0 THEN
        RETURN;  -- left by a downgrade
    END IF;
    IF strpos(before, begins) = 0 OR strpos(before, ends) = 0 THEN
        RAISE EXCEPTION 'write_rows looks for no alert that was seen';
    END IF;
    EXECUTE replace(replace(before, begins, '    IF strpos(document, ''alert_seen'') > 0 THEN' || chr(10) || begins),
        ends, ends || chr(10) || '    END IF;');
END $$
"""

# Of a few rows by their keys, whatever PostgreSQL takes for few: it counts on a hundred rows in a document, for which it would
# read a table of some thousand from end to end, each time; and a connection keeps a plan that it made when there was hardly
# anybody. A table of one row has no key; until PostgreSQL 18 what is switched off costs so much that it would be compiled for.
WRITE = ("write_rows(text, text)", "unfounded(json)")
BY_KEY = (*WRITE, "contacts_alike(text, text, bigint[], int, int)", "how_many_share(bigint[], int)")
NO_WHOLE_TABLES = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


def upgrade() -> None:
    """Fill them together."""
    for part in (OF_JSON, TRIGGER, FILLED, WRITTEN):
        op.execute(part)
    for function, way in product(BY_KEY, NO_WHOLE_TABLES):
        op.execute(f"ALTER FUNCTION {function} SET {way} = off")
    for function in WRITE:
        op.execute(f"ALTER FUNCTION {function} SET jit = off")


def downgrade() -> None:
    """Have each reckoned by itself again, of the rows that there are too."""
    for function, way in product(BY_KEY, NO_WHOLE_TABLES):
        op.execute(f"ALTER FUNCTION {function} RESET {way}")
    for function in WRITE:
        op.execute(f"ALTER FUNCTION {function} RESET jit")
    op.execute("""
        DROP TRIGGER follows_from_state ON referral;
        DROP FUNCTION follows_from_state;
        DROP INDEX referral_worker, referral_danger;
        ALTER TABLE referral DROP COLUMN danger, DROP COLUMN hands;
        DROP FUNCTION in_danger, in_hands""")
    op.execute(FOLLOWS)
    for statement in (*CHANGED_FOR_ALL, WORKER, "REVOKE ALL ON FUNCTION changed_for_all FROM PUBLIC"):
        op.execute(statement)
