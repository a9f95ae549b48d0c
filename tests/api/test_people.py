"""Looking for people: by name, from a case, and by whatever a referral brings; nobody keeps others waiting by what they send."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hub import ORDINARY, Hub
from hypothesis import given
from hypothesis import strategies as st

from mash.api.schemas.contact import MOST_HOUSEHOLD, MOST_SUBJECTS, Submission
from mash.api.schemas.intake import contact_of
from mash.flows.installation.processes import open_log
from mash.flows.store.names import MOST_NUMBERS, tokens
from mash.flows.store.reads.search import AT_ONCE

PLANTED = [{"name": f"N{n:02d} Anders Benedict Cassandra Dorothea {'Ann Ana ' * 250}"[:2_000]} for n in range(60)]


@pytest.fixture(scope="module")
def planted(hub: Hub) -> str:
    """A referral with sixty names of two thousand characters."""
    return hub.referral(household=PLANTED, subjects=[{"name": {"given": "Quentin", "family": "Nightjar"}, "cohort": "child"}])


def test_a_referral_of_endless_names_is_taken_flagged_and_kept_whole(hub: Hub, planted: str) -> None:
    case = hub.case(planted)
    assert "household_name_too_long" in case["flags"]
    names = [json.loads(item["content"])["name"] for item in case["items"] if item["kind"] == "household"]
    assert sorted(names) == sorted(each["name"] for each in PLANTED), "not a letter is lost"
    most = hub.sql("SELECT max(cardinality(tokens)), count(*) FROM known_person WHERE reference = %s", planted)
    assert most == [(MOST_NUMBERS, 61)]


def test_the_people_of_such_a_case_are_looked_for_some_at_once_and_the_others_one_by_one(hub: Hub, planted: str) -> None:
    other = hub.referral(subjects=[{"name": {"given": "Quentin", "family": "Nightjarr"}, "cohort": "child"}], household=[])
    page = hub.http.get(f"/people/in/{planted}", headers=hub.staff("duty_manager"))
    assert page.status_code == 200 and other in page.text, "the child first"
    assert page.text.count(">Look for ") == 61 - AT_ONCE and "Look for each of the others" in page.text
    assert len(page.text) < 200_000


def test_the_names_of_a_case_are_looked_for_by_one_statement(hub: Hub, planted: str) -> None:
    hub.http.get(f"/people/in/{planted}", headers=hub.staff("duty_manager"))
    plan = hub.sql("SELECT prosrc FROM pg_proc WHERE proname = 'people_alike'")[0][0]
    assert "known_number" in plan and not hub.sql("SELECT FROM pg_indexes WHERE indexname = 'known_person_tokens'")


@given(st.text(max_size=3_000))
def test_any_name_has_a_bounded_number_of_numbers(name: str) -> None:
    assert len(tokens(b"0" * 32, name)) <= MOST_NUMBERS


def test_whom_there_is_no_room_for_is_kept_in_words_and_flagged(hub: Hub) -> None:
    children = [{"name": {"given": f"Child{n}", "family": "Crowd"}, "school": "Elm"} for n in range(MOST_SUBJECTS + 3)]
    household = [{"name": f"Adult{n} Crowd", "relationship": "cousin"} for n in range(MOST_HOUSEHOLD + 2)]
    answer = hub.submit({"subjects": children, "household": household, "concern": {"summary": "A coach party."}})
    assert answer.status_code == 201 and "more_people_in_words" in answer.json()["flags"]
    items = hub.case(answer.json()["reference"])["items"]
    assert sum(item["kind"] == "subject" for item in items) == MOST_SUBJECTS
    (rest,) = [json.loads(item["content"])["more_people"] for item in items if item["kind"] == "submission"]
    for name in ("Child30", "Child32", "Adult60 Crowd", "Adult61 Crowd", "school Elm", "relationship cousin"):
        assert name in rest
    page = hub.http.get(f"/case/{answer.json()['reference']}?tab=sent", headers=hub.staff("duty_manager")).text
    assert "Child32" in page and "More people" in page


@given(st.lists(st.fixed_dictionaries({"name": st.text("abc", min_size=1, max_size=5)}), min_size=61, max_size=90))
def test_however_many_are_sent_each_is_somewhere(people: list[dict[str, Any]]) -> None:
    marked = [{"name": f"{each['name']}-{n}-"} for n, each in enumerate(people)]
    command, items = contact_of(Submission.model_validate({"household": marked}), date(2026, 6, 1))
    kept = "".join(item.content.decode() for item in items)
    assert all(each["name"] in kept for each in marked) and "more_people_in_words" in command.flags


def test_a_log_is_for_its_owner_and_their_group_alone(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "old.log").touch(mode=0o644)
    for name in ("old.log", "new.log"):
        with open_log(tmp_path / name) as log:
            log.write(b"a line")
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o640
    assert (hub.settings.data_dir / "logs" / "postgres.log").stat().st_mode & 0o777 == 0o640


def test_nobody_more_is_as_good_as_nothing(hub: Hub) -> None:
    assert hub.submit({**ORDINARY, "more_people": None}).status_code == 201
