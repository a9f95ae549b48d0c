"""What a case's page keeps from whom, and what its forms do not suppose."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hub import ORDINARY, Hub

CHILD = {**ORDINARY["subjects"][0], "name": {"given": "Ansel", "family": "Corbyn-Dray"}}
REFUGE = {"line1": "9 Hidden Row", "postcode": "ZZ4 9NE", "confidential": "yes"}
NOT_SAFE = {**ORDINARY["consent"], "safe_to_tell": False}
NOT_TOLD = {
    "purpose": "child_protection",
    "lawful_basis": "public_task",
    "consent": "not_sought",
    "family_informed": False,
    "not_informed": "puts_somebody_at_risk",
}


def chosen(hub: Hub, reference: str) -> set[str]:
    """What stands chosen in the form for sharing before anybody has answered."""
    form = hub.http.get(f"/case/{reference}/record_sharing_basis", headers=hub.staff("duty_manager")).text
    marks = re.findall(r'<input[^>]*type="radio"[^>]*>', form)
    return {f"{name[1]}={value[1]}" for each in marks if " checked" in each
            if (name := re.search(r'name="(\w+)"', each)) and (value := re.search(r'value="(\w+)"', each))}  # fmt: skip


def test_an_address_that_is_kept_secret_is_read_by_the_hub_and_by_no_partner(hub: Hub) -> None:
    reference = hub.referral(subjects=[{**CHILD, "address": REFUGE}])
    hub.rate(reference)
    ours = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert "9 Hidden Row, ZZ4 9NE (keep it secret)" in ours
    housing = hub.staff("agency", "housing")
    for path in (f"/case/{reference}", f"/case/{reference}?tab=sent", f"/cases/{reference}", f"/case/{reference}?tab=people"):
        theirs = hub.http.get(path, headers=housing)
        assert theirs.status_code == 200 and "Hidden Row" not in theirs.text and "ZZ4" not in theirs.text, path
    assert "Kept secret: ask the hub" in hub.http.get(f"/case/{reference}", headers=housing).text


def test_a_secret_address_that_is_put_right_stays_secret_in_the_story(hub: Hub) -> None:
    reference = hub.referral(subjects=[{**CHILD, "address": REFUGE}])
    hub.rate(reference)
    (item,) = [each["item"] for each in hub.case(reference)["items"] if each["kind"] == "subject"]
    moved = {**REFUGE, "line1": "12 Hidden Row"}
    body = {
        "seen": hub.case(reference)["version"],
        "command": {"kind": "correct_details", "item": item},
        "words": "They moved.",
        "details": {"address": moved},
    }
    headers = {**hub.staff("duty_manager"), "Idempotency-Key": f"moved {reference}"}
    assert hub.http.post(f"/cases/{reference}/commands", json=body, headers=headers).status_code == 200
    for path in (f"/case/{reference}?tab=story", f"/cases/{reference}/log"):
        assert "12 Hidden Row" in hub.http.get(path, headers=hub.staff("duty_manager")).text
        theirs = hub.http.get(path, headers=hub.staff("agency", "housing"))
        assert theirs.status_code == 200 and "Hidden Row" not in theirs.text, path


def test_how_whoever_referred_is_reached_is_not_the_familys_safe_way(hub: Hub) -> None:
    source = {**ORDINARY["source"], "how_to_reach": "Only mornings", "phone": "01632 960222"}
    reference = hub.referral(source=source, consent=NOT_SAFE)
    page = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert "Safe contact: Only mornings" not in page
    said = re.sub(r"<[^>]+>|\s+", " ", page)
    assert "Safe contact: ask whoever referred" in said and re.search(r"Whoever referred: Only mornings,\s+01632 960222", said)


def test_the_form_for_sharing_supposes_what_came_with_the_contact_until_the_hub_has_said_otherwise(hub: Hub) -> None:
    reference = hub.referral(subjects=[CHILD])
    supposed = {"purpose=safeguarding_child", "lawful_basis=public_task", "consent=given", "family_informed=true"}
    assert chosen(hub, reference) == supposed
    hub.give(reference, "record_sharing_basis", words="He would be told.", **NOT_TOLD)
    assert chosen(hub, reference) == set()
    assert "do_not_tell_family" in hub.case(reference)["markers"]


@pytest.mark.parametrize(
    ("changes", "supposed"),
    [
        ({"consent": NOT_SAFE}, {"purpose=safeguarding_child", "lawful_basis=public_task", "consent=given"}),
        ({"subjects": [{**CHILD, "cohort": "unknown", "date_of_birth": None}]}, {"consent=given", "family_informed=true"}),
        ({"subjects": [CHILD, {"name": "Somebody", "cohort": "adult"}]}, {"consent=given", "family_informed=true"}),
        ({"consent": {"asked": False}}, {"purpose=safeguarding_child", "lawful_basis=public_task", "consent=not_sought"}),
    ],
)
def test_nothing_is_supposed_that_nobody_has_said(hub: Hub, changes: dict[str, Any], supposed: set[str]) -> None:
    assert chosen(hub, hub.referral(**changes)) == supposed
