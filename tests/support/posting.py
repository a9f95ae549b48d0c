"""Real receivers, and a postman who sends what waits in a store to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from mash.api.demo.endpoint import endpoint
from mash.config.settings import Settings
from mash.flows.carrying.postman import Postman
from mash.flows.carrying.pulse import Pulse
from mash.flows.store.store import Store
from mash.flows.store.time import HubTime
from mash.notifications.rota import Pattern
from mash.states.clocks import WEEKDAYS


@dataclass
class Gateway:
    """An HTTP endpoint that keeps what is posted to each path, and answers as it is told to."""

    port: int = 0
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """Path -> status and headers; 200 where nothing is said. 0 closes the connection without an answer, -1 gives none."""
    held: set[str] = field(default_factory=set)
    """Paths that answer only once they are released."""
    holds: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def take(self, path: str, body: bytes) -> tuple[int, dict[str, str]] | None:
        """Something is posted to a path."""
        if path in self.held:
            self.holds.set()
            self.released.wait(30)
        status, headers = self.answers.get(path, (200, {}))
        if status < 1:
            if status == -1:
                self.released.wait(30)
            return None
        if status < 300:
            self.got.append((path, json.loads(body)))
        return status, headers

    def url(self, path: str, scheme: str = "hook", **query: str) -> str:
        """The channel that posts to a path."""
        more = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{scheme}://127.0.0.1:{self.port}/{path}" + (f"?{more}" if more else "")

    def titles(self, path: str) -> list[str]:
        """The titles of what was taken at a path."""
        return [body["title"] for to, body in self.got if to == path]

    def bodies(self, path: str) -> list[str]:
        """The words of what was taken at a path."""
        return [body["message"] for to, body in self.got if to == path]


@contextmanager
def gateway() -> Iterator[Gateway]:
    """A gateway on a free port of loopback."""
    messages = Gateway()
    with endpoint(messages.take) as messages.port:
        try:
            yield messages
        finally:
            messages.released.set()


def at(store: Store, when: datetime) -> None:
    """Set the hub's time; it goes on from there as the wall's does."""
    store.time = HubTime(wall=datetime.now(UTC), simulated=when, rate=1.0)


def postman(store: Store, settings: Settings, lines: list[str], **more: Any) -> Postman:
    """A postman with these lines as the channels file."""
    path = Path(settings.data_dir) / "channels.toml"
    path.touch(mode=0o600)
    path.write_text("\n".join(lines))
    own = settings.model_copy(update={"channels_file": path, "hubs": "merton", **more})
    return Postman(own, store, Pulse(own, store))


async def send_all(post: Postman, until: Callable[[], bool] = lambda: False) -> None:
    """Send until nothing is to be sent now."""
    post.read_at = float("-inf")
    while await post.send_next() and not until():
        pass


def weekly(person: str, role: str = "duty_manager", starts: str = "00:00", ends: str = "00:00") -> Pattern:
    """Somebody who holds a role at the same hours every day."""
    return Pattern(
        role=role,
        person=person,
        days=WEEKDAYS,
        since=date(2026, 1, 1),
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
    )


def ways(phones: Gateway, **people: list[dict[str, Any] | str]) -> list[str]:
    """A channels file: every role at /ROLE-less 'role', and people by their channels."""

    def written(way: dict[str, Any] | str) -> str:
        entry = {"url": way} if isinstance(way, str) else way
        values = {name: phones.url(value) if name == "url" else value for name, value in entry.items()}
        return "{ " + ", ".join(f'{n} = "{v}"' if isinstance(v, str) else f"{n} = {v}" for n, v in values.items()) + " }"

    return [
        "[merton]",
        f'"*" = ["{phones.url("role")}"]',
        f'administrator = ["{phones.url("admin")}"]',
        "[merton.people]",
        *(f"{person} = [{', '.join(map(written, order))}]" for person, order in people.items()),
    ]
