"""The page on which the dataset is taken, and the command that writes it to a file."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from arro3.io import read_parquet
from commands import Done, mash_here
from hub import Hub, eventually, hub_here, later

DAYS = {"since": "2026-11-01", "until": "2026-11-18"}
WEEKS = "2026-10-26-to-2026-11-22"
"""The weeks of these days, from Monday to Sunday."""
CAME = 3
"""Contacts that came in in them."""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub in the week after that in which some contacts came in."""
    with hub_here() as running:
        for _ in range(CAME):
            running.referral()
        with later(running, datetime(2026, 11, 24, 10, tzinfo=UTC)) as afterwards:
            yield afterwards


def analyst(hub: Hub) -> dict[str, str]:
    return hub.staff("analyst")


def taken(hub: Hub, **wanted: str) -> Any:
    return hub.http.post("/dataset", headers=analyst(hub), data={**DAYS, "form": "csv", **wanted})


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_an_analyst_comes_to_the_page_first_and_it_says_what_the_dataset_is_not(hub: Hub) -> None:
    first = hub.http.get("/", headers=analyst(hub), follow_redirects=False)
    assert first.headers["location"] == "/dataset"
    page = hub.http.get("/dataset", headers=analyst(hub)).text
    assert 'href="/dataset"' in page and "/manager" not in re.sub(r"<em>.*?</em>", "", page), "no way to where they may not go"
    for sentence in (
        "It is not anonymous.",
        "Small numbers identify.",
        "Give nobody a count under 5",
        "Whoever makes the returns can name its rows",
        "Erasing people does not remove a row.",
        "Others cannot: clocks by week",
        "Each download is recorded with your login",
    ):
        assert sentence in page


def test_what_is_taken_has_each_contact_once_and_nothing_that_names_it(hub: Hub) -> None:
    answer = taken(hub)
    rows = rows_of(answer.text)
    assert answer.status_code == 200 and len(rows) == CAME
    assert answer.headers["content-disposition"] == f'attachment; filename="dataset-sandwell-{WEEKS}.csv"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "MASH-26" not in answer.text and "Quillfeather" not in answer.text
    assert {row["hub"] for row in rows} == {"sandwell"} and {row["received_month"] for row in rows} == {"2026-11-01"}


def test_whole_weeks_are_taken_whichever_of_their_days_are_asked_for(hub: Hub) -> None:
    for day in ("2026-11-16", "2026-11-18", "2026-11-22"):
        answer = taken(hub, since=day, until=day)
        assert "2026-11-16-to-2026-11-22" in answer.headers["content-disposition"] and len(rows_of(answer.text)) == CAME


@pytest.mark.parametrize("day", ["2026-11-23", "2026-11-24", "2026-12-31", "2099-12-31"])
def test_a_week_that_is_not_over_cannot_be_taken(hub: Hub, day: str) -> None:
    answer = taken(hub, until=day)
    assert answer.status_code == 422
    assert "Choose a day to Sunday 22 November 2026: only weeks that are over can be taken" in answer.text


def test_parquet_is_read_by_its_library_and_has_as_many_rows(hub: Hub) -> None:
    answer = taken(hub, form="parquet")
    assert answer.headers["content-disposition"].endswith('.parquet"')
    table = read_parquet(io.BytesIO(answer.content)).read_all()
    assert table.num_rows == CAME and "primary_need" in table.column_names


def test_a_time_in_which_nothing_came_in_is_a_file_with_heads_alone(hub: Hub) -> None:
    nothing = {"since": "2025-01-01", "until": "2025-01-31"}
    assert taken(hub, **nothing).text.startswith("hub,received_week,") and rows_of(taken(hub, **nothing).text) == []
    table = read_parquet(io.BytesIO(taken(hub, **nothing, form="parquet").content)).read_all()
    assert table.num_rows == 0 and table.column_names[0] == "hub"


def test_the_dictionary_is_beside_it_and_explains_each_of_its_columns(hub: Hub) -> None:
    answer = hub.http.get("/dataset/dictionary.csv", headers=analyst(hub))
    lines = rows_of(answer.content.decode("utf-8-sig"))
    assert [line["column"] for line in lines[:-1]] == taken(hub).text.splitlines()[0].split(",")
    explained = {line["column"]: line for line in lines}
    assert explained["source"]["codes"].startswith("1A = ") and "red = Red" in explained["rating"]["codes"]
    assert explained["minutes_to_decided"]["when empty"] == "it waits for a decision"
    assert explained["minutes_to_decided"]["unit"] == "minutes"


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"since": ""}, "Enter a date, such as 20 11 2026"),
        ({"until": "soon"}, "Enter a date"),
        ({"until": "2026-10-31"}, "Choose a day that is not before the first"),
        ({"form": "xlsx"}, "Choose what it is"),
        ({"until": "9999-12-31"}, "Check this"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_the_field_and_nothing_is_taken(hub: Hub, wanted: dict[str, str], says: str) -> None:
    before = takings(hub)
    answer = taken(hub, **wanted)
    assert answer.status_code == 422 and says in answer.text
    assert takings(hub) == before


def takings(hub: Hub) -> list[tuple[str, str]]:
    """Who took the dataset, and what of it, as information governance reads it; the latest first."""
    asked = {"person": "analyst.social_care"}
    report = hub.http.post("/accesses", headers=hub.staff("information_governance"), json=asked).json()
    return [(row["role"], row["why"]) for row in report["accesses"] if row["action"] == "take_dataset"]


def test_who_took_it_and_what_is_read_by_information_governance(hub: Hub) -> None:
    number = len(rows_of(taken(hub, since="2026-11-02").text))
    assert takings(hub)[0] == ("analyst", f"dataset of {number} contacts, 2026-11-02 to 2026-11-22, as csv")
    page = hub.http.post("/looked", headers=hub.staff("information_governance"), data={"person": "analyst.social_care"}).text
    assert "Take dataset" in page


@pytest.mark.parametrize(
    ("role", "may"),
    [("administrator", True), ("data_manager", False), ("duty_manager", False), ("information_governance", False)],
)
def test_the_dataset_is_for_whoever_has_the_role_and_for_administrators(hub: Hub, role: str, may: bool) -> None:
    for answer in (
        hub.http.get("/dataset", headers=hub.staff(role)),
        hub.http.get("/dataset/dictionary.csv", headers=hub.staff(role)),
        hub.http.post("/dataset", headers=hub.staff(role), data={**DAYS, "form": "csv"}),
    ):
        assert answer.status_code == (200 if may else 403)


def test_an_analyst_reads_no_case_no_board_no_figure_and_no_return_that_would_name_a_row(hub: Hub) -> None:
    reference = hub.referral()
    elsewhere = ("/board", "/manager", "/people", "/looked", "/admin", "/returns", "/audit")
    for path in (f"/case/{reference}", f"/cases/{reference}", *elsewhere):
        assert hub.http.get(path, headers=analyst(hub)).status_code == 403, path
    year = hub.http.post("/returns/cin", headers=analyst(hub), data={"year": "2026", "authority": "333"})
    assert year.status_code == 403


# --- on the command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def here(hub: Hub) -> dict[str, str]:
    """The installation's environment."""
    return {"MASH_DATA_DIR": str(hub.settings.data_dir), "COLUMNS": "200"}


def written(here: dict[str, str], file: Path, *more: str) -> Done:
    days = ("--from", "2026-11-01", "--until", "2026-11-18")
    return mash_here("dataset", *days, "--hub", "sandwell", "--out", str(file), *more, **here)


def test_the_command_writes_the_dataset_and_its_dictionary_for_whoever_gives_it_alone(
    here: dict[str, str], tmp_path: Path
) -> None:
    file, beside = tmp_path / "november.csv", tmp_path / "november.csv.dictionary.csv"
    done = written(here, file)
    assert done.returncode == 0, done.stderr
    rows = rows_of(file.read_text())
    assert "november.csv: 3 contacts of the weeks from 2026-10-26 to 2026-11-22." in done.stdout and len(rows) == CAME
    assert "pseudonymous, not anonymous" in done.stdout and len([*tmp_path.iterdir()]) == 2
    assert [each.stat().st_mode & 0o777 for each in (file, beside)] == [0o600, 0o600]
    assert [line["column"] for line in rows_of(beside.read_text("utf-8-sig"))[:-1]] == list(rows[0])
    assert written(here, tmp_path / "other.parquet", "--format", "parquet").returncode == 0
    assert read_parquet(tmp_path / "other.parquet").read_all().num_rows == len(rows)


def test_the_command_overwrites_nothing_and_leaves_nothing_behind_where_it_fails(here: dict[str, str], tmp_path: Path) -> None:
    there = tmp_path / "november.csv.dictionary.csv"
    there.write_text("mine")
    refused = written(here, tmp_path / "november.csv")
    assert refused.returncode == 2 and "expected a file that is not there yet" in refused.stderr
    assert [each.name for each in tmp_path.iterdir()] == [there.name] and there.read_text() == "mine"


def test_a_command_that_is_killed_leaves_nothing_by_the_name_of_the_dataset(
    hub: Hub, here: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "november.csv"
    arguments = ("dataset", "--from", "2026-11-01", "--until", "2026-11-18", "--hub", "sandwell", "--out", str(file))
    with hub.connection("mash_owner") as other, other.transaction():
        other.execute("LOCK TABLE access IN ACCESS EXCLUSIVE MODE")  # that it is taken cannot be written down meanwhile
        command = [sys.executable, "-m", "mash.api.commands.mash", *arguments]
        with subprocess.Popen(command, env={**os.environ, **here}, stderr=subprocess.DEVNULL) as process:
            eventually(lambda: (tmp_path / "november.csv.part").exists())
            process.kill()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["november.csv.dictionary.csv.part", "november.csv.part"]
    refused = written(here, file)
    assert refused.returncode == 2 and "november.csv.dictionary.csv.part: File exists" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "2026-11-30", "--until", "2026-11-01", "--hub", "sandwell"), "before --from"),
        (("--from", "2026-11-01", "--until", "2026-11-18"), "there are several"),
        (("--from", "2026-11-01", "--until", "2026-11-23", "--hub", "sandwell"), "only weeks that are over"),
        (("--from", "2026-11-01", "--until", "9999-12-31", "--hub", "sandwell"), "only weeks that are over"),
        (("--from", "soon", "--until", "2026-11-18"), "does not match the format"),
        (("--from", "2026-11-01", "--until", "2026-11-18", "--hub", "nowhere"), "nowhere"),
    ],
)
def test_the_command_says_what_it_cannot_do(here: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = mash_here("dataset", *arguments, "--out", str(tmp_path / "x.csv"), **here)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_command_takes_all_there_is_from_the_first_day_of_all(here: dict[str, str], tmp_path: Path) -> None:
    days = ("--from", "0001-01-01", "--until", "2026-11-18", "--hub", "sandwell")
    done = mash_here("dataset", *days, "--out", str(tmp_path / "all.csv"), **here)
    assert done.returncode == 0, done.stderr
    assert len(rows_of((tmp_path / "all.csv").read_text())) == CAME


def test_what_writes_parquet_is_loaded_for_nobody_who_does_not_ask_for_it() -> None:
    loaded = "import sys, mash.api.app, mash.api.commands.mash; print([name for name in sys.modules if name.startswith('arro3')])"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.strip() == "[]"
