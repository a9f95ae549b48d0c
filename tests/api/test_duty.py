"""Who is on duty and how notices read, from the command line and over the API; and that a gap is told long before it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from commands import mash_here as mash
from hub import Hub, eventually, hub_here

ROTA = """entry,role,person,days,starts,ends,since,until,every,bank_holidays,instead_of,why
weekly,duty_manager,dm1,mon tue wed thu,09:00,17:00,2026-11-02,,,,,
weekly,duty_manager,dm2,fri,09:00,17:00,2026-11-02,,,,,
weekly,out_of_hours,edt1,mon tue wed thu fri sat sun,17:00,09:00,2026-11-02,,,,,
weekly,out_of_hours,edt2,sat sun,09:00,17:00,2026-11-02,,,,,
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub at which an hour takes fifteen seconds."""
    with hub_here(rate=240.0) as running:
        yield running


@pytest.fixture
def where(hub: Hub) -> Iterator[dict[str, str]]:
    """The installation's environment; the rota that a test puts in force is taken back."""
    yield {
        "MASH_DATA_DIR": str(hub.settings.data_dir),
        "MASH_CHANNELS_FILE": str(hub.settings.channels_file),
        "COLUMNS": "200",
    }
    hub.sql("TRUNCATE rota")


def put_in_force(where: dict[str, str], tmp_path: Path, text: str = ROTA) -> str:
    path = tmp_path / "rota.csv"
    path.write_text(text)
    done = mash("rota", "import", "merton", str(path), "--yes", **where)
    assert done.returncode == 0, done.stderr
    return done.stdout


def on_duty(where: dict[str, str], at: str, role: str) -> list[str]:
    shown = json.loads(mash("rota", "show", "merton", "--at", at, "--json", **where).stdout)
    return [line["person"] for line in shown["hubs"]["merton"] if line["role"] == role]


def test_who_is_on_at_a_time_as_people_say_it_and_why_without_any_address(
    hub: Hub, where: dict[str, str], tmp_path: Path
) -> None:
    assert "4 weekly patterns" in put_in_force(where, tmp_path)
    shown = mash("rota", "show", "--at", "friday 17:10", **where).stdout
    (line,) = [line for line in shown.splitlines() if "out_of_hours" in line]
    assert "edt1" in line and "weekly, Fri" in line and "out_of_hours 1: mailto" in line
    assert "example.org" not in shown and "127.0.0.1" not in shown
    (line,) = [line for line in shown.splitlines() if "duty_manager" in line]
    assert "nobody: a gap in the rota" in line, "after five it is the emergency team's"
    assert on_duty(where, "friday 10:00", "duty_manager") == ["dm2"]
    assert on_duty(where, "2026-12-01 10:00", "duty_manager") == ["dm1"]
    assert mash("rota", "show", "--at", "whenever", **where).returncode == 2


def test_swap_cover_and_absence_change_who_is_on(hub: Hub, where: dict[str, str], tmp_path: Path) -> None:
    put_in_force(where, tmp_path)
    assert (
        mash(
            "rota", "swap", "merton", "duty_manager", "dm1", "dm2", "2026-12-03 10:00", "2026-12-04 10:00", "--yes", **where
        ).returncode
        == 0
    )
    assert on_duty(where, "2026-12-03 10:00", "duty_manager") == ["dm2"]
    assert on_duty(where, "2026-12-04 10:00", "duty_manager") == ["dm1"]
    absent = mash(
        "rota", "absent", "merton", "dm1", "--from", "2026-12-07 00:00", "--until", "2026-12-08 00:00", "--yes", **where
    )
    assert absent.returncode == 0
    assert on_duty(where, "2026-12-07 10:00", "duty_manager") == [None]
    cover = ["duty_manager", "dm3", "--from", "2026-12-07 09:00", "--until", "2026-12-07 17:00", "--instead-of", "dm1"]
    assert mash("rota", "cover", "merton", *cover, "--yes", **where).returncode == 0
    assert on_duty(where, "2026-12-07 10:00", "duty_manager") == ["dm3"]
    refused = mash("rota", "swap", "merton", "duty_manager", "dm1", "dm2", "2026-12-05 10:00", "2026-12-04 10:00", **where)
    assert refused.returncode == 2 and "dm1 is not on duty as duty_manager at Sat 5 Dec 2026 10:00" in " ".join(
        refused.stderr.split()
    )


def test_a_rota_goes_out_and_comes_in_again_as_csv_and_as_icalendar(hub: Hub, where: dict[str, str], tmp_path: Path) -> None:
    put_in_force(where, tmp_path)
    before = mash("rota", "export", "merton", **where).stdout
    calendar = tmp_path / "rota.ics"
    calendar.write_text(mash("rota", "export", "merton", "--format", "ical", **where).stdout)
    assert "RRULE:FREQ=WEEKLY" in calendar.read_text()
    assert mash("rota", "import", "merton", str(calendar), "--yes", **where).returncode == 0
    # The same but for the day since when: a calendar's series begins with a shift.
    assert mash("rota", "export", "merton", **where).stdout == before.replace(
        "fri,09:00,17:00,2026-11-02", "fri,09:00,17:00,2026-11-06"
    ).replace("sat sun,09:00,17:00,2026-11-02", "sat sun,09:00,17:00,2026-11-07")


def test_a_wrong_rota_is_refused_by_line_and_the_one_in_force_stays(hub: Hub, where: dict[str, str], tmp_path: Path) -> None:
    put_in_force(where, tmp_path)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(ROTA.replace("dm2", "Jane Doe"))
    refused = mash("rota", "import", "merton", str(wrong), "--yes", **where)
    assert refused.returncode == 2 and "line 3: person" in " ".join(refused.stderr.split()) and "Jane" not in refused.stderr
    assert on_duty(where, "friday 10:00", "duty_manager") == ["dm2"]


def test_a_gap_is_found_and_told_to_the_administrators(hub: Hub, where: dict[str, str], tmp_path: Path) -> None:
    printed = put_in_force(where, tmp_path, ROTA.replace("fri,09:00,17:00", "fri,09:00,15:00"))
    assert "merton: nobody is on duty: duty manager from Fri" in printed
    checked = mash("rota", "check", "merton", **where)
    assert checked.returncode == 1 and "15:00" in checked.stdout
    subject = "MASH system: nobody will be on duty"
    hub.work()
    assert hub.received.telling("administrator", subject) >= 1
    answer = hub.http.get("/rota", headers=hub.staff("duty_manager", hub="merton")).json()
    assert answer["gaps"][0]["role"] == "duty_manager"
    begins = datetime.fromisoformat(answer["gaps"][0]["begins"])
    assert begins - datetime.fromisoformat(answer["at"]) > timedelta(0)
    assert set(answer["on_duty"]) == {"duty_manager", "out_of_hours"}


def test_a_test_goes_to_whoever_is_on_duty_and_says_what_each_channel_did(
    hub: Hub, where: dict[str, str], tmp_path: Path
) -> None:
    sent = mash("notify", "test", "practice_manager", "--hub", "merton", **where)
    assert sent.returncode == 0 and "practice_manager 1: json" in sent.stdout and "ok" in sent.stdout
    assert any("Test of" in post["title"] for post in hub.received.posts)
    hub.received.refuse = True
    try:
        failed = mash("notify", "test", "practice_manager", "--hub", "merton", **where)
    finally:
        hub.received.refuse = False
    assert failed.returncode == 1 and "failed" in failed.stdout and "127.0.0.1" not in failed.stdout
    assert mash("notify", "test", "nobody", "--hub", "merton", **where).returncode == 1
    assert "--hub" in mash("notify", "test", "practice_manager", **where).stderr


def test_notices_can_be_looked_at_and_a_hubs_own_words_too(tmp_path: Path) -> None:
    shown = mash("notify", "preview").stdout
    assert "LATE: MASH-26-000123, reply of Police" in shown and "IMMEDIATE DANGER" in shown
    (tmp_path / "warning.j2").write_text(
        "{% block title %}Soon: {{ reference }}{% endblock %}{% block body %}{{ why }}{% endblock %}"
    )
    own = mash("notify", "preview", "warning", "--json", MASH_TEMPLATES_DIR=str(tmp_path)).stdout
    assert json.loads(own)["warning"]["title"] == "Soon: MASH-26-000123"
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "warning.j2").write_text("{% block title %}{{ name }}{% endblock %}")
    refused = mash("notify", "preview", "warning", MASH_TEMPLATES_DIR=str(tmp_path / "wrong"))
    assert (refused.returncode, refused.stderr) == (2, "mash: warning.j2: 'name' is undefined\n")
    assert mash("notify", "preview", "postcard").returncode == 2


def test_what_could_not_be_delivered_shows_on_the_board_and_can_be_tried_again(hub: Hub, where: dict[str, str]) -> None:
    reference = hub.referral()
    hub.work()
    assert hub.sql("SELECT count(*) FROM notice WHERE reference = %s AND status = 'queued'", reference) == [(0,)]
    hub.sql("UPDATE notice SET status = 'dead' WHERE reference = %s AND kind = 'contact_to_rate'", reference)
    board = hub.http.get("/cases", headers=hub.staff("duty_manager"), params={"limit": 500}).json()
    assert board["undelivered"] == 1
    assert [case["undelivered"] for case in board["cases"] if case["reference"] == reference] == [1]
    assert "1 notice could not be delivered" in " ".join(hub.http.get("/health").json()["wrong"])
    assert reference in mash("notify", "dead", **where).stdout
    assert "1 notice is tried again" in mash("notify", "retry", **where).stdout
    hub.work()
    assert hub.http.get("/cases", headers=hub.staff("duty_manager")).json()["undelivered"] == 0


def test_who_has_an_alert_shows_on_the_board_and_the_case(hub: Hub) -> None:
    reference = hub.referral(concern={"summary": "He is in there with her now.", "immediate_danger": True})

    def called() -> bool:
        hub.work()
        return "triage" in hub.case(reference)["alerts"]

    eventually(called)
    hub.give(reference, "acknowledge_alert", clock="triage")
    assert hub.case(reference)["held_by"] == {"triage": "duty_manager.social_care"}
