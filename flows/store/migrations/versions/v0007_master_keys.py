"""Which master keys there are: the database takes nothing that was wrapped by one that was retired."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = """
CREATE TABLE master_key (name text PRIMARY KEY);
UPDATE referral_key SET master = NULL WHERE wrapped IS NULL;
INSERT INTO master_key SELECT master FROM referral_key WHERE master IS NOT NULL UNION SELECT master FROM secret;
ALTER TABLE referral_key ADD FOREIGN KEY (master) REFERENCES master_key;
ALTER TABLE secret ADD FOREIGN KEY (master) REFERENCES master_key;
GRANT SELECT, INSERT, DELETE ON master_key TO mash_system
"""


def upgrade() -> None:
    """Add the table, and have what is wrapped name a row of it."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: an older release would wrap by keys that are retired."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
