"""What is checked and made before any part of an installation starts, in a process of its own that ends: what it imports takes
80 MB, which the one that supervises the parts would keep for as long as they run.

`python -m mash.flows.installation.prepare` is told line by line what to do, as JSON on its standard input, and answers each with
a line. What has to be mended it says in a sentence, with exit code 2; what may pass, with 75.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from mash.config.channels import read_channels
from mash.config.errors import AWAY, TO_MEND, NotYet, ToMend
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.flows.installation.cluster import provide_roles
from mash.flows.store.schema import upgrade


def check_files(settings: Settings) -> None:
    """Raises WrongFile and SettingsError for what is wrong in a file: it is said before anything starts."""
    for hub in settings.hub_names:
        load_profile(hub, settings.profiles_dir)
    read_channels(settings.channels_file)


def provide_tables(data_dir: Path, socket: Path | None, owner_url: str) -> None:
    """Make the roles of the embedded cluster, if it is one with a socket, and bring the tables up to date."""
    if socket:
        provide_roles(data_dir, socket)
    upgrade(owner_url)


def _carry_out(settings: Settings, asked: dict[str, Any]) -> None:
    match asked:
        case {"do": "check_files"}:
            check_files(settings)
        case {"do": "provide_tables", "socket": socket, "owner_url": owner_url}:
            provide_tables(settings.data_dir, Path(socket) if socket else None, owner_url)
        case _:
            raise ValueError(asked)


def _main() -> None:
    settings = Settings.model_validate_json(sys.stdin.readline())
    try:
        for line in sys.stdin:
            _carry_out(settings, json.loads(line))
            print("done", flush=True)
    except ToMend as wrong:
        sys.stderr.write(str(wrong))
        sys.exit(TO_MEND)
    except NotYet as away:
        sys.stderr.write(str(away))
        sys.exit(AWAY)


if __name__ == "__main__":
    _main()
