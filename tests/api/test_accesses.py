"""Who looked: every way to see something of a case leaves a row, and information governance reads them."""

from __future__ import annotations

import re
from typing import Any

from commands import mash_here
from hub import Hub

from mash.flows.store.reads.accesses import MOST
from mash.notifications.links import AlertLink, sign, status_code


def asked(hub: Hub, **about: Any) -> dict[str, Any]:
    """What information governance is told."""
    answer = hub.http.post("/accesses", headers=hub.staff("information_governance"), json=about)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def looks(hub: Hub, reference: str) -> list[tuple[str, str, str]]:
    return [(row["person"], row["action"], row["why"]) for row in asked(hub, reference=reference)["accesses"]]


def token_key(hub: Hub) -> str:
    assert hub.settings.token_key
    return hub.settings.token_key.get_secret_value()


def test_a_login_that_is_an_address_is_asked_for_and_the_asking_is_written_down(hub: Hub) -> None:
    person = "jane.o'smith+mash@police.example.org"
    assert asked(hub, person=person)["accesses"] == []
    mine = asked(hub, person="information_governance.social_care")["accesses"]
    assert (mine[0]["about"], mine[0]["reference"], mine[0]["action"]) == (person, None, "read_accesses")


def test_the_link_of_an_alert_is_a_look_when_it_is_followed_and_when_it_is_answered(hub: Hub) -> None:
    reference = hub.referral(concern={"summary": "He is hurt.", "immediate_danger": True})
    clock = hub.case(reference)["clocks"][0]["id"]
    link = AlertLink(reference=reference, hub="sandwell", clock=clock, role="duty_manager", notice=0)
    path = f"/alerts/{sign(token_key(hub), link)}"
    assert hub.http.get(path).status_code == 200
    assert ("link:duty_manager", "read_alert", "has the link of an alert") in looks(hub, reference)
    hub.http.post(path)
    assert ("link:duty_manager", "see_alert", "has the link of an alert") in looks(hub, reference)


def test_whoever_has_the_code_looks_and_whoever_has_not_does_not(hub: Hub) -> None:
    reference = hub.referral()
    hub.http.post("/status", data={"reference": reference, "code": "AAAA-AAAA-AAAA-AAAA"})
    assert not [person for person, _, _ in looks(hub, reference) if person == "referrer"]
    known = {"reference": reference, "code": status_code(token_key(hub), reference)}
    hub.http.post("/status", data=known)
    hub.http.post("/status/disagreements", data={**known, "words": "Look again."})
    assert [look for look in looks(hub, reference) if look[0] == "referrer"] == [
        ("referrer", "disagree_with_decision", "has its code"),
        ("referrer", "read_own_referral", "has its code"),
    ]


def test_a_story_that_is_printed_is_a_look(hub: Hub) -> None:
    reference = hub.referral()
    assert mash_here("log", reference, MASH_DATA_DIR=str(hub.settings.data_dir)).returncode == 0
    (look,) = [each for each in looks(hub, reference) if each[1] == "read_story"]
    assert look[0].startswith("cli:") and look[2] == "gives commands on the machine"


def test_a_report_is_read_page_by_page_to_its_end(hub: Hub) -> None:
    reference = hub.referral()
    hub.case(reference)
    hub.sql(
        "INSERT INTO access (at, person, role, agency, hub, reference, action, why)"
        " SELECT now(), 'p' || n, 'agency', 'police', 'sandwell', %s, 'read_case', 'y' FROM generate_series(1, %s) n",
        reference,
        MOST,
    )
    first = asked(hub, reference=reference)
    assert len(first["accesses"]) == MOST and first["earlier"]
    rest = asked(hub, reference=reference, before=first["earlier"])
    assert rest["accesses"][-1]["person"] == "duty_manager.social_care" and rest["earlier"] is None

    governor = hub.staff("information_governance")
    page = hub.http.post("/looked", headers=governor, data={"reference": reference})
    assert "duty_manager.social_care" not in page.text and ">Earlier" in re.sub(r"\s", "", page.text)
    form = dict(re.findall(r'name="(before|reference)" value="([^"]*)"', page.text))
    assert "duty_manager.social_care" in hub.http.post("/looked", headers=governor, data=form).text
