"""The `mash` command, as a person runs it: in a process of its own, or, many times over, in this one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

from hub import PATIENCE

from mash.api.commands.mash import main

Done = subprocess.CompletedProcess[str]


def mash(*arguments: str, **environment: str) -> Done:
    """Run `mash` to its end in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mash.api.commands.mash", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **environment},
    )


def mash_here(*arguments: str, answers: str = "", **environment: str) -> Done:
    """The same in this process: a second less for each command. `answers` is what somebody types when they are asked."""
    code, printed, complained = 0, io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", ["mash", *arguments]),
        patch.object(sys, "stdin", io.StringIO(answers)),
        redirect_stdout(printed),
        redirect_stderr(complained),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, printed.getvalue(), complained.getvalue())
