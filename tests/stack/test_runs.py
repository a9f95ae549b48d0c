"""The run of a referral in Prefect, as those see it who look after the installation."""

from __future__ import annotations

from hub import Installation, eventually

from mash.flows.store.sessions import begin_session
from mash.states.values import Actor


def test_whoever_looks_after_the_installation_too_finds_the_run_in_prefect(hub: Installation) -> None:
    reference = hub.referral()
    run = hub.awaits(reference, "Awaiting triage")
    positions = [Actor(id="both", role=role, agency="social_care", hub="sandwell") for role in ("duty_manager", "administrator")]
    secret = hub.stored(lambda store: begin_session(store, positions, "command_line"))
    address = f"/runs/flow-run/{run['id']}"
    assert address in hub.http.get(f"/case/{reference}", headers={"Authorization": f"Bearer {secret}"}).text
    assert address not in hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text


def test_what_changes_no_stage_is_shown_without_an_attempt(hub: Installation) -> None:
    reference = hub.referral()
    hub.rate(reference, "green")
    before = hub.awaits(reference, "Awaiting agency checks")
    hub.give(reference, "add_note", words="She rang again.")
    told = "SELECT count(*) FROM event WHERE reference = %s AND kind <> 'likely_known'"
    last = f"up to event {hub.sql(told, reference)[0][0]}"
    eventually(lambda: hub.run(reference)["state"]["message"] == last)
    after = hub.run(reference)
    assert (after["id"], after["run_count"]) == (before["id"], before["run_count"])
    of_run = {"artifacts": {"flow_run_id": {"any_": [after["id"]]}}}
    assert any("Note added" in story["data"] for story in hub.prefect.post("/artifacts/filter", json=of_run).json())


def test_a_run_waits_for_a_disagreement_to_be_determined(hub: Installation) -> None:
    reference = hub.referral()
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    headers = {"Authorization": f"Bearer {hub.key}", "Idempotency-Key": f"disagree-{reference}"}
    answer = hub.http.post(f"/referrals/{reference}/disagreements", json={"words": "She is not safe."}, headers=headers)
    assert answer.status_code == 201, answer.text
    hub.awaits(reference, "Awaiting disagreement to be determined")


def test_children_whose_paths_differ_have_runs_of_their_own(hub: Installation) -> None:
    reference = hub.referral(subjects=[{"cohort": "child"}, {"cohort": "child"}])
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="They differ.", outcomes={"S1": "section_17", "S2": "no_further_action"})
    hub.awaits(reference, "Awaiting section 17 assessment")
    hub.awaits(f"{reference}-B", "Completed")
