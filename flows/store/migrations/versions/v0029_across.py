"""The question whether another hub may know somebody: how often it is asked is counted behind a lock, and each hub that was asked
has it written down, by the database itself and whatever wrote the event.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

# Such a look is about nobody whom the hub that was asked could name: whether it knows them was all that was asked.
OF_NOBODY = """
ALTER TABLE access DROP CONSTRAINT access_check, ADD CONSTRAINT access_check CHECK (
    num_nonnulls(reference, about) = 1
    OR num_nonnulls(reference, about) = 0 AND action IN ('find_people', 'read_accesses', 'asked_by_another_hub'))
"""
ASKED = "CREATE INDEX access_across ON access (hub, at) WHERE action = 'ask_other_hubs'"

# Of whoever acts, and their hub: when the question may be asked again; null where that is now. What may be asked is signed, as
# what is written is.
AGAIN = """
CREATE FUNCTION may_ask_again(document text, signature text) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    now timestamptz := CAST(acting('now') AS timestamptz);
    an_hour integer := CAST(document AS json) ->> 'an_hour';
    a_day integer := CAST(document AS json) ->> 'a_day';
BEGIN
    IF signed_here('ask', document) IS DISTINCT FROM signature THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: a question that is not signed for this transaction';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('across:' || acting('hub'), 0));
    RETURN greatest(
        (SELECT at + interval '1 hour' FROM access
            WHERE hub = acting('hub') AND action = 'ask_other_hubs' AND person = acting('actor') AND at > now - interval '1 hour'
            ORDER BY at DESC OFFSET an_hour - 1 LIMIT 1),
        (SELECT at + interval '1 day' FROM access
            WHERE hub = acting('hub') AND action = 'ask_other_hubs' AND at > now - interval '1 day'
            ORDER BY at DESC OFFSET a_day - 1 LIMIT 1));
END $$
"""

# To the hub that was asked nothing is said of the case, nor of whom it is about: that it was asked, by whom, and its answer.
LOOKED = """
CREATE FUNCTION look_across() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said jsonb := CAST(NEW.canonical AS jsonb);
    who jsonb := said -> 'by';
BEGIN
    INSERT INTO access (at, person, role, agency, hub, reference, action, why)
    VALUES (NEW.at, who ->> 'id', who ->> 'role', who ->> 'agency', NEW.hub, NEW.reference, 'ask_other_hubs', 'works at the hub');
    INSERT INTO access (at, person, role, agency, hub, action, why)
    SELECT NEW.at, who ->> 'id', who ->> 'role', who ->> 'agency', asked, 'asked_by_another_hub', NEW.hub || CASE
        WHEN said #> '{event,may_know}' ? asked THEN ' asked, and was told to ring your duty manager'
        ELSE ' asked, and was told nothing' END
    FROM jsonb_array_elements_text(said #> '{event,asked}') AS asked;
    RETURN NULL;
END $$
"""
WHENEVER = """
CREATE TRIGGER look_across AFTER INSERT ON event FOR EACH ROW
    WHEN (NEW.kind = 'asked_across_hubs') EXECUTE FUNCTION look_across()
"""


def upgrade() -> None:
    """Add what counts the questions, and what writes them down."""
    for statement in (OF_NOBODY, ASKED, AGAIN, LOOKED, WHENEVER):
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION may_ask_again, look_across FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION may_ask_again TO mash_app, mash_system")


def downgrade() -> None:
    """There is no way back: what was written down of questions stays."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
