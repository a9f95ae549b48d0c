"""Prefect's server as it is set up: what earlier versions left there, what it would call, what it logs in trouble."""

from __future__ import annotations

from contextlib import suppress
from unittest.mock import patch

import httpx
import psutil
from hub import Installation, eventually

from mash.flows.installation.parts import PREFECT_SERVER


def test_what_earlier_versions_left_in_prefect_is_removed_when_a_worker_starts(quick: Installation) -> None:
    kind = quick.prefect.get("/block_types/slug/webhook").json()
    schemas = {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
    schema = quick.prefect.post("/block_schemas/filter", json=schemas).json()[0]
    data = {"url": "http://127.0.0.1:1/prefect-events", "headers": {"Authorization": "Bearer a-key"}}
    document = {"name": "mash-events", "data": data, "block_schema_id": schema["id"], "block_type_id": kind["id"]}
    block = quick.prefect.post("/block_documents/", json=document).raise_for_status().json()
    trigger = {"type": "event", "posture": "Reactive", "expect": ["prefect.flow-run.Failed"], "threshold": 1, "within": 0}
    action = {"type": "call-webhook", "block_document_id": block["id"], "payload": "{}"}
    quick.prefect.post(
        "/automations/", json={"name": "mash: a run failed", "trigger": trigger, "actions": [action]}
    ).raise_for_status()
    quick.stack.kill("worker")
    quick.stack.start("worker")
    eventually(lambda: quick.prefect.post("/automations/filter", json={}).json() == [])
    eventually(lambda: quick.prefect.post("/block_documents/filter", json={"include_secrets": True}).json() == [])


def test_administrators_hear_of_a_server_of_their_own_that_would_call_addresses(quick: Installation) -> None:
    def told() -> int:
        return quick.received.telling("administrator", "MASH system: Prefect's server acts on automations")

    assert not told()
    quick.stack.kill("prefect")
    with patch.dict(PREFECT_SERVER, PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED="true"):
        quick.stack.start("prefect")
    quick.stack.wait_ready()
    quick.look()
    eventually(told)
    quick.stack.kill("prefect")
    quick.stack.start("prefect")
    quick.stack.wait_ready()
    # Its database may have been put back meanwhile: a server that is started again looks at its tables itself.
    assert "PREFECT_API_DATABASE_MIGRATE_ON_START" not in psutil.Process(quick.stack.processes["prefect"]).environ()


def test_without_its_database_prefects_server_logs_a_line_for_each_thing_and_no_more(quick: Installation) -> None:
    log = quick.stack.logs / "prefect.log"
    before = log.stat().st_size
    quick.stack.kill("postgres")
    try:
        eventually(lambda: log.stat().st_size > before)
        for _ in range(50):
            with suppress(httpx.HTTPError):
                assert quick.prefect.get("/work_pools/mash").status_code >= 500
    finally:
        quick.stack.start("postgres")
    new = log.read_text()[before:]
    assert len(new) < 5_000 and "Traceback" not in new
    assert "ConnectionRefusedError" in new or "CannotConnectNowError" in new or "Connection" in new, new
    quick.awaits(quick.referral(), "Awaiting triage")
