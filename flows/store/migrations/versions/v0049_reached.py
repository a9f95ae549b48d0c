"""Whether somebody reaches the case of a row is asked of that case alone. Left to choose, PostgreSQL may read all the hub's cases
first, and keeps to that while they become many: of a partner's look at one case that was nine tenths.

A sub-select with an OFFSET is not made a list to look in. Nothing else changes: who reaches what is as it was.
"""

from alembic import op

revision = "0049"
down_revision = "0048"

ONE = " OFFSET 0"
"""Has a sub-select asked for each row, by its key."""


def _policies(of_one: str) -> str:
    reaches = "EXISTS (SELECT FROM referral r WHERE r.reference = {table}.reference" + of_one + ")"
    of_reached = f"hub = (SELECT acting('hub')) AND ((SELECT acting('reach')) = 'hub' OR {reaches})"
    at_the_table = f"""EXISTS (
            SELECT FROM participant p WHERE p.reference = personal_item.reference AND p.person = ''
                AND p.party = ANY (CAST((SELECT my_parties()) AS text[])){of_one})"""
    tables = ("event", "referral_key", "notice")
    return ";\n".join(
        [
            *(f"ALTER POLICY reached ON {table} USING ({of_reached.format(table=table)})" for table in tables),
            f"""ALTER POLICY firewall ON personal_item USING ({of_reached.format(table="personal_item")}
                AND (kind NOT IN ('answer_check', 'contribute_information', 'redacted')
                    OR owner_agency = (SELECT acting('agency'))
                    OR (release_state = 'released' AND ((SELECT acting('reach')) = 'hub' OR {at_the_table}))))""",
            f"""ALTER POLICY of_its_case ON identity USING (hub = (SELECT acting('hub')) AND (SELECT acting('reach')) = 'hub'
                AND {reaches.format(table="identity")})""",
            f"""ALTER POLICY answered ON receipt WITH CHECK (hub = (SELECT acting('hub'))
                AND caller = (SELECT acting('actor')) AND (reference IS NULL OR {reaches.format(table="receipt")}))""",
        ]
    )


def upgrade() -> None:
    """Ask of one case; who takes part in it is found by it."""
    op.execute("CREATE INDEX participant_reference ON participant (reference)")
    op.execute(_policies(ONE))


def downgrade() -> None:
    """Leave it to PostgreSQL."""
    op.execute(_policies(""))
    op.execute("DROP INDEX participant_reference")
