"""What an agency released is read by the hub and by agencies that take part in the case, not by whoever broke the glass; and what
was reopened is taken off the list of those whose people are about to be erased.
"""

from alembic import op

from mash.flows.store.migrations.versions.v0004_firewall import OF_REACHED, OWN_AGENCY

revision = "0011"
down_revision = "0010"

AT_THE_TABLE = """
    current_setting('mash.reach', true) = 'hub' OR EXISTS (
        SELECT FROM participant p WHERE p.reference = personal_item.reference AND p.person = ''
            AND p.party IN (current_setting('mash.agency', true), current_setting('mash.role', true)))"""
STATEMENTS = f"""
DROP POLICY firewall ON personal_item;
CREATE POLICY firewall ON personal_item FOR SELECT TO mash_app USING ({OF_REACHED.format(table="personal_item")}
    AND (kind NOT IN ('answer_check', 'contribute_information', 'redacted') OR {OWN_AGENCY}
        OR (release_state = 'released' AND ({AT_THE_TABLE}))));
GRANT DELETE ON retention TO mash_system
"""


def upgrade() -> None:
    """Narrow what is read of what was released; let the software take a contact off the list."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: what was shut stays shut."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
