"""systemd's units, run by hand: their settings, their user and their command, where there is no systemd."""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
from pathlib import Path

Unit = list[tuple[str, str]]


def read_unit(path: Path) -> Unit:
    """The lines of a unit, in order: a name may come more than once."""
    lines = (line for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def _environment(unit: Unit) -> dict[str, str]:
    """As systemd gives it: what `Environment` says stands over what is in the files."""
    files = [Path(value).read_text().splitlines() for name, value in unit if name == "EnvironmentFile"]
    lines = [line for file in files for line in file if "=" in line and not line.startswith("#")]
    lines += [value for name, value in unit if name == "Environment"]
    return dict(line.split("=", 1) for line in lines)


def start_unit(path: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start what a unit starts, as its user, with its settings and nothing else."""
    unit = read_unit(path)
    of = dict(unit)
    whose = pwd.getpwnam(of["User"])
    as_user = {"user": whose.pw_uid, "group": whose.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": whose.pw_dir, **_environment(unit)}
    with log.open("ab") as file:
        return subprocess.Popen(
            shlex.split(of["ExecStart"]), env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=file, stderr=file, **as_user
        )
