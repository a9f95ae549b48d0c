"""Age and cohort over HTTP: what is flagged when a contact comes in, what is refused then, and a birth that is recorded."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hub import ORDINARY, Hub

ADULT, CHILD = "1990-04-12", "2016-04-12"


def about(hub: Hub, **subject: Any) -> dict[str, Any]:
    """A contact about one person, received: the answer."""
    answer = hub.submit({**ORDINARY, "subjects": [{"name": {"given": "Robin", "family": "Ames"}, **subject}]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def of_age(flags: list[str]) -> set[str]:
    of = ("age_contradicts_cohort", "age_not_known", "date_of_birth_doubtful", "expected_date_passed")
    return {flag.removeprefix("S1_") for flag in flags if flag.endswith(of)}


@pytest.mark.parametrize(
    ("subject", "flags"),
    [
        ({"cohort": "child", "date_of_birth": CHILD}, set()),
        ({"cohort": "adult", "date_of_birth": ADULT}, set()),
        ({"cohort": "unborn", "expected_date": "2026-12-20"}, set()),
        ({"cohort": "child"}, set()),
        ({"cohort": "adult", "date_of_birth": CHILD}, {"age_contradicts_cohort"}),
        ({"cohort": "child", "date_of_birth": ADULT}, {"age_contradicts_cohort"}),
        ({"cohort": "unborn", "date_of_birth": CHILD}, {"age_contradicts_cohort"}),
        ({"cohort": "adult"}, {"age_not_known"}),
        ({"cohort": "adult", "date_of_birth": "twelve"}, {"age_not_known"}),
        ({"cohort": "child", "date_of_birth": "2062-01-01"}, {"date_of_birth_doubtful"}),
        ({"cohort": "adult", "date_of_birth": "1880-01-01"}, {"date_of_birth_doubtful"}),
        ({"expected_date": "2024-12-20"}, {"expected_date_passed"}),
    ],
)
def test_a_contact_is_taken_whatever_the_birthday_says_and_what_is_odd_about_it_is_flagged(
    hub: Hub, subject: dict[str, Any], flags: set[str]
) -> None:
    received = about(hub, **subject)
    assert of_age(received["flags"]) == flags
    assert of_age(hub.case(received["reference"])["flags"]) == flags


def test_a_birthday_is_not_in_the_log_nor_in_the_state(hub: Hub) -> None:
    reference = about(hub, cohort="unborn", expected_date="2026-12-17")["reference"]
    stored = hub.sql("SELECT string_agg(canonical, '') || (SELECT state FROM referral WHERE reference = %s) FROM event"
                     " WHERE reference = %s", reference, reference)[0][0]  # fmt: skip
    assert '"expected_week":"2026-12-14"' in stored and "2026-12-17" not in stored
    reference = about(hub, cohort="child", date_of_birth="2011-11-11")["reference"]
    stored = hub.sql("SELECT string_agg(canonical, '') FROM event WHERE reference = %s", reference)[0][0]
    assert '"age":"child"' in stored and not re.search(r"\b2011\b", stored)  # within a digest it is no year


def test_section_47_is_refused_for_an_adult_by_birthday_and_cohort_and_not_while_they_contradict(hub: Hub) -> None:
    concern = {**ORDINARY["concern"], "immediate_danger": True}
    adult = {"name": "Robin Ames", "cohort": "adult", "date_of_birth": ADULT}
    reference = hub.referral(concern=concern, subjects=[adult])
    hub.give(reference, "call_strategy_discussion")
    held = {"attended": ["social_care", "police", "health"], "outcome": "section_47"}
    refused = hub.ask(reference, "record_strategy_discussion", words="Held.", **held)
    assert refused.status_code == 422 and "correct_cohort" in refused.json()["detail"]
    hub.give(reference, "correct_cohort", subject="S1", cohort="child")
    assert hub.give(reference, "record_strategy_discussion", words="Held.", **held)["stage"] == "enquiries"
    assert of_age(hub.case(reference)["flags"]) == {"age_contradicts_cohort"}


def birth(hub: Hub, reference: str, **details: Any) -> Any:
    body = {"seen": hub.case(reference)["version"], "command": {"kind": "record_birth", "subject": "S1"}, "details": details}
    headers = {"Idempotency-Key": hub.once(), **hub.staff("duty_manager")}
    return hub.http.post(f"/cases/{reference}/commands", json=body, headers=headers)


def test_a_birth_is_recorded_of_the_same_person_and_the_day_stays_sealed(hub: Hub) -> None:
    reference = about(hub, cohort="unborn", expected_date="2026-12-17")["reference"]
    assert birth(hub, reference, name="Robin Ames").status_code == 422, "without the day"
    clocks = {clock["id"] for clock in hub.case(reference)["clocks"] if clock["running"]}
    answer = birth(hub, reference, date_of_birth="2026-11-18", name="Wren Ames", sex="F")
    assert answer.status_code == 200 and answer.json()["events"] == ["birth_recorded"], answer.text
    case = hub.case(reference)
    assert (case["subjects"]["S1"]["cohort"], case["subjects"]["S1"]["age"]) == ("child", "child")
    assert {clock["id"] for clock in case["clocks"] if clock["running"]} == clocks
    details = [json.loads(item["content"]) for item in case["items"] if item["kind"] == "subject"][-1]
    assert (details["name"], details["date_of_birth"], details["expected_date"]) == ("Wren Ames", "2026-11-18", "2026-12-17")
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (born,) = [each for each in log if each["what"].startswith("Birth recorded")]
    assert born["what"].startswith("Birth recorded: S1") and "age child" in born["what"] and "Wren" not in born["what"]
    assert {"field": "name", "was": "Robin Ames", "now": "Wren Ames"} in born["corrected"], "to whoever may read it"


def test_details_come_with_nothing_else(hub: Hub) -> None:
    reference = about(hub, cohort="child", date_of_birth=CHILD)["reference"]
    body = {"seen": 4, "command": {"kind": "add_note"}, "words": "A note.", "details": {"name": "Wren"}}
    headers = {"Idempotency-Key": hub.once(), **hub.staff("duty_manager")}
    answer = hub.http.post(f"/cases/{reference}/commands", json=body, headers=headers)
    assert answer.status_code == 422 and "details" in answer.json()["detail"]


def test_the_page_asks_when_the_child_was_born_and_records_it(hub: Hub) -> None:
    reference = about(hub, cohort="unborn", expected_date="2026-12-17")["reference"]
    manager, address = hub.staff("duty_manager"), f"/case/{reference}/record_birth"
    page = hub.http.get(address, headers=manager)
    assert page.status_code == 200 and "When was the child born?" in page.text and "Robin Ames, unborn" in page.text
    assert "Which unborn child?" in page.text and 'name="subject" type="radio" value="S1"' in page.text
    form = {"key": hub.once(), "seen": str(hub.case(reference)["version"]), "subject": "S1"}
    without = hub.http.post(address, headers=manager, data=form)
    assert without.status_code == 422 and 'id="details.date_of_birth-error"' in without.text
    given = {**form, "details.date_of_birth": "2026-11-18", "details.name": "Wren Ames"}
    assert hub.http.post(address, headers=manager, data=given).status_code == 303
    people = hub.http.get(f"/case/{reference}?tab=people", headers=manager).text
    assert "Wren Ames" in people and "Child, born 18 November 2026." in people and "Ames, unborn" not in people
