"""The child's other contacts, on pages: beside the case, beside what is decided, side by side, and confirmed in two presses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hub import Hub, hub_here

from mash.flows.store.looking import look_next
from mash.flows.store.store import Store

THEO = {"name": {"given": "Theodore", "family": "Quillfeather"}, "date_of_birth": "2017-03-04", "cohort": "child"}


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    with hub_here() as running:
        yield running


def looked_at(hub: Hub) -> None:
    async def all_of_it(store: Store) -> None:
        while await look_next(store):
            pass

    hub.stored(all_of_it)


@pytest.fixture(scope="module")
def contacts(own: Hub) -> list[str]:
    """Three contacts about one child, looked at."""
    found = [own.referral(subjects=[THEO], household=[]) for _ in range(3)]
    looked_at(own)
    return found


def page(hub: Hub, path: str, **who: Any) -> str:
    answer = hub.http.get(path, headers=hub.staff(who.get("role", "duty_manager"), who.get("agency", "social_care")))
    assert answer.status_code == 200, answer.text
    return answer.text


def hidden(form: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


def test_a_case_and_the_forms_of_rating_and_deciding_show_what_came_before(own: Hub, contacts: list[str]) -> None:
    for path in (f"/case/{contacts[2]}", f"/case/{contacts[2]}/rate_referral", f"/meetings/convened/{contacts[2]}"):
        text = page(own, path)
        assert "May be the same child" in text, path
        assert contacts[0] in text and contacts[1] in text and "third in 12 months" in text


def test_a_person_confirms_in_two_presses_with_both_side_by_side(own: Hub, contacts: list[str]) -> None:
    case = page(own, f"/case/{contacts[2]}")
    (first,) = {each for each in re.findall(r'href="([^"]*)">Compare', case) if contacts[0] in each}
    beside = page(own, first.replace("&amp;", "&"))
    assert "Theodore" in beside and "the same birthday" in beside and "the same name" in beside
    (form,) = re.findall(r'<form method="post" action="/case/[^"]*/identify_subject">(.*?)</form>', beside, re.DOTALL)
    answer = own.http.post(f"/case/{contacts[2]}/identify_subject", headers=own.staff("duty_manager"), data=hidden(form))
    assert answer.status_code == 303, answer.text
    looked_at(own)
    after = page(own, f"/case/{contacts[2]}")
    assert "Confirmed" in after and "May be the same child" in after
    assert contacts[2] in page(own, f"/case/{contacts[0]}")


def test_what_came_before_stands_beside_what_ends_an_assessment_enquiries_or_a_conference_too(own: Hub) -> None:
    child = {"name": {"given": "Leopoldine", "family": "Harkaway"}, "date_of_birth": "2016-09-14", "cohort": "child"}
    first, case = (own.referral(subjects=[child], household=[]) for _ in range(2))
    looked_at(own)

    def beside(kind: str) -> None:
        text = page(own, f"/case/{case}/{kind}")
        assert "May be the same child" in text and first in text, kind

    own.rate(case)
    own.give(case, "call_strategy_discussion")
    own.give(case, "record_strategy_discussion", attended=["social_care", "police", "health"], outcome="section_47")
    own.give(case, "start_assessment")
    beside("complete_assessment")
    beside("conclude_enquiries")
    unseen = {"not_seen_because": {"S1": "refused_access"}}
    own.give(case, "conclude_enquiries", words="A conference is to decide.", outcome="conference", **unseen)
    beside("record_conference")


def test_whoever_may_not_find_people_sees_no_place_for_it(own: Hub, contacts: list[str]) -> None:
    own.rate(contacts[1])
    text = page(own, f"/case/{contacts[1]}", role="agency", agency="police")
    assert "same child" not in text and 'id="earlier"' not in text
    assert own.http.get(f"/case/{contacts[1]}/possible", headers=own.staff("agency", "police")).status_code == 403
