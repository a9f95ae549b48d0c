"""What is wrong is said while it is, and no longer: parts that are gone, and what somebody switches off in Prefect."""

from __future__ import annotations

import json
from typing import Any

from hub import PATIENCE, Installation, eventually, metrics
from pydantic import SecretStr


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
    quick.stack.children["worker"].wait(PATIENCE)
    assert last_sign()["stopped"] is True
    quick.stack.start("worker")
    eventually(last_sign)
    eventually(lambda: quick.http.get("/health").json()["status"] == "ok")


def test_a_worker_that_was_killed_and_is_replaced_is_missed_by_nobody(quick: Installation) -> None:
    gone = quick.stack.children["worker"].pid
    quick.stack.kill("worker")
    quick.stack.start("worker")
    eventually(lambda: f"-{quick.stack.children['worker'].pid}" in silent(quick))
    assert f"-{gone}" not in silent(quick)


def silent(hub: Installation) -> str:
    """Of which workers it is counted how long they have said nothing."""
    return "\n".join(line for line in hub.http.get("/metrics").text.splitlines() if line.startswith("mash_worker_silent"))


# --- what somebody switches off in Prefect ------------------------------------------------------------------------------------


def wrong(hub: Installation) -> str:
    return " | ".join(hub.http.get("/health").json()["wrong"])


def test_what_is_paused_in_prefect_is_said_until_it_is_resumed(quick: Installation) -> None:
    def said() -> bool:
        # Again and again: the watchdog resumes it, now and then before it was seen to be paused.
        quick.prefect.patch("/work_pools/mash", json={"is_paused": True}).raise_for_status()
        return "Prefect's work pool mash is paused: no run is carried" in wrong(quick)

    try:
        eventually(said)
    finally:
        quick.prefect.patch("/work_pools/mash", json={"is_paused": False}).raise_for_status()
    eventually(lambda: "work pool" not in wrong(quick))


def test_a_deployment_that_is_paused_is_said_and_resumed_by_itself(quick: Installation) -> None:
    found = {each["name"]: each for each in quick.prefect.post("/deployments/filter", json={}).json()}
    night = found["every-night"]

    def said() -> bool:
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
        eventually(lambda: metrics(quick).get("mash_clock_late_seconds_count", 0) > before)
    finally:
        quick.stack.settings = right
        quick.stack.kill("prefect")
        quick.stack.start("prefect")
    eventually(lambda: "Prefect" not in wrong(quick))
