"""A load of lives over HTTP, by clients that repeat a request until it is answered; what was answered 2xx is remembered."""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx

from mash.api.client import Callers, Request, moved_on
from mash.bench.load import DUTY_MANAGER, OF_AGENCY, SECOND, contact
from mash.bench.stack import AGENCIES, RATING
from mash.config.permissions import may
from mash.config.settings import Settings

CLIENTS = 4
REST = 0.4
"""Seconds at most between two requests of a client: the faults are to be survived, not the load."""
PATIENCE = 60.0
"""Seconds after the end of the load for which a client still repeats a request that was not answered."""
LONGEST_ANSWER = 5.0
LEFT_OPEN = 0.25
"""The share of the lives that end somewhere on the way, and stay open."""


@dataclass(frozen=True)
class Done:
    """A command that was answered 2xx: the version that it led to, and the events that it caused."""

    reference: str
    kind: str
    version: int
    events: tuple[str, ...]
    finds: bool = True
    """Whether whoever gave it may find people: to others the version counts only what everybody may hear of."""


@dataclass
class Accepted:
    """What the clients were told: which submissions and commands were taken, and which of their requests nobody answered."""

    submissions: dict[str, str] = field(default_factory=dict)
    """Reference, and the idempotency key it was submitted with."""
    commands: list[Done] = field(default_factory=list)
    unanswered: set[str] = field(default_factory=set)
    """The references (or the keys, of submissions) of requests that were given up: they may have been carried out or not."""
    refused: list[str] = field(default_factory=list)
    """Refusals that end a life: the case had moved on by itself."""
    repeated: int = 0


class Ended(Exception):
    """A life ends here: the load is over, or the hub refused."""


class Load:
    """Clients in a thread of their own, so that whoever strikes the faults may wait."""

    def __init__(self, settings: Settings, callers: Callers, seed: int, clients: int) -> None:
        self.settings, self.callers, self.seed, self.clients = settings, callers, seed, clients
        self.accepted = Accepted()
        self.stopping = threading.Event()
        self.thread: threading.Thread | None = None
        self.failure: Exception | None = None

    def __enter__(self) -> Load:
        self.stopping.clear()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """No new lives; wait until what was asked is answered, or given up. Raises what the clients could not go on from."""
        self.stopping.set()
        if self.thread:
            self.thread.join()
            self.thread = None
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        try:
            asyncio.run(self._clients())
        except Exception as failure:
            self.failure = failure

    async def _clients(self) -> None:
        chance = random.Random(self.seed)
        await asyncio.gather(*(self._client(random.Random(chance.random())) for _ in range(self.clients)))

    async def _client(self, chance: random.Random) -> None:
        async with httpx.AsyncClient(base_url=self.settings.base_url, timeout=LONGEST_ANSWER) as http:
            while not self.stopping.is_set():
                try:
                    await self._life(http, chance)
                except Ended:
                    continue

    async def _life(self, http: httpx.AsyncClient, chance: random.Random) -> None:
        """One referral from contact to outcome; some end on the way."""
        danger = chance.random() < 0.2
        steps = 4 + danger + len(AGENCIES)
        left = chance.randrange(steps) if chance.random() < LEFT_OPEN else steps
        reference = await self.submit(http, danger=danger)
        why = {"purpose": "safeguarding_child", "lawful_basis": "public_task", "consent": "given", "family_informed": True}
        acts: list[tuple[str, dict[str, Any]]] = [
            ("record_sharing_basis", why),
            ("rate_referral", {"rating": RATING}),
            *(("answer_check", {"agency": agency, "known": True}) for agency in AGENCIES),
            ("record_meeting", {"attended": ["police", "health"]}),
            *([("agree_as_second", {"about": "closing"})] if danger else []),
            ("record_decision", {"outcomes": {"S1": "no_further_action"}}),
        ]
        for kind, fields in acts[:left]:
            if self.stopping.is_set():
                raise Ended
            await asyncio.sleep(chance.uniform(0, REST))
            await self.give(http, reference, kind, fields)

    async def submit(self, http: httpx.AsyncClient, *, danger: bool = False) -> str:
        """Submit a contact until it is taken; returns its reference."""
        key, body = self.callers.once(), contact()
        body["concern"] = {**body["concern"], "immediate_danger": danger}
        answer = await self._persist(http, self.callers.to_submit(body, key), key)
        reference = str(answer.json()["reference"])
        self.accepted.submissions[reference] = key
        return reference

    async def give(self, http: httpx.AsyncClient, reference: str, kind: str, fields: dict[str, Any]) -> None:
        """Give a command until it is taken, looking again where the case has moved on."""
        whose = OF_AGENCY[fields["agency"]] if kind == "answer_check" else SECOND if kind == "agree_as_second" else DUTY_MANAGER
        by, finds = self.callers.headers_of(whose), may(whose.role, "find_people")
        while True:
            seen = (await self._look(http, reference))["version"]
            request = self.callers.to_give(reference, {"kind": kind, **fields}, by, seen, "Words that say why.")
            answer = await self._persist(http, request, reference)
            if answer.status_code == 200:
                done = answer.json()
                self.accepted.commands.append(Done(reference, kind, done["version"], tuple(done["events"]), finds))
                return

    async def _look(self, http: httpx.AsyncClient, reference: str) -> dict[str, Any]:
        while True:
            try:
                answer = await http.request(**self.callers.to_look(reference, self.callers.headers_of(DUTY_MANAGER)))
                if answer.status_code == 200:
                    return dict(answer.json())
            except httpx.TransportError:
                pass
            if self.stopping.is_set():
                raise Ended
            await asyncio.sleep(0.2)

    async def _persist(self, http: httpx.AsyncClient, request: Request, what: str) -> httpx.Response:
        """Send the same request again until it is answered by something else than an error of the server's. A conflict of
        versions is the caller's to resolve; another refusal ends the life."""
        loop, deadline = asyncio.get_running_loop(), None
        while True:
            try:
                answer = await http.request(**request)
                if answer.is_success or moved_on(answer):
                    return answer
                if answer.status_code < 500:
                    self.accepted.refused.append(f"{request['url']}: {answer.status_code} {answer.json().get('detail')}")
                    raise Ended
            except httpx.TransportError:
                pass
            if self.stopping.is_set():
                deadline = deadline or loop.time() + PATIENCE
                if loop.time() > deadline:
                    self.accepted.unanswered.add(what)
                    raise Ended
            self.accepted.repeated += 1
            await asyncio.sleep(0.2)
