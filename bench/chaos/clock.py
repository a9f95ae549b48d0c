"""A clock of the stack's own, that can be set wrong: setting the machine's would hit everybody."""

from __future__ import annotations

from pathlib import Path


class Clock:
    """What the processes take for the time, where libfaketime is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs in its environment to see this clock; nothing where libfaketime is not installed."""
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            return {}
        asked = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock")}
        return {**asked, "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, ahead: int) -> None:
        """Set it so many seconds ahead of the true time, or behind it; the processes see it within a second."""
        new = self.folder / "clock.new"
        new.write_text(f"{ahead:+d}\n")
        new.replace(self.folder / "clock")
