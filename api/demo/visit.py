"""Whoever looks at the demonstration's pages: one local account for each kind of person, and the one-time code of the moment."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
from rich.console import Console

from mash.api.accounts import STEP, new_account
from mash.config.permissions import roles
from mash.config.sign_on import Position, accounts_text
from mash.config.words import agency_title, sentence
from mash.flows.installation.secret_files import write_secret
from mash.flows.installation.stack import Stack
from mash.flows.store.time import HubTime
from mash.states.clocks import dated
from mash.states.profile import Profile

OTHERS = (
    ("out_of_hours", "social_care"),
    ("agency", "police"),
    ("early_help", "early_help"),
    ("adult_social_worker", "adults"),
    ("information_governance", "social_care"),
    ("data_manager", "social_care"),
    ("analyst", "social_care"),
    ("administrator", "social_care"),
)
"""Who is there at every hub beside its managers and social workers."""


@dataclass(frozen=True)
class Login:
    """A kind of person whom one can sign in as."""

    name: str
    """What is typed in."""
    who: str
    does: str
    position: Position


class Visitors:
    """The accounts of this demonstration. One password and one source of codes serve for all: nothing here is worth keeping."""

    def __init__(self, folder: Path, hubs: tuple[Profile, ...]) -> None:
        self.hub = hubs[0].title
        self.file, self.password = folder / "accounts.toml", secrets.token_urlsafe(12)
        self.logins = tuple(login for place, hub in enumerate(hubs) for login in _logins(hub, first=place == 0))
        account = new_account(self.logins[0].name, self.password, self.logins[0].position)
        self.codes = pyotp.TOTP(account.one_time_codes.get_secret_value())
        accounts = {login.name: account.model_copy(update={"positions": (login.position,)}) for login in self.logins}
        write_secret(self.file, accounts_text(accounts))

    @property
    def code(self) -> str:
        """The one-time code of now."""
        return self.codes.now()

    def lines(self) -> Iterator[str]:
        """A line for each login: all that it takes to sign in."""
        widest, longest = (max(map(len, column)) for column in zip(*((each.who, each.name) for each in self.logins), strict=True))
        for each in self.logins:
            yield (f"  {each.who:<{widest}}  login {each.name:<{longest}}  password {self.password}  one-time code {self.code}")


def _logins(hub: Profile, *, first: bool) -> Iterator[Login]:
    """The kinds of people of a hub; of a second one its duty manager only, who is enough to look around."""
    own = [("duty_manager", "social_care")]
    if first:
        signs_off = (rule.role for rule in hub.sign_off.values())
        named = (hub.raters[0], hub.meeting.chair, *hub.deciders[:1], *signs_off, "practice_manager", "service_manager")
        own = list(dict.fromkeys([*own, *((role, "social_care") for role in named), *OTHERS]))
    for role, agency in own:
        title = agency_title(hub, agency)
        who = f"Partner ({title})" if role == "agency" else sentence(role)
        name = agency if role == "agency" else role
        yield Login(
            name=name if first else f"{name}.{hub.name}",
            who=who if first else f"{who}, {hub.title}",
            does=roles()[role],
            position=Position(role=role, agency=agency, hub=hub.name),
        )


def show(console: Console, stack: Stack, visitors: Visitors, mail_page: str, now: HubTime) -> None:
    """Say where everything is and how one signs in. On a terminal the code stands below it, up to date, as long as all is up."""
    address = stack.settings.base_url
    for line in (
        "",
        f"Refer       {address}/refer",
        f"Sign in     {address}/sign-in",
        f"Mail        {mail_page}  (what the demonstration sent to whom, and the one-time code of the moment)",
        f"API docs    {address}/docs",
        f"Prefect UI  {stack.prefect_ui}  (login {stack.prefect_login_hint})",
        "",
        f"Sign in as one of these, of {visitors.hub}: each is another kind of person, and sees what that person sees.",
        *visitors.lines(),
        f"A one-time code lasts {STEP} seconds, and is good once for each login. The code of the moment: {mail_page}code",
        "",
        f"Demo time is {dated(now.now())}: pages and mail show demo time, which now runs at the pace of real time.",
        "All stays up until Ctrl-C.",
    ):
        console.print(line, soft_wrap=True, markup=False)
    if console.is_terminal:
        _show_code(console, visitors)


def _show_code(console: Console, visitors: Visitors) -> None:
    status = console.status("")
    status.start()

    def renew() -> None:
        while True:
            status.update(f"One-time code {visitors.code}. All stays up until Ctrl-C.")
            time.sleep(STEP / 10)

    threading.Thread(target=renew, daemon=True).start()
