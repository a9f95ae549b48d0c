"""Empties tables of the database that tests share, in whatever order they were made."""

from __future__ import annotations


def emptying(which: str) -> bytes:
    """A statement that deletes all rows of the tables (`named`) that a condition is true of: those that name others before
    these; and what is written down of deletions, or is asked at each, at the end.

    Rows are deleted, and tables not truncated: that makes new files for each table and index, which takes ten times as long."""
    return f"""
DO $$
DECLARE each record;
BEGIN
    FOR each IN
        WITH RECURSIVE named (id, depth) AS (
            SELECT oid, 0 FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace)
            UNION
            SELECT c.confrelid, n.depth + 1 FROM named n JOIN pg_constraint c
                ON c.conrelid = n.id AND c.contype = 'f' AND c.confrelid <> c.conrelid)
        SELECT relname FROM named JOIN pg_class ON oid = id WHERE {which} GROUP BY relname
        ORDER BY relname IN ('master_key', 'figure_owed'), max(depth)
    LOOP
        EXECUTE format('DELETE FROM %I', each.relname);
    END LOOP;
END $$""".encode()
