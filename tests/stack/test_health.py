"""How the pipeline is: what people and monitors are told."""

from __future__ import annotations

import hmac
import json
import select
import socket
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
from hub import MONITOR, Installation, eventually, metrics


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
    eventually(lambda: metrics(quick).get("mash_clock_late_seconds_count", 0) > before)


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


def test_whoever_comes_back_after_as_long_as_clients_wait_finds_the_connection_open(quick: Installation) -> None:
    opened = [asked(quick.settings.base_url, "/health"), asked(quick.settings.prefect_api_url, "/api/health")]
    closed, _, _ = select.select(opened, [], [], 5.5)
    for connection in opened:
        connection.close()
    assert closed == [], "httpx comes back for five seconds"


def asked(server: str, path: str) -> socket.socket:
    """The connection on which this was asked, and answered."""
    connection = HTTPConnection(urlsplit(server).netloc, timeout=40)
    connection.request("GET", path)
    assert connection.getresponse().read()
    return connection.sock


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
