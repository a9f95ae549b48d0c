"""Somebody turns 18 while their case is open: adults' services are offered them, and they are handed over once those accept."""

from __future__ import annotations

import pytest
from hub import Hub

from mash.flows.store.apply import act
from mash.flows.store.store import Store, system_actor
from mash.states.acts.of_age import SayOfAge


@pytest.fixture(scope="module")
def reference(hub: Hub) -> str:
    """A case at its decision, about somebody whose 18th birthday is today."""
    reference = hub.referral(subjects=[{"name": "Elm Grown", "cohort": "child"}])
    hub.rate(reference, "green")
    hub.answer_all(reference)

    async def birthday(store: Store) -> None:
        await act(store, reference, SayOfAge(subject="S1", when="today"), system_actor("sandwell"))

    hub.stored(birthday)
    return reference


def test_the_case_does_not_end_before_adults_services_have_accepted_them(hub: Hub, reference: str) -> None:
    hub.give(reference, "hand_over_to_adults", subject="S1", to="adult_social_care", words="Needs care and support.")
    ends = {"outcomes": {"S1": "no_further_action"}, "words": "Nothing more for children's services."}
    refused = hub.ask(reference, "record_decision", **ends)
    assert refused.status_code == 422 and "accept_hand_over" in refused.json()["detail"]
    case = hub.case(reference)
    assert case["subjects"]["S1"]["coming_of_age"] == "today" and case["hand_overs"]["adult_social_care"]["result"] is None


def test_adults_services_are_told_read_the_case_and_accept_by_their_own_login(hub: Hub, reference: str) -> None:
    sent = [(each["kind"], each["role"]) for each in hub.case(reference)["alerts_sent"]]
    assert ("hand_over_offered", "adult_social_worker") in sent
    adults = hub.staff("adult_social_worker", "adult_social_care")
    page = hub.http.get(f"/case/{reference}/accept_hand_over", headers=adults)
    assert page.status_code == 200 and "Adult social care" in page.text
    own = hub.ask(reference, "accept_hand_over", hand_over="adult_social_care", words="They said yes.")
    assert own.status_code == 403 and "cannot accept" in own.json()["detail"]
    hub.give(reference, "accept_hand_over", role="adult_social_worker", agency="adult_social_care", hand_over="adult_social_care")
    subject = hub.case(reference)["subjects"]["S1"]
    assert (subject["coming_of_age"], subject["cohort"]) == ("handed_over", "adult")


def test_then_the_case_may_end_here(hub: Hub, reference: str) -> None:
    hub.give(reference, "record_decision", outcomes={"S1": "no_further_action"}, words="Adults' services have it.")
    case = hub.case(reference)
    assert case["stage"] == "no_further_action" and not case["open"]
