"""The faults: what is struck, and how it is mended."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx

from mash.bench.chaos.post import Mood
from mash.bench.chaos.stage import Need, Stage

EARLIER = "prefect_earlier"
Strike = Callable[[Stage, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong for a while. What dies is started again by whoever tends the stage."""

    name: str
    strike: Strike
    mend: Callable[[Stage], None] = lambda _: None
    lasts: tuple[float, float] = (2, 5)
    """Seconds, at least and at most."""
    needs: Need | None = None
    """What the stage must have for it, and may lack."""


def _killed(part: str) -> Fault:
    return Fault(f"{part} is killed (kill -9)", lambda stage, _: stage.kill(part))


def _mail(mood: Mood) -> Fault:
    def strike(stage: Stage, _: random.Random) -> None:
        stage.mail.mood = mood

    def mend(stage: Stage) -> None:
        stage.mail.mood = "well"

    return Fault(f"the mail server {mood}", strike, mend, (5, 20))


def _restart_postgres(stage: Stage, _: random.Random) -> None:
    if stage.stack.cluster:
        stage.stack.cluster.stop()


def _refuse_connections(stage: Stage, _: random.Random) -> None:
    for database in ("mash", "prefect"):
        stage.sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false", database="postgres")
    stage.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('mash', 'prefect')", database="postgres")


def _allow_connections(stage: Stage) -> None:
    for database in ("mash", "prefect"):
        stage.sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true", database="postgres")


def _copy_prefect(stage: Stage, _: random.Random) -> None:
    """Keep a copy of Prefect's database as it is now; its server is away for a moment."""
    stage.hold_down("prefect")
    _alone(stage, "prefect")
    stage.sql(f"CREATE DATABASE {EARLIER} TEMPLATE prefect OWNER mash_prefect", database="postgres")
    stage.let_up("prefect")


def _restore_prefect(stage: Stage) -> None:
    """Put the copy in the place of Prefect's database: the server knows nothing of what came since."""
    stage.hold_down("prefect")
    _alone(stage, "prefect")
    stage.sql("DROP DATABASE prefect", database="postgres")
    stage.sql(f"ALTER DATABASE {EARLIER} RENAME TO prefect", database="postgres")
    stage.sql("REVOKE ALL ON DATABASE prefect FROM PUBLIC", database="postgres")
    stage.prefect_forgot = True
    stage.let_up("prefect")


def _lose_artifacts(stage: Stage, _: random.Random) -> None:
    stage.sql("ALTER TABLE artifact RENAME TO artifact_away", database="prefect")


def _find_artifacts(stage: Stage) -> None:
    stage.sql("ALTER TABLE artifact_away RENAME TO artifact", database="prefect")


def _alone(stage: Stage, database: str) -> None:
    query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
    stage.sql(query, database, database="postgres")


def _second_worker(stage: Stage, _: random.Random) -> None:
    stage.let_up("worker-2")
    stage.stack.start("worker-2")


def _one_worker(stage: Stage) -> None:
    stage.wanted.discard("worker-2")
    child = stage.stack.children.pop("worker-2")
    child.terminate()
    child.wait(120)


def _pause_worker(stage: Stage, chance: random.Random) -> None:
    """The worker is paused, its leases pass, and a second one takes over what it holds."""
    stage.pause("worker")
    _second_worker(stage, chance)
    # Not what it holds locked in the middle of a transaction: the database ends that one by itself.
    stage.sql(
        "UPDATE notice SET next_try_at = now() WHERE id IN (SELECT id FROM notice WHERE status = 'queued' FOR UPDATE SKIP LOCKED)"
    )


def _let_worker_go_on(stage: Stage) -> None:
    stage.go_on("worker")
    stage.tend(2)
    _one_worker(stage)


def _in_the_ui(what: str, act: Callable[[httpx.Client, str], object], state: str = "SCHEDULED", number: int = 5) -> Fault:
    """An admin does something to the runs of some referrals, which wait or, in another state, do not."""

    def strike(stage: Stage, chance: random.Random) -> None:
        try:
            runs = stage.runs_in(state)
            for run in chance.sample(runs, min(number, len(runs))):
                act(stage.prefect, run["id"])
        except httpx.HTTPError:
            return  # Prefect is busy: the admin gives up

    return Fault(f"{what} in Prefect's UI", strike)


def _delete(prefect: httpx.Client, run: str) -> None:
    prefect.delete(f"/flow_runs/{run}")


def _rename(prefect: httpx.Client, run: str) -> None:
    prefect.patch(f"/flow_runs/{run}", json={"name": "renamed", "parameters": {"reference": "MASH-26-000001"}, "tags": []})


def _set(kind: str) -> Callable[[httpx.Client, str], None]:
    def act(prefect: httpx.Client, run: str) -> None:
        state = {"type": kind.upper(), "name": kind.capitalize()}
        prefect.post(f"/flow_runs/{run}/set_state", json={"state": state, "force": True})

    return act


def _pause_pool(stage: Stage, _: random.Random) -> None:
    with suppress(httpx.HTTPError):
        stage.prefect.patch("/work_pools/mash", json={"is_paused": True})


def _fill(stage: Stage, _: random.Random) -> None:
    stage.disk.fill()


def _set_clock(hours: int) -> Fault:
    """The clock is set wrong, and set right again after a while."""

    def strike(stage: Stage, _: random.Random) -> None:
        stage.clock.set(hours * 3600)

    def mend(stage: Stage) -> None:
        stage.clock.set(0)

    name = f"the clock is set an hour {'forwards' if hours > 0 else 'backwards'}, and right again"
    return Fault(name, strike, mend, (5, 15), needs="clock")


FAULTS = (
    *(_killed(part) for part in ("api", "worker", "prefect", "postgres")),
    Fault("PostgreSQL is restarted", _restart_postgres),
    Fault("PostgreSQL refuses connections", _refuse_connections, _allow_connections, (5, 30)),
    Fault("Prefect's server is down", lambda stage, _: stage.hold_down("prefect"), lambda s: s.let_up("prefect"), (20, 120)),
    Fault("Prefect's database is restored to an earlier copy", _copy_prefect, _restore_prefect, (10, 25)),
    Fault("Prefect's server fails in the middle of attempts", _lose_artifacts, _find_artifacts, (5, 15)),
    Fault("the mail server refuses connections", lambda stage, _: stage.mail.close(), lambda stage: stage.mail.open(), (5, 20)),
    *(_mail(mood) for mood in ("refuses", "hangs", "fails after taking", "hangs up after taking")),
    Fault("the disk is full", _fill, lambda stage: stage.disk.empty(), (5, 15), needs="disk"),
    Fault("a second worker runs beside the first", _second_worker, _one_worker, (5, 15)),
    Fault("the worker is paused for longer than its leases", _pause_worker, _let_worker_go_on, (8, 15)),
    _set_clock(1),
    _set_clock(-1),
    _in_the_ui("runs are deleted", _delete),
    *(_in_the_ui(f"runs are {kind}", _set(kind)) for kind in ("cancelled", "failed", "crashed")),
    _in_the_ui("runs are renamed", _rename),
    _in_the_ui("runs of finished referrals are set going", _set("running"), "COMPLETED"),
    Fault("the work pool is paused in Prefect's UI", _pause_pool),
)
