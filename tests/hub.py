"""A whole hub for tests: every part a process of its own, real receivers of mail and HTTP, and people to act."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from mash.api.demo.endpoint import endpoint
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.flows.stack import Stack, free_port
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.sessions import begin_session
from mash.flows.store.store import Store, open_store
from mash.states.commands import Actor

T = TypeVar("T")
CANARY = "Zebediah Quillfeather"
"""A name that occurs nowhere else: where it is found, a person has leaked."""


def eventually(check: Callable[[], T], seconds: float = 30) -> T:
    """The first true answer of `check`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {check}"
        time.sleep(0.05)
    return answer


ON_DUTY = ("duty_manager", "out_of_hours")
"""Whoever is on duty: simulated time runs on, and the hub may close during the tests."""


@dataclass
class Receivers:
    """A real SMTP server and a real HTTP endpoint that keep what they get. The endpoint can be told to refuse."""

    mails: list[tuple[str, Message]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    refuse: bool = False

    def post(self, path: str, body: bytes) -> tuple[int, dict[str, str]]:
        """The endpoint is posted to."""
        (self.refused if self.refuse else self.posts).append(json.loads(body))
        return 500 if self.refuse else 200, {}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails += [(to, message_from_bytes(envelope.content)) for to in envelope.rcpt_tos]
        return "250 kept"

    def to(self, address: str) -> list[str]:
        """The subjects of the mails to an address that begins so."""
        return [str(mail["Subject"]) for to, mail in list(self.mails) if to.startswith(address)]

    def texts(self, address: str) -> list[str]:
        """The words of the mails to an address that begins so."""
        return [words(mail) for to, mail in list(self.mails) if to.startswith(address)]

    def telling(self, address: str | tuple[str, ...], title: str) -> int:
        """How many mails to an address that begins so bring a message of this title, alone or folded with others."""
        return sum(to.startswith(address) and (mail["Subject"] == title or title in words(mail)) for to, mail in list(self.mails))

    def text(self) -> str:
        """All that was received, as one text."""
        return "\n".join([*(f"{mail['Subject']}\n{words(mail)}" for _, mail in self.mails), json.dumps(self.posts)])


def words(mail: Message) -> str:
    """The words of a mail."""
    parts = (part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart())
    return "\n".join(part.decode(errors="replace") for part in parts if isinstance(part, bytes))


@dataclass
class Hub:
    """The running hub, as its users meet it."""

    stack: Stack
    received: Receivers
    http: httpx.Client
    prefect: httpx.Client
    key: str
    sent: int = 0
    sessions: dict[Actor, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database holds, seen by its owner."""
        assert self.stack.cluster
        with psycopg.connect(
            host=str(self.stack.cluster.socket), user="mash_owner", dbname="mash", autocommit=True
        ) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def staff(self, role: str, agency: str = "social_care", hub: str = "sandwell") -> dict[str, str]:
        """The headers of a member of staff."""
        actor = Actor(id=f"{role}.{agency}", role=role, agency=agency, hub=hub)
        if actor not in self.sessions:
            self.sessions[actor] = self.stored(lambda store: begin_session(store, [actor], "command_line"))
        return {"Authorization": f"Bearer {self.sessions[actor]}"}

    def stored(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """What comes of some work with the hub's store."""

        async def run() -> T:
            store = await open_store(self.settings, pool_size=1)
            try:
                return await work(store)
            finally:
                await store.close()

        # In a thread of its own: a test may have a loop already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result()

    def submit(self, body: Any, key: str | None = None) -> httpx.Response:
        """Submit as the school's system."""
        self.sent += 1
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key or f"test-{self.sent}"}
        return self.http.post("/referrals", json=body, headers=headers)

    def referral(self, **changes: Any) -> str:
        """Submit an ordinary referral; its reference."""
        answer = self.submit({**ORDINARY, **changes})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["reference"])

    def case(self, reference: str) -> dict[str, Any]:
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
        words: str | None = None,
        seen: int | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """Give a command, having looked at the case."""
        self.sent += 1
        return self.http.post(
            f"/cases/{reference}/commands",
            headers={**self.staff(role, agency), "Idempotency-Key": f"test-{self.sent}"},
            json={"seen": seen or self.case(reference)["version"], "command": {"kind": kind, **fields}, "words": words},
        )

    def give(self, reference: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Give a command that is carried out."""
        answer = self.ask(reference, kind, **fields)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rate(self, reference: str, rating: str = "red") -> None:
        """Record the basis for sharing, then rate: the checks leave."""
        self.give(
            reference,
            "record_sharing_basis",
            words="Urgent.",
            purpose="safeguarding_child",
            lawful_basis="public_task",
            consent="not_sought",
            family_informed=False,
        )
        self.give(reference, "rate_referral", rating=rating)

    def answer_all(self, reference: str) -> None:
        """Every agency answers its check."""
        for agency in self.case(reference)["outstanding"]:
            self.answer(reference, agency)

    def answer(self, reference: str, agency: str, words: str | None = None) -> httpx.Response:
        """An agency answers its check."""
        self.sent += 1
        return self.http.post(
            f"/cases/{reference}/commands",
            headers={**self.staff("agency", agency), "Idempotency-Key": f"test-{self.sent}"},
            json={
                "seen": self.case(reference)["version"],
                "command": {"kind": "answer_check", "agency": agency, "known": True},
                "words": words,
            },
        )

    def run(self, reference: str) -> dict[str, Any]:
        """The referral's flow run, as Prefect's API gives it; empty when there is none."""
        answer = self.prefect.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [reference]}}})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()[0]) if answer.json() else {}

    def awaits(self, reference: str, state: str, seconds: float = 30) -> dict[str, Any]:
        """The run, once its state has this name."""
        return eventually(lambda: (run := self.run(reference)) and run["state_name"] == state and run, seconds) or {}


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


@contextmanager
def temporary_hub(**more: Any) -> Iterator[Hub]:
    """A running hub in a folder of its own, which is removed. Not in pytest's own folder: only root may enter that, and the
    cluster runs as a user of its own."""
    folder = Path(tempfile.mkdtemp(prefix="mash-hub-"))
    folder.chmod(0o755)
    try:
        with running_hub(folder, **more) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_hub(folder: Path, *, rate: float = 240.0, **more: Any) -> Iterator[Hub]:
    """Everything, running: it is stopped, and leaves no process, at the end."""
    received = Receivers()
    mail_port = free_port()
    controller = Controller(received, hostname="127.0.0.1", port=mail_port)
    controller.start()
    with endpoint(received.post) as http_port:
        channels = folder / "channels.toml"
        lines = []
        for hub in ("sandwell", "merton"):
            agencies = load_profile(hub).agencies.values()
            roles = {"duty_manager", "practice_manager", "service_manager", "out_of_hours", "administrator", "early_help"}
            lines.append(f"[{hub}]")
            for role in sorted(roles | {a.role for a in agencies} | {a.lead for a in agencies}):
                urls = [f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org&to={role}@example.org"]
                if role == "practice_manager":
                    urls = [f"json://127.0.0.1:{http_port}/alerts"]
                lines.append(f"{role} = {json.dumps(urls)}")
        channels.write_text("\n".join(lines))
        channels.chmod(0o600)
        settings = Settings(
            data_dir=folder,
            api_port=free_port(),
            prefect_api_url=f"http://127.0.0.1:{free_port()}/api",
            channels_file=channels,
            mail_url=SecretStr(f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org"),
            time_rate=rate,
            # A Thursday morning: the hub is open.
            time_start="2026-11-19T10:00:00+00:00",
            settle_seconds=0.1,
            # All tests call from one address.
            **{"requests_per_minute": 0, "anonymous_requests_per_minute": 0, **more},
        )
        try:
            with Stack(settings) as stack:
                stack.wait_ready(90)
                login = stack.settings.prefect_auth_string
                assert login
                user, password = login.get_secret_value().split(":", 1)
                with (
                    httpx.Client(base_url=f"http://127.0.0.1:{settings.api_port}", timeout=30) as http,
                    httpx.Client(base_url=stack.settings.prefect_api_url, auth=(user, password), timeout=30) as prefect,
                ):
                    hub_running = Hub(stack, received, http, prefect, "")
                    hub_running.key = hub_running.stored(
                        lambda store: make_api_key(store, NewKey("school", "sandwell", "education"))
                    )
                    yield hub_running
        finally:
            controller.stop()
