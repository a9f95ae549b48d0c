"""Second persons over HTTP and on pages: what the case says of them, what is offered to whom, and what the timeline tells."""

from __future__ import annotations

from typing import Any

import pytest
from hub import Hub
from reading import Page

OVERRIDE = {
    "purpose": "safeguarding_child",
    "lawful_basis": "public_task",
    "consent": "overridden",
    "family_informed": True,
}


def page(hub: Hub, reference: str, role: str, act: str = "") -> str:
    answer = hub.http.get(f"/case/{reference}{act}", headers=hub.staff(role))
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture
def proposed(hub: Hub) -> str:
    """An amber case in which one person proposes to override consent."""
    reference = hub.referral()
    hub.give(reference, "rate_referral", rating="amber")
    hub.give(reference, "record_sharing_basis", words="His mother fears him.", **OVERRIDE)
    return reference


def test_an_override_that_is_proposed_is_seen_on_the_case_and_nothing_has_left(hub: Hub, proposed: str) -> None:
    case = hub.case(proposed)
    assert case["uncountersigned"] == ["A1"] and case["sharing"] is None and case["checks"] == {}
    shown = page(hub, proposed, "duty_manager")
    assert "Waiting for a second person" in shown and "until you say why" not in shown, "it is said already"
    assert "A second person has still to agree." in shown and "A1" not in Page(shown).text
    assert "waits for a second person to countersign" in page(hub, proposed, "duty_manager", "?tab=facts")
    assert ("countersignature", "practice_manager") in {(each["kind"], each["role"]) for each in case["alerts_sent"]}


def test_it_is_offered_to_a_second_person_and_not_to_the_first(hub: Hub, proposed: str) -> None:
    assert "countersign" not in hub.case(proposed)["possible"]
    assert (
        "Overriding consent: proposed by duty_manager.social_care".lower()
        in page(hub, proposed, "practice_manager", "/countersign").lower()
    )
    refused = hub.ask(proposed, "countersign", words="I agree with myself.", seconding="A1", agreed=True)
    assert refused.status_code == 403


def test_once_the_second_person_agrees_it_is_in_the_timeline_and_on_the_page_in_words(hub: Hub, proposed: str) -> None:
    hub.give(proposed, "countersign", role="practice_manager", words="I read it: yes.", seconding="A1", agreed=True)
    case = hub.case(proposed)
    assert (case["sharing"], case["sharing_consent"]) == (True, "overridden") and case["checks"]
    assert case["secondings"]["A1"]["agreed"] is True and case["uncountersigned"] == []
    log = [line["what"] for line in hub.http.get(f"/cases/{proposed}/log", headers=hub.staff("duty_manager")).json()]
    assert any("Sharing basis recorded" in what and "consent overridden" in what for what in log)
    assert any(what.startswith("Countersigned") and "agrees" in what for what in log)
    shown = page(hub, proposed, "duty_manager", "?tab=facts")
    assert "May be shared; consent overridden" in shown and "a second person agrees" in shown
    assert "A1" not in Page(page(hub, proposed, "duty_manager", "?tab=story")).text


def danger(hub: Hub) -> str:
    return hub.referral(concern={"summary": "He is hurting her.", "immediate_danger": True})


def test_who_agreed_is_asked_only_where_somebody_may_be_in_immediate_danger(hub: Hub) -> None:
    asked = "Who agreed as a second person?"
    assert asked in page(hub, danger(hub), "duty_manager", "/rate_referral")
    assert asked not in page(hub, hub.referral(), "duty_manager", "/rate_referral")


def test_an_immediate_danger_is_not_rated_down_by_one_person_and_who_agreed_by_telephone_is_asked_to_confirm(hub: Hub) -> None:
    reference = danger(hub)
    refused = hub.ask(reference, "rate_referral", rating="green")
    assert refused.status_code == 422 and "needs a second person" in refused.json()["detail"]
    second = {"second": "practice_manager.social_care", "second_at": None}
    hub.staff("practice_manager")  # who has signed in before
    nobody = hub.ask(reference, "rate_referral", rating="green", second="nobody.at.all")
    assert nobody.status_code == 422 and "nobody who works here has that login" in nobody.json()["detail"]
    hub.give(reference, "rate_referral", rating="green", **second)
    assert "waits for practice_manager.social_care to countersign" in page(hub, reference, "duty_manager", "?tab=facts")
    hub.give(reference, "countersign", role="practice_manager", words="I never said that.", seconding="A1", agreed=False)
    case: dict[str, Any] = hub.case(reference)
    assert case["rating"] == "red"
    assert ("countersignature_refused", "duty_manager") in {(each["kind"], each["role"]) for each in case["alerts_sent"]}
