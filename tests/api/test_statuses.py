"""Every kind of refusal, reached by a request that a person could make."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from hub import ORDINARY, Hub

from mash.api.problems import STATUS, NoKeyHere, ProviderFailed, TooMany, TooSlow, Unavailable
from mash.states.errors import Refusal


def quorum_not_met(hub: Hub) -> httpx.Response:
    reference = hub.referral()
    hub.give(reference, "call_strategy_discussion", words="Likely significant harm.")
    return hub.ask(reference, "record_strategy_discussion", attended=["social_care"], outcome="section_47")


def outdated(hub: Hub) -> httpx.Response:
    reference = hub.referral()
    hub.give(reference, "rate_referral", rating="green")
    return hub.ask(reference, "rerate_referral", words="Worse.", rating="red", seen=1)


def key_reused(hub: Hub) -> httpx.Response:
    hub.submit(ORDINARY, "one key, two requests")
    return hub.submit({**ORDINARY, "kind": "advice"}, "one key, two requests")


def reason_missing(hub: Hub) -> httpx.Response:
    reference = hub.referral()
    hub.give(reference, "rate_referral", rating="green")
    return hub.ask(reference, "rerate_referral", rating="red")


def consent_contradicted(hub: Hub) -> httpx.Response:
    basis = {"purpose": "safeguarding_child", "lawful_basis": "consent", "consent": "refused", "family_informed": True}
    return hub.ask(hub.referral(), "record_sharing_basis", words="They said no.", **basis)


WAYS: dict[str, Callable[[Hub], httpx.Response]] = {
    "Malformed": lambda hub: hub.submit(["not an object"]),
    "NotSignedIn": lambda hub: hub.http.get("/cases"),
    "NotYours": lambda hub: hub.ask(hub.referral(), "rate_referral", role="agency", agency="police", rating="red"),
    "NotFound": lambda hub: hub.http.get("/cases/MASH-26-999999", headers=hub.staff("duty_manager")),
    "ImpossibleMove": lambda hub: hub.ask(hub.referral(), "record_meeting", attended=["police"], rating="red"),
    "QuorumNotMet": quorum_not_met,
    "VersionConflict": outdated,
    "KeyReused": key_reused,
    "TooLarge": lambda hub: hub.submit({"concern": {"summary": "x" * 1_100_000}}),
    "TooLong": lambda hub: hub.http.get("/health", headers={"X-More": "y" * 20_000}),
    "NotInProfile": lambda hub: hub.ask(hub.referral(), "rate_referral", rating="purple"),
    "ReasonNeeded": reason_missing,
    "Incomplete": consent_contradicted,
    "NothingToActOn": lambda hub: hub.submit({}),
}


ELSEWHERE = {
    ProviderFailed: "test_sign_on",
    TooMany: "test_guard",
    TooSlow: "test_guard",
    Unavailable: "test_health",
    NoKeyHere: "test_health",
}
"""Reached where there is a provider, where there are limits, and where a database or a key is away."""


@pytest.mark.parametrize("refusal", [kind for kind in STATUS if kind not in ELSEWHERE], ids=lambda kind: kind.__name__)
def test_every_refusal_in_the_table_is_reached_and_says_what_it_is(hub: Hub, refusal: type[Refusal]) -> None:
    answer = WAYS[refusal.__name__](hub)
    read = answer.json()
    assert (answer.status_code, read["type"]) == (STATUS[refusal], f"urn:mash:{refusal.__name__}")
    assert (read["title"], read["status"]) == (refusal.title, STATUS[refusal])
    assert read["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_reminder_of_nothing_to_act_on_is_the_same_answer_and_one_receipt(hub: Hub) -> None:
    before = hub.refused()
    first, again = hub.submit({}, "nothing, twice"), hub.submit({}, "nothing, twice")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert hub.refused() == before + 1


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/referrals", 405)])
def test_what_the_framework_refuses_is_a_problem_too(hub: Hub, method: str, path: str, status: int) -> None:
    answer = hub.http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
