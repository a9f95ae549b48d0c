"""Changing a rota from the command line: what it comes to is said before it is in force, and what would be in force without
effect is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from commands import Done
from commands import mash_here as mash
from hub import Hub, hub_here

from mash.flows.store.rotas import read_rota, rota_version, store_rota
from mash.flows.store.store import open_store
from mash.notifications.rota import Rota

HEADINGS = "entry,role,person,days,starts,ends,since,until,every,bank_holidays,instead_of,why\n"
DAY = "weekly,duty_manager,dm1,mon tue wed thu fri,09:00,17:00,2026-11-02,,,,,\n"
NIGHT = "weekly,out_of_hours,edt1,mon tue wed thu fri sat sun,17:00,09:00,2026-11-02,,,,,\n"
EMPTY_CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Rota//EN\r\nEND:VCALENDAR\r\n"
ELSEWHERE = """BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:duty_manager: dm1\r
DTSTART;TZID=Europe/London:20261102T090000\r\nDURATION:PT8H\r\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub, on a Friday morning."""
    with hub_here(time_start="2026-11-27T09:30:00+00:00") as running:
        yield running


class Rotas:
    """`mash rota` at a hub."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        self.where = {
            "MASH_DATA_DIR": str(hub.settings.data_dir),
            "MASH_CHANNELS_FILE": str(hub.settings.channels_file),
            "COLUMNS": "400",
        }

    def __call__(self, *arguments: str, answers: str = "") -> Done:
        return mash("rota", *arguments, answers=answers, **self.where)

    def put(self, text: str, *more: str, name: str = "rota.csv", answers: str = "") -> Done:
        """Import a file of this text."""
        path = self.folder / name
        path.write_bytes(text.encode())
        return self("import", "merton", str(path), *more, answers=answers)

    def on_duty(self, role: str, at: str) -> list[str]:
        shown = json.loads(self("show", "merton", "--at", at, "--json").stdout)
        return [line["person"] for line in shown["hubs"]["merton"] if line["role"] == role]


@pytest.fixture
def rota(hub: Hub, tmp_path: Path) -> Iterator[Rotas]:
    """A hub where dm1 has the days and edt1 the nights; what a test puts in force is taken back."""
    rotas = Rotas(hub, tmp_path)
    assert rotas.put(HEADINGS + DAY + NIGHT, "--yes").returncode == 0
    yield rotas
    hub.sql("TRUNCATE rota")


def refusal(done: Done) -> str:
    """How a command was refused, on one line."""
    assert done.returncode == 2, done.stdout
    return " ".join(done.stderr.replace("│", " ").split())


# --- said before it is in force -----------------------------------------------------------------------------------------------


def test_what_was_understood_is_said_with_weekday_date_and_year_and_nothing_happens_until_somebody_says_yes(rota: Rotas) -> None:
    absent = ["absent", "merton", "dm1", "--from", "friday 9:00", "--until", "friday 13:00"]
    for answers, tail in (("", "nobody answered. In a script say --yes."), ("n\n", "nothing is changed")):
        asked = rota(*absent, answers=answers)
        assert asked.returncode == 1 and asked.stdout.rstrip().endswith(tail)
        assert "dm1 is away: from Fri 4 Dec 2026 09:00, in 7 days, until Fri 4 Dec 2026 13:00, in 7 days (4 h)" in asked.stdout
        assert "duty_manager: - dm1: Fri 4 Dec 2026 09:00 to 13:00 (4 h)" in asked.stdout
        assert "nobody is on duty: duty manager from Fri 04 Dec 09:00 to Fri 04 Dec 13:00" in asked.stdout
        assert rota.on_duty("duty_manager", "4 dec 10:00") == ["dm1"]
    dry = rota(*absent, "--dry-run")
    assert dry.returncode == 0 and "nothing is changed (--dry-run)" in dry.stdout
    assert rota.on_duty("duty_manager", "4 dec 10:00") == ["dm1"]
    assert rota(*absent, answers="y\n").returncode == 0
    assert [rota.on_duty("duty_manager", f"4 dec {at}") for at in ("10:00", "13:00")] == [[None], ["dm1"]]


def test_who_is_on_at_a_time_is_headed_by_the_time_that_was_understood(rota: Rotas) -> None:
    assert rota("show", "--at", "friday 17:10").stdout.startswith("merton, Fri 27 Nov 2026 17:10, today, in 7 h")
    assert rota("show", "--at", "friday 9:00").stdout.startswith("merton, Fri 4 Dec 2026 09:00, in 7 days")
    assert "at what time?" in refusal(rota("show", "--at", "friday"))
    assert "say 'friday 17:10'" in refusal(rota("show", "--at", "whenever"))


def test_an_end_that_comes_before_its_beginning_or_is_past_is_refused(rota: Rotas) -> None:
    cover = ["cover", "merton", "duty_manager", "dm1", "--yes"]
    assert "end before it begins" in refusal(rota(*cover, "--from", "friday 9:00", "--until", "tomorrow 9:00"))
    assert "over already" in refusal(rota(*cover, "--from", "26/11/26 9:00", "--until", "26/11/26 17:00"))


def test_an_import_shows_who_is_added_who_goes_and_in_which_hours(rota: Rotas) -> None:
    swapped = DAY.replace("mon tue wed thu fri", "mon tue wed thu") + DAY.replace("dm1,mon tue wed thu fri", "dm2,fri")
    shown = rota.put(HEADINGS + swapped, answers="y\n").stdout
    assert "new here, with no channels of their own and no account: dm2 (line 3)" in shown
    assert "duty_manager: + dm2, who is added: Fri 27 Nov 2026 09:30 to 17:00; Fri 4 Dec 2026 09:00 to 17:00;" in shown
    assert "duty_manager: - dm1: Fri 27 Nov 2026 09:30 to 17:00;" in shown
    assert "out_of_hours: - edt1, who goes:" in shown and "out_of_hours: is not kept by rota any more" in shown
    again = rota.put(HEADINGS + swapped, "--yes")
    assert again.returncode == 0 and "this is in force already" in again.stdout
    rota.hub.work()
    assert rota.hub.received.telling("administrator", "MASH system: a role is not kept by rota any more")


def test_a_rota_that_somebody_else_changed_meanwhile_is_not_overwritten(hub: Hub, rota: Rotas) -> None:
    async def both() -> tuple[bool, bool, int]:
        store = await open_store(hub.settings)
        try:
            version, now = await rota_version(store, "merton"), await read_rota(store, "merton")
            first = await store_rota(store, "merton", now, "one", instead_of=version)
            second = await store_rota(store, "merton", Rota(), "other", instead_of=version)
            return first, second, len((await read_rota(store, "merton")).patterns)
        finally:
            await store.close()

    assert asyncio.run(both()) == (True, False, 2)


# --- refused, as it would have no effect --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (EMPTY_CALENDAR, "rota.ics"),
        (HEADINGS, "rota.csv"),
        ("", "rota.csv"),
        (HEADINGS + DAY.replace(",,,,,", ",2026-11-06,,,,"), "a"),
    ],
)
def test_a_file_that_holds_nobody_is_refused_unless_that_is_said(rota: Rotas, text: str, name: str) -> None:
    assert "nobody in it holds a role from now on: if that is meant, say --empty" in refusal(rota.put(text, "--yes", name=name))
    assert rota.on_duty("duty_manager", "friday 10:00") == ["dm1"]
    assert "is not kept by rota any more" in rota.put(text, "--yes", "--empty", name=name).stdout
    assert rota.on_duty("duty_manager", "friday 10:00") == [None]


def test_the_word_for_an_empty_file_is_refused_where_somebody_is_in_it(rota: Rotas) -> None:
    assert "--empty: somebody in it holds a role" in refusal(rota.put(HEADINGS + DAY, "--yes", "--empty"))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            DAY.replace("duty_manager", "duty_manger"),
            "line 4: 'duty_manger' is not known as a role of the hub: is duty_manager meant?",
        ),
        ("absence,,dm11,,4/12/2026 9:00,4/12/2026 17:00,,,,,,\n", "line 4: the absence takes nobody off: 'dm11' is not known"),
        (
            "shift,duty_manager,dm3,,4/12/2026 9:00,4/12/2026 17:00,,,,,dm11,cover\n",
            "line 4: it is in nobody's place: 'dm11' is not known among those who hold duty_manager: is dm1 meant?",
        ),
    ],
)
def test_a_file_with_a_role_or_a_person_that_nobody_knows_is_refused_by_line(rota: Rotas, more: str, says: str) -> None:
    assert says in refusal(rota.put(HEADINGS + DAY + NIGHT + more, "--yes"))


def test_a_command_with_a_role_or_a_person_that_nobody_knows_is_refused(rota: Rotas) -> None:
    times = ["--from", "friday 10:00", "--until", "friday 13:00", "--yes"]
    assert "'dm11' is not known among those who hold a role at merton: is dm1 meant?" in refusal(
        rota("absent", "merton", "dm11", *times)
    )
    cover = ["cover", "merton", "duty_manager", "dm3", *times]
    assert "'dm11' is not known among those who hold duty_manager" in refusal(rota(*cover, "--instead-of", "dm11"))
    assert "cannot stand in for themselves" in refusal(rota(*cover, "--instead-of", "dm3"))
    cover[2] = "duty_manger"
    assert "'duty_manger' is not known as a role of merton: is duty_manager meant?" in refusal(rota(*cover))
    swap = ["swap", "merton", "duty_manager", "dm1", "dm11", "friday 10:00", "monday 10:00", "--yes"]
    assert "'dm11' is not known among those who hold duty_manager" in refusal(rota(*swap))


def test_an_absence_or_a_cover_that_takes_nobody_off_is_pointed_out(rota: Rotas) -> None:
    weekend = ["--from", "saturday 9:00", "--until", "saturday 13:00", "--yes"]
    assert (
        "Please look: dm1 is on duty at no time Sat 28 Nov 2026 09:00 to 13:00"
        in rota("absent", "merton", "dm1", *weekend).stdout
    )
    shown = rota("cover", "merton", "duty_manager", "dm3", "--instead-of", "dm1", *weekend).stdout
    assert "Please look: dm1 does not hold duty_manager Sat 28 Nov 2026 09:00 to 13:00: dm3 replaces nobody" in shown
    stays = rota("absent", "merton", "dm3", *weekend).stdout
    assert "Please look: dm3 stays on duty by name: duty_manager Sat 28 Nov 2026 09:00 to 13:00" in stays


# --- a plan that goes on ------------------------------------------------------------------------------------------------------


def test_a_calendar_whose_turns_are_written_out_says_so_in_time_and_administrators_are_told(hub: Hub, rota: Rotas) -> None:
    shown = rota.put(ELSEWHERE, "--yes", name="rota.ics").stdout
    assert (
        "what no weekly pattern can say is written out until" in shown and "administrators are told eight weeks before" in shown
    )
    assert "`mash rota import` the calendar again" not in shown, "two years ahead there is nothing to do yet"
    assert rota.on_duty("duty_manager", "friday 10:00") == ["dm1"]

    async def later() -> Any:
        store = await open_store(hub.settings)
        try:
            soon = datetime(2027, 1, 8, 9, tzinfo=UTC)
            written = (await read_rota(store, "merton")).model_copy(update={"written_out_until": soon})
            return await store_rota(store, "merton", written, "test")
        finally:
            await store.close()

    asyncio.run(later())
    assert "written out until Fri 8 Jan 2027 09:00 only: `mash rota import` the calendar again" in rota("check", "merton").stdout
    hub.work()
    assert hub.received.telling("administrator", "MASH system: the rota runs out") == 1
    hub.work()
    assert hub.received.telling("administrator", "MASH system: the rota runs out") == 1, "once a week"
    exported = rota("export", "merton").stdout
    assert "written_out,,,,,2027-01-08T09:00+00:00" in exported
    assert rota.put(exported, "--yes").returncode == 0 and "this is in force already" in rota.put(exported, "--yes").stdout
