"""What is attacked: an installation of its own with two hubs, a mail server, and a case at each hub."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mash.api.client import ORDINARY, Instance
from mash.api.demo.mailbox import Mailbox
from mash.config.settings import Settings
from mash.flows.installation.stack import Stack, free_port
from mash.flows.store.api_keys import NewKey, make_api_key

HUBS = ("sandwell", "merton")
POLICE_ANSWER = "Known to officers by another name."
"""What the police hold."""


@dataclass(frozen=True)
class Scene:
    """A running installation, what its mail server got, and the cases that are attacked."""

    on: Instance
    mailbox: Mailbox
    case: str
    """Sandwell's: rated red, the agencies asked, the police have answered in words that nobody else may read yet."""
    elsewhere: str
    """Merton's: just received."""
    unrated: str
    """Sandwell's: nobody rates it, and an hour after it came, which takes 15 seconds here, an alert goes out and waits."""
    their_key: str
    """The API key of a school's system there."""

    def concluded_there(self) -> str:
        """A contact at Merton about an adult, from a neighbour who cannot be told anything: Merton does nothing for adults, which
        somebody has confirmed, and it is over. Its reference."""
        adult = {"name": {"given": "Erasmus", "family": "Whimberry"}, "date_of_birth": "1971-03-09", "cohort": "adult"}
        neighbour = {"code": "1B", "agency": "individual"}
        reference = self.submit_there({**ORDINARY, "source": neighbour, "subjects": [adult]})
        signposted = {"signposted_to": "adults_social_care", "words": "They are to ring there."}
        self.on.give(reference, "confirm_not_ours", hub="merton", **signposted)
        return reference

    def submit_there(self, body: dict[str, Any]) -> str:
        """Submit at Merton; the reference."""
        return str(self.on.submit(body, by=self.their_key).raise_for_status().json()["reference"])


@contextmanager
def scene() -> Iterator[Scene]:
    """Everything, running; it is stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mash-self-test-"))
    folder.chmod(0o755)  # PostgreSQL's user passes through it
    mailbox = Mailbox()
    controller, mail_port = mailbox.serve()
    try:
        with Stack(_settings(folder, mail_port)) as stack:
            stack.wait_ready()
            with httpx.Client(base_url=stack.settings.base_url, timeout=30) as http:
                yield prepared(Instance(stack=stack, http=http, key=""), mailbox)
    finally:
        controller.stop()
        shutil.rmtree(folder, ignore_errors=True)


def prepared(on: Instance, mailbox: Mailbox) -> Scene:
    """The cases, on an installation that serves both hubs."""
    on.key = on.stored(lambda store: make_api_key(store, NewKey("school", "sandwell", "education")))
    case = on.referral()
    on.rate(case)
    on.answer(case, "police", POLICE_ANSWER).raise_for_status()
    key = on.stored(lambda store: make_api_key(store, NewKey("school", "merton", "education")))
    elsewhere = on.submit(ORDINARY, by=key).raise_for_status().json()["reference"]
    return Scene(on, mailbox, case, elsewhere, unrated=on.referral(), their_key=key)


def _settings(folder: Path, mail_port: int) -> Settings:
    server = f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org"
    channels, accounts = folder / "channels.toml", folder / "accounts.toml"
    for secret in (channels, accounts):
        secret.touch(mode=0o600)
    channels.write_text(f'["*"]\n"*" = ["{server}&to=role@example.org"]\n')
    return Settings.model_validate(
        {
            "data_dir": folder / "data",
            "api_port": free_port(),
            "prefect_api_url": f"http://127.0.0.1:{free_port()}/api",
            "hubs": ",".join(HUBS),
            "channels_file": channels,
            "mail_url": server,
            "local_accounts": True,
            "accounts_file": accounts,
            "body_seconds": 3,
            # Alerts are due within seconds; on a Thursday morning the hub is open.
            "time_rate": 240,
            "time_start": "2026-11-19T10:00:00+00:00",
            "settle_seconds": 0.1,
        }
    )
