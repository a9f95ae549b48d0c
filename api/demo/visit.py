"""Somebody who looks at the demonstration's pages: a local account, and its one-time code of the moment."""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path

import pyotp
from rich.console import Console

from mash.api.accounts import STEP, new_account
from mash.config.sign_on import Account, Position, accounts_text
from mash.flows.installation.secret_files import write_secret
from mash.flows.installation.stack import Stack

LOGIN = "visitor"
POSITIONS = (("duty_manager", "social_care"), ("agency", "police"), ("administrator", "social_care"))


class Visitor:
    """An account of this demonstration, which may act as several people of a hub."""

    def __init__(self, folder: Path, hub: str) -> None:
        self.file, self.password = folder / "accounts.toml", secrets.token_urlsafe(12)
        positions = tuple(Position(role=role, agency=agency, hub=hub) for role, agency in POSITIONS)
        made = new_account(LOGIN, self.password, positions[0])
        self.account: Account = made.model_copy(update={"positions": positions})
        write_secret(self.file, accounts_text({LOGIN: self.account}))

    @property
    def code(self) -> str:
        """The one-time code of now."""
        return pyotp.TOTP(self.account.one_time_codes.get_secret_value()).now()

    def show(self, console: Console, stack: Stack) -> None:
        """Say where everything is and how one signs in, and keep the code up to date as long as the demonstration is up."""
        address = stack.settings.base_url
        for line in (
            f"Refer      {address}/refer",
            f"Board      {address}/board  (login {LOGIN}, password {self.password})",
            f"API docs   {address}/docs",
            f"Prefect UI {stack.prefect_ui}  ({stack.prefect_login_hint})",
        ):
            console.print(line, soft_wrap=True)
        status = console.status("")
        status.start()

        def keep() -> None:
            while True:
                status.update(f"One-time code {self.code}. All stays up until Ctrl-C.")
                time.sleep(STEP / 10)

        threading.Thread(target=keep, daemon=True).start()
