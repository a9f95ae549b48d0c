"""How the pipeline is: what people and monitors are told."""

from __future__ import annotations

import hmac
import json
from typing import Any

import httpx
from hub import MONITOR, Installation, eventually
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr


def metrics(hub: Installation) -> dict[str, float]:
    """Every sample, by name (summed over its labels)."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(hub.http.get("/metrics").text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_health_says_that_all_is_well(quick: Installation) -> None:
    def well() -> bool:
        found = quick.http.get("/health").json()
        return found.pop("ages").keys() >= {"backup", "checkpoint"} and found == {
            "status": "ok",
            "live": True,
            "ready": True,
            "wrong": [],
        }

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


def test_prefect_reports_nothing_whatever_key_it_brings(quick: Installation) -> None:
    key = quick.settings.token_key
    assert key
    of_before = hmac.digest(key.get_secret_value().encode(), b"service:prefect-events", "sha256").hex()
    for headers in ({}, {"Authorization": f"Bearer {of_before}"}):
        assert quick.http.post("/prefect-events", json={"what": "worker gone"}, headers=headers).status_code == 401


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


# --- what somebody switches off in Prefect ------------------------------------------------------------------------------------


def wrong(hub: Installation) -> str:
    return " | ".join(hub.http.get("/health").json()["wrong"])


def test_what_is_paused_in_prefect_is_said_until_it_is_resumed(quick: Installation) -> None:
    quick.prefect.patch("/work_pools/mash", json={"is_paused": True}).raise_for_status()
    try:
        eventually(lambda: "Prefect's work pool mash is paused: no run is carried" in wrong(quick))
    finally:
        quick.prefect.patch("/work_pools/mash", json={"is_paused": False}).raise_for_status()
    eventually(lambda: "work pool" not in wrong(quick))


def test_a_deployment_that_is_paused_is_said_and_resumed_by_itself(quick: Installation) -> None:
    found = {each["name"]: each for each in quick.prefect.post("/deployments/filter", json={}).json()}
    night = found["every-night"]

    def said() -> bool:
        # Again and again: the watchdog resumes it.
        quick.prefect.post(f"/deployments/{night['id']}/pause_deployment").raise_for_status()
        return "deployment every-night is paused, or its schedule is: it is resumed" in wrong(quick)

    eventually(said)
    eventually(lambda: "every-night" not in wrong(quick))


def test_a_login_that_prefect_takes_no_more_is_said_and_clocks_go_on(quick: Installation) -> None:
    right = quick.stack.settings
    quick.stack.settings = right.model_copy(update={"prefect_auth_string": SecretStr("mash:another")})
    try:
        quick.stack.kill("prefect")
        quick.stack.start("prefect")
        eventually(lambda: "Prefect's server refuses our login: MASH_PREFECT_AUTH_STRING" in wrong(quick))
        before = metrics(quick).get("mash_clock_late_seconds_count", 0)
        quick.referral(concern={"summary": "He is in there now.", "immediate_danger": True})
        eventually(lambda: metrics(quick)["mash_clock_late_seconds_count"] > before)
    finally:
        quick.stack.settings = right
        quick.stack.kill("prefect")
        quick.stack.start("prefect")
    eventually(lambda: "Prefect" not in wrong(quick))


def test_a_worker_that_was_killed_and_is_replaced_is_missed_by_nobody(quick: Installation) -> None:
    gone = quick.stack.children["worker"].pid
    quick.stack.kill("worker")
    quick.stack.start("worker")
    eventually(lambda: f"-{quick.stack.children['worker'].pid}" in silent(quick))
    assert f"-{gone}" not in silent(quick)


def silent(hub: Installation) -> str:
    """Of which workers it is counted how long they have said nothing."""
    return "\n".join(line for line in hub.http.get("/metrics").text.splitlines() if line.startswith("mash_worker_silent"))
