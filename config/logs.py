"""Logs: a JSON object a line, on standard error. They carry references, kinds and counts, and no person."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

KNOWN = frozenset(
    {
        "event",
        "level",
        "logger",
        "timestamp",
        "reference",
        "hub",
        "kind",
        "part",
        "step",
        "error",
        "places",
        "method",
        "count",
        "reason",
        "status",
        "route",
        "role",
        "agency",
        "session",
        "row",
        "network",
    }
)
"""What a line may say. Anything else is left out: nobody can put a person into a log by a slip."""
QUIET = {
    **dict.fromkeys(("httpx", "prefect", "alembic", "apscheduler"), logging.WARNING),
    # Of what is printed on paper, these name the letters: those a typeface lacks, and those it is cut down to.
    "fpdf": logging.ERROR,
    "fontTools": logging.WARNING,
}
"""From which level on others' loggers are heard."""


def _only_known(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: value for name, value in line.items() if name in KNOWN}


def log_to_stderr() -> None:
    """Write what this process logs to standard error, as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _only_known,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
