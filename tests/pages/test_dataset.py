"""The page on which the dataset is taken, and the command that writes it to a file."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arro3.io import read_parquet
from commands import Done, mash_here
from hub import Hub

DAYS = {"since": "2026-11-01", "until": "2026-11-30"}


def analyst(hub: Hub) -> dict[str, str]:
    return hub.staff("data_manager")


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
        "What is erased here later stays in files that were taken before.",
        "Each download is recorded with your login",
    ):
        assert sentence in page


def test_what_is_taken_has_each_contact_once_and_nothing_that_names_it(hub: Hub) -> None:
    before = len(rows_of(taken(hub).text))
    reference = hub.referral()
    answer = taken(hub)
    rows = rows_of(answer.text)
    assert answer.status_code == 200 and len(rows) == before + 1
    assert answer.headers["content-disposition"] == 'attachment; filename="dataset-sandwell-2026-11-01-to-2026-11-30.csv"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert reference not in answer.text and "Quillfeather" not in answer.text
    assert {row["hub"] for row in rows} == {"sandwell"} and {row["received_month"] for row in rows} == {"2026-11-01"}


def test_parquet_is_read_by_its_library_and_has_as_many_rows(hub: Hub) -> None:
    hub.referral()
    answer = taken(hub, form="parquet")
    assert answer.headers["content-disposition"].endswith('.parquet"')
    table = read_parquet(io.BytesIO(answer.content)).read_all()
    assert table.num_rows == len(rows_of(taken(hub).text)) and "primary_need" in table.column_names


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
        ({"since": ""}, "Fill this in"),
        ({"until": "soon"}, "Enter a date"),
        ({"until": "2026-10-31"}, "Choose a day that is not before the first"),
        ({"form": "xlsx"}, "Choose what it is"),
        ({"until": "9999-12-31"}, "Check this"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_the_field_and_nothing_is_taken(hub: Hub, wanted: dict[str, str], says: str) -> None:
    before = extracts(hub)
    answer = taken(hub, **wanted)
    assert answer.status_code == 422 and says in answer.text
    assert extracts(hub) == before


def extracts(hub: Hub) -> list[tuple[str, str]]:
    """Who took the dataset, and what of it, as information governance reads it; the latest first."""
    asked = {"person": "data_manager.social_care"}
    report = hub.http.post("/accesses", headers=hub.staff("information_governance"), json=asked).json()
    return [(row["role"], row["why"]) for row in report["accesses"] if row["action"] == "extract_dataset"]


def test_who_took_it_and_what_is_read_by_information_governance(hub: Hub) -> None:
    number = len(rows_of(taken(hub, since="2026-11-02").text))
    assert extracts(hub)[0] == ("data_manager", f"dataset of {number} contacts, 2026-11-02 to 2026-11-30, as csv")
    page = hub.http.post("/looked", headers=hub.staff("information_governance"), data={"person": "data_manager.social_care"}).text
    assert "Extract dataset" in page


@pytest.mark.parametrize(("role", "may"), [("administrator", True), ("duty_manager", False), ("information_governance", False)])
def test_the_dataset_is_for_whoever_has_the_role_and_for_administrators(hub: Hub, role: str, may: bool) -> None:
    for answer in (
        hub.http.get("/dataset", headers=hub.staff(role)),
        hub.http.get("/dataset/dictionary.csv", headers=hub.staff(role)),
        hub.http.post("/dataset", headers=hub.staff(role), data={**DAYS, "form": "csv"}),
    ):
        assert answer.status_code == (200 if may else 403)


def test_an_analyst_reads_no_case_no_board_and_no_figure(hub: Hub) -> None:
    reference = hub.referral()
    for path in (f"/case/{reference}", f"/cases/{reference}", "/board", "/manager", "/people", "/looked", "/admin"):
        assert hub.http.get(path, headers=analyst(hub)).status_code == 403, path


# --- on the command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def here(hub: Hub) -> dict[str, str]:
    """The installation's environment."""
    return {"MASH_DATA_DIR": str(hub.settings.data_dir), "COLUMNS": "200"}


def written(here: dict[str, str], file: Path, *more: str) -> Done:
    days = ("--from", "2026-11-01", "--until", "2026-11-30")
    return mash_here("dataset", *days, "--hub", "sandwell", "--out", str(file), *more, **here)


def test_the_command_writes_the_dataset_and_its_dictionary_for_whoever_gives_it_alone(
    hub: Hub, here: dict[str, str], tmp_path: Path
) -> None:
    hub.referral()
    file, beside = tmp_path / "november.csv", tmp_path / "november.csv.dictionary.csv"
    done = written(here, file)
    assert done.returncode == 0, done.stderr
    rows = rows_of(file.read_text())
    assert f"november.csv: {len(rows)} contact" in done.stdout and "pseudonymous, not anonymous" in done.stdout
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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "2026-11-30", "--until", "2026-11-01", "--hub", "sandwell"), "before --from"),
        (("--from", "2026-11-01", "--until", "2026-11-30"), "there are several"),
        (("--from", "soon", "--until", "2026-11-30"), "does not match the format"),
        (("--from", "2026-11-01", "--until", "2026-11-30", "--hub", "nowhere"), "nowhere"),
    ],
)
def test_the_command_says_what_it_cannot_do(here: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = mash_here("dataset", *arguments, "--out", str(tmp_path / "x.csv"), **here)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_writes_parquet_is_loaded_for_nobody_who_does_not_ask_for_it() -> None:
    loaded = "import sys, mash.api.app, mash.api.commands.mash; print([name for name in sys.modules if name.startswith('arro3')])"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.strip() == "[]"
