"""The `mash` command."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mash.api.commands import backup as backup_cli
from mash.api.commands import checkpoint as checkpoint_cli
from mash.api.commands import master_key as keys_cli
from mash.api.commands import notify as notify_cli
from mash.api.commands import people as people_cli
from mash.api.commands import profile as profile_cli
from mash.api.commands import rota as rota_cli
from mash.api.commands import sign_on as sign_on_cli
from mash.api.commands.installed import administrator, installed, out, with_store
from mash.config.settings import SettingsError, read_settings
from mash.config.toml_lines import WrongFile
from mash.states.chart import diagram
from mash.states.errors import Refusal

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The referral pipeline of a Multi-Agency Safeguarding Hub.",
)
audit_app = typer.Typer(no_args_is_help=True, help="Whether the installation refuses what it must.")
db_app = typer.Typer(no_args_is_help=True, help="The database.")
app.add_typer(profile_cli.app, name="profile")
app.add_typer(rota_cli.app, name="rota")
app.add_typer(notify_cli.app, name="notify")
app.command()(profile_cli.walk)
app.command()(backup_cli.backup)
app.command()(backup_cli.restore)
app.command()(backup_cli.backup_key)
app.add_typer(db_app, name="db")
app.add_typer(audit_app, name="audit")
app.add_typer(sign_on_cli.keys, name="key")
app.add_typer(sign_on_cli.sessions, name="session")
app.add_typer(sign_on_cli.accounts, name="account")
app.command()(sign_on_cli.token)
app.add_typer(keys_cli.app, name="keys")
app.add_typer(checkpoint_cli.app, name="checkpoint")
app.add_typer(people_cli.app, name="retention")
app.command()(people_cli.erase)
app.command()(people_cli.sar)


@app.command()
def up() -> None:
    """Start all of it: database (unless MASH_DATABASE_URL is given), migrations, Prefect server, worker, API. Ctrl-C stops it."""
    from mash.flows.installation.stack import Stack

    settings = read_settings()
    with Stack(settings) as stack:
        out.print(
            f"API              {stack.settings.base_url}/docs\nPrefect UI       {stack.prefect_ui}\n"
            f"Prefect login    {stack.prefect_login_hint}\nLogs             {stack.logs}\nCtrl-C stops it."
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
    from mash.flows.installation.scaled import serve

    settings = installed()
    log_to_stderr()
    # No access log: it would write addresses, and the addresses of alert links are secrets. No tracebacks of uvicorn's: they
    # print the values that an error was about.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,
        log_config=None,
        **server_options(settings.trusted_proxies),
    )
    serve(config, fd)


@app.command()
def worker() -> None:
    """Start the worker alone."""
    from mash.config.logs import log_to_stderr
    from mash.flows.installation.stack import prefect_environment

    settings = installed()
    # Prefect reads its settings from the environment when it is first imported.
    os.environ.update(prefect_environment(settings))
    from mash.flows.carrying.worker import work

    log_to_stderr()
    # Prefect reports each parking as an error: a run that ended its attempt without completing.
    logging.getLogger("prefect.flow_runs").setLevel(logging.CRITICAL)
    work(settings)


@app.command()
def states() -> None:
    """Print the state machine as a Mermaid diagram."""
    print(diagram())


@app.command()
def log(
    what: Annotated[str, typer.Argument(help="A reference, for its story; or 'verify', to prove every chain.")],
    against: Annotated[Path | None, typer.Option(help="A folder of checkpoints that was kept elsewhere.")] = None,
    key: Annotated[str | None, typer.Option(help="What checks their signatures, as `mash checkpoint key` printed it.")] = None,
) -> None:
    """Print a case's story, or find a changed, removed, inserted or cut-off event; also where a whole chain was written anew."""
    from mash.api.commands.checkpoint import prove
    from mash.flows.store.log import read_log
    from mash.flows.store.reads.reading import look_at
    from mash.flows.telling.story import told
    from mash.states.clocks import dated

    async def tell(store: Any) -> None:
        story = await read_log(store, what)
        hub = story[0].by.hub
        await look_at(store, what, administrator(hub), "read_story", holds="gives commands on the machine")
        for recorded in story:
            words = told(recorded, store.hubs.get(hub))
            out.print(f"{recorded.sequence:>4}  {dated(recorded.at)}  {recorded.by.role:<20} {words}", markup=False)

    async def verify(store: Any) -> None:
        wrong = await prove(store, against, key)
        for sentence in wrong:
            out.print(sentence, markup=False)
        out.print(f"{len(wrong)} chains are broken" if wrong else "every chain verifies")
        if wrong:
            raise typer.Exit(1)

    with_store(verify if what == "verify" else tell)


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
    story: Annotated[Literal["friday"] | None, typer.Option(help="Play this evening instead, from the alerts' side.")] = None,
) -> None:
    """Play hubs' busy days: 48 fictional referrals, time running 3,600 times faster, mail in a local catcher. Or a story."""
    from mash.api.demo import run_demo, run_story

    if story:
        raise typer.Exit(run_story(as_json))
    raise typer.Exit(run_demo(stay=not exit_, as_json=as_json, hubs=tuple(hubs or ("sandwell", "merton"))))


@app.command()
def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quick: bool = False,
    scale: Annotated[bool, typer.Option("--scale", help="Two of each part, with Redis: what a second worker adds.")] = False,
) -> None:
    """Measure a stack of its own: throughput, latency, lateness, idle cost, recovery."""
    if scale:
        from mash.bench.scale import run_bench_scale

        raise typer.Exit(run_bench_scale(as_json=as_json, quick=quick))
    from mash.bench.run import run_bench

    raise typer.Exit(run_bench(as_json=as_json, quick=quick))


@audit_app.command("self-test")
def self_test(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False) -> None:
    """Attack an installation of its own in nearly a hundred ways, a line each. Exit code 1 when one succeeds."""
    from mash.api.self_test import run_self_test

    raise typer.Exit(run_self_test(as_json))


@app.command()
def chaos(
    minutes: Annotated[float, typer.Option(help="For how long faults are struck.")] = 2,
    seed: Annotated[int | None, typer.Option(help="Strike the same faults in the same order again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Strike random faults at a stack of its own under load, then audit it: what was accepted is there, once, and was told."""
    from mash.bench.chaos import run_chaos

    raise typer.Exit(run_chaos(minutes, seed, as_json))


def main() -> None:
    """Run the command; a wrong setting or profile, or a refusal, is a sentence and exit code 2, not a stack trace."""
    try:
        app()
    except (SettingsError, WrongFile, Refusal) as wrong:
        print(f"mash: {wrong}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
