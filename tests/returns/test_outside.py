"""Both outside validators, as they are published, accept what a thousand random histories come to; and find what is broken."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from acceptance import RULESET, RULESETS, YEAR, Accepted, accepted, annex_faults
from breaks import BREAKS, right
from outside import CRASHING, census_issues, schema_errors

from mash.flows.returns.year import WRITTEN, Year

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(5400)]
HISTORIES, FEWER = 1000, 110


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Accepted:
    """What came of them."""
    return accepted(HISTORIES, tmp_path_factory.mktemp("returns"))


def test_the_census_has_no_error_and_every_rule_was_run(found: Accepted) -> None:
    assert found.histories >= HISTORIES and found.attached > 20
    assert not found.errors and found.crashed <= {*CRASHING} and found.run >= found.rules - len(CRASHING)


def test_of_what_people_wrote_our_own_list_says_all_that_is_found_outside(found: Accepted) -> None:
    """In files of which not all is recorded: what is missing, wrong, or says two things."""
    assert not found.unforeseen
    assert {"8525Q", "8535Q", "8606", "8770Q", "8772"} <= found.foreseen


def test_the_census_has_the_form_that_its_schema_says(found: Accepted) -> None:
    assert found.schema == []


def test_every_cell_of_annex_a_is_understood(found: Accepted) -> None:
    assert {hub: faults for hub, log in found.annex.items() if (faults := annex_faults(log))} == {}
    assert all(found.rows[name] > 0 for name in ("List 1", "List 3", "List 4", "List 5"))


@pytest.mark.parametrize("number", [number for number in WRITTEN if number != YEAR.number])
def test_every_year_whose_form_is_written_is_accepted_by_its_own_rules(number: int, tmp_path: Path) -> None:
    found = accepted(FEWER, tmp_path, year=Year(number))
    assert not found.errors and not found.unforeseen and found.schema == [] and found.run >= found.rules - len(CRASHING)
    assert {*RULESETS} == {*WRITTEN}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is found in the right file, and in each of the broken ones."""
    folder = tmp_path_factory.mktemp("broken")
    files = {"right": right()}
    for rule, _, act in BREAKS:
        files[rule] = root = right()
        act(root)
    for name, root in files.items():
        (folder / f"{name}.xml").write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
    issues = census_issues(RULESET, sorted(folder.glob("*.xml")))
    return {Path(path).stem: of for path, of in issues["files"].items()} | {"folder": folder}


def test_in_the_file_that_is_right_no_rule_finds_anything_but_that_it_is_small(broken: dict[str, Any]) -> None:
    assert set(broken["right"]["broken"]) <= {"2887Q"}
    assert schema_errors([broken["folder"] / "right.xml"]) == {str(broken["folder"] / "right.xml"): []}


@pytest.mark.parametrize("rule", [rule for rule, _, _ in BREAKS])
def test_a_single_break_of_the_file_is_found_by_the_rule_that_is_meant(broken: dict[str, Any], rule: str) -> None:
    assert rule in broken[rule]["broken"], f"found by {broken[rule]['broken']}, stopped {broken[rule]['crashed']}"


def test_there_are_thirty_such_breaks_at_least() -> None:
    assert len({rule for rule, _, _ in BREAKS}) >= 30
