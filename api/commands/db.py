"""`mash db`: the tables."""

from __future__ import annotations

import typer

from mash.api.commands.installed import installed, out
from mash.config.errors import SettingsError
from mash.flows.store.schema import upgrade

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.callback()
def tables() -> None:
    """The database."""


@app.command("upgrade")
def db_upgrade() -> None:
    """Run the migrations, as the owner of the tables (MASH_OWNER_DATABASE_URL)."""
    settings = installed()
    if settings.owner_database_url is None:
        raise SettingsError("MASH_OWNER_DATABASE_URL is needed: the role that owns the tables, not the application's")
    out.print(f"the database is at revision {upgrade(settings.owner_database_url.get_secret_value())}")
