"""Secrets are in files: no part has one on its command line, and none in its environment but what Prefect's server asks for."""

from __future__ import annotations

from pathlib import Path

import psutil
from hub import Hub

PREFECTS = {"prefect_database_url", "prefect_auth_string"}
"""Prefect reads its login and its database's address from its environment, and knows no file for them."""


def test_no_secret_is_in_the_environment_or_on_the_command_line_of_a_part_that_needs_none(hub: Hub) -> None:
    keys = {path.name: path.read_text().strip() for path in (hub.settings.data_dir / "keys").iterdir()}
    # The embedded database's addresses name a socket and a role: there is no password in them.
    secrets = {name: key for name, key in keys.items() if not name.endswith("database_url") and not name.startswith(".")}
    assert {"master_key", "signing_key", "token_key", "prefect_auth_string"} <= secrets.keys()
    for part, pid in hub.stack.processes.items():
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            try:
                environment = Path(f"/proc/{process.pid}/environ").read_text(errors="replace")
                line = Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                assert process.pid != pid, part
                continue  # a connection's process of PostgreSQL's that has ended
            seen = {name for name, secret in secrets.items() if secret in environment}
            assert seen <= (PREFECTS if part == "prefect" else set()), part
            assert not [name for name, secret in secrets.items() if secret in line], part
