"""A name typed where a code belongs does not get into the log, which is never erased, nor into Prefect."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hub import CANARY, Installation, eventually

NAME = CANARY.split()[1]


def artifacts(hub: Installation, reference: str) -> str:
    """What Prefect tells about a referral."""
    return hub.prefect.post("/artifacts/filter", json={"artifacts": {"key": {"any_": [reference.lower()]}}}).text


def seen_in(hub: Installation, reference: str) -> set[str]:
    """Where the name can be read about a referral."""
    places = {
        "event": str(hub.sql("SELECT canonical FROM event WHERE reference = %s", reference)),
        "state": str(hub.sql("SELECT state FROM referral WHERE reference = %s", reference)),
        "notice": str(hub.sql("SELECT facts FROM notice WHERE reference = %s", reference)),
        "prefect": artifacts(hub, reference),
        "run": str(hub.run(reference)),
    }
    return {place for place, text in places.items() if NAME in text}


SUBMITTED: dict[str, dict[str, Any]] = {
    "kind": {"kind": CANARY},
    "source code": {"source": {"code": CANARY, "agency": CANARY}},
    "need": {"concern": {"summary": "Bruises.", "primary_need": CANARY, "factors": [CANARY]}},
    "cohort": {"subjects": [{"cohort": CANARY}]},
    "a field of its own": {NAME: CANARY},
}


@pytest.mark.parametrize("where", SUBMITTED)
def test_a_referrers_name_in_a_code_stays_among_the_encrypted_items(hub: Installation, where: str) -> None:
    reference = hub.referral(**SUBMITTED[where])
    hub.awaits(reference, "Awaiting triage")
    assert seen_in(hub, reference) == set()


def met(hub: Installation) -> str:
    """A referral whose meeting is due."""
    reference = hub.referral()
    hub.rate(reference, "red")
    hub.give(reference, "proceed_without_replies", words="It cannot wait.")
    return reference


def sent_of(hub: Installation, reference: str, answer: httpx.Response, event: str) -> None:
    """Wait until Prefect tells of an event, if the command was carried out at all."""
    if answer.status_code == 200:
        eventually(lambda: event in artifacts(hub, reference))
    else:
        assert answer.status_code in (400, 422), answer.text


def test_who_attended_a_meeting_is_said_by_agency(hub: Installation) -> None:
    reference = met(hub)
    answer = hub.ask(reference, "record_meeting", words="Held.", attended=["police", CANARY], rating="red")
    sent_of(hub, reference, answer, "meeting held")
    assert seen_in(hub, reference) == set()


def test_who_attended_a_strategy_discussion_is_said_by_agency(hub: Installation) -> None:
    reference = hub.referral()
    hub.give(reference, "call_strategy_discussion", words="Likely significant harm.")
    there = ["social_care", "police", "health", CANARY]
    answer = hub.ask(reference, "record_strategy_discussion", attended=there, outcome="section_47")
    sent_of(hub, reference, answer, "strategy discussion held")
    assert seen_in(hub, reference) == set()


def test_a_need_that_is_no_code_is_not_recorded(hub: Installation) -> None:
    reference = met(hub)
    hub.give(reference, "record_meeting", words="Held.", attended=["police"], rating="red")
    answer = hub.ask(reference, "record_decision", words="Help.", outcomes={"S1": "section_17"}, primary_need=CANARY)
    sent_of(hub, reference, answer, "decision recorded")
    assert seen_in(hub, reference) == set()


def test_factors_that_are_no_codes_are_not_recorded(hub: Installation) -> None:
    reference = met(hub)
    hub.give(reference, "record_meeting", words="Held.", attended=["police"], rating="red")
    hub.give(reference, "record_decision", words="Help.", outcomes={"S1": "section_17"}, primary_need="N1")
    answer = hub.ask(reference, "complete_assessment", words="Done.", factors=[CANARY], outcome="early_help")
    sent_of(hub, reference, answer, "assessment completed")
    assert seen_in(hub, reference) == set()


def test_a_suggested_rating_is_one_of_the_hubs(hub: Installation) -> None:
    reference = hub.referral()
    hub.rate(reference)
    fields = {"known": True, "suggested_rating": CANARY}
    hub.http.post(
        f"/cases/{reference}/commands",
        headers={**hub.staff("agency", "police"), "Idempotency-Key": "a name as a rating"},
        json={"seen": hub.case(reference)["version"], "command": {"kind": "answer_check", "agency": "police", **fields}},
    )
    assert seen_in(hub, reference) == set()


def test_an_error_of_ours_is_logged_without_its_message(hub: Installation) -> None:
    body = json.dumps({"concern": {"summary": f"{CANARY} \ud83d"}, NAME: "\ud83d"})
    hub.http.post(
        "/referrals",
        content=body,
        headers={"Authorization": f"Bearer {hub.key}", "Idempotency-Key": "half", "Content-Type": "application/json"},
    )
    hub.http.get("/cases/%00", headers=hub.staff("duty_manager"))
    written = (hub.stack.logs / "api.log").read_text()
    assert NAME not in written
    assert "Traceback" not in written
