"""Whoever has Prefect's login may change and delete what is there: it is put right, nothing stops, nothing can be had."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from hub import CANARY, Installation, eventually

from mash.api.demo.endpoint import endpoint

UPKEEP = {"referral": "hub", "watchdog": "every-minute", "nightly": "every-night"}
"""Flow and deployment."""


@pytest.fixture
def hub(installation: Installation) -> Installation:
    """The installation that tests share."""
    return installation


@pytest.fixture
def calls() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and what was asked of it."""
    asked: list[str] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, str]]:
        asked.append(path)
        return 200, {}

    with endpoint(answer) as port:
        yield f"http://127.0.0.1:{port}/stolen", asked


def finished(hub: Installation) -> str:
    """A referral that waits for nothing any more."""
    reference = hub.referral()
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    hub.awaits(reference, "Completed")
    return reference


def deployment(hub: Installation, flow: str) -> dict[str, Any]:
    """A deployment as Prefect gives it; empty while there is none."""
    answer = hub.prefect.get(f"/deployments/name/{flow}/{UPKEEP[flow]}")
    return dict(answer.json()) if answer.status_code == 200 else {}


def pool_of(hub: Installation) -> dict[str, Any]:
    """The work pool as Prefect gives it."""
    return dict(hub.prefect.get("/work_pools/mash").json())


def queues_of(hub: Installation) -> dict[str, Any]:
    """The work pool's queues by their names."""
    return {queue["name"]: queue for queue in hub.prefect.post("/work_pools/mash/queues/filter", json={}).json()}


def not_for(hub: Installation, span: str, what: str = "watchdog") -> None:
    """Let it be so long ago that a round was made: minutes are not waited for."""
    ago = "UPDATE round SET begun_at = now() - %s::interval, ended_at = now() - %s::interval WHERE what = %s"
    hub.sql(ago, span, span, what)


# --- runs ---------------------------------------------------------------------------------------------------------------------


def test_a_run_cancelled_or_deleted_in_prefect_is_put_back_on_its_feet(hub: Installation) -> None:
    cancelled, deleted = hub.referral(), hub.referral()
    # At rest: what carries a run at the moment would show its stage over what somebody sets meanwhile.
    run, gone = hub.at_rest(cancelled), hub.at_rest(deleted)
    assert run["state_name"] == gone["state_name"] == "Awaiting triage"
    hub.prefect.post(
        f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
    )
    assert hub.prefect.delete(f"/flow_runs/{gone['id']}").status_code == 204
    hub.give(cancelled, "rate_referral", rating="green")
    hub.give(deleted, "rate_referral", rating="green")
    assert hub.awaits(cancelled, "Awaiting agency checks")["id"] == run["id"], "the same run"
    again = hub.awaits(deleted, "Awaiting agency checks")
    assert (again["name"], again["id"] != gone["id"]) == (deleted, True)
    repaired = dict(hub.sql("SELECT reference, what FROM repair"))
    assert "Cancelled" in repaired[cancelled]
    assert "forgotten" in repaired[deleted]


def test_the_watchdog_finds_a_run_that_nobody_touches(hub: Installation) -> None:
    reference = hub.referral()
    run = hub.at_rest(reference)
    hub.prefect.post(
        f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
    )
    assert hub.awaits(reference, "Awaiting triage")["id"] == run["id"]
    eventually(lambda: any("put back on their feet" in subject for subject in hub.received.to("administrator")))


def test_a_finished_referrals_run_is_shown_as_completed_whatever_was_made_of_it(hub: Installation) -> None:
    references = {kind: finished(hub) for kind in ("RUNNING", "PENDING", "SCHEDULED", "PAUSED", "FAILED", "CRASHED", "CANCELLED")}
    for kind, reference in references.items():
        hub.set_state(hub.run(reference)["id"], kind)
    hub.look()
    for kind, reference in references.items():
        hub.awaits(reference, "Completed")
        assert hub.repairs(reference) == [f"its run was {kind.capitalize()}: put right"]


def test_a_waiting_referrals_run_is_put_back_on_its_feet_and_the_administrators_are_told(hub: Installation) -> None:
    references = {kind: hub.referral() for kind in ("RUNNING", "FAILED", "COMPLETED", "CANCELLED")}
    runs = {kind: hub.at_rest(reference)["id"] for kind, reference in references.items()}
    for kind, run in runs.items():
        hub.set_state(run, kind)
    hub.look()
    for kind, reference in references.items():
        assert hub.awaits(reference, "Awaiting triage")["id"] == runs[kind]
        assert len(hub.repairs(reference)) == 1 and kind.capitalize() in hub.repairs(reference)[0]
    eventually(lambda: any("put back on their feet" in subject for subject in hub.received.to("administrator")))


def shown_by_the_worker(hub: Installation, reference: str, name: str) -> dict[str, Any]:
    """A referral's run, once its state has this name and the message that the worker writes; empty until then."""
    run = hub.run(reference)
    written = run and run["state_name"] == name and re.search(r"up to event \d+$", run["state"]["message"] or "")
    return run if written else {}


LEFT = {"CANCELLED": "Cancelled", "FAILED": "Failed", "PAUSED": "Paused", "RUNNING": "Running"}
"""States that somebody may leave a run in that waits, and what Prefect calls them."""


def test_what_became_of_a_run_a_moment_before_its_referral_ends_is_recorded_and_it_is_completed(hub: Installation) -> None:
    kinds = (*LEFT, "COMPLETED", "renamed", "deleted")
    references = {kind: hub.referral() for kind in kinds}
    for reference in references.values():
        hub.rate(reference, "green")
        hub.answer_all(reference)
    runs = {}
    for kind, reference in references.items():
        hub.awaits(reference, "Awaiting decision")
        runs[kind] = hub.at_rest(reference)["id"]
    for kind, reference in references.items():
        if kind == "deleted":
            assert hub.prefect.delete(f"/flow_runs/{runs[kind]}").status_code == 204
        elif kind == "renamed":
            assert hub.prefect.patch(f"/flow_runs/{runs[kind]}", json={"name": CANARY}).status_code == 204
        else:
            hub.set_state(runs[kind], kind)
        hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    for kind, reference in references.items():
        run = eventually(lambda reference=reference: shown_by_the_worker(hub, reference, "Completed"))
        assert kind == "deleted" or run["id"] == runs[kind]
    for kind, what in {**LEFT, "renamed": "renamed", "deleted": "forgotten"}.items():
        (repair,) = hub.repairs(references[kind])  # the watchdog may come first
        assert what in repair


def test_what_became_of_a_run_a_moment_before_something_else_happened_is_recorded_and_it_waits_on(hub: Installation) -> None:
    references = {kind: hub.referral() for kind in LEFT}
    runs = {kind: hub.at_rest(reference)["id"] for kind, reference in references.items()}
    for kind, reference in references.items():
        hub.set_state(runs[kind], kind)
        hub.give(reference, "add_note", words="She rang again.")
    for kind, reference in references.items():
        assert hub.awaits(reference, "Awaiting triage")["id"] == runs[kind]
        (repair,) = hub.repairs(reference)  # the watchdog may come first
        assert LEFT[kind] in repair


def test_a_run_that_is_renamed_retagged_and_made_to_name_another_referral_is_put_right_once(hub: Installation) -> None:
    mine, other = hub.referral(), hub.referral()
    run = hub.at_rest(mine)["id"]
    hub.at_rest(other)
    changes = {"name": CANARY, "tags": ["about:domestic_abuse", CANARY], "parameters": {"reference": other, "extra": 1}}
    assert hub.prefect.patch(f"/flow_runs/{run}", json=changes).status_code == 204
    hub.look()
    eventually(lambda: hub.run(mine))
    hub.look()
    found = hub.awaits(mine, "Awaiting triage")
    assert (found["id"], found["parameters"]) == (run, {"reference": mine})
    assert set(found["tags"]) == {"hub:sandwell", "rating:unrated", "cohort:child"}
    (repair,) = hub.repairs(mine)
    assert "renamed" in repair and "parameters" in repair and "tags" in repair
    assert hub.awaits(other, "Awaiting triage")["parameters"] == {"reference": other} and hub.repairs(other) == []


def test_a_run_is_carried_for_its_own_referral_although_it_names_another(hub: Installation) -> None:
    mine, other = hub.referral(), hub.referral()
    run = hub.awaits(mine, "Awaiting triage")["id"]
    hub.awaits(other, "Awaiting triage")
    hub.prefect.patch(f"/flow_runs/{run}", json={"parameters": {"reference": other}})
    hub.rate(mine, "green")
    hub.awaits(mine, "Awaiting agency checks")
    hub.look()  # a run that only waits on is shown by one call, which reads nothing of it: this does
    eventually(lambda: hub.awaits(mine, "Awaiting agency checks")["parameters"] == {"reference": mine})
    shown = hub.prefect.post("/artifacts/filter", json={"artifacts": {"flow_run_id": {"any_": [run]}}}).json()
    assert shown and all(mine in artifact["data"] and other not in artifact["data"] for artifact in shown)


def test_a_second_run_and_one_of_no_referral_are_cancelled(hub: Installation) -> None:
    waiting, done = hub.referral(), finished(hub)
    own = hub.awaits(waiting, "Awaiting triage")["id"]
    made = f"/deployments/{deployment(hub, 'referral')['id']}/create_flow_run"
    bodies = [{"name": name, "parameters": {"reference": name}} for name in (waiting, done)] + [{}]
    strays = [hub.prefect.post(made, json=body).json()["id"] for body in bodies]
    hub.look()
    for stray in strays:
        assert eventually(lambda stray=stray: hub.prefect.get(f"/flow_runs/{stray}").json()["state_type"] == "CANCELLED")
    assert hub.prefect.get(f"/flow_runs/{own}").json()["state_name"] == "Awaiting triage"
    for reference in (waiting, done):
        eventually(lambda reference=reference: "a second run was alive: cancelled" in hub.repairs(reference))
    eventually(lambda: "a run that carries no referral was alive: cancelled" in hub.repairs())


def test_what_runs_say_of_a_case_is_its_hub_its_rating_its_cohort_and_its_stage(hub: Installation) -> None:
    reference = hub.referral(concern={"summary": CANARY, "categories": ["domestic_abuse"]})
    run = hub.awaits(reference, "Awaiting triage")
    assert set(run["tags"]) == {"hub:sandwell", "rating:unrated", "cohort:child"}
    hub.rate(reference, "green")
    assert set(hub.awaits(reference, "Awaiting agency checks")["tags"]) == {"hub:sandwell", "rating:green", "cohort:child"}
    runs = hub.prefect.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [reference]}}}).text
    artifacts = hub.prefect.post("/artifacts/filter", json={"artifacts": {"flow_run_id": {"any_": [run["id"]]}}}).text
    assert reference in artifacts and "domestic_abuse" not in runs + artifacts and "omestic abuse" not in artifacts


def test_tags_that_an_earlier_version_gave_are_put_right_and_are_nobodys_fault(hub: Installation) -> None:
    waiting, done = hub.referral(), finished(hub)
    hub.awaits(waiting, "Awaiting triage")
    for reference in (waiting, done):
        run = hub.run(reference)
        kept = [tag for tag in run["tags"] if not tag.startswith("cohort:")]
        hub.prefect.patch(f"/flow_runs/{run['id']}", json={"tags": [*kept, "about:domestic_abuse"]})
    hub.look()
    for reference in (waiting, done):
        eventually(lambda reference=reference: "cohort:child" in hub.run(reference)["tags"])
        assert len(hub.run(reference)["tags"]) == 3
        assert hub.repairs(reference) == []


# --- what starts the watchdog and the night -----------------------------------------------------------------------------------


def test_deployments_that_are_deleted_are_made_again_and_the_administrators_told(hub: Installation) -> None:
    reference = hub.referral()
    before = hub.at_rest(reference)["id"]
    known = len(hub.repairs())
    ids = [deployment(hub, flow)["id"] for flow in UPKEEP]
    for each in ids:
        assert hub.prefect.delete(f"/deployments/{each}").status_code == 204
    not_for(hub, "5 minutes")
    # With its deployment Prefect deletes its runs. A round may be on its way, which sees a part of it.
    eventually(lambda: hub.awaits(reference, "Awaiting triage")["id"] != before)
    wanted = [f"{flow}/{name} was missing" for flow, name in UPKEEP.items()]
    eventually(lambda: all(each in " ".join(hub.repairs()[known:]) for each in wanted))
    assert all(deployment(hub, flow) for flow in UPKEEP)
    assert "Prefect had forgotten the run: created again" in hub.repairs(reference)
    eventually(lambda: hub.received.telling("administrator", "MASH system: something was changed in Prefect"))


def test_what_is_paused_limited_or_loses_its_schedule_in_prefect_is_set_going_again(hub: Installation) -> None:
    watching, night = deployment(hub, "watchdog"), deployment(hub, "nightly")
    hub.prefect.patch("/work_pools/mash", json={"is_paused": True, "concurrency_limit": 0})
    hub.prefect.patch("/work_pools/mash/queues/default", json={"is_paused": True})
    hub.prefect.delete("/work_pools/mash/queues/unrated")
    hub.prefect.patch(f"/deployments/{night['id']}", json={"paused": True, "concurrency_limit": 1, "parameters": {"x": 1}})
    hub.prefect.patch(f"/deployments/{watching['id']}/schedules/{watching['schedules'][0]['id']}", json={"active": False})
    not_for(hub, "5 minutes")
    eventually(lambda: deployment(hub, "watchdog")["schedules"][0]["active"])
    # Each waited for: a round that was on its way meanwhile sees only what it comes to afterwards.
    eventually(lambda: pool_of(hub)["is_paused"] is False and pool_of(hub)["concurrency_limit"] is None)
    eventually(lambda: "unrated" in queues_of(hub) and not queues_of(hub)["default"]["is_paused"])
    assert queues_of(hub)["unrated"]["priority"] == 1
    night = eventually(lambda: (found := deployment(hub, "nightly")) and not found["paused"] and found)
    assert (night["parameters"], night["global_concurrency_limit"], len(night["schedules"])) == ({}, None, 1)
    hub.look()
    assert any("the work pool was paused" in what for what in hub.repairs())


def test_a_pool_that_is_paused_is_resumed_soon_although_the_look_before_had_failed(hub: Installation) -> None:
    def failed() -> bool:
        run = hub.prefect.post(f"/deployments/{deployment(hub, 'watchdog')['id']}/create_flow_run", json={}).json()["id"]
        return eventually(lambda: (state := state_of(hub, run)) not in ("SCHEDULED", "PENDING", "RUNNING") and state) == "FAILED"

    hub.look()
    hub.sql("ALTER TABLE receipt RENAME TO receipt_away")  # contacts cannot be counted
    try:
        eventually(failed)
    finally:
        hub.sql("ALTER TABLE receipt_away RENAME TO receipt")
    hub.prefect.patch("/work_pools/mash", json={"is_paused": True}).raise_for_status()
    hub.sql("UPDATE round SET ended_at = now() - interval '5 minutes' WHERE what = 'watchdog'")
    eventually(lambda: not pool_of(hub)["is_paused"])


def test_the_nights_work_is_done_although_prefect_does_not_start_it(hub: Installation) -> None:
    def checkpoints() -> int:
        return int(hub.sql("SELECT count(*) FROM checkpoint")[0][0])

    hub.prefect.delete(f"/deployments/{deployment(hub, 'nightly')['id']}")
    before = checkpoints()
    not_for(hub, "25 hours", "night")
    eventually(lambda: checkpoints() > before)
    assert "Prefect had not started the night's work: the worker did" in hub.repairs()
    eventually(lambda: hub.received.telling("administrator", "MASH system: Prefect had not started the night's work"))
    hub.look()
    assert deployment(hub, "nightly")


def test_looks_that_were_missed_are_made_up_for_by_one(hub: Installation) -> None:
    made = f"/deployments/{deployment(hub, 'watchdog')['id']}/create_flow_run"

    def ended() -> set[str]:
        runs = [hub.prefect.post(made, json={}).json()["id"] for _ in range(6)]
        going = ("SCHEDULED", "PENDING", "RUNNING")
        return {eventually(lambda run=run: (state := state_of(hub, run)) not in going and state) for run in runs}

    found = ended()
    if found == {"CANCELLED"}:  # the full minute's came last, and made up for these
        found = ended()
    assert found == {"COMPLETED", "CANCELLED"}


def test_a_look_whose_worker_died_does_not_go_on_in_prefect_for_ever(hub: Installation) -> None:
    left = hub.prefect.post(f"/deployments/{deployment(hub, 'watchdog')['id']}/create_flow_run", json={}).json()["id"]
    eventually(lambda: state_of(hub, left) in ("COMPLETED", "CANCELLED"))
    hub.set_state(left, "RUNNING")
    assert hub.stack.cluster
    with psycopg.connect(host=str(hub.stack.cluster.socket), user="mash_prefect", dbname="prefect", autocommit=True) as prefect:
        prefect.execute("UPDATE flow_run_state SET timestamp = timestamp - interval '7 hours' WHERE flow_run_id = %s", (left,))
    hub.look()
    eventually(lambda: state_of(hub, left) == "CRASHED")


def state_of(hub: Installation, run: str) -> str:
    """The kind of state that a run is in."""
    return str(hub.prefect.get(f"/flow_runs/{run}").json()["state_type"])


# --- what can be had there ----------------------------------------------------------------------------------------------------


def test_prefect_calls_no_address_for_whoever_has_its_login(hub: Installation, calls: tuple[str, list[str]]) -> None:
    address, asked = calls
    kind = hub.prefect.get("/block_types/slug/webhook").json()
    schemas = {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
    schema = hub.prefect.post("/block_schemas/filter", json=schemas).json()[0]
    document = {"name": "mine", "data": {"url": address}, "block_schema_id": schema["id"], "block_type_id": kind["id"]}
    block = hub.prefect.post("/block_documents/", json=document).raise_for_status().json()
    trigger = {"type": "event", "posture": "Reactive", "expect": ["prefect.flow-run.*"], "threshold": 1, "within": 0}
    action = {"type": "call-webhook", "block_document_id": block["id"], "payload": "{}"}
    automation = {"name": "mine", "trigger": trigger, "actions": [action]}
    made = hub.prefect.post("/automations/", json=automation).raise_for_status().json()
    reference = hub.referral()
    run = hub.awaits(reference, "Awaiting triage")["id"]
    hub.set_state(run, "FAILED")
    seen = {"filter": {"event": {"name": ["prefect.flow-run.Failed"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}}
    eventually(lambda: hub.prefect.post("/events/filter", json=seen).json()["events"])
    finished(hub)  # time enough to act on it
    assert asked == []
    hub.prefect.delete(f"/automations/{made['id']}")
    hub.prefect.delete(f"/block_documents/{block['id']}")


@pytest.mark.parametrize(
    "path",
    ["/flow_runs/filter", "/admin/settings", "/block_documents/filter", "/variables/name/system-health", "/work_pools/mash"],
)
def test_without_the_login_prefect_gives_nothing(hub: Installation, path: str) -> None:
    with httpx.Client(timeout=60, base_url=hub.settings.prefect_api_url) as nobody:
        method = "POST" if path.endswith("filter") else "GET"
        for headers in ({}, {"Host": "localhost/health"}, {"X-Forwarded-For": "127.0.0.1"}):
            assert nobody.request(method, path, headers=headers).status_code == 401
