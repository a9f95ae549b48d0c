"""Attacks by inputs that mean nothing, or half of what they say: none of them may be in force without a word."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, time
from pathlib import Path

from mash.api.self_test.attack import attack, hold
from mash.api.self_test.scene import Scene
from mash.flows.store.rotas import read_rota, store_rota
from mash.notifications.rota import Pattern, Rota
from mash.states.clocks import WEEKDAYS

HUB = "merton"
ROTA = Rota(
    patterns=(Pattern(role="duty_manager", person="dm1", days=WEEKDAYS, starts=time(9), ends=time(17), since=date(2026, 11, 2)),)
)
CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
EVENT = b"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:duty_manager: dm1\r\nDTSTART:20261102T090000Z\r\nDTEND:20261102T170000Z\r\n"
SHEET = b"entry,role,person,days,starts,ends,since\r\n"


def _refused(scene: Scene, *arguments: str, file: bytes = b"") -> str:
    """How `mash rota` refuses these arguments, with a file as the last of them. Raises GotIn where it does not, or where the rota
    in force is another afterwards."""
    scene.on.stored(lambda store: store_rota(store, HUB, ROTA, "self-test"))
    path = Path(scene.on.settings.data_dir) / "self-test.rota"
    path.write_bytes(file)
    settings = {
        "MASH_DATA_DIR": str(scene.on.settings.data_dir),
        "MASH_HUBS": ",".join(scene.on.settings.hub_names),
        "MASH_CHANNELS_FILE": str(scene.on.settings.channels_file),
        "COLUMNS": "300",
    }
    command = [sys.executable, "-m", "mash.api.commands.mash", "rota", *arguments, *([str(path)] if file else []), "--yes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **settings})
    path.unlink()
    hold(done.returncode == 2, f"exit code {done.returncode}: {done.stdout.strip()[-200:]}")
    hold(scene.on.stored(lambda store: read_rota(store, HUB)) == ROTA, "the rota in force is another one")
    _, _, refusal = " ".join(done.stderr.replace("│", " ").split()).partition("Invalid value: ")
    hold(bool(refusal), f"it ended without a sentence: {done.stderr.strip()[-200:]}")
    return refusal.rstrip("─╯╰ ").removeprefix(f"{path}: ")[:90]


@attack("empty a hub's rota by a calendar that nobody is in")
def nobody(scene: Scene) -> str:
    return _refused(scene, "import", HUB, file=CALENDAR + b"END:VCALENDAR\r\n")


@attack("empty a hub's rota by a sheet of headings")
def headings(scene: Scene) -> str:
    return _refused(scene, "import", HUB, file=SHEET)


@attack("put a calendar in force that was cut off on its way")
def cut_off(scene: Scene) -> str:
    return _refused(scene, "import", HUB, file=CALENDAR + EVENT)


@attack("have a shift that was taken out of a calendar stand all the same")
def taken_out(scene: Scene) -> str:
    rule = b"RRULE:FREQ=DAILY\r\nEXDATE:20261201T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    return _refused(scene, "import", HUB, file=CALENDAR + EVENT + rule)


@attack("put somebody on duty as a role to which no notice goes")
def no_such_role(scene: Scene) -> str:
    return _refused(scene, "import", HUB, file=SHEET + b"weekly,duty_manger,dm1,mon,09:00,17:00,2026-11-02\r\n")


@attack("keep four days of a week off a rota by a line of which only the first is read")
def half_read(scene: Scene) -> str:
    return _refused(scene, "import", HUB, file=SHEET + b"weekly,duty_manager,dm1,montue-fri,09:00,17:00,2026-11-02\r\n")


@attack("take somebody off duty who is not in the rota, and leave on duty whoever was meant")
def no_such_person(scene: Scene) -> str:
    return _refused(scene, "absent", HUB, "dm11", "--from", "friday 9:00", "--until", "friday 13:00")


@attack("change a rota at a time that is two times to two people")
def two_times(scene: Scene) -> str:
    return _refused(scene, "absent", HUB, "dm1", "--from", "next friday 9:00", "--until", "friday midnight")
