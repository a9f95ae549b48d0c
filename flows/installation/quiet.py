"""Logs that stay small while something is wrong for a long time: one line for each thing, and how often it came since."""

from __future__ import annotations

import logging
import time
import traceback

AGAIN = 60.0
"""Seconds in which the same is not written again."""
MOST = 1000
"""Different things that are remembered at most: a message that has a number in it is another each time."""
MOST_A_MINUTE = 100
"""Lines in a minute at most, whatever they say."""
LONGEST = 300
"""Characters of what an error says."""


class OnceAMinute(logging.Filter):
    """Lets a message of one place in the code through once a minute, and so many a minute in all; then it says how many it held
    back."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[tuple[str, int, str], float] = {}
        self.held_back = 0
        self.window, self.written = 0.0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it."""
        now = time.monotonic()
        if now - self.window > AGAIN:
            self.window, self.written = now, 0
        what = (record.pathname, record.lineno, _kind(record))
        if now - self.last.get(what, -AGAIN) < AGAIN or self.written >= MOST_A_MINUTE:
            self.held_back += 1
            return False
        if len(self.last) >= MOST:
            self.last.clear()
        self.last[what] = now
        self.written += 1
        record.held_back, self.held_back = self.held_back, 0
        return True


class OneLine(logging.Formatter):
    """A line for each record. Of an error: what it was, and where it was raised; the rest is Prefect's own code."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        first = record.getMessage().partition("\n")[0]
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {first}"
        if record.exc_info and record.exc_info[1]:
            line += f" ({_in_words(record.exc_info[1])})"
        held_back = getattr(record, "held_back", 0)
        return f"{line} [{held_back} messages were held back before]" if held_back else line


def _in_words(error: BaseException) -> str:
    """An error without its traceback. In further lines SQLAlchemy says which statement it was about, with its values."""
    words = str(error).partition("\n")[0][:LONGEST]
    frames = traceback.extract_tb(error.__traceback__)
    place = f", {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {words}{place}"


def _kind(record: logging.LogRecord) -> str:
    """The type of error that a record is about; empty where it is about none."""
    return record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
