"""A hub for tests: the application in this process, or every part a process of its own; real receivers; people."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import httpx
from aiosmtpd.controller import Controller
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from serving import serving

from mash.api.client import CANARY, ORDINARY, Instance
from mash.api.demo.endpoint import endpoint
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.flows.carrying.duty import look_ahead
from mash.flows.carrying.off_duty import raise_what_was_left
from mash.flows.carrying.postman import Postman
from mash.flows.carrying.pulse import Pulse
from mash.flows.installation.cluster import start_cluster
from mash.flows.installation.postmaster import SERVER_SETTINGS, Cluster
from mash.flows.installation.stack import PARTS, Stack, free_port
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.apply import fire_due
from mash.flows.store.looking import look_next
from mash.flows.store.schema import upgrade
from mash.flows.store.store import open_store

__all__ = [
    "CANARY",
    "ORDINARY",
    "Hub",
    "Installation",
    "eventually",
    "hub_here",
    "hub_in",
    "running_hub",
    "served",
    "temporary_hub",
]
T = TypeVar("T")


PATIENCE = 240.0
"""Seconds for which is waited for what comes by itself: much longer than it takes, as a slow machine is no fault of ours."""


def metrics(hub: Installation) -> dict[str, float]:
    """Every sample of what monitors are given, by name (summed over its labels)."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(hub.http.get("/metrics").text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def eventually(check: Callable[[], T], seconds: float = PATIENCE) -> T:
    """The first true answer of `check`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {check}"
        time.sleep(0.05)
    return answer


MONITOR = "secret-check"
"""The path of the outside monitor, which nobody else is to know."""
ON_DUTY = ("duty_manager", "out_of_hours")
"""Whoever is on duty: simulated time runs on, and the hub may close during the tests."""


A_THURSDAY = "2026-11-19T10:00:00+00:00"
"""In the morning: the hub is open."""


@dataclass
class Receivers:
    """A real SMTP server and a real HTTP endpoint that keep what they get. The endpoint can be told to refuse."""

    mails: list[tuple[str, Message]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    pulses: int = 0
    refuse: bool = False

    def post(self, path: str, body: bytes) -> tuple[int, dict[str, str]]:
        """The endpoint is posted to, or the outside monitor gets its pulse."""
        if path == MONITOR:
            self.pulses += 1
            return 200, {}
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


@dataclass(kw_only=True)
class Hub(Instance):
    """A hub as its users meet it, with real receivers of what it sends."""

    received: Receivers

    def answer_all(self, reference: str) -> None:
        """Every agency answers its check."""
        for agency in self.case(reference)["outstanding"]:
            self.answer(reference, agency)

    def refused(self) -> int:
        """How many submissions were refused: counted by their receipts."""
        return int(self.sql("SELECT count(*) FROM receipt WHERE purpose = 'submission' AND status >= 300")[0][0])

    def work(self) -> None:
        """Do once what a worker does all the time, Prefect apart: clocks that are due fire, and what waits is sent."""
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, self._work()).result()

    async def _work(self) -> None:
        store = await open_store(self.settings)
        try:
            await look_ahead(store)
            await raise_what_was_left(store)
            while await fire_due(store):
                pass
            while await look_next(store):
                pass
            postman = Postman(self.settings, store, Pulse(self.settings, store))
            await postman.hand_over()
            while await postman.send_next():
                pass
        finally:
            await store.close()


@dataclass(kw_only=True)
class Installation(Hub):
    """A hub all of whose parts run, each a process of its own; with a view of Prefect."""

    prefect: httpx.Client

    def run(self, reference: str) -> dict[str, Any]:
        """The referral's flow run, as Prefect's API gives it; empty when there is none."""
        asked = {"flow_runs": {"name": {"any_": [reference]}}}
        answer = eventually(lambda: not (got := self.prefect.post("/flow_runs/filter", json=asked)).is_server_error and got)
        assert answer and answer.status_code == 200, answer
        return dict(answer.json()[0]) if answer.json() else {}

    def look(self) -> None:
        """Start the watchdog's run rather than wait for the full minute, and wait until it has looked."""
        self._begun("watchdog/every-minute")

    def worked_through_the_night(self) -> dict[str, Any]:
        """The run of a night's work, which is begun rather than waited for, once it is done."""
        return self._begun("nightly/every-night")

    def _begun(self, name: str) -> dict[str, Any]:
        path = f"/deployments/name/{name}"
        deployment = eventually(lambda: (got := self.prefect.get(path)).status_code == 200 and got.json())

        def ended() -> dict[str, Any]:
            run = self.prefect.post(f"/deployments/{deployment['id']}/create_flow_run", json={}).json()["id"]
            over = ("COMPLETED", "CANCELLED")
            return eventually(lambda: (got := self.prefect.get(f"/flow_runs/{run}").json())["state_type"] in over and got) or {}

        # Cancelled where one that came due at the same time makes up for it: that has begun, and may not be over.
        return eventually(lambda: (got := ended())["state_type"] == "COMPLETED" and got) or {}

    def at_rest(self, reference: str) -> dict[str, Any]:
        """The run of a referral, once the referrer has the acknowledgement, it is looked whether anybody is known, and
        Prefect shows all that happened: by itself nothing more does until a clock is due."""
        told = "e.reference = r.reference AND kind IN ('referrer_told', 'likely_known')"
        twice = f"(SELECT count(DISTINCT kind) FROM event e WHERE {told}) = 2"
        shown = f"SELECT count(*) FROM referral r WHERE reference = %s AND shown = version AND {twice}"
        eventually(lambda: self.sql(shown, reference)[0][0])
        return self.run(reference)

    def set_state(self, run: str, kind: str) -> None:
        """Change a run's state as Prefect's pages do."""
        state = {"type": kind, "name": kind.capitalize()}
        answer = self.prefect.post(f"/flow_runs/{run}/set_state", json={"state": state, "force": True})
        assert answer.json()["status"] == "ACCEPT", answer.text

    def repairs(self, reference: str | None = None) -> list[str]:
        """What was put right of a referral's run; without a reference, of what is no referral's."""
        rows = self.sql("SELECT what FROM repair WHERE reference IS NOT DISTINCT FROM %s ORDER BY id", reference)
        return [what for (what,) in rows]

    def awaits(self, reference: str, state: str) -> dict[str, Any]:
        """The run, once its state has this name."""
        return eventually(lambda: (run := self.run(reference)) and run["state_name"] == state and run) or {}


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder that is removed. Not in pytest's own: only root may enter that, and the cluster runs as a user of its own."""
    folder = Path(tempfile.mkdtemp(prefix="mash-hub-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def quick_disk() -> Iterator[None]:
    """Clusters that start now do not wait for the disk: no test cuts the power, and what a killed process wrote is there."""
    with patch.dict(SERVER_SETTINGS, fsync="off"):
        yield


@contextmanager
def fresh_cluster() -> Iterator[Cluster]:
    """An embedded PostgreSQL with its tables, and nothing in them."""
    with fresh_folder() as folder:
        started = start_cluster(folder)
        try:
            upgrade(started.owner_url)
            yield started
        finally:
            started.stop()


@contextmanager
def hub_here(**more: Any) -> Iterator[Hub]:
    """A hub whose application runs in this process, over a cluster of its own; nobody works but when `work` is called."""
    with fresh_folder() as folder, hub_in(folder, **more) as running:
        yield running


@contextmanager
def hub_in(folder: Path, **more: Any) -> Iterator[Hub]:
    """The same, in a folder of one's own."""
    with receiving(folder, **more) as (received, settings), ExitStack() as running:
        with quick_disk():
            stack = running.enter_context(Stack(settings, ()))
        running.enter_context(serving(stack.settings))
        http = running.enter_context(httpx.Client(verify=False, base_url=f"http://127.0.0.1:{settings.api_port}", timeout=30))
        yield with_key(Hub(stack=stack, http=http, key="", received=received))


@contextmanager
def served(hub: Hub, **settings: Any) -> Iterator[Hub]:
    """The same hub at another address, by an application with other settings."""
    stack = copy(hub.stack)
    stack.settings = hub.settings.model_copy(update={"api_port": free_port(), **settings})
    address = f"http://127.0.0.1:{stack.settings.api_port}"
    with serving(stack.settings), httpx.Client(verify=False, base_url=address, timeout=30) as http:
        running = replace(hub, stack=stack, http=http, sessions={})
        yield running
        hub.sent = running.sent  # no two submissions have one number


@contextmanager
def later(hub: Hub, at: datetime) -> Iterator[Hub]:
    """The same hub at another instant: what is due by then has been done, when it was due."""
    hub.sql("UPDATE time_anchor SET wall = now(), simulated = %s", at)
    with served(hub) as running:
        running.work()
        yield running


@contextmanager
def temporary_hub(**more: Any) -> Iterator[Installation]:
    """A running hub in a folder of its own, which is removed."""
    with fresh_folder() as folder, running_hub(folder, **more) as running:
        yield running


@contextmanager
def running_hub(folder: Path, *, parts: Collection[str] = PARTS, **more: Any) -> Iterator[Installation]:
    """Everything, or only these parts, running: it is stopped, and leaves no process, at the end."""
    with receiving(folder, **more) as (received, settings), Stack(settings, parts) as stack:
        stack.wait_ready()
        login = stack.settings.prefect_auth_string
        assert login
        user, password = login.get_secret_value().split(":", 1)
        with (
            httpx.Client(verify=False, base_url=f"http://127.0.0.1:{settings.api_port}", timeout=30) as http,
            httpx.Client(verify=False, base_url=stack.settings.prefect_api_url, auth=(user, password), timeout=30) as prefect,
        ):
            yield with_key(Installation(stack=stack, http=http, key="", received=received, prefect=prefect))


AnyHub = TypeVar("AnyHub", bound=Hub)


def with_key(hub: AnyHub) -> AnyHub:
    """The hub, to which a school's system may submit."""
    hub.key = hub.stored(lambda store: make_api_key(store, NewKey("school", "sandwell", "education")))
    return hub


@contextmanager
def receiving(folder: Path, *, rate: float = 1.0, **more: Any) -> Iterator[tuple[Receivers, Settings]]:
    """Receivers of what is sent, and settings of an installation in this folder that sends to them; its time is `rate` times
    faster."""
    received = Receivers()
    mail_port = free_port()
    controller = Controller(received, hostname="127.0.0.1", port=mail_port)
    controller.start()
    try:
        with endpoint(received.post) as http_port:
            settings = Settings(
                data_dir=folder,
                api_port=free_port(),
                prefect_api_url=f"http://127.0.0.1:{free_port()}/api",
                channels_file=_channels(folder, mail_port, http_port),
                pulse_url=SecretStr(f"http://127.0.0.1:{http_port}/{MONITOR}"),
                time_rate=rate,
                settle_seconds=0.1,
                story_seconds=0,
                # All tests call from one address.
                **{
                    "mail_url": SecretStr(f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org"),
                    "time_start": A_THURSDAY,
                    "requests_per_minute": 0,
                    "anonymous_requests_per_minute": 0,
                    "drafts_per_hour": 0,
                    **more,
                },
            )
            yield received, settings
    finally:
        controller.stop()


def _channels(folder: Path, mail_port: int, http_port: int) -> Path:
    """The channels file: everybody has mail, and the practice manager is posted to."""
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
    return channels
