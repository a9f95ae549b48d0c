"""A running installation, as those meet it who use it over HTTP: a school's system, and the staff of its hubs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import psycopg

from mash.config.settings import Settings
from mash.flows.installation.stack import Stack
from mash.flows.store.sessions import begin_session
from mash.flows.store.store import Store, open_store
from mash.states.values import Actor

T = TypeVar("T")
CANARY = "Zebediah Quillfeather"
"""A name that occurs nowhere else: where it is found, a person has leaked."""
ORDINARY: dict[str, Any] = {
    "kind": "referral",
    "source": {"code": "2A", "agency": "education", "name": "Head Teacher", "email": "head@school.example.org"},
    "subjects": [
        {"name": {"given": CANARY.split()[0], "family": CANARY.split()[1]}, "date_of_birth": "2016-02-01", "cohort": "child"}
    ],
    "household": [{"name": f"{CANARY} senior", "relationship": "father"}],
    "concern": {"summary": f"{CANARY} has a bruise.", "narrative": f"{CANARY} said a lot.", "primary_need": "N1"},
    "consent": {"asked": True, "given": True, "family_informed": True},
}


@dataclass(kw_only=True)
class Instance:
    """A stack with a database of its own, which is up, and people who use it."""

    stack: Stack
    http: httpx.Client
    key: str
    """The API key of a school's system."""
    sent: int = 0
    sessions: dict[Actor, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Its settings, completed."""
        return self.stack.settings

    def connection(self, user: str) -> psycopg.Connection:
        """A connection to its database as one of the database's roles; each statement stands by itself."""
        assert self.stack.cluster
        return psycopg.connect(host=str(self.stack.cluster.socket), user=user, dbname="mash", autocommit=True)

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database holds, seen by its owner."""
        with self.connection("mash_owner") as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def stored(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """What comes of some work with its store."""

        async def run() -> T:
            store = await open_store(self.settings, pool_size=1)
            try:
                return await work(store)
            finally:
                await store.close()

        # In a thread of its own: whoever asks may have a loop already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result()

    def session(self, actor: Actor) -> str:
        """The secret of somebody's session."""
        if actor not in self.sessions:
            self.sessions[actor] = self.stored(lambda store: begin_session(store, [actor], "command_line"))
        return self.sessions[actor]

    def staff(self, role: str, agency: str = "social_care", hub: str = "sandwell") -> dict[str, str]:
        """The headers of a member of staff."""
        return {"Authorization": f"Bearer {self.session(person(role, agency, hub))}"}

    def submit(self, body: Any, key: str | None = None) -> httpx.Response:
        """Submit as the school's system."""
        self.sent += 1
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key or f"sent-{self.sent}"}
        return self.http.post("/referrals", json=body, headers=headers)

    def referral(self, **changes: Any) -> str:
        """Submit an ordinary referral; its reference."""
        answer = self.submit({**ORDINARY, **changes})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["reference"])

    def case(self, reference: str) -> dict[str, Any]:
        """A case, as the duty manager sees it."""
        answer = self.http.get(f"/cases/{reference}", headers=self.staff("duty_manager"))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ask(
        self,
        reference: str,
        kind: str,
        *,
        role: str = "duty_manager",
        agency: str = "social_care",
        hub: str = "sandwell",
        words: str | None = None,
        seen: int | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """Give a command, having looked at the case."""
        return self.command(reference, {"kind": kind, **fields}, self.staff(role, agency, hub), words, seen)

    def command(
        self, reference: str, command: dict[str, Any], headers: dict[str, str], words: str | None = None, seen: int | None = None
    ) -> httpx.Response:
        """Send a command."""
        self.sent += 1
        body = {"seen": seen or self.case(reference)["version"], "command": command, "words": words}
        return self.http.post(
            f"/cases/{reference}/commands", headers={"Idempotency-Key": f"sent-{self.sent}", **headers}, json=body
        )

    def give(self, reference: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Give a command that is carried out."""
        answer = self.ask(reference, kind, **fields)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rate(self, reference: str, rating: str = "red") -> None:
        """Record the basis for sharing, then rate: the checks leave."""
        basis = {
            "purpose": "safeguarding_child",
            "lawful_basis": "public_task",
            "consent": "not_sought",
            "family_informed": False,
        }
        self.give(reference, "record_sharing_basis", words="Urgent.", **basis)
        self.give(reference, "rate_referral", rating=rating)

    def answer(self, reference: str, agency: str, words: str | None = None) -> httpx.Response:
        """An agency answers its check."""
        command = {"kind": "answer_check", "agency": agency, "known": True}
        return self.command(reference, command, self.staff("agency", agency), words)


def person(role: str, agency: str = "social_care", hub: str = "sandwell") -> Actor:
    """Somebody of a hub's staff."""
    return Actor(id=f"{role}.{agency}", role=role, agency=agency, hub=hub)
