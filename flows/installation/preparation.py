"""What has to be there before the parts start, provided by a process of its own that ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from mash.config.errors import AWAY, TO_MEND, NotYet
from mash.config.settings import Settings
from mash.flows.installation.parts import bare_environment
from mash.flows.installation.processes import PartNotStarted, ends_with_parent

CHECKED, PROVIDED = "the files are right", "the tables are there"
PREFECT_PROVIDED = "the tables are there, and Prefect's"
"""What it answers."""


class Preparation:
    """The process of `flows/installation/prepare.py`, which checks the files while the database starts. It is given the
    settings by its standard input: neither a command line nor an environment shows a secret to others."""

    def __init__(self, settings: Settings) -> None:
        self._complaint = tempfile.TemporaryFile()  # noqa: SIM115  a pipe that nobody reads would fill
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mash.flows.installation.prepare"],
            # How PostgreSQL's own clients are told of a server: whoever's database it is may have set it up by these.
            env={**bare_environment(), **{name: value for name, value in os.environ.items() if name.startswith("PG")}},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaint,
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
        self._complaint.close()

    def check_files(self) -> None:
        """Wait until the files are checked. Raises PartNotStarted for what has to be mended first."""
        self._wait_for(CHECKED)

    def provide_tables(self, socket: Path | None, owner_url: str, prefect_url: SecretStr | None) -> bool:
        """Have the tables there; the socket is the embedded cluster's. Returns whether Prefect's are there too, as its release
        wants them; its server makes them otherwise. Raises PartNotStarted and NotYet."""
        of_prefect = prefect_url.get_secret_value() if prefect_url else None
        self._tell({"socket": str(socket) if socket else None, "owner_url": owner_url, "prefect_url": of_prefect})
        return self._wait_for(PROVIDED, PREFECT_PROVIDED) == PREFECT_PROVIDED

    def _wait_for(self, *answers: str) -> str:
        assert self._process.stdout
        for line in self._process.stdout:
            if (answer := line.strip()) in answers:
                return answer
        code = self._process.wait()
        self._complaint.seek(0)
        words = self._complaint.read().decode(errors="replace")
        if code == TO_MEND:
            raise PartNotStarted(words)
        if code == AWAY:
            raise NotYet(words)
        raise RuntimeError(f"the installation could not be prepared:\n{words}")

    def _tell(self, what: dict[str, object]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(what, default=str) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it has ended, and says why when it is asked
