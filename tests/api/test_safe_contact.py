"""A mother whose messages he reads: nothing is written to her or shown where he may look, and a person is asked to tell her."""

from __future__ import annotations

from typing import Any

import pytest
from hub import ORDINARY, Hub

SAID = "Do not write or e-mail to me: he reads my messages."


def referred(hub: Hub, email: str, **more: Any) -> dict[str, Any]:
    """A contact from a member of the public at this address; the answer."""
    source = {"code": "1C", "agency": "individual", "email": email, "phone": "0161 496 0000", **more.pop("source", {})}
    answer = hub.submit({**ORDINARY, "source": source, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


WAYS: dict[str, dict[str, Any]] = {
    "she warned of contact": {"consent": {"safe_contact": SAID}},
    "she said that writing is not safe": {"source": {"safe_to_write": False}},
    "she said only how to reach her": {"source": {"how_to_reach": "Ring my sister."}},
    "a school's system sent it for her": {"source": {"agency": "education"}, "consent": {"safe_contact": SAID}},
    "she said so in a field of her own": {"source": {"safe_to_email": False}},
    "it stands with a person it is about": {"subjects": [{"name": "Isla", "safe_contact": SAID}]},
    "she asked for silence in other words": {"concern": {"narrative": "Please don't contact me, or send anything to the house."}},
    "she said so where she says what she needs": {"concern": {"summary": "He hurts us.", "needed_from_us": SAID}},
    "she said so in what worries her": {"concern": {"summary": f"He comes home drunk. {SAID}"}},
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_written_to_her_at_any_time_and_whoever_owns_the_clock_is_asked_to_tell_her(hub: Hub, way: str) -> None:
    address = f"{way.replace(' ', '.')}@home.example.org"
    reference = referred(hub, address, **WAYS[way])["reference"]
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    hub.work()
    assert hub.received.to(address) == []
    asked = [notice for notice in hub.case(reference)["alerts_sent"] if notice["kind"] == "inform_referrer"]
    assert [notice["status"] for notice in asked] == ["delivered", "delivered"]
    assert {clock["id"] for clock in hub.case(reference)["clocks"] if clock["running"]} == {"acknowledgement", "outcome_told"}
    assert SAID not in hub.received.text()


@pytest.mark.parametrize("given", [{"email": ""}, {"email": "jo@school,example.org"}, {"email": None, "phone": None}])
def test_a_referrer_who_gave_no_address_is_told_by_a_person_and_the_clock_runs_until_they_are(
    hub: Hub, given: dict[str, Any]
) -> None:
    answer = hub.submit({**ORDINARY, "source": {**ORDINARY["source"], "organisation": "Thornwick Vale", **given}}).json()
    assert "referrer_by_other_means" in answer["flags"]
    hub.work()
    case = hub.case(reference := answer["reference"])
    assert [clock["running"] for clock in case["clocks"] if clock["id"] == "acknowledgement"] == [True]
    assert [notice["status"] for notice in case["alerts_sent"] if notice["kind"] == "inform_referrer"] == ["delivered"]
    hub.give(reference, "inform_referrer", words="Rang the school.", what="acknowledgement", how="telephone")
    assert not any(clock["running"] for clock in hub.case(reference)["clocks"] if clock["id"] == "acknowledgement")


@pytest.mark.parametrize(
    "source",
    [
        {"code": "4", "agency": "police"},
        {"code": "3B", "agency": "health"},
        {"code": "1B", "telephone": "01632 960115"},
        {"code": "1B", "address": "4 Quarry Row, Thornwick"},
        {"code": "1B", "contactDetails": "through my sister at number six"},
    ],
)
def test_a_service_or_any_way_to_reach_them_is_enough_for_a_person_to_tell_them(hub: Hub, source: dict[str, Any]) -> None:
    answer = hub.submit({"source": source, "concern": {"summary": "She cries."}}).json()
    hub.work()
    case = hub.case(answer["reference"])
    assert [clock["running"] for clock in case["clocks"] if clock["id"] == "acknowledgement"] == [True]
    assert [notice["status"] for notice in case["alerts_sent"] if notice["kind"] == "inform_referrer"] == ["delivered"]


def test_of_whom_nothing_is_known_nothing_is_owed(hub: Hub) -> None:
    answer = hub.submit({"concern": {"summary": "She cries."}}).json()
    assert "referrer_by_other_means" not in answer["flags"]
    assert not any(clock["id"] == "acknowledgement" for clock in hub.case(answer["reference"])["clocks"])


@pytest.mark.parametrize(
    "words", ["She does not read yet.", "He texts her at night.", "Her mother never replies.", "There was no answer at the door."]
)
def test_what_is_said_of_others_does_not_keep_us_from_writing(hub: Hub, words: str) -> None:
    answer = referred(hub, "writes@home.example.org", concern={"summary": words})
    assert "safe_contact_in_words" not in answer["flags"]


def test_the_board_says_whom_to_ring_though_the_case_is_closed_and_no_longer_once_they_were(hub: Hub) -> None:
    reference = referred(hub, "closed@home.example.org", **WAYS["she warned of contact"])["reference"]
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})

    def asked_for() -> bool:
        page = hub.http.get("/board", headers=hub.staff("duty_manager")).text
        return f'href="/case/{reference}"' in page.partition("Tell them yourself")[2].partition("</div>")[0]

    assert asked_for()
    for what in ("acknowledgement", "outcome"):
        hub.give(reference, "inform_referrer", words="Rang her at work.", what=what, how="telephone")
    assert not asked_for()


def test_whoever_rings_her_records_to_whom_when_and_by_whom_and_the_clock_is_met(hub: Hub) -> None:
    hub.staff("practice_manager")  # who has signed in before
    reference = referred(hub, "rung@home.example.org", **WAYS["she warned of contact"])["reference"]
    hub.give(
        reference,
        "inform_referrer",
        words="Spoke to her on her work number.",
        what="acknowledgement",
        how="telephone",
        informed_by="Practice_Manager.social_care",
    )
    (clock,) = [clock for clock in hub.case(reference)["clocks"] if clock["id"] == "acknowledgement"]
    assert clock["state"] == "kept"
    page = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert "Referrer informed" in page and "told by practice manager" in page


def test_mail_that_waits_when_the_warning_goes_up_is_not_sent(hub: Hub) -> None:
    address = "waits@home.example.org"
    reference = referred(hub, address)["reference"]
    hub.give(reference, "record_marker", words="She rang: he reads her mail.", marker="do_not_write")
    hub.work()
    assert hub.received.to(address) == []
    assert ("acknowledgement", "withdrawn") in {(n["kind"], n["status"]) for n in hub.case(reference)["alerts_sent"]}


def test_a_warning_on_one_part_of_a_contact_that_was_split_holds_for_the_others(hub: Hub) -> None:
    address = "split@home.example.org"
    people = [{"name": {"given": name}, "cohort": "child"} for name in ("Ada", "Ben")]
    reference = referred(hub, address, subjects=people)["reference"]
    hub.work()
    had = len(hub.received.to(address))
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="They differ.", outcomes={"S1": "section_17", "S2": "no_further_action"})
    hub.give(reference, "record_marker", words="She rang: he reads her mail.", marker="do_not_write")
    hub.work()
    assert len(hub.received.to(address)) == had
    other = f"{reference}-B"
    assert hub.case(other)["markers"] == ["do_not_write"]
    assert "inform_referrer" in {notice["kind"] for notice in hub.case(other)["alerts_sent"]}


def test_with_the_reference_and_the_code_the_outcome_is_not_shown(hub: Hub) -> None:
    school = {**ORDINARY["source"], "safe_to_write": False}
    sent = hub.submit({**ORDINARY, "source": school}).json()
    hub.rate(sent["reference"], "green")
    hub.answer_all(sent["reference"])
    hub.give(sent["reference"], "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    page = hub.http.post("/status", data={"reference": sent["reference"], "code": sent["status_code"]})
    assert (
        page.status_code == 200 and "someone tells you in the way you chose" in page.text and "no further action" not in page.text
    )
    answer = hub.http.get(f"/referrals/{sent['reference']}", headers={"Authorization": f"Bearer {hub.key}"}).json()
    assert "no further action" not in str(answer)
