"""The only SQL: tables, migrations, the one write path and the queries."""
