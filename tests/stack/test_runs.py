"""The run of a referral in Prefect, as those see it who look after the installation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import psycopg
import pytest
from hub import PATIENCE, Installation, eventually
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Running, Scheduled
from prefect.utilities.engine import propose_state

from mash.flows.carrying.carrier import ready
from mash.flows.carrying.connection import CARRIED, connected
from mash.flows.carrying.deployed import deploy
from mash.flows.carrying.runs import NewRun, NotAsLeft, begin_parked, create_runs, set_parked
from mash.flows.store.reads.case import read_case
from mash.flows.store.sessions import begin_session
from mash.flows.store.store import open_store
from mash.states.values import Actor


def test_whoever_looks_after_the_installation_too_finds_the_run_in_prefect(hub: Installation) -> None:
    reference = hub.referral()
    run = hub.at_rest(reference)  # a new run is parked in Prefect before our row has its id
    positions = [Actor(id="both", role=role, agency="social_care", hub="sandwell") for role in ("duty_manager", "administrator")]
    secret = hub.stored(lambda store: begin_session(store, positions, "command_line"))
    address = f"/v2/runs/flow-run/{run['id']}"
    assert address in hub.http.get(f"/case/{reference}?tab=facts", headers={"Authorization": f"Bearer {secret}"}).text
    assert address not in hub.http.get(f"/case/{reference}?tab=facts", headers=hub.staff("duty_manager")).text


def test_what_changes_no_stage_is_shown_without_an_attempt(hub: Installation) -> None:
    reference = hub.referral()
    hub.rate(reference, "green")
    hub.awaits(reference, "Awaiting agency checks")
    before = hub.at_rest(reference)  # the acknowledgement may go after the rating: an event that nobody here counts
    hub.give(reference, "add_note", words="She rang again.")
    told = "SELECT count(*) FROM event WHERE reference = %s AND kind <> 'likely_known'"
    last = f"up to event {hub.sql(told, reference)[0][0]}"
    eventually(lambda: hub.run(reference)["state"]["message"].endswith(last))
    after = hub.run(reference)
    assert (after["id"], after["run_count"]) == (before["id"], before["run_count"])
    eventually(lambda: [each for each in stories(hub, reference) if "Note added" in each["data"]])
    assert len(stories(hub, reference)) == 1


def stories(hub: Installation, reference: str) -> list[dict[str, Any]]:
    """The artifacts of a referral's run."""
    of_run = {"artifacts": {"flow_run_id": {"any_": [hub.run(reference)["id"]]}}}
    return list(hub.prefect.post("/artifacts/filter", json=of_run).raise_for_status().json())


def test_a_run_that_waits_has_one_story_from_the_beginning_which_is_written_anew_where_it_stands(hub: Installation) -> None:
    reference = hub.referral()
    hub.awaits(reference, "Awaiting triage")
    (first,) = eventually(lambda: stories(hub, reference))
    assert "Waits at: Triage." in first["data"] and "With the duty manager." in first["data"]
    hub.rate(reference, "green")
    hub.awaits(reference, "Awaiting agency checks")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    hub.awaits(reference, "Completed")
    (last,) = stories(hub, reference)
    assert last["id"] == first["id"] and "Nothing more is waited for." in last["data"] and "Decision recorded" in last["data"]
    artifact = {"filter": {"resource": {"id": [f"prefect.artifact.{first['id']}"]}}}
    assert "Decision recorded" not in hub.prefect.post("/events/filter", json=artifact).text, "no copy is kept of each"


def test_the_log_of_a_run_that_waits_leads_to_the_case_and_to_its_story_and_is_written_once(hub: Installation) -> None:
    reference = hub.referral()
    hub.rate(reference, "green")
    run = hub.awaits(reference, "Awaiting agency checks")
    (story,) = eventually(lambda: stories(hub, reference))
    asked = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    (line,) = eventually(lambda: hub.prefect.post("/logs/filter", json=asked).json())
    assert f"/v2/artifacts/artifact/{story['id']}" in line["message"]
    assert f"{hub.settings.base_url}/case/{reference}" in line["message"]


def test_stories_that_an_earlier_version_left_and_one_that_is_deleted_make_way_for_one(hub: Installation) -> None:
    reference = hub.referral()
    run = hub.at_rest(reference)
    (story,) = eventually(lambda: stories(hub, reference))
    hub.prefect.delete(f"/artifacts/{story['id']}")
    for data in ("of the first attempt", "of the second"):
        left = {"key": reference.lower(), "type": "markdown", "data": data, "flow_run_id": run["id"]}
        hub.prefect.post("/artifacts/", json=left).raise_for_status()
    said = re.search(r"up to event \d+$", run["state"]["message"])
    assert said
    details = {"scheduled_time": run["next_scheduled_start_time"]}
    state = {"type": "SCHEDULED", "name": run["state_name"], "message": said[0], "state_details": details}
    hub.prefect.post(f"/flow_runs/{run['id']}/set_state", json={"state": state, "force": True}).raise_for_status()
    hub.look()
    eventually(lambda: len(found := stories(hub, reference)) == 1 and "Waits at: Triage." in found[0]["data"])
    assert hub.repairs(reference) == []


REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'check_violation'; END $$;
    CREATE TRIGGER refused BEFORE UPDATE ON artifact FOR EACH ROW WHEN (OLD.id = '{story}') EXECUTE FUNCTION refuse()"""


def test_a_story_that_cannot_be_written_is_told_to_the_administrators_and_written_when_it_can_be(hub: Installation) -> None:
    refused, beside = hub.referral(), hub.referral()
    for reference in (refused, beside):
        hub.at_rest(reference)
    (story,) = eventually(lambda: stories(hub, refused))
    assert hub.stack.cluster
    with psycopg.connect(host=str(hub.stack.cluster.socket), user="mash_prefect", dbname="prefect", autocommit=True) as prefects:
        prefects.execute(REFUSE.format(story=story["id"]))
        try:
            for reference in (refused, beside):
                hub.rate(reference, "green")
                hub.awaits(reference, "Awaiting agency checks")
            told = (
                "SELECT facts::jsonb->>'detail' FROM notice WHERE facts::jsonb->>'what' = 'the story of a run cannot be written'"
            )
            (detail,) = [detail for (detail,) in eventually(lambda: hub.sql(told))]
            assert refused in detail
            eventually(lambda: "Waits at: Agency checks." in stories(hub, beside)[0]["data"])
            assert "Waits at: Triage." in stories(hub, refused)[0]["data"]
        finally:
            prefects.execute("DROP FUNCTION refuse CASCADE")
    eventually(lambda: "Waits at: Agency checks." in stories(hub, refused)[0]["data"])


@contextmanager
def talking_to_prefect(hub: Installation) -> Iterator[None]:
    """Prefect's clients of this process are the installation's."""
    login = hub.settings.prefect_auth_string
    assert login
    with temporary_settings({PREFECT_API_URL: hub.settings.prefect_api_url, PREFECT_API_AUTH_STRING: login.get_secret_value()}):
        yield


@asynccontextmanager
async def held(hub: Installation, references: Iterable[str]) -> AsyncIterator[None]:
    """The locks of referrals: as long as somebody has them, no worker puts their runs right."""
    store = await open_store(hub.settings)
    locks = await asyncpg.connect(store.listen_url)
    try:
        for reference in references:
            await locks.execute("SELECT pg_advisory_lock(hashtextextended($1, 26))", reference)
        yield
    finally:
        await locks.close()
        await store.close()


def test_an_attempt_at_a_run_that_somebody_has_parked_meanwhile_begins_and_does_not_sleep_until_its_deadline(
    hub: Installation,
) -> None:
    reference = hub.referral()
    run = hub.awaits(reference, "Awaiting triage")["id"]

    async def begun_as_by_the_engine() -> State[Any]:
        async with connected() as client, asyncio.timeout(PATIENCE):
            CARRIED.set(ready(await client.read_flow_run(run)))  # it was Pending when it was taken up
            return await propose_state(client, Running(), flow_run_id=run)

    with talking_to_prefect(hub):
        assert asyncio.run(begun_as_by_the_engine()).is_running()
    hub.look()
    hub.awaits(reference, "Awaiting triage")


def test_a_run_that_is_believed_to_be_parked_is_begun_only_where_it_is_as_it_was_left(hub: Installation) -> None:
    references = {kind: hub.referral() for kind in ("left", "renamed", "untagged", "ended", "gone")}
    runs = {kind: UUID(hub.at_rest(reference)["id"]) for kind, reference in references.items()}

    async def begun(client: PrefectClient, found: FlowRun) -> bool:
        try:
            return (await begin_parked(client, found, Running())).status is SetStateStatus.ACCEPT
        except NotAsLeft:
            return False

    async def tried() -> dict[str, bool]:
        async with connected() as client, asyncio.timeout(PATIENCE), held(hub, references.values()):
            found = {kind: await client.read_flow_run(run) for kind, run in runs.items()}
            await client.update_flow_run(runs["renamed"], name=f"{references['renamed']}-else")
            await client.update_flow_run(runs["untagged"], tags=["hub:sandwell"])
            await client.set_flow_run_state(runs["ended"], Cancelled(), force=True)
            await client.delete_flow_run(runs["gone"])
            return {kind: await begun(client, run) for kind, run in found.items()}

    with talking_to_prefect(hub):
        assert asyncio.run(tried()) == {kind: kind == "left" for kind in references}
    hub.look()
    for reference in references.values():
        hub.awaits(reference, "Awaiting triage")


class SendsTwice(PrefectClient):
    """Prefect's client where the first answer to a change is lost: it sends the same again."""

    async def request(self, method: Any, path: Any, *arguments: Any, **more: Any) -> httpx.Response:
        """What the second time is answered."""
        if path == "/flow_runs/bulk_set_state":
            await super().request(method, path, *arguments, **more)
        return await super().request(method, path, *arguments, **more)


def test_a_run_whose_beginning_is_sent_twice_has_begun(hub: Installation) -> None:
    reference = hub.referral()
    run = UUID(hub.at_rest(reference)["id"])

    async def begun() -> State[Any] | None:
        twice = SendsTwice(PREFECT_API_URL.value(), auth_string=PREFECT_API_AUTH_STRING.value())
        async with twice as client, held(hub, [reference]):
            return (await begin_parked(client, await client.read_flow_run(run), Running())).state

    with talking_to_prefect(hub):
        state = asyncio.run(begun())
    assert state and state.is_running()
    hub.look()
    hub.awaits(reference, "Awaiting triage")


def test_a_change_of_many_runs_touches_those_alone_that_it_names_and_that_are_parked(hub: Installation) -> None:
    parked, over = hub.referral(), hub.referral()
    ids = {reference: UUID(hub.awaits(reference, "Awaiting triage")["id"]) for reference in (parked, over)}

    async def changed() -> set[UUID]:
        async with connected() as client, asyncio.timeout(PATIENCE), held(hub, ids):
            await client.set_flow_run_state(ids[over], Cancelled(), force=True)
            with pytest.raises(ValueError, match="have to be named"):
                await set_parked(client, [], Scheduled())
            return await set_parked(client, list(ids.values()), Scheduled(name="Awaiting a test"))

    with talking_to_prefect(hub):
        assert asyncio.run(changed()) == {ids[parked]}
    hub.look()
    for reference in ids:
        hub.awaits(reference, "Awaiting triage")


def test_runs_that_are_made_together_are_as_those_made_alone_and_one_that_is_there_stays_as_it_is(hub: Installation) -> None:
    reference = hub.referral()
    there_already = hub.awaits(reference, "Awaiting triage")
    case = hub.stored(lambda store: read_case(store, reference))

    async def made(*names: str) -> list[FlowRun | Exception]:
        others = [replace(case, reference=name) for name in names]
        async with connected() as client:
            store = await open_store(hub.settings)
            try:
                deployed, _ = await deploy(client, store)
            finally:
                await store.close()
            new = [NewRun(deployed, each, Scheduled(name="Made")) for each in (others[0], case, others[1])]
            return await create_runs(client, new)

    names = [f"{reference}-first", f"{reference}-second"]
    with talking_to_prefect(hub):
        first, again, second = asyncio.run(made(*names))
        if any(isinstance(run, FlowRun) and run.state and run.state.is_cancelled() for run in (first, second)):
            names = [f"{reference}-third", f"{reference}-fourth"]  # the watchdog came between: they are nobody's
            first, again, second = asyncio.run(made(*names))
    assert isinstance(first, FlowRun) and isinstance(again, FlowRun) and isinstance(second, FlowRun)
    try:
        assert [run.name for run in (first, again, second)] == [names[0], reference, names[1]]
        assert str(again.id) == there_already["id"] and again.state and again.state.name == "Awaiting triage"
        for run in (first, second):
            assert run.state and (run.state.name, run.state.is_scheduled()) == ("Made", True)
            assert sorted(run.tags) == sorted(there_already["tags"]) and run.deployment_id == again.deployment_id
            assert run.parameters == {"reference": run.name} and run.work_queue_name == again.work_queue_name
    finally:
        for run in (first, second):
            hub.prefect.delete(f"/flow_runs/{run.id}")


def test_a_run_of_the_night_is_named_by_its_date(hub: Installation) -> None:
    night = hub.worked_through_the_night()
    assert re.fullmatch(r"Night of Thu 19 Nov 2026, \d\d:\d\d", night["name"])
    assert night["state_type"] == "COMPLETED"


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
