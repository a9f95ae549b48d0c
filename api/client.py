"""People of an installation, over HTTP: a school's system that submits, and the staff of its hubs who look at cases and act."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NotRequired, TypedDict, TypeVar

import httpx
import psycopg

from mash.config.settings import Settings
from mash.flows.installation.stack import Stack
from mash.flows.store.sessions import begin_session
from mash.flows.store.store import Store, open_store
from mash.states.values import Actor

T = TypeVar("T")
Headers = dict[str, str]
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


_CHILD: dict[str, Any] = ORDINARY["subjects"][0]
_SYLLABLES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru")
_DAYS = 5000
"""Days among which the birthdays of children of no other likeness are spread."""


def likeness_of(key: str) -> tuple[str, str]:
    """A made-up family name and a birthday, others for each key."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big")
    family = "".join(_SYLLABLES[int(digit)] for digit in f"{number % 100_000:05}").title()
    return family, (date(2010, 1, 1) + timedelta(days=number // 100_000 % _DAYS)).isoformat()


def about_somebody_else(body: Any, key: str) -> Any:
    """The ordinary contact, about a child of its own for each idempotency key: a hub at which all contacts were about one child
    would see them add up. Any other body is what it is."""
    if not isinstance(body, dict) or body.get("subjects") is not ORDINARY["subjects"]:
        return body
    family, born = likeness_of(key)
    household: Any = body.get("household")
    name = {**_CHILD["name"], "family": f"{_CHILD['name']['family']}-{family}"}
    if household is ORDINARY["household"]:
        household = [{**household[0], "name": f"{CANARY}-{family} senior"}]
    return {**body, "subjects": [{**_CHILD, "name": name, "date_of_birth": born}], "household": household}


class Request(TypedDict):
    """A request of the API, to be sent by whatever client: `http.request(**request)`."""

    method: str
    url: str
    headers: Headers
    json: NotRequired[Any]


class Refused(Exception):
    """The API did not do what it was asked; says what was asked and what it answered."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
        self.answer = answer


def done(answer: httpx.Response) -> Any:
    """What the API answers when it does what it is asked. Raises Refused."""
    if not answer.is_success:
        raise Refused(answer)
    return answer.json()


def moved_on(answer: httpx.Response) -> bool:
    """Whether a command was refused because the case is no longer the one that was seen."""
    return answer.status_code == 409 and "version" in answer.json()


def person(role: str, agency: str = "social_care", hub: str = "sandwell") -> Actor:
    """Somebody of a hub's staff."""
    return Actor(id=f"{role}.{agency}", role=role, agency=agency, hub=hub)


async def sign_in(store: Store, people: Iterable[Actor], hours: float = 12) -> dict[Actor, str]:
    """Begin a session for each of these people; the secrets by which they call."""
    return {each: await begin_session(store, [each], "command_line", hours=hours) for each in people}


@dataclass(kw_only=True)
class Callers:
    """Who calls, and what their requests are: a school's system by its API key, staff by their sessions. Sending is others'."""

    key: str
    """The API key of a school's system."""
    sessions: dict[Actor, str] = field(default_factory=dict)
    sent: int = 0
    """How many idempotency keys were used."""

    def once(self) -> str:
        """A further idempotency key."""
        self.sent += 1
        return f"sent-{self.sent}"

    def session(self, actor: Actor) -> str:
        """The secret of somebody's session."""
        return self.sessions[actor]

    def headers_of(self, actor: Actor) -> Headers:
        """The headers by which somebody is known."""
        return {"Authorization": f"Bearer {self.session(actor)}"}

    def to_submit(self, body: Any, key: str | None = None, *, by: str | None = None) -> Request:
        """Submit a contact, once for each idempotency key; by another API key than the school's if there is one."""
        key = key or self.once()
        headers = {"Authorization": f"Bearer {by or self.key}", "Idempotency-Key": key}
        return {"method": "POST", "url": "/referrals", "json": about_somebody_else(body, key), "headers": headers}

    def to_look(self, reference: str, headers: Headers) -> Request:
        """Look at a case."""
        return {"method": "GET", "url": f"/cases/{reference}", "headers": headers}

    def to_give(
        self,
        reference: str,
        command: dict[str, Any],
        headers: Headers,
        seen: int,
        words: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> Request:
        """Give a command, having seen this version of the case; once for each idempotency key: the headers' own, or a new one."""
        return {
            "method": "POST",
            "url": f"/cases/{reference}/commands",
            "json": {"seen": seen, "command": command, "words": words, **({"details": details} if details else {})},
            "headers": {"Idempotency-Key": self.once(), **headers},
        }


@dataclass(kw_only=True)
class People(Callers):
    """Callers who send at the same time as others do, by one client of the API or by several."""

    http: httpx.AsyncClient
    duty_manager: Actor
    """Who looks at cases, and gives what nobody else is said to give."""
    words: str | None = None
    """What is said with a command, unless something else is said."""
    tries: int = 1
    """How often a command is given whose case has moved on since it was looked at."""
    conflicts: int = 0
    """How often that was so."""

    async def submit(
        self, body: Any, key: str | None = None, *, by: str | None = None, http: httpx.AsyncClient | None = None
    ) -> str:
        """Submit a contact; its reference. Raises Refused."""
        return str(done(await (http or self.http).request(**self.to_submit(body, key, by=by)))["reference"])

    async def look(self, reference: str, http: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """A case, as the duty manager sees it. Raises Refused."""
        return dict(done(await (http or self.http).request(**self.to_look(reference, self.headers_of(self.duty_manager)))))

    async def version(self, reference: str, by: Actor, http: httpx.AsyncClient | None = None) -> int:
        """The version of a case as somebody sees it, who may hear of fewer events than another; as the duty manager does where
        they do not see the case. Raises Refused."""
        answer = await (http or self.http).request(**self.to_look(reference, self.headers_of(by)))
        return int((answer.json() if answer.is_success else await self.look(reference, http))["version"])

    async def give(
        self,
        reference: str,
        kind: str,
        by: Actor | None = None,
        *,
        seen: int | None = None,
        words: str | None = None,
        details: dict[str, Any] | None = None,
        key: str | None = None,
        http: httpx.AsyncClient | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Give a command, having seen this version of the case, or looking at it first; what the API answers. What has an
        idempotency key of its own is given once. Raises Refused."""
        giver = by or self.duty_manager
        seen = seen or await self.version(reference, giver, http)
        headers = {**self.headers_of(giver), **({"Idempotency-Key": key} if key else {})}
        for further in reversed(range(1 if key else self.tries)):
            request = self.to_give(reference, {"kind": kind, **fields}, headers, seen, words or self.words, details)
            answer = await (http or self.http).request(**request)
            if not moved_on(answer):
                break
            self.conflicts += 1
            if further:
                seen = await self.version(reference, giver, http)
        return dict(done(answer))


@dataclass(kw_only=True)
class Instance(Callers):
    """A stack with a database of its own, which is up, and people who use it."""

    stack: Stack
    http: httpx.Client

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
        """The secret of somebody's session, which begins when they first call."""
        if actor not in self.sessions:
            self.sessions |= self.stored(lambda store: sign_in(store, [actor]))
        return self.sessions[actor]

    def staff(self, role: str, agency: str = "social_care", hub: str = "sandwell") -> dict[str, str]:
        """The headers of a member of staff."""
        return self.headers_of(person(role, agency, hub))

    def submit(self, body: Any, key: str | None = None, *, by: str | None = None) -> httpx.Response:
        """Submit as the school's system, or by another one's API key."""
        return self.http.request(**self.to_submit(body, key, by=by))

    def referral(self, **changes: Any) -> str:
        """Submit an ordinary referral; its reference."""
        answer = self.submit({**ORDINARY, **changes})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["reference"])

    def case(self, reference: str) -> dict[str, Any]:
        """A case, as the duty manager sees it."""
        answer = self.http.request(**self.to_look(reference, self.staff("duty_manager")))
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
        self, reference: str, command: dict[str, Any], headers: Headers, words: str | None = None, seen: int | None = None
    ) -> httpx.Response:
        """Send a command, having looked at the case as whoever gives it; as the duty manager where they do not see it."""
        if seen is None:
            looked = self.http.request(**self.to_look(reference, headers))
            seen = (looked.json() if looked.is_success else self.case(reference))["version"]
        return self.http.request(**self.to_give(reference, command, headers, seen, words))

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
