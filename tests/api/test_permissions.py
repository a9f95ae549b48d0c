"""The table of permissions, cell by cell, over every route; and the conditions on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi import APIRouter
from hub import Hub, hub_here
from pydantic import SecretStr

from mash.api.app import create_app
from mash.api.permitted import RouteWithoutRule, asked_by, check_routes
from mash.config.permissions import may, read_permissions, roles
from mash.config.settings import Settings
from mash.states.messages import STAFF_ACTS

NOWHERE = "MASH-26-999999"
FILLED_IN = {"other": "MASH-26-999998", "reference": NOWHERE, "kind": "add_note", "name": "contacts"}
"""What stands in the paths of routes."""
COMMAND_OF = {"add_note": "add_note", "answer": "answer_check", "allocate": "allocate_check"}
"""Which command a page's route gives, by how its path ends."""
ON_PAGES = {"use_account"}
"""What tests/api/test_sign_on.py asks for: signing out here would be the end of the other tests' sessions."""
OF_REFERRERS = {"submit_referral", "read_own_referral", "disagree_with_decision"}
STAFF = sorted(set(roles()) - {"referrer"})


def served() -> dict[str, list[tuple[str, str]]]:
    """The routes of the application by the action that each asks for, as methods and paths."""
    found: dict[str, list[tuple[str, str]]] = {}
    for route in create_app(Settings(token_key=SecretStr("never used"))).state.routes:
        for permitted in asked_by(route):
            path = route.path_format.format_map(FILLED_IN)
            found.setdefault(permitted.action, []).extend((method, path) for method in sorted(route.methods))
    return found


ROUTES = {action: routes for action, routes in served().items() if action not in ON_PAGES | OF_REFERRERS}
"""Every action of staff, and where it is asked for. Referrers sign in by keys: tests/api/test_refusals.py has theirs."""


def test_every_action_has_a_route_here() -> None:
    assert set(ROUTES) | OF_REFERRERS | ON_PAGES == set(read_permissions().actions)
    assert sum(map(len, ROUTES.values())) > 30


def also_asked(path: str) -> list[str]:
    """What a route that gives a command asks for besides, by its path: the command, or the agenda that it is written down on."""
    if path.startswith("/meetings/"):
        return ["read_agenda"]
    return [COMMAND_OF.get(path.split("/")[-1], "give_command")]


@pytest.mark.parametrize("action", ROUTES)
@pytest.mark.parametrize("role", STAFF)
def test_a_role_gets_through_where_the_table_says_so_and_nowhere_else(hub: Hub, role: str, action: str) -> None:
    for method, path in ROUTES[action]:
        hub.sent += 1
        headers = {**hub.staff(role), "Idempotency-Key": f"cell-{hub.sent}"}
        # Streamed: what is live does not end by itself.
        with hub.http.stream(method, path, headers=headers) as answer:
            permitted = may(role, action) and (action != "give_command" or all(may(role, each) for each in also_asked(path)))
            assert (answer.status_code == 403) == (not permitted), (method, path)
            # Where they get through there is nothing of that reference, something was to be said too, or a picture moved.
            assert answer.status_code in (200, 308, 400, 403, 404, 422), (method, path)


@pytest.mark.parametrize("action", ROUTES)
def test_nobody_gets_through_without_signing_in(hub: Hub, action: str) -> None:
    for method, path in ROUTES[action]:
        assert hub.http.request(method, path, headers={"Idempotency-Key": "nobody"}).status_code == 401


COMMANDS_BY_KIND: dict[str, dict[str, Any]] = {
    "confirm_not_ours": {"signposted_to": "adults_social_care"},
    "agree_as_second": {"about": "closing"},
    "countersign": {"seconding": "A1", "agreed": True},
    "conclude_consultation": {"outcome": "advice"},
    "assign_place": {"place": "somewhere"},
    "rate_referral": {"rating": "red"},
    "rerate_referral": {"rating": "red"},
    "allocate_case": {"worker": "a.worker"},
    "record_sharing_basis": {
        "purpose": "safeguarding_child",
        "lawful_basis": "public_task",
        "consent": "not_sought",
        "family_informed": False,
    },
    "record_adult_view": {"subject": "S1", "capacity": "has", "agrees": "yes"},
    "record_child_voice": {"subject": "S1", "seen_on": "2026-11-20", "alone": True},
    "record_threshold": {"significant_harm": True},
    "record_categories": {"categories": []},
    "correct_cohort": {"subject": "S1", "cohort": "child"},
    "record_birth": {"subject": "S1"},
    "record_accused": {"subject": "S1", "accused": True},
    "hand_over_to_adults": {"subject": "S1", "to": "adult_social_care"},
    "keep_past_eighteen": {"subject": "S1"},
    "record_marker": {"marker": "safe_contact"},
    "ask_agencies": {"agencies": ["police"]},
    "contribute_information": {"sensitive": True},
    "release_information": {"item": "x", "necessity": "to_protect_a_child", "proportionality": "whole"},
    "decline_disclosure": {"item": "x"},
    "answer_check": {"agency": "police", "known": False},
    "record_answer_by_telephone": {"answering": "police", "read_back": True, "known": False},
    "allocate_check": {"agency": "police", "to": "a.colleague"},
    "convene_meeting": {"at": "2026-11-20T10:00:00Z"},
    "record_meeting": {"attended": ["police"]},
    "record_action": {"owner": "police", "due": "2026-11-20T10:00:00Z"},
    "complete_action": {"action": "A1"},
    "record_dissent": {"about": "rating"},
    "record_decision": {"outcomes": {"S1": "no_further_action"}},
    "sign_off_decision": {"agreed": True},
    "schedule_strategy_discussion": {"at": "2026-11-20T10:00:00Z"},
    "record_strategy_discussion": {"attended": ["police"], "outcome": "section_47"},
    "put_quorum_right": {"agencies": ["police"], "how": "took_part_since"},
    "record_protection_order": {"order": "police_protection", "since": "2026-11-19T09:00:00Z"},
    "end_protection_order": {"order": "police_protection", "how": "released"},
    "conclude_enquiries": {"outcome": "no_further_child_protection_action"},
    "record_conference": {"held_on": "2026-11-20", "outcome": "no_plan"},
    "complete_assessment": {"factors": ["21"], "outcome": "no_further_action"},
    "offer_step_down": {"service": "early_help"},
    "offer_hand_over": {"destination": "marac"},
    "accept_hand_over": {"hand_over": "marac"},
    "return_hand_over": {"hand_over": "marac"},
    "complete_adult_enquiry": {"outcome": "risk_reduced"},
    "raise_disagreement": {"about": "rating"},
    "settle_disagreement": {"disagreement": "D1", "outcome": "stands"},
    "take_disagreement_further": {"disagreement": "D1"},
    "inform_referrer": {"what": "acknowledgement", "how": "telephone"},
    "correct_details": {"item": "S1"},
    "add_subject": {"cohort": "child"},
    "remove_subject": {"subject": "S2"},
    "sign_off_withdrawal": {"agreed": True},
    "remove_link": {"other": "MASH-26-999998"},
    "link_referral": {"other": "MASH-26-999998", "relation": "sibling"},
    "identify_subject": {"subject": "S1", "other": "MASH-26-999998", "other_subject": "S1"},
    "reject_match": {"subject": "S1", "other": "MASH-26-999998", "other_subject": "S1"},
    "withdraw_identity": {"subject": "S1"},
    "open_adult": {"subject": "S1"},
    "ask_other_hubs": {"subject": "S1"},
    "attach_contact": {"other": "MASH-26-999998"},
    "share_earlier_contact": {"other": "MASH-26-999998", "necessity": "to_protect_a_child"},
    "close_duplicate": {"other": "MASH-26-999998", "compared": "shown"},
    "acknowledge_alert": {"clock": "triage"},
    "pass_alert_on": {"clock": "triage"},
    "adopt_profile": {"digest": "0" * 64},
}
"""What a command needs to be understood; the others need nothing."""


@pytest.mark.parametrize("command", STAFF_ACTS)
@pytest.mark.parametrize("role", STAFF)
def test_a_role_gives_the_commands_that_the_table_lets_it_give(hub: Hub, role: str, command: str) -> None:
    hub.sent += 1
    headers = {**hub.staff(role), "Idempotency-Key": f"cell-{hub.sent}"}
    body = {"seen": 1, "command": {"kind": command, **COMMANDS_BY_KIND.get(command, {})}, "words": "Why."}
    answer = hub.http.post(f"/cases/{NOWHERE}/commands", headers=headers, json=body)
    permitted = may(role, "give_command") and may(role, command)
    assert answer.status_code == (404 if permitted else 403), answer.text


def test_an_application_with_a_route_without_a_rule_does_not_start() -> None:
    stray = APIRouter()

    @stray.get("/stray")
    def anything() -> None: ...

    with pytest.raises(RouteWithoutRule, match="GET /stray: expected either a permission"):
        check_routes(stray.routes)


# --- the conditions -----------------------------------------------------------------------------------------------------------


def test_a_partner_reads_the_cases_of_their_agency_and_no_other(hub: Hub) -> None:
    reference = hub.referral()
    police = hub.staff("agency", "police")
    paths = (f"/cases/{reference}", f"/cases/{reference}/log", f"/cases/{reference}/product", f"/cases/{reference}/meeting.ics")
    assert {hub.http.get(path, headers=police).status_code for path in paths} == {404}
    note = {"seen": 1, "command": {"kind": "add_note"}, "words": "Let me in."}
    answer = hub.http.post(f"/cases/{reference}/commands", headers={**police, "Idempotency-Key": f"note-{reference}"}, json=note)
    assert answer.status_code == 404
    hub.rate(reference)
    assert {hub.http.get(path, headers=police).status_code for path in paths[:3]} == {200}


def test_a_partner_is_not_told_who_referred(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    items = hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "police")).json()["items"]
    assert {item["view"] for item in items if item["kind"] == "referrer"} == {"signpost"}
    assert "head@school.example.org" not in str(items)
    assert {item["view"] for item in items if item["kind"] in ("subject", "concern")} == {"whole"}
    assert "head@school.example.org" in str(hub.case(reference)["items"])


def test_who_breaks_the_glass_gets_in_and_information_governance_hears_of_it_at_once(hub: Hub) -> None:
    reference = hub.referral()
    housing = hub.staff("agency", "housing")
    broken = hub.ask(reference, "break_glass", role="agency", agency="housing", words="The child stands at our counter.")
    assert broken.status_code == 200, broken.text
    seen = hub.http.get(f"/cases/{reference}", headers=housing).json()
    assert seen["reference"] == reference and "break_glass" not in seen["possible"]
    alerted = [notice["role"] for notice in hub.case(reference)["alerts_sent"] if notice["kind"] == "glass_broken"]
    assert "information_governance" in alerted
    found = hub.http.post("/accesses", headers=hub.staff("information_governance"), json={"reference": reference})
    assert ("agency.housing", "broke the glass") in {(row["person"], row["why"]) for row in found.json()["accesses"]}


def test_who_broke_the_glass_reads_and_does_nothing_else(hub: Hub) -> None:
    reference = hub.referral()
    hub.ask(reference, "break_glass", role="agency", agency="probation", words="He is at our office now.")
    probation = hub.staff("agency", "probation")
    assert hub.http.get(f"/cases/{reference}", headers=probation).json()["possible"] == []
    more: dict[str, dict[str, Any]] = {
        "contribute_information": {"sensitive": True},
        "record_marker": {"marker": "marac"},
        "add_note": {},
    }
    for kind, fields in more.items():
        refused = hub.ask(reference, kind, role="agency", agency="probation", words="Known to us.", **fields)
        assert refused.status_code == 403 and "because you broke the glass" in refused.json()["detail"]
    whole = "SELECT id FROM participant WHERE reference = %s AND party = 'probation' AND person = ''"
    assert hub.sql(whole, reference) == []


def test_nobody_breaks_the_glass_into_case_after_case(hub: Hub) -> None:
    def broken(reference: str) -> int:
        by = {"role": "adult_social_worker", "agency": "adults"}
        return hub.ask(reference, "break_glass", words="At the door.", **by).status_code

    assert [broken(hub.referral()) for _ in range(4)] == [200, 200, 200, 403]


def test_ten_cases_at_the_same_moment_are_as_many_as_one_after_another(hub: Hub) -> None:
    references = [hub.referral() for _ in range(10)]
    headers = hub.staff("agency", "womens_aid")

    def broken(reference: str) -> int:
        return hub.command(reference, {"kind": "break_glass"}, headers, "She is at our door.", 1).status_code

    with ThreadPoolExecutor(10) as at_once:
        answers = list(at_once.map(broken, references))
    assert sorted(answers) == [200] * 3 + [403] * 7
    who = "SELECT count(*) FROM participant WHERE person = 'agency.womens_aid'"
    assert hub.sql(who) == [(3,)]
    # At the limit, too, nobody learns which cases there are.
    assert [broken(each) for each in (references[-1], NOWHERE)] == [403, 403]


def test_breaking_the_glass_without_a_reason_says_nothing_of_which_cases_there_are(hub: Hub) -> None:
    headers = hub.staff("agency", "caf_coordinator")
    for words in (None, "", "  "):
        sent = [
            hub.http.post(
                f"/cases/{reference}/commands",
                headers={**headers, "Idempotency-Key": hub.once()},
                json={"seen": 1, "command": {"kind": "break_glass"}, "words": words},
            )
            for reference in (hub.referral(), NOWHERE)
        ]
        assert sent[0].status_code == sent[1].status_code and sent[0].json() == sent[1].json()
    pages = [
        hub.http.post(f"/case/{each}/break_glass", headers=headers, data={}).status_code for each in (hub.referral(), NOWHERE)
    ]
    assert pages[0] == pages[1]


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    """A hub of their own for tests that put in the database what no log says."""
    with hub_here() as running:
        yield running


def closed_for(hub: Hub, days: int) -> str:
    """A case that health took part in, and that closed so many days ago."""
    reference = hub.referral()
    hub.rate(reference)
    assert hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "health")).status_code == 200
    ((state, now),) = hub.sql("SELECT state, (SELECT simulated FROM time_anchor) FROM referral WHERE reference = %s", reference)
    folded = json.loads(state)
    folded |= {"stage": "assessment_concluded", "stage_since": (now - timedelta(days=days)).isoformat()}
    folded["subjects"]["S1"]["outcome"] = "no_further_action"
    closed = "UPDATE referral SET is_open = false, stage = 'assessment_concluded', state = %s WHERE reference = %s"
    hub.sql(closed, json.dumps(folded), reference)
    return reference


def test_half_a_year_after_a_case_has_closed_it_is_past_for_its_partners_and_not_for_the_hub(own: Hub) -> None:
    hub, lately, long_ago = own, closed_for(own, 170), closed_for(own, 200)
    for path in ("", "/log", "/product"):
        assert hub.http.get(f"/cases/{lately}{path}", headers=hub.staff("agency", "health")).status_code == 200
        assert hub.http.get(f"/cases/{long_ago}{path}", headers=hub.staff("agency", "health")).status_code == 404
        assert hub.http.get(f"/cases/{long_ago}{path}", headers=hub.staff("duty_manager")).status_code == 200
    assert hub.http.get(f"/case/{long_ago}", headers=hub.staff("agency", "health")).status_code == 404


def test_whoever_must_read_a_case_that_is_past_breaks_the_glass_though_their_agency_took_part(own: Hub) -> None:
    reference, health = closed_for(own, 400), own.staff("agency", "health")
    broken = own.command(reference, {"kind": "break_glass"}, health, "He is here again, and she is afraid.", 1)
    assert broken.status_code == 200, broken.text
    assert own.http.get(f"/cases/{reference}", headers=health).status_code == 200


def test_what_is_not_theirs_is_not_offered(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    police, health = hub.staff("agency", "police"), hub.staff("agency", "health")
    assert "answer_check" in hub.http.get(f"/cases/{reference}", headers=police).json()["possible"]
    answer = {"known": "true", "relevant": "true", "words": "Two calls.", "key": f"answers {reference}"}
    assert hub.http.post(f"/case/{reference}/answer_check", headers=police, data=answer).status_code == 303
    after = hub.http.get(f"/cases/{reference}", headers=police).json()["possible"]
    assert not {"answer_check", "allocate_check"} & set(after) and "release_information" in after
    assert "release_information" not in hub.http.get(f"/cases/{reference}", headers=health).json()["possible"]


def test_breaking_the_glass_asks_for_a_reason(hub: Hub) -> None:
    answer = hub.ask(hub.referral(), "break_glass", role="agency", agency="housing")
    assert answer.status_code == 422 and "why you must read this case now" in answer.json()["detail"]


def test_information_governance_sees_what_a_person_looked_at(hub: Hub) -> None:
    reference = hub.referral()
    hub.case(reference)
    asked = {"person": "duty_manager.social_care", "since": "2026-11-19T00:00:00Z"}
    found = hub.http.post("/accesses", headers=hub.staff("information_governance"), json=asked).json()["accesses"]
    assert reference in {row["reference"] for row in found} and {row["person"] for row in found} == {"duty_manager.social_care"}
    neither = hub.http.post("/accesses", headers=hub.staff("information_governance"), json={})
    assert neither.status_code in (400, 422)
