"""`mash up`: all of it on one machine."""

from __future__ import annotations

from mash.config.settings import read_settings
from mash.flows.installation.stack import Stack


def up() -> None:
    """Start all of it on one machine: database (unless MASH_DATABASE_URL is given), migrations, Prefect's server, worker, API.
    Ctrl-C stops it.

    Everything runs as you, the database's superuser beside it: for trying it out, and for one small machine. Where each part is
    to be a user of its own, `mash init` writes what your service manager needs (docs/run/production.md).

    Ports: the API listens at MASH_API_HOST and MASH_API_PORT (127.0.0.1, 8000), Prefect's server at MASH_PREFECT_API_URL
    (http://127.0.0.1:4200/api). Where one is taken, nothing starts: choose another, as in `MASH_API_PORT=8001 mash up`. Data,
    keys and logs are in MASH_DATA_DIR (.var).
    """
    settings = read_settings()
    with Stack(settings) as stack:
        print(
            f"API              {stack.settings.base_url}/docs\nPrefect UI       {stack.prefect_ui}\n"
            f"Prefect login    {stack.prefect_login_hint}\nLogs             {stack.logs}\nCtrl-C stops it.\n"
            "All of it runs as one user: for one machine, and to try it out. docs/run/production.md is for more.",
            flush=True,
        )
        if settings.channels_file is None or settings.mail_url is None:
            warning = "Set MASH_CHANNELS_FILE (Apprise URLs by hub and role) and MASH_MAIL_URL."
            print(f"Warning: alerts go nowhere yet. {warning}", flush=True)
        stack.supervise()
