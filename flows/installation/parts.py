"""The parts of an installation: which there are, and what each is told of."""

from __future__ import annotations

import os
from pathlib import Path

from mash.config.settings import Settings

PARTS = ("api", "worker", "prefect")
"""In the order in which they start: referrals are accepted first, their runs may follow."""
NICE = {"prefect": 5, "worker": 5}
"""How far each stands behind. Further, Prefect's server would take minutes to start where a machine is full."""
NEEDED = {
    "worker": (
        "database_url",
        "system_database_url",
        "master_key",
        "signing_key",
        "token_key",
        "prefect_auth_string",
        "mail_url",
        "pulse_url",
    ),
    "api": ("database_url", "system_database_url", "master_key", "token_key", "notify_token"),
}
"""Which secrets a part of ours is told of."""
HANDED = (
    "PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV", "PYTHONPATH",
    "PREFECT_WORKER_QUERY_SECONDS", "PREFECT_WORKER_HEARTBEAT_SECONDS",
)  # fmt: skip
"""What a part has of the environment of whoever starts it; how often a worker asks Prefect is said by Prefect's own settings."""
KEPT_OPEN = 75
"""Seconds for which a server of ours keeps a connection on which nothing is asked: longer than who asks keeps it. httpx does for
five, as uvicorn does by default: whoever asked after just so long met a connection that was being closed (3 of 600)."""
PREFECT_SERVER = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    # Without its database it would write megabytes of tracebacks a minute.
    "PREFECT_LOGGING_SETTINGS_PATH": str(Path(__file__).with_name("prefect_logging.yml")),
    # No flow of ours runs tasks: their recorder would read every event for nothing.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
    # An automation calls whatever address is written into it, from this machine: whoever has the login could reach what listens
    # on loopback only. None of ours is needed: the watchdog looks by itself.
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    # Services that look every five to twenty seconds for what we never use: pauses, cancelling, leases, and runs that are late,
    # which our own figures tell. On a busy machine they took 84 of 100 samples of its server, requests 6.
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "60",
    # Five by default, with ten more made and thrown away under load.
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "15",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW": "0",
    # Prefect's tables grow without end and slow its scheduler: short retention. The case's history is in our log. Runs count from
    # their end, so a parked one, however old, is never deleted.
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "604800",
}
"""How Prefect's server is set up, beside addresses and secrets. Seconds; P1D is a day."""


def kind(part: str) -> str:
    """What a part is one of: "worker-2" is a worker."""
    return part.partition("-")[0]


def prefect_environment(settings: Settings) -> dict[str, str]:
    """What a client of Prefect needs in its environment."""
    login = settings.prefect_auth_string
    return {
        "PREFECT_API_URL": settings.prefect_api_url,
        "PREFECT_HOME": str((settings.data_dir / "prefect").resolve()),
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "DO_NOT_TRACK": "1",
        **({"PREFECT_API_AUTH_STRING": login.get_secret_value()} if login else {}),
    }


def bare_environment() -> dict[str, str]:
    """What any child needs, and no secret: the parent's environment is not handed down."""
    handed = {name: os.environ[name] for name in HANDED if name in os.environ}
    # Threads of Python take turns: an arena for each of them is 2 MB of every part that nobody gains by.
    return {**handed, "MALLOC_ARENA_MAX": "1"}
