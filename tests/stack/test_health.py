"""How the pipeline is: what people and monitors are told, and what Prefect's automations report."""

from __future__ import annotations

import json
from typing import Any

import httpx
from hub import MONITOR, Installation, eventually
from prometheus_client.parser import text_string_to_metric_families

from mash.notifications.links import PREFECT, service_key


def metrics(hub: Installation) -> dict[str, float]:
    """Every sample, by name (summed over its labels)."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(hub.http.get("/metrics").text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_health_says_that_all_is_well(quick: Installation) -> None:
    def well() -> bool:
        return quick.http.get("/health").json() == {"status": "ok", "live": True, "ready": True, "wrong": []}

    eventually(well)


def test_metrics_count_and_name_nobody(quick: Installation) -> None:
    reference = quick.referral()
    eventually(lambda: metrics(quick).get("mash_sent_total", 0) > 0)
    found = metrics(quick)
    assert found["mash_contacts"] == found["mash_outcomes"] + found["mash_contacts_open"]
    assert found["mash_referrals_open"] >= 1 and found["mash_worker_prefect"] == 1
    text = quick.http.get("/metrics").text
    assert reference not in text and "Quillfeather" not in text
    assert 'mash_referrals_open{hub="sandwell",rating=' in text


def test_clocks_that_fire_are_counted_with_how_late_they_were(quick: Installation) -> None:
    quick.referral(concern={"summary": "He is in there now.", "immediate_danger": True})
    before = metrics(quick).get("mash_clock_late_seconds_count", 0)
    eventually(lambda: metrics(quick)["mash_clock_late_seconds_count"] > before)


def test_every_line_of_our_logs_is_json_and_names_nobody(quick: Installation) -> None:
    quick.referral()
    lines = [line for part in ("worker", "api") for line in (quick.stack.logs / f"{part}.log").read_text().splitlines()]
    for line in lines:
        assert set(json.loads(line)) >= {"event", "level", "logger", "timestamp"}
        assert "Quillfeather" not in line


def test_prefects_automations_are_there_once_however_often_a_worker_starts(quick: Installation) -> None:
    def names() -> list[str]:
        return sorted(found["name"] for found in quick.prefect.post("/automations/filter", json={}).json())

    expected = ["mash: a run crashed", "mash: a run failed", "mash: no worker"]
    eventually(lambda: names() == expected)


def test_a_run_that_is_failed_in_prefect_is_reported_to_the_administrators(quick: Installation) -> None:
    reference = quick.referral()
    quick.awaits(reference, "Awaiting triage")
    run = quick.run(reference)
    quick.prefect.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "FAILED", "name": "Failed"}, "force": True})
    eventually(lambda: quick.received.telling("administrator", "MASH system: a flow run failed") >= 1)
    quick.awaits(reference, "Awaiting triage")


def test_nobody_else_can_report_in_prefects_place(quick: Installation) -> None:
    labels = {"what": "worker gone"}
    assert quick.http.post("/prefect-events", json=labels).status_code == 401
    wrong = {"Authorization": f"Bearer {service_key('another key', PREFECT)}"}
    assert quick.http.post("/prefect-events", json=labels, headers=wrong).status_code == 401
    assert quick.settings.token_key
    right = {"Authorization": f"Bearer {service_key(quick.settings.token_key.get_secret_value(), PREFECT)}"}
    assert quick.http.post("/prefect-events", json={"what": "a name", "run": "x"}, headers=right).status_code == 400
    assert quick.http.post("/prefect-events", json={"what": "crashed", "run": "Jane Doe"}, headers=right).status_code == 400


# --- when parts are gone ------------------------------------------------------------------------------------------------------


def test_the_outside_monitor_gets_its_pulse_and_misses_it_when_the_worker_is_gone(quick: Installation) -> None:
    eventually(lambda: quick.received.pulses > 0)
    quick.stack.kill("worker")
    quick.sql("UPDATE pulse SET at = at - interval '1 minute'")
    health = quick.http.get("/health")
    assert health.status_code == 200, "referrals are accepted all the same"
    assert health.json()["status"] == "trouble" and "no worker is alive" in health.json()["wrong"][0]
    quick.stack.start("worker")
    eventually(lambda: quick.http.get("/health").json()["status"] == "ok")
    logs = "".join(log.read_text() for log in quick.stack.logs.glob("*.log"))
    assert MONITOR not in logs


def test_a_worker_that_is_stopped_on_purpose_says_so_and_one_that_is_killed_does_not(quick: Installation) -> None:
    def last_sign() -> dict[str, Any]:
        """Of the worker that was started last; empty before its first."""
        found = quick.sql("SELECT said FROM pulse WHERE part LIKE %s", f"%-{quick.stack.children['worker'].pid}")
        return dict(json.loads(found[0][0])) if found else {}

    eventually(last_sign)
    quick.stack.kill("worker")
    assert "stopped" not in last_sign()
    quick.stack.start("worker")
    eventually(last_sign)
    quick.stack.children["worker"].terminate()
    quick.stack.children["worker"].wait(30)
    assert last_sign()["stopped"] is True
    quick.stack.start("worker")
    eventually(last_sign)
    eventually(lambda: quick.http.get("/health").json()["status"] == "ok")


def test_without_its_database_the_api_says_that_it_is_down(quick: Installation) -> None:
    quick.stack.kill("postgres")

    def down() -> bool:
        try:
            answer = quick.http.get("/health")
        except httpx.HTTPError:
            return False
        return answer.status_code == 503 and answer.json()["ready"] is False

    try:
        eventually(down)
    finally:
        quick.stack.start("postgres")
    eventually(lambda: quick.http.get("/health").json()["ready"])
