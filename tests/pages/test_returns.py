"""The returns' page: what is found stands first, then the files, for whoever makes them and for nobody else."""

from __future__ import annotations

import io
import os
import re
import stat
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from commands import mash_here
from hub import Hub, hub_here

from mash.api.pages import returns

YEAR = 2027


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub with one case, of which little is recorded."""
    with hub_here() as running:
        yield running


@pytest.fixture(scope="module")
def reference(hub: Hub) -> str:
    """A child whose sex and ethnicity nobody has recorded, and who is assessed."""
    reference = hub.referral()
    hub.rate(reference)
    return reference


def shown(hub: Hub, role: str = "data_manager", **query: Any) -> Any:
    return hub.http.get("/returns", params=query, headers=hub.staff(role))


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def looks_of(hub: Hub, person: str) -> list[Any]:
    answer = hub.http.post("/accesses", headers=hub.staff("information_governance"), json={"person": person})
    found: list[Any] = answer.json()["accesses"]
    return found


def looks(hub: Hub, action: str) -> list[Any]:
    return [row for row in looks_of(hub, "data_manager.social_care") if row["action"] == action]


def test_what_is_found_stands_above_the_files_and_their_limits_below(hub: Hub, reference: str) -> None:
    page = plain(shown(hub, year=YEAR).text)
    assert page.index("What the rules find in 2026-27") < page.index("Make the file") < page.index("What these files are not")
    assert "not the statutory return" in page and reference in page


def test_a_case_that_is_found_is_named_with_the_rule_and_the_act_and_the_look_is_recorded(hub: Hub, reference: str) -> None:
    page = plain(shown(hub, year=YEAR).text)
    assert f"{reference}" in page and looks(hub, "check_returns")


def test_every_finding_can_be_read_rule_by_rule_and_part_by_part(
    hub: Hub, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.rate(other := hub.referral())
    (rule,) = set(re.findall(r'href="/returns\?year=2027&amp;rule=(\w+)"', shown(hub, year=YEAR).text))
    page = plain(shown(hub, year=YEAR, rule=rule).text)
    assert f"Rule {rule} alone." in page and reference in page and other in page
    assert "None of these is left." in plain(shown(hub, year=YEAR, rule="8770Q").text)
    monkeypatch.setattr(returns, "MOST_SHOWN", 1)
    page, read = shown(hub, year=YEAR).text, 1
    while further := re.search(r'href="(/returns\?[^"]+)">The next<', page):
        page, read = hub.http.get(further[1].replace("&amp;", "&"), headers=hub.staff("data_manager")).text, read + 1
    assert f"{read} to {read} of {read}." in plain(page) and read > 1
    assert "None of these is left." in plain(shown(hub, year=YEAR, first=read + 1).text)


def test_the_page_says_words_and_no_codes_of_ours(hub: Hub, reference: str) -> None:
    page = plain(shown(hub, year=YEAR).text)
    assert not re.findall(r"\b[SA]\d\b|\b\d{4}-\d\d-\d\d\b|\w_\w|\bNone\b", page)


def test_nobody_else_makes_them_and_managers_see_what_their_teams_mend(hub: Hub, reference: str) -> None:
    page = shown(hub, "duty_manager", year=YEAR).text
    assert f'href="/case/{reference}"' in page and "Make the file" not in page
    for role, reads in (("duty_manager", 200), ("social_worker", 403), ("administrator", 403), ("information_governance", 403)):
        assert shown(hub, role).status_code == reads
        made = hub.http.post("/returns/cin", headers=hub.staff(role), data={"year": YEAR})
        assert made.status_code == 403


def test_the_census_is_made_and_is_a_look_at_each_case(hub: Hub, reference: str) -> None:
    answer = hub.http.post("/returns/cin", headers=hub.staff("data_manager"), data={"year": YEAR, "authority": "333"})
    assert answer.status_code == 200 and "cin_2027_333.xml" in answer.headers["content-disposition"]
    root = ET.fromstring(answer.content)
    assert root.findtext(".//LEA") == "333" and root.findtext(".//ReferenceDate") == "2027-03-31"


def test_annex_a_is_a_workbook_with_every_contact_in_list_1(hub: Hub, reference: str) -> None:
    period = {"since": "2026-04-01", "until": "2027-03-31"}
    answer = hub.http.post("/returns/annex-a", headers=hub.staff("data_manager"), data=period)
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["List 1", "List 3", "List 4", "List 5"] and book["List 1"].max_row >= 2
    (look, *_) = looks(hub, "extract_annex_a")
    assert reference in look["shown"]


def test_a_number_that_is_not_the_hubs_is_refused_by_name_and_nobody_is_returned_under_it(hub: Hub, reference: str) -> None:
    for form, rest in (("cin", {"year": YEAR}), ("annex-a", {"since": "2026-04-01", "until": "2027-03-31"})):
        answer = hub.http.post(f"/returns/{form}", headers=hub.staff("data_manager"), data={**rest, "authority": "861"})
        assert answer.status_code == 422 and "expected one of 333" in answer.text


def test_a_period_that_ends_before_it_begins_is_said_beside_it(hub: Hub) -> None:
    period = {"since": "2026-04-02", "until": "2026-04-01"}
    answer = hub.http.post("/returns/annex-a", headers=hub.staff("data_manager"), data=period)
    assert answer.status_code == 422 and "Choose a day that is not before the first" in answer.text


def test_only_years_whose_form_is_written_are_offered_and_of_another_it_is_said_as_which_it_is_written(hub: Hub) -> None:
    page = shown(hub).text
    assert re.findall(r'<option value="(\d+)"', page) == ["2027", "2026", "2025"]
    for other, known in ((2030, "2026-27"), (2024, "2024-25")):
        assert f"written and checked as for {known}" in plain(shown(hub, year=other).text)


def test_a_year_that_was_chosen_stays_so_where_something_beside_it_was_wrong(hub: Hub) -> None:
    for path, wrong in (("cin", {"authority": "33"}), ("annex-a", {"since": "2026-04-02", "until": "2026-04-01"})):
        answer = hub.http.post(f"/returns/{path}", headers=hub.staff("data_manager"), data={"year": 2025, **wrong})
        assert answer.status_code == 422 and "What the rules find in 2024-25" in plain(answer.text)


def test_what_the_file_fills_in_is_no_error_and_the_act_that_mends_it_stands_beside(hub: Hub) -> None:
    decided = hub.referral()
    hub.rate(decided, "green")
    hub.answer_all(decided)
    hub.give(decided, "record_decision", words="As agreed.", outcomes={"S1": "section_17"}, primary_need="N1")
    lines = [line for line in shown(hub, year=YEAR).text.split("<tr>") if decided in line]
    (disability,) = [line for line in lines if "8540, error" in line]
    (ethnicity,) = [line for line in lines if "4220, filled in or left out" in line]
    assert "Correct a person" in disability and "Correct a person" in ethnicity
    assert "1 error to be mended before the file is handed in" in plain(shown(hub, year=YEAR).text)


def test_a_year_is_read_once_at_a_time_for_each_hub(hub: Hub) -> None:
    with ThreadPoolExecutor(3) as readers:
        answers = list(readers.map(lambda _: shown(hub, year=YEAR).status_code, range(3)))
    assert answers == [200, 200, 200]


def test_the_command_writes_files_that_nobody_else_reads(hub: Hub, reference: str, tmp_path: Path) -> None:
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    to = ("--hub", "sandwell", "--out", str(tmp_path))
    made = mash_here("extract", "cin", "--year", str(YEAR), *to, **where)
    assert "cin_2027_333.xml" in made.stdout and "filled in or left out" in made.stdout, made.stderr
    (look, *_) = [row for row in looks_of(hub, "cli:root") if row["action"] == "check_returns"]
    assert reference in look["shown"], "what was printed was looked at"
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    period = ("--from", "2026-04-01", "--until", "2027-03-31")
    assert mash_here("extract", "annex-a", *period, *to, **where).returncode == 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".xml", ".xlsx"}
    again = mash_here("extract", "annex-a", *period, *to, **where)
    assert again.returncode == 2 and "File exists: expected a file that is not there yet" in again.stderr
