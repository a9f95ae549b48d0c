"""What the census asks of a child who is helped or protected: offered on the case until it is known, and in nobody's way."""

from __future__ import annotations

import asyncio
import re
import secrets
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hub import Hub

from mash.api.client import People, likeness_of, person
from mash.api.demo.people import Hub as Demonstrated
from mash.config.profile import load_profile

CHILD = {"name": {"given": "Isla", "family": "Quillfeather"}, "date_of_birth": "2015-12-20", "cohort": "child", "sex": "F"}
BABY = {"name": {"given": "Fenn", "family": "Quillfeather"}, "date_of_birth": "2026-01-05", "cohort": "child"}
UPN = "H801200001001"
OFFER = "Details for the census"


def somebody_new() -> dict[str, Any]:
    """The same child by another name: contacts about one child add up, and are not closed before somebody has looked."""
    name, _ = likeness_of(secrets.token_hex(8))
    return {**CHILD, "name": {"given": name[:4].title(), "family": name[4:].title()}}


def decided(hub: Hub, *subjects: Any, outcome: str = "section_17") -> str:
    """A contact about these, decided alike for all of them."""
    reference = hub.referral(subjects=list(subjects or (CHILD,)))
    hub.rate(reference, "green")
    hub.answer_all(reference)
    outcomes = dict.fromkeys(hub.case(reference)["subjects"], outcome)
    hub.give(reference, "record_decision", words="As agreed.", outcomes=outcomes, primary_need="N1")
    return reference


def page(hub: Hub, path: str, role: str = "duty_manager", agency: str = "social_care") -> str:
    shown = hub.http.get(path, headers=hub.staff(role, agency))
    assert shown.status_code == 200, shown.text
    return shown.text


def form(hub: Hub, reference: str, path: str = "", **values: Any) -> Any:
    """Fill in the form for the census as it stands, with these values, and send it."""
    address = path or f"/case/{reference}/correct_details?asks=census"
    shown = page(hub, address)
    sent: dict[str, Any] = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', shown))
    sent |= dict(re.findall(r'name="(details\.[a-z_]+)" type="(?:text|date)"[^>]* value="([^"]*)"', shown))
    sent |= dict(re.findall(r'name="(item|details\.[a-z_]+)" type="radio" value="([^"]*)" checked', shown))
    sent |= dict(re.findall(r'<select [^>]*name="(details\.[a-z_]+)".*?<option value="([^"]*)" selected', shown, re.DOTALL))
    sent |= {f"details.{name}": value for name, value in values.items()}
    return hub.http.post(address.partition("?")[0], headers=hub.staff("duty_manager"), data=sent)


def stored(hub: Hub, reference: str, subject: str = "S1") -> dict[str, Any]:
    fields: dict[str, Any] = next(item["fields"] for item in hub.case(reference)["items"] if item["subject"] == subject)
    return fields


def test_nothing_is_asked_at_triage_nor_of_a_child_for_whom_nothing_further_is_done(hub: Hub) -> None:
    reference = hub.referral(subjects=[somebody_new()])
    assert hub.case(reference)["census_owed"] == {} and OFFER not in page(hub, f"/case/{reference}")
    reference = decided(hub, somebody_new(), outcome="no_further_action")
    assert hub.case(reference)["census_owed"] == {} and OFFER not in page(hub, f"/case/{reference}")


@pytest.mark.parametrize("outcome", ["section_17", "section_47"])
def test_it_is_offered_with_what_the_referrer_wrote_until_nothing_is_owed(hub: Hub, outcome: str) -> None:
    reference = decided(hub, outcome=outcome)
    assert hub.case(reference)["census_owed"] == {"S1": ["ethnicity", "disability", "upn"]}
    case = page(hub, f"/case/{reference}")
    assert OFFER in case and "Not yet known: ethnicity, disability and UPN" in case
    asked = page(hub, f"/case/{reference}/correct_details?asks=census")
    assert f'<h2 id="act" tabindex="-1">{OFFER}' in asked
    assert re.search(r'value="F" checked', asked) and 'value="2015-12-20"' in asked, "as the referrer wrote it"
    assert asked.count("Not yet known") == 4 and "Given name" not in asked and "School" not in asked
    assert form(hub, reference, ethnicity="WBRI", upn_unknown="UN6").status_code == 303
    assert hub.case(reference)["census_owed"] == {"S1": ["disability"]}
    assert form(hub, reference, disability=["NONE"], upn=UPN).status_code == 303
    assert hub.case(reference)["census_owed"] == {} and OFFER not in page(hub, f"/case/{reference}")
    known = {"sex": "F", "ethnicity": "WBRI", "disability": ["NONE"], "upn": UPN, "date_of_birth": "2015-12-20"}
    assert {name: stored(hub, reference).get(name) for name in (*known, "upn_unknown")} == {**known, "upn_unknown": None}
    assert stored(hub, reference)["name"] == CHILD["name"]


def test_what_is_not_yet_known_stays_owed_and_what_was_wrong_can_be_taken_out(hub: Hub) -> None:
    reference = decided(hub)
    nothing = form(hub, reference)
    assert nothing.status_code == 422 and "nothing was corrected" in nothing.text
    assert form(hub, reference, sex="not-yet-known", disability=["not-yet-known"]).status_code == 303
    assert "sex" not in stored(hub, reference) and "disability" not in stored(hub, reference)
    assert "sex" in hub.case(reference)["census_owed"]["S1"]


def test_of_several_children_it_is_asked_of_those_who_owe_something_one_after_another(hub: Hub) -> None:
    reference = decided(hub, CHILD, BABY)
    owed = hub.case(reference)["census_owed"]
    assert owed == {"S1": ["ethnicity", "disability", "upn"], "S2": ["sex", "ethnicity", "disability"]}
    chooser = page(hub, f"/case/{reference}/correct_details?asks=census")
    assert "Isla Quillfeather" in chooser and "Fenn Quillfeather" in chooser and "details." not in chooser
    item = next(each["item"] for each in hub.case(reference)["items"] if each["subject"] == "S1")
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', chooser))
    path = f"/case/{reference}/correct_details"
    onward = hub.http.post(path, headers=hub.staff("duty_manager"), data={**hidden, "item": item})
    assert onward.status_code == 303 and onward.headers["location"] == f"{path}?item={item}&asks=census"
    said = {"ethnicity": "NOBT", "disability": ["LD"], "upn": UPN}
    assert form(hub, reference, onward.headers["location"], **said).status_code == 303
    assert list(hub.case(reference)["census_owed"]) == ["S2"]
    only = page(hub, f"/case/{reference}/correct_details?asks=census")
    assert "Fenn Quillfeather" in only and 'value="2026-01-05"' in only and "details.upn" not in only


def test_it_holds_nothing_up_and_is_no_clock(hub: Hub) -> None:
    reference = decided(hub)
    seen = {"subject": "S1", "seen_on": hub.case(reference)["received_at"][:10], "alone": True}
    hub.give(reference, "record_child_voice", words="Says little.", **seen)
    hub.give(reference, "complete_assessment", words="Done.", factors=["21"], outcome="no_further_action")
    case = hub.case(reference)
    assert not case["open"] and case["census_owed"] and not any("census" in clock["why"].lower() for clock in case["clocks"])
    assert OFFER in page(hub, f"/case/{reference}"), "it is asked of a closed case too"


def test_it_is_for_whoever_may_put_it_right_and_nobody_else_hears_of_it(hub: Hub) -> None:
    reference = decided(hub)
    for role, agency in (("agency", "police"), ("social_worker", "social_care")):
        headers = hub.staff(role, agency)
        case = hub.http.get(f"/cases/{reference}", headers=headers).json()
        offered = OFFER in hub.http.get(f"/case/{reference}", headers=headers).text
        assert offered == ("correct_details" in case["possible"]) == bool(case["census_owed"])


def test_what_it_says_is_in_no_event(hub: Hub) -> None:
    reference = decided(hub)
    form(hub, reference, ethnicity="WROM", disability=["AUT"], upn=UPN)
    assert not hub.sql("SELECT FROM event WHERE canonical ~ 'WROM|\"AUT\"|H801200001001'")


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"upn": UPN, "upn_unknown": "UN2"}, "take out one of the two"),
        ({"died_on": "2062-01-01"}, "check both days"),
        ({"died_on": "2015-12-19"}, "check both days"),
    ],
)
def test_what_contradicts_itself_is_refused_in_words(hub: Hub, details: dict[str, str], said: str) -> None:
    reference = hub.referral(subjects=[somebody_new()])
    body = {"seen": hub.case(reference)["version"], "command": {"kind": "correct_details", "item": "S1"}, "details": details}
    headers = {**hub.staff("duty_manager"), "Idempotency-Key": f"census-{reference}-{sorted(details)}"}
    refused = hub.http.post(f"/cases/{reference}/commands", headers=headers, json=body)
    assert refused.status_code == 422 and said in refused.json()["detail"]


def test_what_a_referrer_sends_of_it_is_kept_and_flagged(hub: Hub) -> None:
    odd = {"upn": UPN, "upn_unknown": "UN1", "former_upn": "x", "died_on": "soon"}
    flags = hub.submit({"subjects": [{**CHILD, **odd}], "concern": {"summary": "A bruise."}}).json()["flags"]
    expected = ("upn_unknown_no_reason", "upn_and_reason_without", "former_upn_not_valid", "died_on_not_understood")
    assert {f"S1_{flag}" for flag in expected} <= {*flags}


def test_where_the_outcome_no_longer_asks_for_it_the_form_is_that_of_any_detail(hub: Hub) -> None:
    reference = hub.referral(subjects=[somebody_new()])
    asked = page(hub, f"/case/{reference}/correct_details?asks=census")
    assert OFFER not in asked and "Whose details?" in asked


def test_a_conference_that_makes_a_plan_asks_why_and_how_many_there_were_and_the_story_says_so(hub: Hub) -> None:
    reference = decided(hub, outcome="section_47")
    quorum = ["social_care", "police", "health"]
    hub.give(reference, "record_strategy_discussion", words="Agreed.", attended=quorum, outcome="section_47", enquiry="joint")
    today = hub.case(reference)["received_at"][:10]
    hub.give(reference, "record_child_voice", words="Afraid.", subject="S1", seen_on=today, alone=True)
    hub.give(reference, "conclude_enquiries", words="To conference.", outcome="conference")
    path = f"/case/{reference}/record_conference"
    asked = page(hub, path)
    assert "If Isla Quillfeather gets a plan: why?" in asked and "Neglect" in asked
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', asked))
    sent = {**hidden, "held_on": today, "outcomes.S1": "child_protection_plan", "words": "At risk of neglect."}
    missing = hub.http.post(path, headers=hub.staff("duty_manager"), data=sent)
    assert missing.status_code == 422 and "how many were there before" in missing.text
    sent |= {"abuse_categories.S1": "NEG", "previous_plans.S1": "1"}
    assert hub.http.post(path, headers=hub.staff("duty_manager"), data=sent).status_code == 303
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Conference held")]
    assert "category of abuse S1: NEG: Neglect" in line and "plans before S1: 1" in line


def test_a_form_that_was_opened_before_the_decision_was_taken_back_takes_nothing_out(hub: Hub) -> None:
    reference = decided(hub)
    before = stored(hub, reference)
    shown = page(hub, f"/case/{reference}/correct_details?asks=census")
    sent = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', shown))
    item = next(each["item"] for each in hub.case(reference)["items"] if each["subject"] == "S1")
    hub.give(reference, "withdraw_decision", words="It was her cousin.")
    sent |= {"item": item, "details.ethnicity": "WBRI", "seen": str(hub.case(reference)["version"])}
    path = f"/case/{reference}/correct_details"
    late = hub.http.post(path, headers=hub.staff("duty_manager"), data=sent)
    assert late.status_code == 303 and late.headers["location"] == f"{path}?item={item}"
    assert stored(hub, reference) == before


def test_the_demonstrations_people_answer_it_and_then_nothing_is_owed(hub: Hub) -> None:
    reference, manager = decided(hub), person("duty_manager")

    async def answered() -> Demonstrated:
        async with httpx.AsyncClient(timeout=60, base_url=hub.http.base_url) as http:
            people = People(key=hub.key, sessions={manager: hub.session(manager)}, http=http, duty_manager=manager)
            played = Demonstrated(load_profile("sandwell"), people, {"duty_manager": manager}, {})
            played.now = datetime(2026, 11, 19, 9, tzinfo=UTC)
            played.plans[reference, "census"] = played.now
            await played.answer_the_census(hub.case(reference))
            return played

    assert asyncio.run(answered()).refused == []
    assert hub.case(reference)["census_owed"] == {}
