"""Whoever is offered something of a case, or has accepted it, takes part in it; and states of before are made anew: who offered a
step-down."""

from collections.abc import Iterator

from alembic import op

revision = "0032"
down_revision = "0031"

# As `states.firewall.handed_over_to` has it, of the state that is about to be written.
HANDED_OVER = """
CREATE FUNCTION handed_over(state jsonb, party text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM jsonb_each(coalesce(state -> 'hand_overs', '{}')) h
        WHERE h.value ->> 'role' = party AND coalesce(h.value ->> 'result', 'accepted') = 'accepted')
$$
"""
ASKED = "takes_part(CAST(states ->> p.reference AS jsonb), p.party)"
TOO = f"({ASKED} OR handed_over(CAST(states ->> p.reference AS jsonb), p.party))"


def _made_by(edition: int) -> Iterator[str]:
    """Whoever writes a case has folded its log: from then on its state is of this edition."""
    yield f"ALTER TABLE referral ALTER COLUMN made SET DEFAULT {edition}"
    yield "DROP INDEX IF EXISTS referral_of_before"
    yield f"CREATE INDEX referral_of_before ON referral (reference) WHERE made < {edition}"
    yield f"""
    CREATE OR REPLACE FUNCTION folded_anew() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.made := {edition};
        RETURN NEW;
    END $$"""
    yield "DROP TRIGGER folded_anew ON referral"
    yield f"""
    CREATE TRIGGER folded_anew BEFORE UPDATE OF state ON referral FOR EACH ROW
        WHEN (NEW.version > OLD.version AND OLD.made < {edition}) EXECUTE FUNCTION folded_anew()"""


def _exchange(there: str, instead: str) -> str:
    """What judges rows asks this instead; the rest of it is as it stands in this database."""
    return f"""
    DO $do$
    DECLARE
        before text := pg_get_functiondef('unfounded(json)'::regprocedure);
        made text := replace(before, $there${there}$there$, $instead${instead}$instead$);
    BEGIN
        IF made = before THEN
            RAISE EXCEPTION 'unfounded asks nobody who takes part';
        END IF;
        EXECUTE made;
    END $do$
    """


def upgrade() -> None:
    """Let them be written as taking part."""
    op.execute(HANDED_OVER)
    op.execute("REVOKE ALL ON FUNCTION handed_over FROM PUBLIC")
    op.execute(_exchange(ASKED, TOO))
    for statement in _made_by(2):
        op.execute(statement)


def downgrade() -> None:
    """Ask as before."""
    for statement in _made_by(1):
        op.execute(statement)
    op.execute(_exchange(TOO, ASKED))
    op.execute("DROP FUNCTION handed_over")
