"""A school's "disclosed abuse by stepfather this morning" at Camden, and a neighbour who hears a child hit at Derbyshire: neither
hub takes such contacts, and neither contact ends before a person has read it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hub import ORDINARY, Hub

from mash.config.profile import load_profile
from mash.flows.store.api_keys import NewKey, make_api_key

DISCLOSED = {**ORDINARY, "concern": {"summary": "Disclosed abuse by her stepfather this morning.", "primary_need": "N1"}}
HEARD = {
    "kind": "referral",
    "source": {"code": "1D", "agency": "individual", "email": "neighbour@home.example.org"},
    "subjects": [{"name": {"given": "Unknown"}, "cohort": "child"}],
    "concern": {"summary": "A child is hit next door, again and again."},
}
GROWN_UP = {**HEARD, "subjects": [{"name": {"given": "Ruth"}, "cohort": "adult", "date_of_birth": "1971-03-09"}]}


def key_of(hub: Hub, name: str, agency: str) -> str:
    return hub.stored(lambda store: make_api_key(store, NewKey(f"own-{name}-{agency}", name, agency)))


@pytest.fixture(scope="module")
def keys(hub: Hub) -> dict[str, str]:
    """The systems by which each hub is referred to."""
    return {"camden": key_of(hub, "camden", "education"), "derbyshire": key_of(hub, "derbyshire", "individual")}


def received(hub: Hub, at: str, keys: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    answer = hub.submit(body, by=keys[at])
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def seen(hub: Hub, at: str, reference: str, role: str = "duty_manager") -> dict[str, Any]:
    answer = hub.http.get(f"/cases/{reference}", headers=hub.staff(role, hub=at))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def given(hub: Hub, at: str, reference: str, kind: str, role: str = "duty_manager", **fields: Any) -> dict[str, Any]:
    answer = hub.ask(reference, kind, role=role, hub=at, **fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def clock(case: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in case["clocks"] if each["id"] == name]
    return dict(found)


def after_receipt(case: dict[str, Any], name: str) -> timedelta:
    return datetime.fromisoformat(clock(case, name)["due_at"]) - datetime.fromisoformat(case["received_at"])


def progress(hub: Hub, receipt: dict[str, Any]) -> str:
    """The page on which whoever referred reads what has become of it."""
    form = {"reference": receipt["reference"], "code": receipt["status_code"]}
    return hub.http.post("/status", data=form).text


def part(hub: Hub, key: str, reference: str) -> dict[str, Any]:
    answer = hub.http.get(f"/referrals/{reference}", headers={"Authorization": f"Bearer {key}"})
    return dict(answer.json()["parts"][0])


@pytest.mark.parametrize(("at", "body"), [("camden", DISCLOSED), ("derbyshire", HEARD)], ids=["Camden", "Derbyshire"])
def test_it_stays_open_and_whoever_is_on_duty_has_an_hour_to_read_it(
    hub: Hub, keys: dict[str, str], at: str, body: dict[str, Any]
) -> None:
    receipt = received(hub, at, keys, body)
    assert receipt["status"] == "being_considered" and "manager decides" in receipt["what_next"]
    assert load_profile(at).signpost not in receipt["what_next"]
    case = seen(hub, at, receipt["reference"])
    assert (case["stage"], case["open"], case["owner"]) == ("to_confirm_not_ours", True, "duty_manager")
    assert after_receipt(case, "to_confirm_not_ours") == timedelta(hours=1)
    assert clock(case, "decision_on_response")["running"], "the local authority has it: the decision is a social worker's"
    told = {(each["kind"], each["role"]) for each in case["alerts_sent"]}
    assert ("not_ours_to_confirm", "duty_manager") in told
    board = hub.http.get("/cases", headers=hub.staff("duty_manager", hub=at)).json()["cases"]
    assert receipt["reference"] in {each["reference"] for each in board}
    assert "has been received" in progress(hub, receipt)


def test_camden_takes_the_disclosure_with_a_reason_and_rates_it(hub: Hub, keys: dict[str, str]) -> None:
    reference = received(hub, "camden", keys, DISCLOSED)["reference"]
    refused = hub.ask(reference, "take_contact", hub="camden")
    assert refused.status_code == 422, "why the hub takes it is said"
    given(hub, "camden", reference, "take_contact", words="A child has told: it is acted on here, whatever the four kinds are.")
    case = seen(hub, "camden", reference)
    assert case["stage"] == "triage" and after_receipt(case, "triage") == timedelta(hours=1)
    given(hub, "camden", reference, "rate_referral", rating="red")
    given(hub, "camden", reference, "call_strategy_discussion", words="Medical today.")
    assert seen(hub, "camden", reference)["stage"] == "strategy_discussion"


def test_a_strategy_discussion_does_not_wait_for_who_is_to_confirm(hub: Hub, keys: dict[str, str]) -> None:
    reference = received(hub, "camden", keys, DISCLOSED)["reference"]
    given(hub, "camden", reference, "call_strategy_discussion", role="out_of_hours", words="She goes home at three.")
    assert seen(hub, "camden", reference)["stage"] == "strategy_discussion"


def test_derbyshires_night_team_reads_what_the_neighbour_hears_and_takes_it(hub: Hub, keys: dict[str, str]) -> None:
    reference = received(hub, "derbyshire", keys, HEARD)["reference"]
    given(hub, "derbyshire", reference, "take_contact", role="out_of_hours", words="A child is hit: nobody else has it.")
    assert seen(hub, "derbyshire", reference)["stage"] == "triage"


def test_what_is_not_the_hubs_ends_by_a_person_who_says_whose_it_is_and_the_neighbour_is_told_where_to_turn(
    hub: Hub, keys: dict[str, str]
) -> None:
    receipt = received(hub, "derbyshire", keys, GROWN_UP)
    reference, signpost = receipt["reference"], load_profile("derbyshire").signpost
    case = seen(hub, "derbyshire", reference)
    assert after_receipt(case, "to_confirm_not_ours") > timedelta(hours=1), "nobody in it may be a child: a working day"
    refused = hub.ask(reference, "confirm_not_ours", hub="derbyshire", signposted_to="adults_social_care")
    assert refused.status_code == 422, "the signpost that was given, and to whom, is said in words"
    words = "Rang her: the adults' team has it, and she has their number."
    given(hub, "derbyshire", reference, "confirm_not_ours", words=words, signposted_to="adults_social_care")
    ended = seen(hub, "derbyshire", reference)
    assert (ended["stage"], ended["open"]) == ("not_taken", False)
    assert ended["subjects"]["S1"]["ended_by"] == "duty_manager.social_care"
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager", hub="derbyshire")).json()
    assert "Not ours confirmed: signposted to adults social care" in [line["what"] for line in log]
    found = part(hub, keys["derbyshire"], reference)
    assert (found["status"], found["what_next"]) == ("not_taken", signpost)
    assert signpost in progress(hub, receipt).replace("&#39;", "'")
    hub.work()
    mails = [mail for to, mail in hub.received.mails if to.startswith("neighbour") and reference in str(mail["Subject"])]
    texts = ["".join(p.get_payload(decode=True).decode() for p in mail.walk() if not p.is_multipart()) for mail in mails]
    assert any("A manager decides" in each for each in texts), "acknowledged as everybody is"
    assert any("please take it to the police" in each for each in texts)


def test_immediate_danger_is_triaged_at_once_whatever_the_hub_takes(hub: Hub, keys: dict[str, str]) -> None:
    now = {**DISCLOSED, "concern": {**DISCLOSED["concern"], "immediate_danger": True}}
    case = seen(hub, "camden", received(hub, "camden", keys, now)["reference"])
    assert case["stage"] == "triage" and "triage" in case["alerts"]
