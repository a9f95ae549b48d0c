"""What has to be there before the parts start, provided by a process of its own that ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from mash.config.errors import AWAY, TO_MEND, NotYet
from mash.config.settings import Settings
from mash.flows.installation.parts import bare_environment
from mash.flows.installation.processes import PartNotStarted, ends_with_parent


class Preparation:
    """The process of `flows/installation/prepare.py`, which checks the files while the database starts. It is given the
    settings by its standard input: neither a command line nor an environment shows a secret to others."""

    def __init__(self, settings: Settings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mash.flows.installation.prepare"],
            env=bare_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=ends_with_parent(signal.SIGKILL),
        )
        self._tell({name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in settings})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def provide_tables(self, socket: Path | None, owner_url: str) -> None:
        """Have the files checked and the tables there, and wait until that is so; the socket is the embedded cluster's. Raises
        PartNotStarted for what has to be mended first, and NotYet."""
        self._tell({"socket": str(socket) if socket else None, "owner_url": owner_url})
        assert self._process.stdout
        if self._process.stdout.readline():
            return
        _, words = self._process.communicate()
        if self._process.returncode == TO_MEND:
            raise PartNotStarted(words)
        if self._process.returncode == AWAY:
            raise NotYet(words)
        raise RuntimeError(f"the installation could not be prepared:\n{words}")

    def _tell(self, what: dict[str, object]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(what, default=str) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it has ended, and says why when it is asked
