"""Prefect's server without its database: its log stays small, and says what is wrong."""

from __future__ import annotations

import io
import logging
import logging.config

import pytest
import yaml

from mash.flows.installation import quiet
from mash.flows.installation.parts import PREFECT_SERVER


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(written: io.StringIO) -> logging.Logger:
    """A logger that writes as the configuration says that Prefect's server is given."""
    with open(PREFECT_SERVER["PREFECT_LOGGING_SETTINGS_PATH"], encoding="utf-8") as file:
        configured = yaml.safe_load(file)
    assert configured["handlers"]["console"] == {
        "class": "logging.StreamHandler", "formatter": "line", "filters": ["once_a_minute"], "stream": "ext://sys.stderr",
    }  # fmt: skip
    handler = logging.StreamHandler(written)
    handler.addFilter(quiet.OnceAMinute())
    handler.setFormatter(quiet.OneLine())
    logger = logging.Logger("prefect.server")
    logger.addHandler(handler)
    return logger


def fail(log: logging.Logger, why: str) -> None:
    try:
        raise ConnectionRefusedError(f"{why}\n[SELECT 1]\n[parameters: ('Jane Doe',)]")
    except ConnectionRefusedError:
        log.exception("Exception in ASGI application\nwith much to say")


def test_an_error_is_one_line_that_says_what_and_where_and_no_value(log: logging.Logger, written: io.StringIO) -> None:
    fail(log, "Connect call failed")
    (line,) = written.getvalue().splitlines()
    assert "ERROR prefect.server Exception in ASGI application (ConnectionRefusedError: Connect call failed, " in line
    assert "test_quiet_logs.py:" in line and "Jane" not in line


def test_the_same_error_is_written_once_a_minute_and_then_how_often_it_came(
    log: logging.Logger, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(quiet.time, "monotonic", lambda: now)
    for _ in range(5000):
        fail(log, "Connect call failed")
    assert len(written.getvalue().splitlines()) == 1
    now += 61
    fail(log, "Connect call failed")
    assert written.getvalue().splitlines()[1].endswith("[4999 messages were held back before]")


def test_many_different_errors_are_bounded_too(log: logging.Logger, written: io.StringIO) -> None:
    for number in range(3000):
        log.handle(log.makeRecord(log.name, logging.ERROR, f"file{number}.py", number, "wrong", (), None))
    assert len(written.getvalue().splitlines()) == quiet.MOST_A_MINUTE
