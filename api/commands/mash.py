"""The `mash` command."""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import typer

from mash.api.commands import (
    audits,
    backup,
    checkpoint,
    extract,
    master_key,
    notify,
    paper,
    people,
    profile,
    rota,
    sign_on,
    whatif,
)
from mash.api.commands.dataset import dataset
from mash.api.commands.doctor import doctor
from mash.api.commands.init import init
from mash.api.commands.installed import administrator, broken, counted, installed, out, with_store
from mash.api.commands.simulate import simulate
from mash.config.settings import NotYet, SettingsError, read_settings
from mash.config.toml_lines import WrongFile
from mash.config.version import VERSION
from mash.flows.installation.processes import AWAY, TO_MEND, ClusterNotStarted, PartNotStarted
from mash.states.chart import diagram
from mash.states.errors import Refusal

FURTHER = "mash.commands"
"""The entry points of further commands, each by its name."""
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit_app = typer.Typer(no_args_is_help=True, help="Whether the installation refuses what it must.")
db_app = typer.Typer(no_args_is_help=True, help="The database.")
app.add_typer(profile.app, name="profile")
app.add_typer(whatif.app, name="whatif")
app.add_typer(rota.app, name="rota")
app.add_typer(notify.app, name="notify")
app.command()(profile.walk)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(backup.backup_key)
app.add_typer(paper.app, name="paper")
app.add_typer(db_app, name="db")
app.add_typer(audit_app, name="audit")
app.add_typer(audits.dip_audit, name="dip-audit")
app.add_typer(audits.inspect, name="inspect")
app.add_typer(sign_on.keys, name="key")
app.add_typer(sign_on.sessions, name="session")
app.add_typer(sign_on.accounts, name="account")
app.command()(sign_on.token)
app.add_typer(master_key.app, name="master-key")
app.add_typer(master_key.app, name="keys", hidden=True, callback=master_key.renamed)
app.add_typer(checkpoint.app, name="checkpoint")
app.add_typer(people.app, name="retention")
app.add_typer(extract.app, name="extract")
app.command()(people.erase)
app.command()(people.sar)
app.command()(dataset)
app.command()(init)
app.command()(doctor)
app.command()(simulate)


class CommandNotLoaded(Exception):
    """A command that an entry point names cannot be had; says which, and why."""


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


@app.command()
def up() -> None:
    """Start all of it on one machine: database (unless MASH_DATABASE_URL is given), migrations, Prefect's server, worker, API.
    Ctrl-C stops it.

    Everything runs as you, the database's superuser beside it: for trying it out, and for one small machine. Where each part is
    to be a user of its own, `mash init` writes what your service manager needs (docs/run/production.md).

    Ports: the API listens at MASH_API_HOST and MASH_API_PORT (127.0.0.1, 8000), Prefect's server at MASH_PREFECT_API_URL
    (http://127.0.0.1:4200/api). Where one is taken, nothing starts: choose another, as in `MASH_API_PORT=8001 mash up`. Data,
    keys and logs are in MASH_DATA_DIR (.var).
    """
    from mash.flows.installation.stack import Stack

    settings = read_settings()
    with Stack(settings) as stack:
        out.print(
            f"API              {stack.settings.base_url}/docs\nPrefect UI       {stack.prefect_ui}\n"
            f"Prefect login    {stack.prefect_login_hint}\nLogs             {stack.logs}\nCtrl-C stops it.\n"
            "All of it runs as one user: for one machine, and to try it out. docs/run/production.md is for more."
        )
        if settings.channels_file is None or settings.mail_url is None:
            out.print("Warning: alerts go nowhere yet. Set MASH_CHANNELS_FILE (Apprise URLs by hub and role) and MASH_MAIL_URL.")
        # Imported only now: Apprise takes half a second, for which no referral waits.
        from mash.flows.carrying.postman import check_alerts

        check_alerts(settings)
        stack.supervise()


@app.command()
def api(
    fd: Annotated[int | None, typer.Option(help="Accept on this inherited socket, which other processes may share.")] = None,
) -> None:
    """Start the API alone."""
    import uvicorn

    from mash.api.app import create_app
    from mash.api.wire import server_options
    from mash.config.logs import log_to_stderr
    from mash.flows.installation.processes import check_port
    from mash.flows.installation.scaled import serve

    settings = installed()
    if fd is None:
        check_port(settings.api_host, settings.api_port, "MASH_API_PORT")
    log_to_stderr()
    # No access log: it would write addresses, and the addresses of alert links are secrets. No tracebacks of uvicorn's: they
    # print the values that an error was about.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,
        log_config=None,
        **server_options(settings.trusted_proxies),
    )
    try:
        serve(config, fd)
    except SystemExit:
        # The server's own exit code says only that it did not start.
        raise getattr(app.state, "cannot_start", None) or SystemExit(1) from None


@app.command()
def worker() -> None:
    """Start the worker alone."""
    from mash.config.logs import log_to_stderr
    from mash.flows.installation.parts import prefect_environment

    settings = installed()
    # Prefect reads its settings from the environment when it is first imported.
    os.environ.update(prefect_environment(settings))
    from mash.flows.carrying.worker import work

    log_to_stderr()
    # Prefect reports each parking as an error: a run that ended its attempt without completing.
    logging.getLogger("prefect.flow_runs").setLevel(logging.CRITICAL)
    work(settings)


@app.command()
def prefect() -> None:
    """Start Prefect's server alone, set up as ours is (MASH_PREFECT_DATABASE_URL, MASH_PREFECT_AUTH_STRING)."""
    from mash.flows.installation.processes import check_port
    from mash.flows.installation.stack import Stack

    settings = installed()
    command, environment = Stack(settings, ("prefect",)).prefect_server()
    address = urlsplit(settings.prefect_api_url)
    check_port(str(address.hostname), address.port or 80, "MASH_PREFECT_API_URL (http://127.0.0.1:PORT/api)")
    # In our place: whoever started us ends it, and sees it end.
    os.execve(command[0], command, environment)  # noqa: S606  # nosec B606  no shell is wanted


@app.command()
def states() -> None:
    """Print the state machine as a Mermaid diagram."""
    print(diagram())


@app.command()
def log(
    what: Annotated[
        str,
        typer.Argument(help="A reference, for its story; 'verify', to prove every chain; 'replay', to decide them again."),
    ],
    against: Annotated[Path | None, typer.Option(help="A folder of checkpoints that was kept elsewhere.")] = None,
    key: Annotated[str | None, typer.Option(help="What checks their signatures, as `mash checkpoint key` printed it.")] = None,
) -> None:
    """Print a case's story, or find a changed, removed, inserted or cut-off event; also where a whole chain was written anew.
    `replay` rebuilds the commands of the present edition of the rules from their events, and finds those that come out
    otherwise now."""
    from mash.api.proof import prove
    from mash.flows.store.log import read_log
    from mash.flows.store.reads.look import look_at
    from mash.flows.store.replay import replay
    from mash.flows.telling.story import event_in_words
    from mash.states.clocks import dated

    async def tell(store: Any) -> None:
        story = await read_log(store, what)
        hub = story[0].by.hub
        await look_at(store, what, administrator(hub), "read_story", holds="gives commands on the machine")
        for recorded in story:
            words = event_in_words(recorded, store.hubs.get(hub))
            out.print(f"{recorded.sequence:>4}  {dated(recorded.at)}  {recorded.by.role:<20} {words}", markup=False)

    async def verify(store: Any) -> None:
        proof = await prove(store, installed(), against, key)
        for sentence in (*proof.restored, *proof.wrong):
            out.print(sentence, markup=False)
        out.print(broken(proof.wrong))
        if proof.wrong:
            raise typer.Exit(1)

    async def decide_again(store: Any) -> None:
        found = await replay(store)
        for sentence in found.different:
            out.print(str(sentence), markup=False)
        same = found.decided - len(found.different)
        out.print(
            f"{counted(found.cases, 'case')}: {counted(same, 'act')} of {found.decided} decided again came out the same;"
            f" {found.older} of an earlier edition of the rules were not decided again"
        )
        if found.different:
            raise typer.Exit(1)

    with_store({"verify": verify, "replay": decide_again}.get(what, tell))


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Run the migrations, as the owner of the tables (MASH_OWNER_DATABASE_URL)."""
    from mash.flows.store.schema import upgrade

    settings = installed()
    if settings.owner_database_url is None:
        raise SettingsError("MASH_OWNER_DATABASE_URL is needed: the role that owns the tables, not the application's")
    out.print(f"the database is at revision {upgrade(settings.owner_database_url.get_secret_value())}")


@app.command()
def demo(
    hubs: Annotated[list[str] | None, typer.Argument(help="The hubs to play, by their profiles' names.")] = None,
    exit_: Annotated[bool, typer.Option("--exit", help="End at once, instead of staying up until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
    story: Annotated[
        Literal["friday", "sibling"] | None,
        typer.Option(help="Play this instead: an evening, from the alerts' side, or ten contacts about one child within a year."),
    ] = None,
) -> None:
    """Play hubs' busy days: 48 fictional referrals, time running 3,600 times faster, mail in a local catcher. Or a story."""
    from mash.api.demo import STORIES, run_demo

    if story:
        raise typer.Exit(STORIES[story](as_json))
    raise typer.Exit(run_demo(stay=not exit_, as_json=as_json, hubs=tuple(hubs or ("sandwell", "merton"))))


@audit_app.command("self-test")
def self_test(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False) -> None:
    """Attack an installation of its own in nearly a hundred ways, a line each. Exit code 1 when one succeeds."""
    from mash.api.self_test import run_self_test

    raise typer.Exit(run_self_test(as_json))


@cache
def add_commands() -> None:
    """Add, once, the commands that stand above the API, by the entry points that name them: the API imports none of them. Raises
    CommandNotLoaded rather than leave one out."""
    for entry in entry_points(group=FURTHER):
        try:
            app.command(entry.name)(entry.load())
        except (ImportError, AttributeError) as error:
            raise CommandNotLoaded(f"the command `{entry.name}` ({entry.value}) cannot be loaded: {error}") from error


def main() -> None:
    """Run the command; a wrong setting or profile, or a refusal, is a sentence and exit code 2, not a stack trace. While the
    database is away it is 75: starting again helps."""
    try:
        add_commands()
        app()
    except (SettingsError, WrongFile, Refusal, CommandNotLoaded, PartNotStarted, ClusterNotStarted) as wrong:
        print(f"mash: {wrong}", file=sys.stderr)
        sys.exit(TO_MEND)
    except NotYet as away:
        print(f"mash: {away}", file=sys.stderr)
        sys.exit(AWAY)


if __name__ == "__main__":
    main()
