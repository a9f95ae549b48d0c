"""Who looked: every way to see something of a case leaves a row, and information governance reads them."""

from __future__ import annotations

import re
from typing import Any

import pytest
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


def test_a_session_that_was_begun_on_the_machine_is_seen_by_whoever_asks_about_its_person(hub: Hub) -> None:
    done = mash_here("token", "social_worker", "sandwell", "--login", "S.Borrowed", MASH_DATA_DIR=str(hub.settings.data_dir))
    secret = done.stdout.strip()
    assert hub.http.get("/cases", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    (trace,) = asked(hub, person="s.borrowed")["accesses"]
    assert trace["person"].startswith("cli:") and trace["about"] == "s.borrowed"
    assert (trace["action"], trace["why"]) == ("begin_session_on_the_command_line", "gives commands on the machine")
    page = hub.http.post("/looked", headers=hub.staff("information_governance"), data={"person": "s.borrowed"})
    assert "Begin session on the command line" in page.text and secret not in page.text


def test_a_person_is_asked_about_by_their_login_however_it_is_written(hub: Hub) -> None:
    reference = hub.referral()
    hub.case(reference)
    assert reference in {row["reference"] for row in asked(hub, person="Duty_Manager.social_care")["accesses"]}


def test_a_search_that_finds_nobody_is_a_look_and_does_not_keep_the_name(hub: Hub) -> None:
    searcher = hub.staff("practice_manager")
    assert hub.http.post("/people/search", headers=searcher, json={"name": "Nobody Atallwho"}).json() == {"people": []}
    hub.http.post("/find", headers=searcher, data={"text": "Nobody Atallwho"})
    found = asked(hub, person="practice_manager.social_care")["accesses"]
    searches = [row for row in found if row["action"] == "find_people" and row["reference"] is None]
    assert sum(row["times"] for row in searches) == 2 and {row["why"] for row in searches} == {
        "looked for a name, and found nobody"
    }
    assert not hub.sql("SELECT FROM access WHERE access::text ILIKE '%%atallwho%%'")
    page = hub.http.post("/looked", headers=hub.staff("information_governance"), data={"person": "practice_manager.social_care"})
    assert "Nobody" in page.text and "None" not in page.text


def test_who_looked_at_a_child_is_asked_by_the_childs_name_over_all_their_cases(hub: Hub) -> None:
    child = {"name": {"given": "Perpetua", "family": "Oakenshield"}, "date_of_birth": "2014-05-06", "cohort": "child"}
    spelt = {**child, "name": {"given": "Perpetua", "family": "Oakenshielde"}}
    other = {**child, "name": {"given": "Perpetua", "family": "Marshwiggle"}, "date_of_birth": "2010-01-01"}
    first, again, stranger = (hub.referral(subjects=[each], household=[]) for each in (child, spelt, other))
    for reference in (first, again, stranger):
        hub.case(reference)
    found = asked(hub, name="perpetua oakenshield", born="2014-05-06")
    assert found["cases"] == [first, again]
    assert {row["reference"] for row in found["accesses"]} == {first, again}
    governor = hub.staff("information_governance")
    page = hub.http.post("/looked", headers=governor, data={"name": "Perpetua Oakenshield", "born": "2014-05-06"}).text
    assert first in page and again in page and stranger not in page and "duty_manager.social_care" in page
    assert asked(hub, name="Nobody Atallwhoever") == {"accesses": [], "earlier": None, "cases": []}
    assert hub.http.post("/accesses", headers=hub.staff("duty_manager"), json={"name": "Perpetua"}).status_code == 403


def test_who_looked_is_asked_from_a_day_to_a_day(hub: Hub) -> None:
    reference = hub.referral()
    hub.case(reference)
    hub.sql(
        "UPDATE access SET at = '2026-10-31 23:30+00' WHERE reference = %s", reference
    )  # half past eleven at night, in London

    def at(**span: str) -> int:
        return len([row for row in asked(hub, reference=reference, **span)["accesses"] if row["action"] == "read_case"])

    assert at(since="2026-10-31", until="2026-10-31") == 1
    assert at(until="2026-10-30") == 0 == at(since="2026-11-01", until="2026-11-02")
    assert at(since="2026-10-31T23:00:00Z", until="2026-10-31T23:30:00Z") == 0, "a moment is not counted to the end of its day"
    assert at(until="2026-10-31T23:30:01Z") == 1
    governor = hub.staff("information_governance")
    form = {"reference": reference, "since": "2026-10-31", "until": "2026-10-31"}
    assert "duty_manager.social_care" in hub.http.post("/looked", headers=governor, data=form).text
    wrong = hub.http.post("/looked", headers=governor, data={**form, "until": "2026-10-30"})
    assert wrong.status_code == 422 and "Choose a day that is not before the first" in wrong.text


@pytest.mark.parametrize("about", [{}, {"reference": "MASH-26-000001", "name": "Isla"}, {"name": "Isla", "person": "x"}])
def test_one_thing_is_asked_about_at_a_time(hub: Hub, about: dict[str, str]) -> None:
    answer = hub.http.post("/accesses", headers=hub.staff("information_governance"), json=about)
    assert answer.status_code == 400 and "a child's name" in answer.text


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
