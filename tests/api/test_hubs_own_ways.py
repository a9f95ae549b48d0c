"""What only some hubs do, over HTTP and on pages: partners who are asked in a consultation, and police who screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hub import ORDINARY, Hub, served

from mash.flows.store.api_keys import NewKey, make_api_key

BASIS = {"purpose": "safeguarding_child", "lawful_basis": "public_task", "consent": "given", "family_informed": True}


@pytest.fixture(scope="module")
def others(hub: Hub) -> Iterator[Hub]:
    """The same installation, with hubs whose documents say what others' do not."""
    with served(hub, hubs="cornwall,cambridgeshire,derbyshire") as running:
        yield running


def submitted(hub: Hub, to: str, **changes: Any) -> str:
    """A school's contact with this hub; its reference."""
    key = hub.stored(lambda store: make_api_key(store, NewKey(f"school of {to}", to, "education")))
    return str(hub.submit({**ORDINARY, **changes}, by=key).json()["reference"])


def read(hub: Hub, of: str, reference: str, role: str) -> dict[str, Any]:
    """The case as somebody of its hub reads it."""
    answer = hub.http.get(f"/cases/{reference}", headers=hub.staff(role, hub=of))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_advice_team_asks_a_partner_in_a_consultation_and_reads_what_it_answers(others: Hub) -> None:
    reference, cornwall = submitted(others, "cornwall"), {"hub": "cornwall", "words": "Why."}
    others.give(reference, "record_sharing_basis", role="team_manager", **cornwall, **BASIS)
    form = others.http.get(f"/case/{reference}/ask_agencies", headers=others.staff("social_worker", hub="cornwall"))
    assert "Domestic abuse services" in form.text
    others.give(reference, "ask_agencies", role="social_worker", agencies=["domestic_abuse"], **cornwall)
    answer = {"agency": "domestic_abuse", "known": True, "relevant": True}
    given = others.command(
        reference, {"kind": "answer_check", **answer}, others.staff("agency", "domestic_abuse", "cornwall"), "Two calls."
    )
    assert given.status_code == 200, given.text
    case = read(others, "cornwall", reference, "team_manager")
    assert (case["stage"], case["outstanding"], case["checks"]["domestic_abuse"]["known"]) == ("consultation", [], True)


def test_elsewhere_nobody_is_asked_in_a_consultation(others: Hub) -> None:
    reference, hub = submitted(others, "cambridgeshire", kind="advice"), {"hub": "cambridgeshire", "words": "Why."}
    others.give(reference, "record_sharing_basis", **hub, **BASIS)
    refused = others.ask(reference, "ask_agencies", agencies=["police"], **hub)
    assert refused.status_code == 422 and "once there is a referral" in refused.json()["detail"]
    page = others.http.get(f"/case/{reference}", headers=others.staff("duty_manager", hub="cambridgeshire"))
    assert "conclude_consultation" in page.text and "ask_agencies" not in page.text


def test_no_police_officer_screens_for_a_hub_that_does_not_say_so(hub: Hub) -> None:
    officer = {"role": "screening_officer", "agency": "police"}
    assert hub.ask(hub.referral(), "rate_referral", rating="red", **officer).status_code == 403


def test_a_police_officer_of_the_unit_says_whether_it_is_urgent_and_decides_nothing(others: Hub) -> None:
    reference, officer = submitted(others, "derbyshire"), {"role": "screening_officer", "agency": "police", "hub": "derbyshire"}
    others.give(reference, "rate_referral", rating="urgent", **officer)
    assert read(others, "derbyshire", reference, "duty_manager")["rating"] == "urgent"
    refused = others.ask(reference, "record_decision", outcomes={"S1": "advice"}, words="No.", **officer)
    assert refused.status_code == 403
