"""A child on another authority's plan: that authority, one that there is, is told and says that it has heard; the case goes on
here."""

from __future__ import annotations

from typing import Any

import pytest
from hub import Hub


@pytest.fixture(scope="module")
def reference(hub: Hub) -> str:
    """A rated contact about a child who is on a child protection plan, as the school says of another county."""
    reference = hub.referral(subjects=[{"name": "Ash Plane", "cohort": "child", "date_of_birth": "2016-04-12"}])
    hub.rate(reference, "amber")
    hub.give(reference, "record_marker", marker="child_protection_plan", words="Birmingham's plan, says the school.")
    return reference


def offer(hub: Hub, reference: str, code: str) -> Any:
    fields = {"destination": "authority_of_plan", "subjects": ["S1"], "authority": code}
    return hub.ask(reference, "offer_hand_over", words="A new concern about a child on your plan.", **fields)


@pytest.mark.parametrize("code", ["999", "E06000999"])
def test_an_authority_that_there_is_not_is_refused_with_what_to_do(hub: Hub, reference: str, code: str) -> None:
    refused = offer(hub, reference, code)
    assert refused.status_code == 400, refused.text
    detail = refused.text
    assert "no local authority has this code" in detail and "330" in detail
    assert not hub.case(reference)["hand_overs"]


def test_whose_plan_it_is_is_told_there_by_somebody_and_heard_by_somebody_else(hub: Hub, reference: str) -> None:
    stage = hub.case(reference)["stage"]
    assert offer(hub, reference, "330").status_code == 200
    case = hub.case(reference)
    assert case["stage"] == stage and case["hand_overs"]["authority_of_plan"]["authority"] == "330"
    page = hub.http.get(f"/case/{reference}?tab=facts", headers=hub.staff("duty_manager")).text
    assert "Birmingham (330)" in page and "not accepted yet" in page
    refused = hub.ask(reference, "accept_hand_over", hand_over="authority_of_plan", words="Fine with them.")
    assert refused.status_code == 403 and "cannot accept" in refused.json()["detail"]
    said = "Mr Hale, the key worker, has it."
    hub.give(reference, "accept_hand_over", role="social_worker", hand_over="authority_of_plan", words=said)


def test_the_case_goes_on_here(hub: Hub, reference: str) -> None:
    case = hub.case(reference)
    assert case["open"] and case["hand_overs"]["authority_of_plan"]["result"] == "accepted"
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Hand over offered")]
    assert "Birmingham (330)" in line
