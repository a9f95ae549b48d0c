"""What is checked and made before any part of an installation starts, in a process of its own that ends: what it imports takes
80 MB, which the one that supervises the parts would keep for as long as they run.

`python -m mash.flows.installation.prepare` reads the settings, as a line of JSON on its standard input, and checks the files that
they name, which it answers with a line; a further line says where the database is, and is answered when the tables are there.
What has to be mended it says in a sentence, with exit code 2; what may pass, with 75.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path

from mash.config.channels import read_channels
from mash.config.errors import AWAY, TO_MEND, NotYet, ToMend
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.flows.installation.cluster import provide_roles
from mash.flows.installation.prefect_tables import up_to_date
from mash.flows.installation.preparation import CHECKED, PREFECT_PROVIDED, PROVIDED
from mash.flows.store.schema import upgrade


def check_files(settings: Settings) -> None:
    """Raises WrongFile and SettingsError for what is wrong in a file: it is said before anything starts."""
    for hub in settings.hub_names:
        load_profile(hub, settings.profiles_dir)
    read_channels(settings.channels_file)


def provide_tables(data_dir: Path, socket: str | None, owner_url: str, prefect_url: str | None) -> bool:
    """Make the roles of the embedded cluster, if it is one with a socket, and bring the tables up to date. Returns whether those
    of Prefect are."""
    if socket:
        provide_roles(data_dir, Path(socket))
    upgrade(owner_url)
    return prefect_url is not None and up_to_date(prefect_url)


def _main() -> None:
    settings = Settings.model_validate_json(sys.stdin.readline())
    try:
        check_files(settings)
        print(CHECKED, flush=True)
        for line in sys.stdin:
            of_prefect = provide_tables(settings.data_dir, **json.loads(line))
            print(PREFECT_PROVIDED if of_prefect else PROVIDED, flush=True)
    except ToMend as wrong:
        sys.stderr.write(str(wrong))
        sys.exit(TO_MEND)
    except NotYet as away:
        sys.stderr.write(str(away))
        sys.exit(AWAY)
    except Exception as error:
        # What an error says may hold a password; where it came about, and of what kind it is, does not.
        traceback.print_tb(error.__traceback__)
        of_database = getattr(getattr(error, "orig", error), "diag", None)
        why = f": {of_database.message_primary} ({of_database.sqlstate})" if of_database and of_database.message_primary else ""
        sys.stderr.write(f"{type(error).__name__}{why}")
        sys.exit(1)


if __name__ == "__main__":
    _main()
