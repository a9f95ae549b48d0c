"""No case is everybody's: it is allocated to somebody who exists, who is told, counted and finds it; and when they are away, the
manager on duty is told of that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hub import Hub

from mash.flows.carrying.presence import say_who_is_away
from mash.flows.store.rotas import store_rota
from mash.flows.store.store import Store
from mash.notifications.rota import Absence, Rota

WORKER, OTHER = "social_worker.social_care", "responsible_social_worker.social_care"


@pytest.fixture(autouse=True)
def nobody_is_away(hub: Hub) -> Iterator[None]:
    """The rota that a test puts in force is taken back."""
    yield
    hub.sql("TRUNCATE rota")


def is_absent(hub: Hub, login: str) -> None:
    """Somebody is absent by the rota from now until tomorrow, and the worker looks."""

    async def say(store: Store) -> None:
        now = store.time.now()
        absence = Absence(person=login, begins=now - timedelta(hours=1), ends=now + timedelta(days=1))
        await store_rota(store, "sandwell", Rota(absences=(absence,)), "test")
        await say_who_is_away(store)

    hub.stored(say)


def board(hub: Hub, role: str, **asked: Any) -> list[str]:
    answer = hub.http.get("/cases", headers=hub.staff(role), params={"limit": 500, **asked})
    return [case["reference"] for case in answer.json()["cases"]]


def load_of(hub: Hub, login: str) -> dict[str, Any]:
    found = hub.http.get("/workload", headers=hub.staff("duty_manager")).json()["workers"]
    return next(dict(load) for load in found if load["login"] == login)


def test_a_case_is_given_to_somebody_by_name_who_is_told_counted_and_finds_it_among_their_own(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    made_up = hub.ask(reference, "allocate_case", worker="j.nobody")
    assert made_up.status_code == 422 and "nobody who works here has that login" in made_up.json()["detail"]
    assert board(hub, "social_worker", mine=True).count(reference) == 0
    before = load_of(hub, WORKER)["open"]
    hub.give(reference, "allocate_case", worker=WORKER)
    assert hub.case(reference)["worker"]["login"] == WORKER
    assert reference in board(hub, "social_worker", mine=True) and reference not in board(hub, "duty_manager", mine=True)
    load = load_of(hub, WORKER)
    assert (load["open"], load["most_urgent"]) == (before + 1, "red")
    told = [(n["kind"], n["role"]) for n in hub.case(reference)["alerts_sent"] if n["kind"] == "case_allocated"]
    assert told == [("case_allocated", "social_worker")]


def test_it_goes_to_somebody_else_and_is_given_back_with_a_reason(hub: Hub) -> None:
    reference = hub.referral()
    for role in ("social_worker", "responsible_social_worker"):
        board(hub, role)
    hub.give(reference, "allocate_case", worker=WORKER)
    refused = hub.ask(reference, "give_case_back", role="responsible_social_worker", words="Not mine.")
    assert refused.status_code == 403
    hub.give(reference, "allocate_case", worker=OTHER)
    hub.give(reference, "give_case_back", role="responsible_social_worker", words="I know the family.")
    assert hub.case(reference)["worker"] is None
    kinds = [(n["kind"], n["role"]) for n in hub.case(reference)["alerts_sent"]]
    assert ("case_taken_over", "social_worker") in kinds and ("case_given_back", "duty_manager") in kinds
    story = [line["what"] for line in hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()]
    assert any(what == "Case allocated: responsible_social_worker.social_care" for what in story), story


def test_board_and_case_say_that_whoever_has_it_is_absent_and_the_manager_is_told_once(hub: Hub) -> None:
    reference = hub.referral()
    board(hub, "social_worker")
    hub.give(reference, "allocate_case", worker=WORKER)
    is_absent(hub, WORKER)
    is_absent(hub, WORKER)
    assert hub.case(reference)["worker"]["presence"] == "absent"
    sent = [n["role"] for n in hub.case(reference)["alerts_sent"] if n["kind"] == "worker_away"]
    assert len(sent) == 1 and sent[0] in ("duty_manager", "out_of_hours")
    page = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert f"{WORKER}, lead practitioner <strong>(absent)</strong>" in page
    mine = hub.http.get("/board", headers=hub.staff("social_worker"), params={"whose": "mine"}).text
    assert reference in mine and "(absent)" in mine and 'href="/board?whose=mine" aria-current="true"' in mine
    another = hub.referral()
    refused = hub.ask(another, "allocate_case", worker=WORKER)
    assert refused.status_code == 422 and "they are absent now" in refused.json()["detail"]


def test_the_form_offers_people_who_exist_and_a_check_goes_to_a_colleague_of_the_own_agency(hub: Hub) -> None:
    reference = hub.referral()
    board(hub, "social_worker")
    form = hub.http.get(f"/case/{reference}/allocate_case", headers=hub.staff("duty_manager")).text
    assert f'value="{WORKER}"' in form and 'value="agency.police"' not in form
    hub.rate(reference)
    board(hub, "agency")  # somebody of social care, who is not of the police
    headers = hub.staff("agency", "police")
    for to in ("pc.nobody", "agency.social_care"):
        made_up = hub.command(reference, {"kind": "allocate_check", "agency": "police", "to": to}, headers)
        assert made_up.status_code == 422, made_up.text
    checks = hub.http.get(f"/case/{reference}/allocate_check", headers=headers).text
    assert 'value="agency.police"' in checks and f'value="{WORKER}"' not in checks
    command = {"kind": "allocate_check", "agency": "police", "to": "agency.police"}
    assert hub.command(reference, command, headers).status_code == 200
    assert hub.case(reference)["checks"]["police"]["allocated_to"] == "agency.police"


def test_whoever_is_to_answer_a_check_finds_it_among_their_own_until_it_is_answered(hub: Hub) -> None:
    theirs, unallocated = hub.referral(), hub.referral()
    headers = hub.staff("agency", "police")

    def found(address: str, **asked: Any) -> list[bool]:
        page = hub.http.get(address, headers=headers, params=asked).text
        return [reference in page for reference in (theirs, unallocated)]

    for reference in (theirs, unallocated):
        hub.rate(reference)
    board(hub, "agency")
    found("/checks")
    command = {"kind": "allocate_check", "agency": "police", "to": "agency.police"}
    assert hub.command(theirs, command, headers).status_code == 200
    assert found("/board", whose="mine") == found("/cases", mine=True) == found("/checks", whose="mine") == [True, False]
    assert found("/checks") == [True, True]
    answer = {"kind": "answer_check", "agency": "police", "known": False, "relevant": False}
    assert hub.command(theirs, answer, headers).status_code == 200
    assert found("/board", whose="mine") == found("/checks", whose="mine") == [False, False]


def test_managers_see_who_has_how_many_and_how_many_nobody_has(hub: Hub) -> None:
    hub.referral()
    page = hub.http.get("/manager?figure=workload", headers=hub.staff("team_manager")).text
    assert "Who has how many open cases" in page and "allocated to nobody" in page
    assert hub.http.get("/workload", headers=hub.staff("social_worker")).status_code == 403
