"""The `mash` command."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from mash.api.commands.named import described, loaded
from mash.config.errors import AWAY, TO_MEND, NotYet, ToMend
from mash.config.version import VERSION
from mash.states.errors import Refusal

HERE = "mash.api.commands"
COMMANDS = {
    name: f"{HERE}.{place}"
    for name, place in {
        "up": "up:up",
        "demo": "demo:demo",
        "init": "init:init",
        "doctor": "doctor:doctor",
        "api": "part:api",
        "worker": "part:worker",
        "prefect": "part:prefect",
        "db": "db:app",
        "profile": "profile:app",
        "walk": "profile:walk",
        "states": "states:states",
        "rota": "rota:app",
        "notify": "notify:app",
        "log": "log:log",
        "whatif": "whatif:app",
        "simulate": "simulate:simulate",
        "extract": "extract:app",
        "dataset": "dataset:dataset",
        "audit": "self_test:app",
        "dip-audit": "audits:dip_audit",
        "inspect": "audits:inspect",
        "sar": "people:sar",
        "erase": "people:erase",
        "retention": "people:app",
        "token": "sign_on:token",  # nosec B105  where the command stands
        "session": "sign_on:sessions",
        "account": "sign_on:accounts",
        "key": "sign_on:keys",
        "master-key": "master_key:app",
        "checkpoint": "checkpoint:app",
        "backup": "backup:backup",
        "restore": "backup:restore",
        "backup-key": "backup:backup_key",
        "paper": "paper:app",
    }.items()
}
"""Where each command is, in the order of a hub's work with it: to begin, its parts, the profile, cases, people, what is kept."""
FORMERLY = {"keys": f"{HERE}.master_key:formerly"}
"""Names that commands had: they work, and are not listed."""
FURTHER = "mash.commands"
"""The entry points of further commands, each by its name: they stand above the API, which imports none of them."""


class Mash(TyperGroup):
    """All commands, each of which stands in a module that only its own need: `mash --help` loads none of them. What is `Any` here
    is of Typer's own copy of Click, which it does not publish."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        further = {entry.name: entry.value for entry in entry_points(group=FURTHER)}
        self.sources = {**further, **COMMANDS, **FORMERLY}  # none takes the place of one of ours
        self.commands: dict[str, Any] = dict.fromkeys(self.list_commands(None))  # what is near a name that is misspelt

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command by the name that it has now."""
        return [name for name in self.sources if name not in FORMERLY]

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """What the list says of a command: its name and its first sentences. Raises CommandNotLoaded."""
        source = self.sources.get(cmd_name)
        return TyperCommand(cmd_name, help=described(cmd_name, source)) if source else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is given, loaded. Raises CommandNotLoaded."""
        name, command, further = super().resolve_command(ctx, args)
        return (name, loaded(name, self.sources[name]), further) if name and command else (name, command, further)


app = typer.Typer(cls=Mash, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def show_version(asked: bool) -> None:
    """Print which release this is, and end."""
    if asked:
        print(f"mash {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print which release this is.")
    ] = False,
) -> None:
    """The referral pipeline of a Multi-Agency Safeguarding Hub."""


def main() -> None:
    """Run the command; a wrong setting or profile, or a refusal, is a sentence and exit code 2, not a stack trace. While the
    database is away it is 75: starting again helps."""
    try:
        app()
    except (ToMend, Refusal) as wrong:
        print(f"mash: {wrong}", file=sys.stderr)
        sys.exit(TO_MEND)
    except NotYet as away:
        print(f"mash: {away}", file=sys.stderr)
        sys.exit(AWAY)


if __name__ == "__main__":
    main()
