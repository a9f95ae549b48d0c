"""Whatever people type, their names stay in the encrypted items: every table of both databases, every file, every message."""

from __future__ import annotations

from pathlib import Path

import psycopg
from hub import CANARY, ORDINARY, Installation, eventually
from psycopg import sql

LOGINS = ("duty_manager.social_care", "agency.police", "social_worker.social_care")
"""How logins here begin: who acted is said there by role."""
PERSONAL = ("Quillfeather", "Zebediah", "17 Marrowbone Rise", "4010232137", "head@school.example.org", "07700 900461")


def tables_that_hold(hub: Installation, database: str, role: str, those: tuple[str, ...] = PERSONAL) -> set[tuple[str, str]]:
    """Each table of a database in which something of those can be read, in writing or in bytes, with what it is."""
    assert hub.stack.cluster
    found = set()
    with psycopg.connect(host=str(hub.stack.cluster.socket), user=role, dbname=database, autocommit=True) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > 5
        for (table,) in tables:
            for personal in those:
                query = sql.SQL("SELECT count(*) FROM {} AS t WHERE t::text ILIKE %s OR t::text ILIKE %s")
                row = connection.execute(
                    query.format(sql.Identifier(table)), (f"%{personal}%", f"%{personal.encode().hex()}%")
                ).fetchone()
                if row and row[0]:
                    found.add((table, personal))
    return found


def test_no_table_file_or_message_names_anybody_after_a_life_full_of_names(hub: Installation) -> None:
    child = {
        **ORDINARY["subjects"][0],
        "nhs_number": "4010232137",
        "address": {"line1": "17 Marrowbone Rise", "postcode": "ZZ9 9ZZ"},
    }
    source = {**ORDINARY["source"], "name": CANARY, "phone": "07700 900461"}
    reference = hub.referral(subjects=[child], source=source)
    hub.submit({"subjects": [{"name": CANARY}], "concern": CANARY})
    hub.submit({"subjects": [], "note": CANARY})
    hub.give(reference, "add_note", words=f"{CANARY} of 17 Marrowbone Rise called.")
    hub.ask(reference, "rate_referral", words=CANARY, rating=CANARY)
    hub.rate(reference)
    hub.answer_all(reference)
    hub.give(reference, "record_meeting", words=f"{CANARY} came.", attended=["police"], rating="red")
    hub.give(reference, "record_decision", words=f"{CANARY} is safe.", outcomes={"S1": "no_further_action"})
    hub.awaits(reference, "Completed")
    eventually(lambda: f"The outcome of your referral {reference}" in hub.received.to("head@school"))

    assert tables_that_hold(hub, "mash", "mash_owner") == set()
    assert tables_that_hold(hub, "prefect", "mash_prefect", (*PERSONAL, *LOGINS)) == set()
    for personal in PERSONAL:
        assert personal not in hub.received.text()
    files = [path for path in [*hub.stack.logs.rglob("*"), *hub.settings.data_dir.glob("prefect/**/*")] if path.is_file()]
    assert {"api.log", "worker.log", "prefect.log"} <= {path.name for path in files}
    assert [
        (path.name, personal) for path in files for personal in PERSONAL if personal.encode() in Path(path).read_bytes()
    ] == []
