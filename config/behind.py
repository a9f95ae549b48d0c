"""Standing behind: a process that people do not wait for leaves the processor to those that they do."""

from __future__ import annotations

import time
from pathlib import Path

import psutil


def stand_behind(pid: int, nice: int) -> None:
    """Have a process that began a session take less of a busy machine. By `nice` Linux weighs those of one session, and sessions
    by a number that each has beside it (`autogroup`): without that it would take as much as any."""
    process = psutil.Process(pid)
    process.nice(max(nice, process.nice()))  # only root may take it back where whoever began all stands behind already
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            Path(f"/proc/{pid}/autogroup").write_text(str(nice))
        except BlockingIOError:  # one in a tenth of a second, for all users of a machine
            time.sleep(0.01)
        except OSError:  # a system without, or a container that may not
            return
        else:
            return
