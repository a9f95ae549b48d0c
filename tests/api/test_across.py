"""Asking the other hubs whether they know somebody, over HTTP and on pages: what is answered, and who reads that it was asked."""

from __future__ import annotations

from typing import Any

import pytest
from hub import ORDINARY, Hub

from mash.flows.store.api_keys import NewKey, make_api_key

CHILD = {
    "name": {"given": "Perpetua", "family": "Thistlewood"},
    "date_of_birth": "2014-05-06",
    "cohort": "child",
    "address": {"line1": "9 Elm Road", "postcode": "B70 1AA"},
}
STRANGER = {"name": {"given": "Ludovic", "family": "Arkwright"}, "date_of_birth": "2011-08-09", "cohort": "child"}


@pytest.fixture(scope="module")
def theirs(hub: Hub) -> str:
    """A contact of Merton's about the child."""
    key = hub.stored(lambda store: make_api_key(store, NewKey("school", "merton", "education")))
    return str(hub.submit({**ORDINARY, "subjects": [CHILD], "household": []}, by=key).json()["reference"])


def asked(hub: Hub, child: dict[str, Any]) -> tuple[str, str]:
    """A case of Sandwell's about a child, of whom the others were asked on its page; its reference, and the page from then on."""
    reference = hub.referral(subjects=[child], household=[])
    hub.rate(reference)
    subject = next(iter(hub.case(reference)["subjects"]))
    duty = hub.staff("duty_manager")
    form = hub.http.get(f"/case/{reference}/ask_other_hubs", headers=duty)
    assert "You are told which hub to ring, and nothing else" in form.text
    sent = hub.http.post(f"/case/{reference}/ask_other_hubs", headers=duty, data={"subject": subject}, follow_redirects=True)
    assert "The other hubs asked" in sent.text
    return reference, sent.text


def test_the_case_says_which_hub_to_ring_and_nothing_of_what_that_hub_has(hub: Hub, theirs: str) -> None:
    reference, page = asked(hub, CHILD)
    assert "Merton may know this person: ring its duty manager" in page and theirs not in page
    case = hub.http.get(f"/cases/{reference}", headers=hub.staff("duty_manager"))
    ((answer,),) = [case.json()["across"].values()]
    assert answer["may_know"] == ["merton"] and theirs not in case.text


def test_where_nobody_knows_them_it_says_so(hub: Hub, theirs: str) -> None:
    reference, page = asked(hub, STRANGER)
    assert "no other hub" in page and "ring its duty manager" not in page
    assert [each["may_know"] for each in hub.case(reference)["across"].values()] == [[]]


def test_information_governance_of_the_hub_that_was_asked_reads_who_asked_and_of_no_case(hub: Hub, theirs: str) -> None:
    reference, _ = asked(hub, CHILD)
    governor = hub.staff("information_governance", hub="merton")
    answer = hub.http.post("/accesses", headers=governor, json={"questions": "of_other_hubs"})
    lines = answer.json()["accesses"]
    assert {(each["person"], each["action"]) for each in lines} == {("duty_manager.social_care", "asked_by_another_hub")}
    assert "sandwell asked, and was told to ring your duty manager" in {each["why"] for each in lines}
    assert {(each["reference"], each["about"]) for each in lines} == {(None, None)} and reference not in answer.text
    page = hub.http.post("/looked", headers=governor, data={"questions": "of_other_hubs"}).text
    assert "Asked by another hub" in page and "Sandwell asked, and was told to ring your duty manager" in page
    assert reference not in page and "Thistlewood" not in page


def test_information_governance_of_the_hub_that_asked_finds_it_with_the_case(hub: Hub, theirs: str) -> None:
    reference, _ = asked(hub, CHILD)
    found = hub.http.post("/accesses", headers=hub.staff("information_governance"), json={"reference": reference}).json()
    assert ("duty_manager.social_care", "ask_other_hubs") in {(row["person"], row["action"]) for row in found["accesses"]}
    page = hub.http.post("/looked", headers=hub.staff("information_governance"), data={"reference": reference}).text
    assert "Ask other hubs" in page


def test_a_partner_may_neither_ask_nor_read_the_answer(hub: Hub, theirs: str) -> None:
    reference, _ = asked(hub, CHILD)
    police = hub.staff("agency", "police")
    case = hub.http.get(f"/cases/{reference}", headers=police)
    assert case.json()["across"] == {} and "ask_other_hubs" not in case.json()["possible"]
    told = case.text + hub.http.get(f"/case/{reference}", headers=police).text
    told += hub.http.get(f"/cases/{reference}/log", headers=police).text
    assert "erton" not in told and "other hub" not in told.lower()
    assert hub.ask(reference, "ask_other_hubs", role="agency", agency="police", subject="S1").status_code == 403


def test_before_the_reason_for_sharing_is_on_record_the_refusal_says_so(hub: Hub, theirs: str) -> None:
    reference = hub.referral(subjects=[CHILD], household=[])
    subject = next(iter(hub.case(reference)["subjects"]))
    answer = hub.ask(reference, "ask_other_hubs", subject=subject)
    assert answer.status_code == 422 and "record first why information may be shared" in answer.json()["detail"]
