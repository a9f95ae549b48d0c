"""The load: a referrer system and the hub's staff, over HTTP, with a view of Prefect."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Self

import httpx
from sqlalchemy import func, select

from mash.api.client import People, done, likeness_of, person, sign_in
from mash.bench.measure import BenchFailed, until
from mash.bench.stack import AGENCIES, HUB, OURS, RATING, BenchStack
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES, REFERRALS
from mash.states.values import Actor

DUTY_MANAGER = person("duty_manager", hub=HUB)
SECOND = person("practice_manager", "second", HUB)
"""Who agrees where somebody may be in immediate danger and one person alone does not decide."""
OF_AGENCY = {agency: person("agency", agency, HUB) for agency in AGENCIES}
"""Who answers for each agency."""
NOT_OVER = ["SCHEDULED", "PENDING", "RUNNING"]
PACE = 3.0
"""Seconds between two acts on a case at people's pace: several times as long as its run takes to settle."""
ACTS = 10
"""Acts of a life, the submission among them."""
TLS = httpx.create_ssl_context()
"""Made once: a context costs 20 ms of CPU, which would be the clients' and not the pipeline's."""


@dataclass(kw_only=True)
class BenchPeople(People):
    """The hub's clients: a referrer system and the staff, over HTTP; and a view of Prefect."""

    stack: BenchStack
    store: Store
    prefect: httpx.AsyncClient

    @classmethod
    async def of(cls, stack: BenchStack, store: Store) -> Self:
        """Clients of a stack that is ready."""
        settings = stack.settings
        login = settings.prefect_auth_string.get_secret_value() if settings.prefect_auth_string else ""
        user, _, password = login.partition(":")
        return cls(
            key=await make_api_key(store, NewKey("bench-school", HUB, "education")),
            sessions=await sign_in(store, (DUTY_MANAGER, *OF_AGENCY.values())),
            http=httpx.AsyncClient(base_url=settings.base_url, timeout=120),
            duty_manager=DUTY_MANAGER,
            words="Words that say why, as long as they are in life.",
            tries=5,
            stack=stack,
            store=store,
            prefect=httpx.AsyncClient(base_url=settings.prefect_api_url, auth=(user, password), timeout=120),
        )

    def another(self) -> httpx.AsyncClient:
        """A further client of the API, with connections of its own."""
        return httpx.AsyncClient(base_url=self.stack.settings.base_url, timeout=120, verify=TLS)

    async def basis(self, reference: str, version: int, http: httpx.AsyncClient | None = None) -> int:
        """The first half of triage: why information may be shared; returns the version."""
        answer = await self.give(
            reference, "record_sharing_basis", seen=version, http=http,
            purpose="safeguarding_child", lawful_basis="public_task", consent="given", family_informed=True,
        )  # fmt: skip
        return int(answer["version"])

    async def triage(self, reference: str, http: httpx.AsyncClient | None = None) -> int:
        """Triage: look, sharing basis, rating; returns the version."""
        seen = await self.basis(reference, int((await self.look(reference, http))["version"]), http)
        return int((await self.give(reference, "rate_referral", seen=seen, http=http, rating=RATING))["version"])

    # --- what Prefect shows ---------------------------------------------------------------------------------------------

    async def runs(self, references: list[str], **state: Any) -> int:
        """How many of the referrals' runs are in a state (`type` or `name`, a list of them each)."""
        body = {"flow_runs": {"name": {"any_": references}, "state": {name: {"any_": values} for name, values in state.items()}}}
        return int(done(await self.prefect.post(f"/flow_runs/count?{OURS}", json=body)))

    async def last_end(self, references: list[str]) -> float:
        """When the last of the referrals' runs ended, in seconds since the epoch."""
        body = {"flow_runs": {"name": {"any_": references}}, "sort": "END_TIME_DESC", "limit": 1}
        return _instant(done(await self.prefect.post(f"/flow_runs/filter?{OURS}", json=body))[0]["end_time"])

    async def waiting(self) -> int:
        """Referrals whose run is behind, and notices that wait."""
        async with self.store.single.connect() as connection:
            behind = await connection.scalar(select(func.count()).where(REFERRALS.c.shown < REFERRALS.c.version)) or 0
            return behind + (await connection.scalar(select(func.count()).where(NOTICES.c.status == "queued")) or 0)

    async def at_rest(self, references: list[str], name: str) -> int:
        """How many of the referrals' runs are parked in the state of this name."""
        return sum([await self.runs(references[at : at + 1000], name=[name]) for at in range(0, len(references), 1000)])

    async def parked(self, references: list[str], name: str, seconds: float = 300) -> None:
        """Wait until all the referrals' runs are in the state of this name, and nothing waits to be done."""

        async def there() -> bool:
            return await self.waiting() == 0 and await self.at_rest(references, name) == len(references)

        await until(there, f"{len(references)} runs '{name}'", seconds)

    async def close(self) -> None:
        """Close the clients."""
        await self.http.aclose()
        await self.prefect.aclose()


def contact() -> dict[str, Any]:
    """A contact about one child, from the demonstration's, without immediate danger; each time about another one, as those about
    one child would add up."""
    family, born = likeness_of(secrets.token_hex(8))
    child = {"name": {"given": family[:6], "family": family[6:] or family}, "date_of_birth": born, "cohort": "child"}
    return {**_first(), "subjects": [child], "household": []}


@cache
def _first() -> dict[str, Any]:
    for line in files("mash.api.demo").joinpath("referrals.jsonl").read_text(encoding="utf-8").splitlines():
        one: dict[str, Any] = json.loads(line)
        if len(one["subjects"]) == 1 and one["kind"] == "referral" and not one["concern"]["immediate_danger"]:
            return {name: value for name, value in one.items() if name not in ("id", "expected", "received_at")}
    raise BenchFailed("the demonstration holds no contact about one child")


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def life(people: People, http: httpx.AsyncClient, pace: float) -> str:
    """A referral from contact to outcome, by acts that are so many seconds apart; its reference."""
    reference = await people.submit(contact(), http=http)
    acts: list[tuple[str, Actor | None, dict[str, Any]]] = [
        ("record_sharing_basis", None, {"purpose": "safeguarding_child", "lawful_basis": "public_task", "consent": "given",
                                        "family_informed": True}),
        ("rate_referral", None, {"rating": RATING}),
        *(("answer_check", by, {"agency": agency, "known": True}) for agency, by in OF_AGENCY.items()),
        ("record_meeting", None, {"attended": ["police", "health"]}),
    ]  # fmt: skip
    for kind, by, fields in acts:
        await asyncio.sleep(pace)
        await people.give(reference, kind, by, http=http, **fields)
    await asyncio.sleep(pace)
    outcomes = dict.fromkeys((await people.look(reference, http))["subjects"], "no_further_action")
    await people.give(reference, "record_decision", http=http, outcomes=outcomes)
    return reference
