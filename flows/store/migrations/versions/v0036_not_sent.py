"""What whoever referred no longer waits to hear is not sent to them any more."""

from alembic import op

from mash.flows.store.migrations.versions.v0028_corrections import WRITE

revision = "0036"
down_revision = "0035"
ANY = "strpos(document, 'decision_withdrawn') > 0"
# 58 is a colon: one before a word would be taken for a parameter.
SOME_UNMET = r"""strpos(document, 'met\"' || chr(58) || 'false') > 0"""
ONE = "WHEN 'decision_withdrawn' THEN n.kind = 'outcome' END"
# A clock ends unmet where what it waited for is not to be told: it was reopened, came back, or nobody can be reached.
UNMET = """WHEN 'decision_withdrawn' THEN n.kind = 'outcome'
            WHEN 'clocks_stopped' THEN CAST(e.canonical AS jsonb) #>> '{event,met}' = 'false'
                AND CAST(e.canonical AS jsonb) #> '{event,ids}' ? n.clock END"""


def upgrade() -> None:
    """Withdraw it with the clock that waited for it."""
    op.execute(_again(WRITE.replace(ANY, f"{ANY} OR {SOME_UNMET}").replace(ONE, UNMET)))


def downgrade() -> None:
    """Withdraw what was withdrawn before."""
    op.execute(_again(WRITE))


def _again(function: str) -> str:
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
