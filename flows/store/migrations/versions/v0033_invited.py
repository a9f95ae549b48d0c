"""Whoever is invited to a meeting or a strategy discussion, missed it, or is to do something, takes part in a case."""

from alembic import op

from mash.flows.store.migrations.versions.v0014_walls import TAKES_PART

revision = "0033"
down_revision = "0032"

# As `states.firewall.taking_part` has it, of the state that is about to be written, whoever is asked apart.
INVITED = """
CREATE OR REPLACE FUNCTION takes_part(state jsonb, party text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    rules jsonb;
    meets boolean := state ->> 'meeting_at' IS NOT NULL;
    discusses boolean := state ->> 'stage' = 'strategy_discussion';
BEGIN
    IF EXISTS (SELECT FROM jsonb_each(state -> 'held') h WHERE h.value ->> 'agency' = party)
            OR (party = 'adult_social_worker' AND EXISTS (
                SELECT FROM jsonb_each(state -> 'subjects') s WHERE s.value ->> 'cohort' = 'adult'))
            OR (party = 'midwife' AND (meets OR discusses) AND EXISTS (
                SELECT FROM jsonb_each(state -> 'subjects') s WHERE s.value ->> 'cohort' = 'unborn'))
            OR (meets AND coalesce(state -> 'meeting_invited' ? party, false))
            OR (discusses AND coalesce(state -> 'discussion_invited' ? party, false))
            OR coalesce(state -> 'short_of' ? party, false)
            OR EXISTS (SELECT FROM jsonb_each(coalesce(state -> 'actions', '{}')) a WHERE a.value ->> 'owner' = party) THEN
        RETURN true;
    END IF;
    rules := (SELECT CAST(document AS jsonb) FROM profile_version WHERE digest = state ->> 'profile');
    RETURN (meets AND (coalesce(rules #> '{meeting,quorum}' ? party, true)
            OR coalesce(rules #> '{meeting,invites}' ? party, false)))
        OR (discusses AND (coalesce(rules #> '{strategy_discussion,quorum}' ? party, true)
            OR coalesce(rules #> '{strategy_discussion,invites}' ? party, false)))
        OR coalesce(rules #>> ARRAY['services', state ->> 'service', 'role'] = party, false);
END $$
"""


def upgrade() -> None:
    """Let them be written as taking part."""
    op.execute(INVITED)


def downgrade() -> None:
    """Ask as before."""
    op.execute(TAKES_PART.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
