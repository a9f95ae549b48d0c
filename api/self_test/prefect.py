"""Attacks by whoever has Prefect's login, which has no roles, or reaches its port without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from mash.api.demo.endpoint import endpoint
from mash.api.self_test.attack import allowed, attack, hold, until
from mash.api.self_test.scene import Scene

SECONDS = 120.0
"""For which is waited until something is put right: much longer than it takes."""
DEPLOYMENTS = ("referral/hub", "watchdog/every-minute", "nightly/every-night")


@contextmanager
def _prefect(scene: Scene) -> Iterator[httpx.Client]:
    login = scene.on.settings.prefect_auth_string
    assert login
    user, _, password = login.get_secret_value().partition(":")
    with httpx.Client(base_url=scene.on.settings.prefect_api_url, auth=(user, password), timeout=30) as prefect:
        yield prefect


def _run(prefect: httpx.Client, reference: str) -> dict[str, Any]:
    """The run of a referral, by its name; empty while there is none."""
    found = prefect.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [reference]}}}).json()
    return dict(found[0]) if found else {}


def _waiting(scene: Scene, prefect: httpx.Client, **contact: Any) -> dict[str, Any]:
    """The run of a referral that was just received."""
    reference = scene.on.referral(**contact)
    return until(lambda: (run := _run(prefect, reference)) and run["state_type"] == "SCHEDULED" and run, SECONDS)


def _not_for(scene: Scene, span: str, what: str = "watchdog") -> None:
    """Let it be so long ago that a round was made: the worker sees that Prefect has not started it, and minutes are not waited
    for."""
    ago = "UPDATE round SET begun_at = now() - %s::interval, ended_at = now() - %s::interval WHERE what = %s"
    scene.on.sql(ago, span, span, what)


def _webhook(prefect: httpx.Client, name: str, address: str) -> str:
    """A block that calls an address; its id."""
    kind = prefect.get("/block_types/slug/webhook").json()["id"]
    schemas = prefect.post("/block_schemas/filter", json={"block_schemas": {"block_type_id": {"any_": [kind]}}}).json()
    document = {"name": name, "data": {"url": address}, "block_schema_id": schemas[0]["id"], "block_type_id": kind}
    return str(allowed(prefect.post("/block_documents/", json=document)).json()["id"])


@attack("ask Prefect without its login")
def without_login(scene: Scene) -> str:
    with httpx.Client(timeout=60, base_url=scene.on.settings.prefect_api_url) as nobody:
        for method, path in (
            ("POST", "/flow_runs/filter"),
            ("POST", "/flow_runs/bulk_set_state"),
            ("GET", "/admin/settings"),
            ("GET", "/variables/name/system-health"),
            ("DELETE", "/work_pools/mash"),
        ):
            for headers in ({}, {"Host": "127.0.0.1/health"}, {"X-Forwarded-For": "127.0.0.1"}):
                answer = nobody.request(method, path, headers=headers)
                hold(answer.status_code == 401, f"{method} {path} was answered {answer.status_code}")
    return "401 whatever is asked"


@attack("read in Prefect what a case is about")
def about(scene: Scene) -> str:
    with _prefect(scene) as prefect:
        run = _waiting(scene, prefect, concern={"summary": "He hits her.", "categories": ["domestic_abuse"]})
        scene.on.rate(run["name"])
        of_run = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}}
        story = until(lambda: prefect.post("/artifacts/filter", json=of_run).json(), SECONDS)
        shown = json.dumps([_run(prefect, run["name"]), story])
        about = ("domestic_abuse", "omestic abuse", "He hits her")
        hold(not any(word in shown for word in about), "what it is about")
        tags = {tag.partition(":")[0] for tag in _run(prefect, run["name"])["tags"]}
        hold(tags == {"hub", "rating", "cohort"}, f"tags of other kinds: {tags}")
    return "its reference, hub, rating, cohort and stage, and what is due"


@attack("find a key or a password among what Prefect keeps")
def keys(scene: Scene) -> str:
    with _prefect(scene) as prefect:
        texts = [prefect.get("/admin/settings").text]
        texts += [prefect.post(f"/{kind}/filter", json={}).text for kind in ("automations", "variables", "deployments", "logs")]
        texts.append(prefect.post("/block_documents/filter", json={"include_secrets": True}).text)
    held = [value for _, value in scene.on.settings if hasattr(value, "get_secret_value")]
    for secret in {part for value in held for part in (value.get_secret_value(), value.get_secret_value().rpartition(":")[2])}:
        hold(len(secret) < 12 or not any(secret in text for text in texts), "a secret of ours")
    hold(not any("Bearer" in text for text in texts), "a key")
    return "none"


@attack("have Prefect call an address that only its own machine reaches")
def call(scene: Scene) -> str:
    called: list[str] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, str]]:
        called.append(path)
        return 200, {}

    with _prefect(scene) as prefect, endpoint(answer) as port:
        action = {
            "type": "call-webhook",
            "block_document_id": _webhook(prefect, "mine", f"http://127.0.0.1:{port}/"),
            "payload": "{}",
        }
        trigger = {"type": "event", "posture": "Reactive", "expect": ["prefect.flow-run.*"], "threshold": 1, "within": 0}
        allowed(prefect.post("/automations/", json={"name": "mine", "trigger": trigger, "actions": [action]}))
        run = _waiting(scene, prefect)
        seen = {"filter": {"resource": {"id": [f"prefect.flow-run.{run['id']}"]}}}
        until(lambda: prefect.post("/events/filter", json=seen).json()["events"], SECONDS)
        _waiting(scene, prefect)  # time to act on it
        hold(not called, "it was called")
    return "nothing was called"


@attack("have a run carried for another referral, by its parameters in Prefect")
def parameters(scene: Scene) -> str:
    with _prefect(scene) as prefect:
        mine, other = _waiting(scene, prefect), _waiting(scene, prefect)
        changed = {"name": "Jane Doe", "parameters": {"reference": other["name"]}, "tags": ["of mine"]}
        allowed(prefect.patch(f"/flow_runs/{mine['id']}", json=changed))
        scene.on.rate(mine["name"])
        until(lambda: _run(prefect, mine["name"]).get("state_name") == "Awaiting agency checks", SECONDS)
        found, untouched = prefect.get(f"/flow_runs/{mine['id']}").json(), prefect.get(f"/flow_runs/{other['id']}").json()
        hold(found["parameters"] == {"reference": mine["name"]} and "of mine" not in found["tags"], "it stayed so")
        hold(untouched["state_name"] == "Awaiting triage", "the other referral's run was carried")
    return "carried for its own, named and tagged anew"


@attack("end all runs in Prefect at once")
def bulk(scene: Scene) -> str:
    with _prefect(scene) as prefect:
        run = _waiting(scene, prefect)
        ended = {"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
        while allowed(prefect.post("/flow_runs/bulk_set_state", json=_alive(ended))).json()["results"]:
            pass
        _not_for(scene, "5 minutes")
        until(lambda: prefect.get(f"/flow_runs/{run['id']}").json()["state_type"] == "SCHEDULED", SECONDS)
    return "put back on their feet"


def _alive(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED", "PENDING", "RUNNING"]}}}}


@attack("have Prefect show a case that is over as one that goes on")
def revive(scene: Scene) -> str:
    with _prefect(scene) as prefect:
        run = _waiting(scene, prefect)
        reference = run["name"]
        scene.on.rate(reference)
        scene.on.give(reference, "proceed_without_replies", words="It cannot wait.")
        scene.on.give(reference, "record_meeting", words="Held.", attended=["police"], rating="green")
        scene.on.give(reference, "record_decision", words="Decided.", outcomes={"S1": "no_further_action"})
        until(lambda: _run(prefect, reference)["state_type"] == "COMPLETED", SECONDS)
        allowed(prefect.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "RUNNING"}, "force": True}))
        _not_for(scene, "5 minutes")
        until(lambda: prefect.get(f"/flow_runs/{run['id']}").json()["state_type"] == "COMPLETED", SECONDS)
    return "it is shown as completed again"


@attack("switch the watchdog and the night's work off in Prefect")
def switch_off(scene: Scene) -> str:
    with _prefect(scene) as prefect:
        before = scene.on.sql("SELECT count(*) FROM checkpoint")[0][0]
        for name in DEPLOYMENTS:
            allowed(prefect.delete(f"/deployments/{prefect.get(f'/deployments/name/{name}').json()['id']}"))
        allowed(prefect.patch("/work_pools/mash", json={"is_paused": True, "concurrency_limit": 0}))
        _not_for(scene, "25 hours", "night")
        until(lambda: scene.on.sql("SELECT count(*) FROM checkpoint")[0][0] > before, SECONDS)
        _not_for(scene, "5 minutes")
        for name in DEPLOYMENTS:
            until(lambda name=name: prefect.get(f"/deployments/name/{name}").status_code == 200, SECONDS)  # type: ignore[misc]
        hold(not prefect.get("/work_pools/mash").json()["is_paused"], "the pool stays paused")
        said = scene.on.sql("SELECT count(*) FROM repair WHERE what LIKE '%%was missing%%'")[0][0]
        hold(said > 0, "nobody was told")
    return "the worker does both by itself, and puts it right"
