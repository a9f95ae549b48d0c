"""`mash api`, `mash worker`, `mash prefect`: a part alone, as a service manager starts it."""

from __future__ import annotations

import logging
import os
from typing import Annotated
from urllib.parse import urlsplit

import typer

from mash.api.commands.installed import installed


def api(
    fd: Annotated[int | None, typer.Option(help="Accept on this inherited socket, which other processes may share.")] = None,
    after: Annotated[int | None, typer.Option(help="Begin when this inherited pipe says so.", hidden=True)] = None,
) -> None:
    """Start the API alone."""
    from mash.flows.installation.begun import imported

    with imported():
        import uvicorn

        from mash.api.app import create_app
        from mash.api.wire import server_options
        from mash.config.logs import log_to_stderr
        from mash.flows.installation.processes import check_port
        from mash.flows.installation.scaled import serve

    if after is not None and not os.read(after, 1):
        raise typer.Exit  # whoever started it has given up
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


def worker() -> None:
    """Start the worker alone."""
    from mash.config.logs import log_to_stderr
    from mash.flows.installation.begun import imported
    from mash.flows.installation.parts import prefect_environment

    settings = installed()
    # Prefect reads its settings from the environment when it is first imported.
    os.environ.update(prefect_environment(settings))
    with imported():
        from mash.flows.carrying.worker import work

    log_to_stderr()
    # Prefect reports each parking as an error: a run that ended its attempt without completing.
    logging.getLogger("prefect.flow_runs").setLevel(logging.CRITICAL)
    work(settings)


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
