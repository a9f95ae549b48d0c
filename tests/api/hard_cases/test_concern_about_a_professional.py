"""A concern about a teacher: the designated officer is asked at once, the teacher is not asked before others hear of it, and is
no child in any count."""

from __future__ import annotations

from typing import Any

import pytest
from hub import ORDINARY, Hub


@pytest.fixture(scope="module")
def reference(hub: Hub) -> str:
    """A school's designated lead refers a pupil, and says that it is about a teacher, whose birthday nobody knows."""
    pupil = {"name": "Robin Ames", "cohort": "child", "date_of_birth": "2014-03-01"}
    teacher = {"name": "Kim Odd", "cohort": "adult"}
    concern = {**ORDINARY["concern"], "categories": ["professional_concern"]}
    return hub.referral(subjects=[pupil, teacher], concern=concern)


def told(hub: Hub, reference: str) -> list[tuple[str, str]]:
    return [(each["kind"], each["role"]) for each in hub.case(reference)["alerts_sent"]]


def basis(hub: Hub, reference: str) -> Any:
    fields = {"purpose": "child_protection", "lawful_basis": "public_task", "consent": "not_sought", "family_informed": True}
    return hub.ask(reference, "record_sharing_basis", words="The parents know.", **fields)


def test_the_designated_officer_is_asked_at_once_within_one_working_day(hub: Hub, reference: str) -> None:
    case = hub.case(reference)
    assert case["hand_overs"]["lado"]["result"] is None
    (clock,) = [clock for clock in case["clocks"] if clock["id"] == "hand_over:lado"]
    assert "1 working day" in clock["why"] and clock["running"]
    assert {kind for kind, _ in told(hub, reference)} >= {"hand_over_to_make"}
    page = hub.http.get(f"/case/{reference}?tab=facts", headers=hub.staff("duty_manager")).text
    assert "Designated officer (LADO)" in page and "not accepted yet" in page


def test_the_teacher_is_not_asked_before_others_hear_of_it(hub: Hub, reference: str) -> None:
    refused = hub.ask(reference, "record_adult_view", subject="S2", capacity="has", agrees="no", words="Rang the teacher.")
    assert refused.status_code == 422 and "not asked before others hear of it" in refused.json()["detail"]
    assert basis(hub, reference).status_code == 200


def test_the_teacher_is_no_child_in_any_count(hub: Hub, reference: str) -> None:
    case = hub.case(reference)
    assert case["subjects"]["S2"]["accused"] and "accused" not in case["subjects"]["S1"]
    page = hub.http.get(f"/case/{reference}?tab=people", headers=hub.staff("duty_manager")).text
    people = page.partition('id="tabs"')[2]
    pupil, teacher = (people.partition(f"<dt>{name}")[2].partition("</dd>")[0] for name in ("Robin Ames", "Kim Odd"))
    assert "Not yet seen" in pupil and "what this person did" not in pupil
    assert "what this person did: not to be asked" in teacher and "seen" not in teacher.lower()
    hub.give(reference, "rate_referral", rating="amber")
    hub.give(reference, "call_strategy_discussion")
    held = {"attended": ["social_care", "police", "health"], "outcome": "section_47", "mode": "face_to_face"}
    hub.give(reference, "record_strategy_discussion", words="With the designated officer's advice.", **held)
    voice = hub.ask(reference, "record_child_voice", subject="S2", seen_on="2026-11-19", alone=True, words="?")
    assert voice.status_code == 422


def test_whoever_took_the_call_writes_down_who_accepted_and_the_case_goes_on(hub: Hub, reference: str) -> None:
    stage = hub.case(reference)["stage"]
    nobody = hub.ask(reference, "accept_hand_over", role="social_worker", hand_over="lado")
    assert nobody.status_code == 422 and "who said so" in nobody.json()["detail"]
    said = "Ms Leigh, designated officer, at ten past ten: hers, strategy meeting tomorrow."
    hub.give(reference, "accept_hand_over", role="social_worker", hand_over="lado", words=said)
    case = hub.case(reference)
    assert case["stage"] == stage and case["hand_overs"]["lado"]["result"] == "accepted"
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Hand over accepted")]
    assert "Designated officer (LADO)" in line and "Leigh" not in line, "who it was stands in the words alone"


def test_a_closed_case_of_which_nobody_has_accepted_what_was_offered_stays_on_the_board(hub: Hub) -> None:
    concern = {**ORDINARY["concern"], "categories": ["professional_concern"]}
    reference = hub.referral(subjects=[{"name": "Bay Closed", "cohort": "child"}], concern=concern)
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", outcomes={"S1": "no_further_action"}, words="The school acts.")
    assert not hub.case(reference)["open"]

    def board() -> str:
        return hub.http.get("/board", headers=hub.staff("duty_manager")).text

    def waits(page: str) -> bool:
        return f">{reference}</a>" in page.partition("has not accepted it yet")[2].partition("</div>")[0]

    assert waits(board())
    hub.give(reference, "accept_hand_over", role="social_worker", hand_over="lado", words="Ms Leigh has it.")
    assert not waits(board())


def test_an_adult_who_was_harmed_is_asked_once_somebody_has_said_so(hub: Hub) -> None:
    concern = {**ORDINARY["concern"], "categories": ["professional_concern"]}
    people = [
        {"name": "A Pupil", "cohort": "child", "date_of_birth": "2014-03-01"},
        {"name": "A Parent", "cohort": "adult", "date_of_birth": "1980-01-01"},
        {"name": "A Coach", "cohort": "adult", "date_of_birth": "1985-01-01", "accused": True},
    ]
    reference = hub.referral(subjects=people, concern=concern)
    accused = [sid for sid, each in hub.case(reference)["subjects"].items() if each.get("accused")]
    assert accused == ["S3"]
    refused = basis(hub, reference)
    assert refused.status_code == 422 and "S2" in refused.json()["detail"] and "S3" not in refused.json()["detail"]
