"""The stack that is measured: a hub of five agencies, and what its processes cost."""

from __future__ import annotations

import re
from pathlib import Path

import psutil

from mash.config.settings import Settings
from mash.flows.installation.stack import Stack, free_port

HUB = "bench"
AGENCIES = ("police", "social_care", "health", "education", "housing")
RATING = "red"
OURS = "bench=1"
"""What the benchmark's own requests to Prefect carry, so that they are not counted as the worker's."""
POLLS = ("get_scheduled_flow_runs", "/heartbeat")
"""What the worker asks by the clock and not for a referral."""
AT_REST = 25.0
"""Seconds after which nothing is left of a start: of the connections, too, that it took."""
COMMANDS = {" api": "api", " worker": "worker", "prefect.server.api.server": "prefect", "bin/postgres -D": "postgres"}
"""How the command of a part's process is known, whichever build began it."""
_RATING = f"""
title = "Benchmark"
area = "Nowhere"
[ratings.{RATING}]
title = "Red"
severity = 3
route = ["agency_checks", "mash_meeting", "decision"]
covers = ["agency_checks", "mash_meeting"]
source = "benchmark"
[ratings.{RATING}.response]
length = "4 h"
source = "benchmark"
[agencies]
source = "benchmark"
"""


def bench_settings(folder: Path, mail_port: int) -> Settings:
    """Settings of a stack of its own, on free ports, with the mail catcher as every role's channel."""
    profiles = folder / "profiles"
    profiles.mkdir()
    agencies = [f'[agencies.{a}]\ntitle = "{a}"\nrole = "{a}_navigator"\nlead = "{a}_lead"\n' for a in AGENCIES]
    (profiles / f"{HUB}.toml").write_text(_RATING + "".join(agencies))
    mail = f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org"
    channels = folder / "channels.toml"
    channels.touch(mode=0o600)
    channels.write_text(f'["*"]\n"*" = ["{mail}&to=role@example.org"]\n')
    return Settings.model_validate({
        "data_dir": folder / "data", "api_port": free_port(), "prefect_api_url": f"http://127.0.0.1:{free_port()}/api",
        "hubs": HUB, "profiles_dir": profiles, "channels_file": channels, "mail_url": mail,
        "requests_per_minute": 0, "anonymous_requests_per_minute": 0})  # fmt: skip


class BenchStack(Stack):
    """A stack as in production, but that Prefect's server writes an access log, by which its calls are counted."""

    def prefect_server(self) -> tuple[list[str], dict[str, str]]:
        command, environment = super().prefect_server()
        shown = [*(word for word in command if word not in ("--no-access-log", "--log-level", "warning")), "--log-level", "info"]
        del environment["PREFECT_LOGGING_SETTINGS_PATH"]  # by which a line is written once a minute
        return shown, {**environment, "PREFECT_LOGGING_SERVER_LEVEL": "INFO"}

    def prefect_calls(self, about: tuple[str, ...] = ("",)) -> int:
        """How many requests the worker has made of Prefect so far `about` something (a part of an address), but for its regular
        polls."""
        lines = (self.logs / "prefect.log").read_text(errors="replace").splitlines()
        asked = [line for line in lines if re.search(r'"[A-Z]+ /api/\S+ HTTP', line)]
        counted = [line for line in asked if not any(part in line for part in (OURS, *POLLS))]
        return sum(any(part in line for part in about) for line in counted)

    def process(self, part: str) -> psutil.Process:
        """A part's process, or the postmaster."""
        return psutil.Process(self.processes[part])

    def cpu(self, *parts: str) -> float:
        """CPU seconds that the parts have used so far, with their children, ended ones included."""
        return sum(cpu_of(self.process(part)) for part in parts)

    def memory(self, *parts: str) -> float:
        """What the parts hold in memory, in megabytes."""
        return sum(memory_of(self.process(part)) for part in parts)


def parts_of(up: psutil.Process) -> dict[str, psutil.Process]:
    """The process of each part of a `mash up` by its name, and its own as `up`."""
    found = {"up": up}
    for child in up.children():
        command = " ".join(child.cmdline())
        part = next((name for sign, name in COMMANDS.items() if sign in command), None)
        if part:
            found[part] = child
    return found


def memory_by_part(up: psutil.Process) -> dict[str, float]:
    """What each part of a `mash up` holds in memory, in megabytes: PostgreSQL with its processes, `up` without the parts."""
    return {name: memory_of(process) if name != "up" else _own(process) for name, process in parts_of(up).items()}


def memory_of(process: psutil.Process) -> float:
    """What a process and its children hold in memory, in megabytes: of what processes share, each has its part."""
    return sum(_own(each) for each in (process, *process.children(recursive=True)))


def _own(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0  # it ended this moment


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds that a process has used so far, with its children, ended ones included."""
    own = process.cpu_times()
    total: float = own.user + own.system + own.children_user + own.children_system
    for child in process.children():
        try:
            total += cpu_of(child)
        except psutil.NoSuchProcess:
            continue  # it ended this moment: from now on it is in its parent's children_user
    return total


def last_words(folder: Path) -> list[str]:
    """The last lines of every part's log: the folder goes with the benchmark."""
    logs = sorted((folder / "data" / "logs").glob("*.log"))
    return [f"{log.name}: {line}" for log in logs for line in log.read_text(errors="replace").splitlines()[-8:]]
