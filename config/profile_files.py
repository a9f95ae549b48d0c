"""Where profiles are: those shipped, and an installation's own."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent


def available(directory: Path | None = None) -> list[str]:
    """The names of all profiles: those shipped, and those in `directory`."""
    folders = [SHIPPED / "hubs", *([directory] if directory else [])]
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
