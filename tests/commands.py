"""The `mash` command, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys


def mash(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `mash` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "mash.api.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )
